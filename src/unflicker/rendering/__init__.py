"""Pass 2: full-size frames, each corrected by its plan."""

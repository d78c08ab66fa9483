"""Pass 2: frames at full resolution, each corrected by its plan."""

"""Local refinement: texture that flickers from frame to frame, calmed by its neighbours in time."""

"""An atlas: one steady picture of a whole shot, with a mapping from each frame to it."""

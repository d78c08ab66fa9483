"""One steady picture of a whole shot, and how each frame lies in it."""

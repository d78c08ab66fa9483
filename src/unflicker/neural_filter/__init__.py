"""From a frame and its flawed guide to a grade: the guide's light, nothing of its structure."""

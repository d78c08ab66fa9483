"""What is left from frame to frame, taken out by networks that remember."""

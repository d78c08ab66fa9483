"""The neural filter: predicts a grade from frame and atlas guide, without the guide's structure."""

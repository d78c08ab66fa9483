"""Data sets of flickering video: building, layouts on disk, and reading."""

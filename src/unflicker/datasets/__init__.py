"""Sets of flickering examples: built, found on disk, and read."""

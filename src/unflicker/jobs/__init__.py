"""Independent pieces of work, done side by side by processes."""

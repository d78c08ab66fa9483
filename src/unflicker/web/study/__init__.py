"""The user study in a browser (`unflicker.study` without a browser)."""

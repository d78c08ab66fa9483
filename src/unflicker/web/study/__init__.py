"""The user study in a browser; `unflicker.study` has all that needs no browser."""

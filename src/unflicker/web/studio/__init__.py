"""The studio in a browser; `unflicker.studio` has all that needs no browser."""

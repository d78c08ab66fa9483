"""unflicker: takes the flicker out of any video."""

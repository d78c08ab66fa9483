"""Output files: never an input, and written completely or not at all."""

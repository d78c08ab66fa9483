"""`unflicker atlas`: an atlas as pictures, and drawings made on it (needs torch)."""

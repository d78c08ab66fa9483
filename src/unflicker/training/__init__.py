"""How the networks are trained: data with the truth known, loops that read top to bottom."""

"""The reference system as published: preset `paper` (Lei et al. 2023). Needs torch."""

"""Stands in for torch in processes that need none: to load it takes longer than their work."""

raise ImportError("torch is left out of this test")

"""Suites of the published benchmark: `unflicker evaluate --suite NAME`."""

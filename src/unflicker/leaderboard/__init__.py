"""The site and the tables of a comparison of methods: `unflicker report`.

Not the page about one run, which `unflicker run --report` writes: that is `report.page`.
"""

from unflicker.leaderboard.write import write_site

__all__ = ["write_site"]

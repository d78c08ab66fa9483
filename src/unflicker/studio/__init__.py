"""The studio: a library of films, what is known of each, its correction, and work in progress.

Pages and requests are in `web/studio`.
"""

"""Pages in a browser, served on this machine; the only home of the web framework."""

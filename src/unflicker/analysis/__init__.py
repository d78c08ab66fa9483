"""Pass 1: from a film's proxies to its plan, window by window. No large picture is touched."""

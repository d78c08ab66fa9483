"""The browser of tests that need one."""

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = (
    "--no-sandbox --disable-gpu --disable-quic --disable-background-networking "
    "--disable-component-update --disable-sync"
)

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

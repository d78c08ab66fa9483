"""Films that do not fit into memory are refused before the work."""

import resource
from pathlib import Path

import pytest

from unflicker.compute import memory
from unflicker.errors import InputError

GB = 1 << 30


def test_a_film_that_fits_is_taken_and_a_larger_one_is_not(monkeypatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: 2 * GB)
    memory.refuse_too_large((4000, 4000), frame_bytes=16_000_000, name="film")
    with pytest.raises(InputError, match=r"16000x16000 px: a run takes about 32\.3 GB"):
        memory.refuse_too_large((16_000, 16_000), frame_bytes=GB, name="film")


def test_where_the_system_does_not_tell_nothing_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: None)
    memory.refuse_too_large((65_535, 65_535), frame_bytes=1 << 40, name="film")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells")
def test_a_limit_of_addresses_counts(monkeypatch) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (used + GB, used + GB))
    assert abs(memory.free_bytes() - GB) < 2**28

"""What is no file is refused before it is opened."""

import os
from pathlib import Path

import pytest

from unflicker.errors import InputError
from unflicker.video import open_video


def test_a_pipe_or_a_device_is_refused_and_not_waited_for(tmp_path) -> None:
    pipe = tmp_path / "film.mp4"
    os.mkfifo(pipe)
    link = tmp_path / "link.mp4"
    link.symlink_to(pipe)
    for path in (pipe, link, Path("/dev/null")):
        with pytest.raises(InputError, match="a pipe or a device"):
            open_video(path)

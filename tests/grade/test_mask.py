"""Laws of the mask that a user draws."""

import cv2
import numpy as np
import pytest

from unflicker.errors import InputError
from unflicker.grade.mask import read_mask

SIZE = (6, 9)


def write(path, picture: np.ndarray):
    done, data = cv2.imencode(path.suffix, picture)
    assert done
    path.write_bytes(data.tobytes())
    return path


@pytest.mark.parametrize("ending", [".png", ".tiff"])
@pytest.mark.parametrize("sample", [np.uint8, np.uint16])
def test_white_is_all_and_black_nothing_at_any_depth(tmp_path, ending, sample) -> None:
    picture = np.zeros(SIZE, sample)
    picture[:, 4:] = np.iinfo(sample).max
    mask = read_mask(write(tmp_path / f"mask{ending}", picture), size=SIZE)
    assert mask.dtype == np.float32
    np.testing.assert_array_equal(mask, (np.arange(9) >= 4) * np.ones((6, 1)))


def test_colour_and_transparency_are_read_as_grey(tmp_path) -> None:
    picture = np.zeros((*SIZE, 4), np.uint8)
    picture[:, :3, :3] = 255
    picture[..., 3] = 40
    mask = read_mask(write(tmp_path / "mask.png", picture), size=SIZE)
    np.testing.assert_array_equal(mask, (np.arange(9) < 3) * np.ones((6, 1)))


def test_names_with_quotes_and_unicode_are_read(tmp_path) -> None:
    path = write(tmp_path / "größe 'x\" 🎞.png", np.full(SIZE, 255, np.uint8))
    assert read_mask(path, size=SIZE).min() == 1.0


def test_another_size_is_named(tmp_path) -> None:
    path = write(tmp_path / "mask.png", np.zeros((5, 9), np.uint8))
    with pytest.raises(InputError, match=r"9×5 px, the film 9×6"):
        read_mask(path, size=SIZE)


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_what_is_no_picture_is_an_input_error(tmp_path, content) -> None:
    path = tmp_path / "mask.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="not a picture"):
        read_mask(path, size=SIZE)

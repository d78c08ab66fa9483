"""Laws of the mask that a user draws."""

import cv2
import numpy as np
import pytest

from unflicker.errors import InputError
from unflicker.grade.mask import FullShares, Kept, kept_of, read_mask

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


def shares(*values: int) -> np.ndarray:
    return np.stack([np.full(SIZE, value, np.uint8) for value in values])


def test_frames_that_keep_the_same_share_it_and_those_that_keep_nothing_have_none() -> None:
    one, twin, none, other = kept_of(shares(0, 0, 255, 10))
    assert one is twin
    assert none is None
    assert one is not None
    assert other is not None
    assert one.share(SIZE).max() == 0.0
    np.testing.assert_allclose(other.share((12, 18)), 10 / 255)
    assert kept_of(None) == ()


def test_a_mask_and_what_is_kept_both_take_their_part() -> None:
    mask = np.full(SIZE, 0.5, np.float32)
    (half,) = kept_of(shares(51))
    full = FullShares(mask)
    np.testing.assert_allclose(full.of_size(SIZE, half), 0.1)
    assert full.of_size(SIZE, None) is mask
    assert FullShares(None).of_size(SIZE, None) is None


@pytest.mark.parametrize("data", [b"", b"1234", b"12345678no zlib"])
def test_bytes_that_keep_nothing_are_refused(data) -> None:
    (kept,) = kept_of(shares(7))
    assert kept is not None
    assert Kept.from_bytes(kept.to_bytes()) == kept
    with pytest.raises(ValueError, match="kept of a frame"):
        Kept.from_bytes(data)

import cv2
import numpy as np
import pytest

from unflicker.errors import UsageError
from unflicker.recording.record import Still
from unflicker.report import write_sheet
from unflicker.report.pictures import chosen_stills, labelled
from unflicker.report.sheet import sheet


def test_the_sheet_stands_before_over_after(record):
    picture = sheet(record, count=4)
    height, width = picture.shape[:2]
    assert width > height
    strongest = chosen_stills(record, count=4)[0]
    at = (8 + 90, 8 + 160)
    assert np.abs(picture[at].astype(int) - strongest.before[90, 160]).max() <= 1
    assert np.abs(picture[at[0] + 188, at[1]].astype(int) - strongest.after[90, 160]).max() <= 1


def test_the_sheet_is_a_picture_file(record, tmp_path):
    write_sheet(record, tmp_path / "new" / "sheet.png")
    read = cv2.imread(str(tmp_path / "new" / "sheet.png"))
    assert np.array_equal(read[..., ::-1], sheet(record))


def test_tall_tiny_and_large_stills_fit_the_sheet(make_record):
    for size in ((640, 360, 3), (3, 2, 3), (2000, 1000, 3)):
        pixels = np.full(size, 90, np.uint8)
        still = Still(index=0, seconds=0.0, before=pixels, after=pixels)
        assert max(sheet(make_record(stills=(still,))).shape) < 800


def test_a_record_without_stills_has_no_sheet(make_record, tmp_path):
    with pytest.raises(UsageError, match="run the film first"):
        write_sheet(make_record(stills=()), tmp_path / "sheet.png")


@pytest.mark.parametrize("right", [False, True])
def test_a_label_stays_in_its_corner(right):
    picture = np.full((200, 300, 3), 128, np.uint8)
    changed = (labelled(picture, "before", right=right) != picture).any(axis=(0, 2))
    assert changed.any()
    assert not (changed[:120] if right else changed[180:]).any()
    assert (picture == 128).all()

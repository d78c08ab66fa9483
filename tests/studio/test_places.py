"""Where films may be chosen, and films that arrive in pieces."""

import os

import pytest

from unflicker.errors import UsageError
from unflicker.studio.places import Places
from unflicker.studio.uploads import PIECE_BYTES, Uploads


@pytest.fixture
def places(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside / "deep", outside):
        folder.mkdir(parents=True)
    for name in ("b.mp4", "a.mkv", "notes.txt", ".hidden.mp4"):
        (inside / name).write_bytes(b"12345")
    (outside / "secret.mp4").write_bytes(b"")
    os.symlink(outside, inside / "way out")
    os.symlink(outside / "secret.mp4", inside / "link.mp4")
    os.symlink(inside / "loop", inside / "loop")
    return Places([inside]), inside, outside


def test_a_folder_lists_its_folders_and_films(places):
    offered, inside, _ = places
    above, entries = offered.listed(str(inside))
    assert above == ""
    assert [(entry.name, entry.is_film, entry.size) for entry in entries] == [
        ("deep", False, 0),
        ("a.mkv", True, 5),
        ("b.mp4", True, 5),
    ]
    assert offered.listed(str(inside / "deep")) == (str(inside), [])
    assert [entry.path for entry in offered.listed()[1]] == [str(inside)]


def test_no_path_leads_out(places):
    offered, inside, outside = places
    for path in (
        outside,
        outside / "secret.mp4",
        inside / ".." / "outside",
        inside / "way out",
        inside / "way out" / "secret.mp4",
        inside / "link.mp4",
        inside.parent,
        "/",
        "/etc/passwd",
        "",
        "\0",
        "a" * 5000,
        inside / "loop",
    ):
        if str(path):
            with pytest.raises(UsageError):
                offered.inside(str(path))


def test_a_prefix_of_a_name_is_not_a_folder_above(tmp_path):
    for name in ("films", "films2"):
        (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match="outside"):
        Places([tmp_path / "films"]).inside(str(tmp_path / "films2"))


def test_what_has_gone_is_said(places):
    offered, inside, _ = places
    with pytest.raises(UsageError, match="nothing at this path"):
        offered.inside(str(inside / "gone.mp4"))
    with pytest.raises(UsageError, match="not a folder"):
        Places([inside / "b.mp4"])


@pytest.fixture
def uploads(tmp_path):
    return Uploads(tmp_path / "uploads", most_bytes=1000)


def test_a_film_arrives_in_pieces(uploads):
    content = bytes(range(250)) * 3
    upload = uploads.begin("a film.mp4", size=len(content), changed="1")
    for start in range(0, len(content), 100):
        upload = uploads.add(upload.upload, offset=start, piece=content[start : start + 100])
    assert upload.film is not None
    assert upload.film.name == "a film.mp4"
    assert upload.film.read_bytes() == content
    assert uploads.begin("a film.mp4", size=len(content), changed="1").film == upload.film


def test_an_interrupted_upload_goes_on(uploads, tmp_path):
    first = uploads.begin("a.mp4", size=10, changed="1")
    uploads.add(first.upload, offset=0, piece=b"01234")
    again = Uploads(tmp_path / "uploads")
    found = again.begin("a.mp4", size=10, changed="1")
    assert (found.upload, found.offset) == (first.upload, 5)
    again.add(found.upload, offset=3, piece=b"3456")  # some of it has arrived already
    again.add(found.upload, offset=0, piece=b"0123")
    assert again.add(found.upload, offset=7, piece=b"789").film.read_bytes() == b"0123456789"


def test_another_file_of_that_name_is_another_upload(uploads):
    one = uploads.begin("a.mp4", size=10, changed="1")
    assert uploads.begin("a.mp4", size=10, changed="2").upload != one.upload
    assert uploads.begin("a.mp4", size=11, changed="1").upload != one.upload


def test_what_does_not_fit_is_refused(uploads):
    with pytest.raises(UsageError, match="GB are accepted"):
        uploads.begin("a.mp4", size=1001, changed="")
    with pytest.raises(UsageError, match="no content"):
        uploads.begin("a.mp4", size=0, changed="")
    upload = uploads.begin("a.mp4", size=10, changed="")
    for offset, piece in ((5, b"later"), (0, b"longer than it"), (0, bytes(PIECE_BYTES + 1))):
        with pytest.raises(UsageError, match="have arrived"):
            uploads.add(upload.upload, offset=offset, piece=piece)
    with pytest.raises(UsageError, match="no such upload"):
        uploads.add("0" * 24, offset=0, piece=b"x")


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..",
        "/",
        "a\0b.mp4",
        "a\nb.mp4",
        "C:\\films\\a.mp4",
        "ä" * 400 + ".mp4",
        ".htaccess",
        "<script>.mp4",
        "no ending",
        "\u202egpj.mp4",
    ],
)
def test_any_name_stays_within_the_folder(uploads, tmp_path, name):
    upload = uploads.begin(name, size=1, changed="")
    done = uploads.add(upload.upload, offset=0, piece=b"x")
    assert done.film.parent.parent == tmp_path / "uploads"
    assert done.film.read_bytes() == b"x"
    assert len(os.fsencode(done.film.name)) < 200
    assert done.film.name.isprintable()
    assert not set('<>:"/\\|?*') & set(done.film.name)


@pytest.mark.parametrize("token", ["..", "../x", "", "a/b", "x" * 24, "é"])
def test_tokens_are_no_paths(uploads, token):
    with pytest.raises(UsageError):
        uploads.add(token, offset=0, piece=b"x")

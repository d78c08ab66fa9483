"""Metadata, languages and chapters come back, or the user is told before work starts."""

from fractions import Fraction

import av
import numpy as np
import pytest
from made_films import make_film, rewrite

ENDINGS = ("mp4", "m4v", "mov", "3gp", "mkv", "webm", "avi", "ts", "m2ts", "flv", "nut")
KEEPS_CHAPTERS = ("mp4", "m4v", "mov", "3gp", "mkv", "webm", "nut")


def labelled(path, *, chapters=0, language="", **metadata):
    """A film with chapters, metadata and a tone in a language."""

    def add(container, pictures):
        container.metadata.update(metadata)
        if chapters:
            length = 400 // chapters
            container.set_chapters(
                [
                    {
                        "id": number,
                        "start": number * length,
                        "end": (number + 1) * length,
                        "time_base": Fraction(1, 1000),
                        "metadata": {"title": f"part {number}"},
                    }
                    for number in range(chapters)
                ]
            )
        if not language:
            return None
        tone = container.add_stream("aac", rate=48_000)
        tone.metadata["language"] = language

        def play(container):
            frame = av.AudioFrame.from_ndarray(np.zeros((2, 19_200), np.float32), "fltp", "stereo")
            frame.sample_rate, frame.pts = 48_000, 0
            container.mux(tone.encode(frame))
            container.mux(tone.encode(None))

        return play

    return make_film(path, prepare=add)


def told(path):
    """All values of metadata in a file, its languages, and the titles of its chapters."""
    with av.open(str(path), metadata_errors="replace") as container:
        places = [container.metadata, *(stream.metadata for stream in container.streams)]
        values = {value for place in places for value in place.values()}
        languages = {stream.metadata.get("language") for stream in container.streams.audio}
        kinds = [stream.type for stream in container.streams]
        return values, languages, [one["metadata"] for one in container.chapters()], kinds


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("title", "chapters"), [("A film", 3), ("Ein Film", 1)])
def test_titles_and_chapters_are_kept_or_named(tmp_path, ending, title, chapters):
    source = labelled(tmp_path / "film.mkv", title=title, chapters=chapters)
    notes = " ".join(rewrite(source, tmp_path / f"result.{ending}"))
    values, _, found, _ = told(tmp_path / f"result.{ending}")
    assert (title in values) != ("title" in notes)
    count = "the chapter," if chapters == 1 else f"the {chapters} chapters"
    assert (len(found) == chapters) != (count.strip(",") in notes)
    assert (len(found) == chapters) == (ending in KEEPS_CHAPTERS)


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_chapters_stay_chapters_and_do_not_become_subtitles(tmp_path, ending):
    source = labelled(tmp_path / f"film.{ending}", chapters=3)
    once = tmp_path / f"once.{ending}"
    assert rewrite(source, once) == ()
    assert rewrite(once, tmp_path / f"twice.{ending}") == ()
    before, after = told(source), told(tmp_path / f"twice.{ending}")
    assert before[2] == after[2] == [{"title": f"part {number}"} for number in range(3)]
    assert after[3].count("subtitle") <= before[3].count("subtitle")


@pytest.mark.parametrize(
    ("language", "kept"), [("deu", "ger"), ("fra", "fra"), ("swe", "sve"), ("gsw", None)]
)
def test_a_language_is_kept_under_the_code_of_the_container_or_named(tmp_path, language, kept):
    source = labelled(tmp_path / "film.mkv", language=language)
    notes = rewrite(source, tmp_path / "result.mov")
    assert told(tmp_path / "result.mov")[1] == {kept}
    assert any(f"the language of audio stream 1 ({language})" in note for note in notes) == (
        kept is None
    )
    assert not any("language" in note for note in rewrite(source, tmp_path / "result.mp4"))


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "nut"])
def test_a_track_keeps_its_name(tmp_path, ending):
    def name(container, stream):
        stream.metadata["title"] = "the negative"

    source = make_film(tmp_path / f"film.{ending}", prepare=name)
    assert rewrite(source, tmp_path / f"once.{ending}") == ()
    assert rewrite(tmp_path / f"once.{ending}", tmp_path / f"twice.{ending}") == ()
    assert "the negative" in told(tmp_path / f"twice.{ending}")[0]

"""unflicker.toml: defaults of options, with the command line and the environment above it."""

import re
from pathlib import Path

import pytest

from unflicker.cli.run import run as run_command


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder, and the user's configuration folder."""
    monkeypatch.delenv("UNFLICKER_PRESET")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config" / "unflicker").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def users(here, text):
    (here / "config" / "unflicker" / "unflicker.toml").write_text(text)


def local(here, text):
    (here / "work" / "unflicker.toml").write_text(text)


def test_values_become_defaults_and_the_file_here_comes_first(call, pipeline, film, here):
    users(here, 'preset = "fast"\nstrength = 0.5\njobs = 1\n[set]\ntone.flashes = "repair"\n')
    local(here, "strength = 0.25\nlock_exposure = true\n[encoder]\ntune = 'grain'\n")
    code, _, err = call(film)
    assert code == 0
    *_, settings, options = pipeline.calls[0]
    assert settings.strength == 0.25
    assert settings.refinement.used is False  # as in fast
    assert settings.tone.flashes == "repair"
    assert settings.tone.lock_exposure
    assert settings.encoding.options == (("tune", "grain"),)
    assert options.jobs == 1
    assert "unflicker.toml" in err


def test_the_call_comes_before_the_environment_and_that_before_files(
    call, pipeline, film, here, monkeypatch
):
    users(here, 'preset = "fast"\nstrength = 0.5\n')
    monkeypatch.setenv("UNFLICKER_PRESET", "standard")
    call(film, "--strength", "0.75", "-o", here / "a.mp4")
    settings = pipeline.calls[0][2]
    assert settings.strength == 0.75
    assert settings.refinement.used
    call(film, "--preset", "fast", "-o", here / "b.mp4")
    assert not pipeline.calls[1][2].refinement.used


def test_a_named_file_replaces_the_usual_ones(call, pipeline, film, here):
    users(here, "strength = 0.5\n")
    (here / "other.toml").write_text("keep-slower-than = 6\n")
    assert call(film, "--config", here / "other.toml")[0] == 0
    settings = pipeline.calls[0][2]
    assert (settings.strength, settings.keep_slower_than_seconds) == (1.0, 6.0)
    code, _, err = call(film, "--config", here / "none.toml")
    assert code == 2
    assert "none.toml cannot be read" in err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('presset = "fast"', "unknown key presset; did you mean preset?"),
        ("overwrite = true", "overwrite, which belongs to a single call"),
        ("strength = 7", "strength: 7"),
        ("strength = true", "strength is True; write one value"),
        ("strict = 1", "strict is 1; write true or false"),
        ("preset = [1]", "preset is [1]"),
        ("set = 3", "write a table, [set]"),
        ("strength 3", "is no TOML"),
        ("fps = 25", "fps, which belongs to a single call; pass --fps there"),
        ('order = "time"', "order, which belongs to a single call"),
        ("work-dir = 3", "work-dir is 3; write one value"),
        ('work-dir = ""', "work-dir is ''; write one value"),
        ("jobs = 1.5", "jobs is 1.5; write a whole number"),
        ('jobs = "2"', "jobs is '2'; write one value"),
        ("strength = 2020-01-01", "strength is datetime.date(2020, 1, 1); write one value"),
        ("strength = nan", "strength is nan"),
        ("keep-slower-than = nan", "keep_slower_than_seconds is nan"),
        ('clean = "dirt:huge"', "repair.degree is huge"),
        ('stabilise = "hands"', "hands"),
        ('without = "tones"', "no stage is named tones"),
        ("lock-exposure = true\nlock_exposure = false", "lock_exposure twice"),
        ('[set]\ntone.flashez = "repair"', "unknown setting tone.flashez; did you mean"),
        ("[set]\ntone.lock_exposure = 3", "takes yes or no"),
        ("[set]\nstrength = [1, 2]", "set strength is [1, 2]; write one value"),
        ("[encoder]\ntune = []", "encoder tune is []; write one value"),
    ],
)
def test_a_fault_is_one_line_that_names_the_file(call, pipeline, film, here, text, says):
    local(here, text)
    code, _, err = call(film)
    assert code == 2
    assert says in err
    assert "unflicker.toml" in err
    assert len(err.strip().splitlines()) == 1
    assert not pipeline.calls


def test_tables_of_both_files_and_of_the_call_are_put_together(call, pipeline, film, here):
    users(
        here,
        '[set]\ntone.flashes = "repair"\nstrength = 0.1\n[encoder]\ntune = "grain"\nkeyint = 9\n',
    )
    local(here, "[set]\nstrength = 0.2\n[encoder]\nkeyint = 12\n")
    call(film, "-o", here / "a.mp4")
    call(film, "-o", here / "b.mp4", "--set", "strength=0.3", "-e", "bf=2")
    first, second = (made[2] for made in pipeline.calls)
    assert (first.tone.flashes, first.strength) == ("repair", 0.2)
    assert dict(first.encoding.options) == {"tune": "grain", "keyint": "12"}
    assert (second.tone.flashes, second.strength) == ("repair", 0.3)
    assert dict(second.encoding.options) == {"tune": "grain", "keyint": "12", "bf": "2"}


@pytest.mark.parametrize("text", ['stabilise = "gate"\n', "\ufeffstrength = 0.5\n"])
def test_what_an_editor_or_an_archive_writes_is_read(call, pipeline, film, here, text):
    local(here, text)
    assert call(film)[0] == 0
    settings = pipeline.calls[0][2]
    assert (settings.strength == 0.5) != settings.stabilise.gate


def test_a_default_from_a_file_does_not_stop_a_stream(call, film, here):
    local(here, "checksums = true\n")
    code, _, err = call(film, "-o", "-")
    assert "--checksums" not in err
    assert code == 3  # the film is text
    assert "--checksums" in call(film, "-o", "-", "--checksums")[2]


def test_every_key_is_an_option_of_run():
    from unflicker.cli.config import KEYS

    options = {name[2:] for parameter in run_command.params for name in parameter.opts}
    assert options >= KEYS
    page = (Path(__file__).parents[2] / "docs" / "install.md").read_text(encoding="utf-8")
    (line,) = (line for line in page.splitlines() if line.startswith("- Keys may be any of"))
    assert set(re.findall(r"`([a-z-]+)`", line)) == KEYS | {"set", "encoder"}

"""unflicker.toml: defaults of options, with the command line and the environment above it."""

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
        ("overwrite = true", "unknown key overwrite"),
        ("strength = 7", "strength: 7"),
        ("strength = true", "strength is True; write one value"),
        ("strict = 1", "strict is 1; write true or false"),
        ("preset = [1]", "preset is [1]"),
        ("set = 3", "write a table, [set]"),
        ("strength 3", "is no TOML"),
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


def test_a_default_from_a_file_does_not_stop_a_stream(call, film, here):
    local(here, "checksums = true\n")
    code, _, err = call(film, "-o", "-")
    assert "--checksums" not in err
    assert code == 3  # the film is text
    assert "--checksums" in call(film, "-o", "-", "--checksums")[2]


def test_every_key_is_an_option_of_run():
    from unflicker.cli.config import _KEYS

    options = {name[2:] for parameter in run_command.params for name in parameter.opts}
    assert options >= _KEYS

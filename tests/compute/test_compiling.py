"""Compiled code is kept where the user may write, and nothing about it can stop a run."""

import gc
import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numba
import pytest

from unflicker.cli.process import do_without_a_home
from unflicker.compute import compiling
from unflicker.compute.announcing import when_compiling
from unflicker.compute.caches import cache_folder, is_home_writable, is_usable
from unflicker.errors import UsageError

SOURCE = """
from unflicker.compute.compiling import compiled

@compiled()
def doubled(number):
    return {factor} * number
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of this test's own, and a folder for temporary files."""
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.setenv("HOME", str(place))
    return place


@pytest.fixture
def module(tmp_path, home, monkeypatch):
    """Loads a module with one compiled function, as a new process would."""
    # Python takes bytecode of a source of the same size and second for the same.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    folder = tmp_path / "package"
    folder.mkdir()

    def loaded(factor=2):
        compiling._places.cache_clear()
        compiling._stamp.cache_clear()
        path = folder / "loops.py"
        path.write_text(SOURCE.format(factor=factor))
        spec = importlib.util.spec_from_file_location("loops", path)
        assert spec is not None
        assert spec.loader is not None
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        return made.doubled

    loaded.folder = folder
    return loaded


def compilations(function):
    """How often a function was compiled, and how often its code was found."""
    return sum(function.stats.cache_misses.values()), sum(function.stats.cache_hits.values())


def code_in(folder):
    return sorted(folder.rglob("*.nbc"))


def make_unwritable(folder):
    """Leave no room for a folder's `__pycache__`, for the administrator, too."""
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    (folder / "__pycache__").write_text("in the way")


def test_code_is_compiled_once_and_kept_beside_its_source(module):
    function = module()
    assert function(4) == 8
    assert compilations(function) == (1, 0)
    assert len(code_in(module.folder / "__pycache__")) == 1
    again = module()
    assert again(5) == 10
    assert compilations(again) == (0, 1)


def test_each_signature_has_its_own_file(module):
    function = module()
    assert (function(4), function(0.5)) == (8, 1.0)
    assert len(code_in(module.folder)) == 2
    again = module()
    assert (again(4), again(0.5)) == (8, 1.0)
    assert compilations(again) == (0, 2)


def test_code_of_an_older_source_is_not_used_and_is_removed(module):
    assert module(factor=2)(4) == 8
    changed = module(factor=3)
    assert changed(4) == 12
    assert len(code_in(module.folder)) == 1


def test_code_is_compiled_again_after_a_change_of_its_neighbours(module):
    """A loop may have parts from other files of its folder."""
    module()(4)
    (module.folder / "parts.py").write_text("factor = 3")
    changed = module()
    assert changed(4) == 8
    assert compilations(changed) == (1, 0)
    assert len(code_in(module.folder)) == 1


DAMAGE = {
    "cut short": lambda content: content[: len(content) // 2],
    "emptied": lambda _: b"",
    "zeros at the end": lambda content: content[:-600] + bytes(600),
    "one bit": lambda content: content[:500] + bytes([content[500] ^ 1]) + content[501:],
    "something else": lambda _: b"no code",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_code_is_compiled_again_and_replaced(module, damage):
    module()(4)
    (file,) = code_in(module.folder)
    whole = file.read_bytes()
    file.write_bytes(DAMAGE[damage](whole))
    function = module()
    assert function(4) == 8
    assert compilations(function) == (1, 0)
    again = module()
    assert again(4) == 8
    assert compilations(again) == (0, 1)


def test_a_folder_in_place_of_the_file_stops_nothing(module):
    module()(4)
    (file,) = code_in(module.folder)
    file.unlink()
    (file / "deep").mkdir(parents=True)
    assert module()(4) == 8


def test_an_installation_that_cannot_be_written_keeps_code_in_the_users_cache(module, home):
    make_unwritable(module.folder)
    assert module()(4) == 8
    (file,) = code_in(home / ".cache" / "unflicker")
    assert stat.S_IMODE((home / ".cache/unflicker").stat().st_mode) == 0o700
    again = module()
    assert again(4) == 8
    assert compilations(again) == (0, 1)
    assert file.exists()


def test_code_that_an_administrator_compiled_is_read_where_it_cannot_be_written(
    module, home, monkeypatch
):
    module()(4)
    usable = is_usable
    monkeypatch.setattr(
        compiling,
        "is_usable",
        lambda folder, **rest: "package" not in folder.parts and usable(folder, **rest),
    )
    again = module()
    assert again(4) == 8
    assert compilations(again) == (0, 1)
    assert code_in(home) == []


def test_without_a_home_code_goes_to_a_private_temporary_folder(module, tmp_path, monkeypatch):
    make_unwritable(module.folder)
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    assert module()(4) == 8
    (file,) = code_in(tmp_path / "tmp")
    private = tmp_path / "tmp" / file.relative_to(tmp_path / "tmp").parts[0]
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert not (tmp_path / "nowhere").exists()


def test_a_temporary_folder_where_others_may_write_is_not_trusted(module, tmp_path, monkeypatch):
    make_unwritable(module.folder)
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    planted = tmp_path / "tmp" / f"unflicker-{os.geteuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    function = module()
    assert function(4) == 8
    assert code_in(tmp_path) == []
    assert function.stats.cache_path is None


def test_a_link_in_place_of_the_temporary_folder_is_not_followed(module, tmp_path, monkeypatch):
    make_unwritable(module.folder)
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    (tmp_path / "theirs").mkdir(mode=0o700)
    (tmp_path / "tmp" / f"unflicker-{os.geteuid()}").symlink_to(tmp_path / "theirs")
    assert module()(4) == 8
    assert code_in(tmp_path) == []


def test_with_nowhere_to_write_code_stays_in_memory(module, tmp_path, monkeypatch):
    make_unwritable(module.folder)
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    function = module()
    assert (function(4), function(5)) == (8, 10)
    assert compilations(function) == (1, 0)


def test_python_s_last_resort_for_temporary_files_is_not_taken(module, tmp_path, monkeypatch):
    make_unwritable(module.folder)
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert module()(4) == 8
    assert code_in(tmp_path) == []


def test_a_full_disk_leaves_code_in_memory_and_no_half_file(module, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    assert module()(4) == 8
    assert list((module.folder / "__pycache__").glob("*loops.doubled*")) == []


def test_the_place_that_numbas_variable_names_goes_first(module, tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "mine"))
    assert module()(4) == 8
    assert len(code_in(tmp_path / "mine")) == 1
    assert code_in(module.folder) == []


def test_a_place_that_numbas_variable_names_in_vain_is_passed_over(module, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", "/dev/null/mine")
    assert module()(4) == 8
    assert len(code_in(module.folder)) == 1


def test_threads_may_call_a_function_first_at_once(module):
    function, found = module(), []
    threads = [threading.Thread(target=lambda: found.append(function(4))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [8] * 4
    assert compilations(function) == (1, 0)


def test_where_compiling_is_switched_off_the_function_is_itself(module, monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    assert module()(4) == 8
    assert code_in(module.folder) == []


def test_a_relative_cache_home_is_none(home, tmp_path):
    usual = cache_folder({})
    assert usual == home / ".cache" / "unflicker"
    assert cache_folder({"XDG_CACHE_HOME": "relative"}) == usual
    said = {"XDG_CACHE_HOME": str(tmp_path / "said")}
    assert cache_folder(said) == tmp_path / "said" / "unflicker"


def test_a_home_is_writable_or_not(home, tmp_path, monkeypatch):
    assert is_home_writable({})
    assert not is_home_writable({"XDG_CONFIG_HOME": "/dev/null/config"})
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    assert not is_home_writable({})


def test_libraries_get_a_place_for_caches_only_where_the_home_has_none(home, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    do_without_a_home()
    assert not {"MPLCONFIGDIR", "XDG_CACHE_HOME"} & set(os.environ)
    os.environ["HOME"] = str(tmp_path / "nowhere")
    do_without_a_home()
    place = tmp_path / "tmp" / f"unflicker-{os.geteuid()}"
    assert os.environ["XDG_CACHE_HOME"] == str(place)
    assert os.environ["MPLCONFIGDIR"] == str(place / "matplotlib")
    assert cache_folder(os.environ) == place / "unflicker"


RUN = """
import sys
from unflicker.cli.main import main
main()
"""


def as_another_user() -> list[str]:
    """What to put before a command for it to run as a user who may read all and write little."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None:
        return []
    caps = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *caps]
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else []


@pytest.mark.parametrize("home", [None, "/dev/null"])
def test_a_user_without_a_home_steadies_a_film_and_gets_a_report(home, request):
    from made_films import make_film

    command = as_another_user()
    if not command:
        pytest.skip("only the administrator can become another user")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        temporary = Path(folder) / "tmp"
        temporary.mkdir()
        for place in (folder, temporary):
            os.chmod(place, 0o777)
        make_film(Path(folder) / "film.mp4")
        source = Path(compiling.__file__).parents[2]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(source),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(temporary),
            "OMP_NUM_THREADS": "1",
            "UNFLICKER_PRESET": "fast",
        } | ({} if home is None else {"HOME": home})
        done = subprocess.run(
            [*command, sys.executable, "-c", RUN, "film.mp4", "--report", "film.html"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "fault of ours" not in done.stderr
        assert "Matplotlib" not in done.stderr
        there = {path.name for path in Path(folder).iterdir()}
        assert {"film_unflickered.mp4", "film.html"} <= there


def test_parallel_functions_are_refused_with_what_to_do():
    with pytest.raises(UsageError, match="in_bands"):
        compiling.compiled(parallel=True)


def test_while_code_is_compiled_unused_objects_are_not_looked_for(module, monkeypatch):
    found = []
    compiles = compiling.compiles
    monkeypatch.setattr(compiling, "compiles", lambda: (found.append(gc.isenabled()), compiles()))
    assert module()(4) == 8
    assert found == [False]
    assert gc.isenabled()


def test_a_compilation_is_told_once_and_code_from_a_file_is_not(module):
    told: list[str] = []
    when_compiling(lambda: told.append("compiles"))
    assert module()(1.5) == 3.0
    assert told == ["compiles"]
    when_compiling(lambda: told.append("again"))
    assert module()(1.5) == 3.0
    assert told == ["compiles"]

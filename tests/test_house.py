"""Laws of the house: the map, the import rule, one home for each library, budgets."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from slow_tests import SLOW
from source_trees import parsed

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "unflicker"
MODULES = sorted(PACKAGE.rglob("*.py"))

HOMES = {
    "av": {"video"},
    "click": {"cli"},
    "rich": {"cli"},
    "matplotlib": {"plan", "report", "leaderboard"},
    "jinja2": {"report"},
    "markupsafe": {"report", "leaderboard"},
    "fastapi": {"web"},
    "starlette": {"web"},
    "pydantic": {"web"},
    "uvicorn": {"web"},
    "safetensors": {"compute", "training"},
    "torch": {
        "grade",
        "compute",
        "atlas",
        "atlas_export",
        "neural_filter",
        "paper",
        "training",
        "baselines",
        "metrics",
        "plugins",
    },
    "vapoursynth": {"plugins"},
    "comfy": {"plugins"},
    "comfy_api": {"plugins"},
    "folder_paths": {"plugins"},
    "lpips": {"metrics"},
    "imageio_ffmpeg": {"metrics"},
    "OpenImageIO": {"video"},
    "rawpy": {"video"},
}
LONGEST_FILE, LONGEST_FUNCTION = 400, 40
ENVIRONMENT = {"compute/caches.py", "jobs/local.py", "jobs/processes.py"}
"""Modules besides the command line that read variables: where caches are, and what processes that
are started get of them."""


def modules_on_the_map(text: str) -> list[str]:
    return re.findall(r"^\s*- `([a-z_/]+\.py|[a-z_/]+/)`", text, flags=re.MULTILINE)


def modules_in_the_folder() -> set[str]:
    files = (path for path in MODULES if path.name != "__init__.py")
    return {path.relative_to(PACKAGE).as_posix() for path in files}


def imported(tree: ast.AST) -> set[str]:
    """Top-level names of what a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            names |= {str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)}
    return names


def guests_away_from_home(source: str, part: str) -> set[str]:
    names = imported(parsed(source))
    return {name for name in names if part not in HOMES.get(name, {part})}


def functions_too_long(source: str) -> list[str]:
    found = []
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if "# long:" in source.splitlines()[node.lineno - 1]:
                continue  # the reason stands behind the colon
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                found.append(f"{node.name} has {lines} lines")
    return found


def imports_within(source: str) -> set[str]:
    """Modules of ours that a module imports, as `tone.fades`; names of packages are left out."""
    found = set()
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unflicker"):
            inside = node.module.removeprefix("unflicker").lstrip(".")
            found |= {inside} | {f"{inside}.{alias.name}".lstrip(".") for alias in node.names}
    return found & NAMES


NAMES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
    for path in MODULES
    if path.name != "__init__.py"
}


def imports_up_the_map(chapter: list[str], sources: dict[str, str]) -> list[str]:
    """Imports in a chapter of the map of a module that stands above."""
    names = [module.removesuffix(".py").replace("/", ".") for module in chapter]
    return [
        f"{name} imports {other}, which stands above it"
        for place, name in enumerate(names)
        for other in sorted(imports_within(sources[name]) & set(names[:place]))
    ]


def circles(imports: dict[str, set[str]]) -> list[str]:
    """Modules that import themselves by way of others."""

    def reached(name: str) -> set[str]:
        seen, waiting = set(), [name]
        while waiting:
            new = imports[waiting.pop()] - seen
            seen |= new
            waiting += new
        return seen

    return sorted(name for name in imports if name in reached(name))


def sources() -> dict[str, str]:
    paths = (PACKAGE / f"{name.replace('.', '/')}.py" for name in NAMES)
    return dict(zip(NAMES, (path.read_text(encoding="utf-8") for path in paths), strict=True))


def test_the_map_and_the_folder_agree():
    listed = modules_on_the_map((PACKAGE / "README.md").read_text(encoding="utf-8"))
    assert len(listed) == len(set(listed)), "a module stands on the map twice"
    assert set(listed) == modules_in_the_folder()


def test_no_module_stands_outside_a_folder_but_the_story_and_its_two_words():
    loose = {each.name for each in PACKAGE.glob("*.py") if not each.name.startswith("__")}
    assert loose == {"pipeline.py", "errors.py", "progress.py"}


def test_every_test_that_is_named_as_slow_exists():
    here = Path(__file__).parent
    named = [(here / name, test) for name, tests in SLOW.items() for test in tests]
    assert not [test for path, test in named if f"def {test}(" not in path.read_text("utf-8")]


def test_imports_point_down_the_map():
    _, house, around = (PACKAGE / "README.md").read_text(encoding="utf-8").split("\n## ")
    house, around = modules_on_the_map(house), modules_on_the_map(around)
    assert house[0] == "pipeline.py"
    read = sources()
    assert not imports_up_the_map(house, read)
    assert not imports_up_the_map([*around, *house], read)


def test_an_import_up_the_map_would_be_noticed():
    read = {"errors": "from unflicker.progress import silent", "progress": ""}
    assert imports_up_the_map(["progress.py", "errors.py"], read)
    assert not imports_up_the_map(["errors.py", "progress.py"], read)


def test_no_import_goes_in_a_circle():
    assert circles({name: imports_within(source) for name, source in sources().items()}) == []


def test_a_circle_would_be_noticed():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b", "c"]


def test_the_layers_of_the_conventions_are_those_that_are_enforced():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    text = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
    assert "\n".join(layers) in text


def test_imports_point_down_the_page():
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_each_outside_library_has_one_home():
    for path in MODULES:
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        assert not guests_away_from_home(path.read_text(encoding="utf-8"), part), path


def test_a_library_away_from_home_would_be_noticed():
    assert guests_away_from_home("def f():\n    import av.filter", "tone") == {"av"}
    assert guests_away_from_home("from matplotlib.figure import Figure", "cli") == {"matplotlib"}
    assert guests_away_from_home('torch = import_module("torch")', "frames") == {"torch"}


def reads_the_environment(source: str) -> bool:
    """Whether a module reads variables; setting those of a library or a child is none."""
    return bool(re.search(r"os\.environ(\.get|\[[^]]*\](?! =)|\)| =)|os\.environ\b(?=,|:)", source))


def test_the_environment_is_read_by_the_command_line_alone():
    readers = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if reads_the_environment(path.read_text(encoding="utf-8"))
    }
    assert {name for name in readers if not name.startswith("cli/")} == ENVIRONMENT


def test_a_module_that_reads_the_environment_would_be_noticed():
    assert reads_the_environment('preset = os.environ.get("UNFLICKER_PRESET")')
    assert reads_the_environment('preset = os.environ["UNFLICKER_PRESET"]')
    assert reads_the_environment("def f(environment=os.environ):")
    assert not reads_the_environment('os.environ.setdefault("SVT_LOG", "1")')
    assert not reads_the_environment('os.environ["OMP_NUM_THREADS"] = "1"')


def compiles_by_itself(source: str) -> bool:
    return bool(re.search(r"\bn?jit\(|import n?jit\b", source))


def test_loops_are_compiled_in_one_place():
    by = {path.stem for path in MODULES if compiles_by_itself(path.read_text(encoding="utf-8"))}
    assert by == {"compiling"}


def test_a_loop_compiled_elsewhere_would_be_noticed():
    assert compiles_by_itself("@numba.njit(cache=True)\ndef f(): ...")
    assert compiles_by_itself("from numba import njit")


def test_the_core_needs_only_what_it_declares():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[<>=\[]", line)[0].lower() for line in project["dependencies"]}
    given = {"opencv-python-headless": "cv2", "jinja2": "jinja2"}
    allowed = {given.get(name, name) for name in declared} | set(sys.stdlib_module_names)
    # markupsafe comes with jinja2; the others are asked for where they are used.
    allowed |= {"unflicker", "markupsafe", "torch", "safetensors", "OpenImageIO", "rawpy"}
    allowed |= {"ray", "fsspec", "fastapi", "pydantic", "uvicorn", "lpips", "imageio_ffmpeg"}
    allowed |= {"vapoursynth", "comfy", "comfy_api", "folder_paths"}  # where a plug-in runs
    for path in MODULES:
        missing = imported(parsed(path.read_text(encoding="utf-8"))) - allowed
        assert not {name for name in missing if "." not in name}, path


def test_files_and_functions_stay_short():
    for path in MODULES:
        source = path.read_text(encoding="utf-8")
        assert len(source.splitlines()) <= LONGEST_FILE, path
        assert functions_too_long(source) == [], path


def test_files_around_the_package_stay_short_too():
    around = (ROOT / name for name in ("tests", "benchmarks", "examples"))
    files = [path for folder in around for path in folder.rglob("*.py")]
    long = [path for path in files if len(path.read_text("utf-8").splitlines()) > LONGEST_FILE]
    assert files
    assert long == []


def test_a_long_function_would_be_noticed():
    assert functions_too_long("def f():\n" + "    x = 1\n" * 40) == ["f has 41 lines"]


def test_every_installed_version_is_pinned():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {line.split("==")[0].lower() for line in text.splitlines() if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    asked = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = {re.split(r"[<>=\[]", line)[0].lower() for line in asked}
    assert {name.replace("_", "-") for name in names} <= {n.replace("_", "-") for n in pinned}


def test_the_public_names_are_loaded_when_used():
    code = "import sys, unflicker; print('numpy' in sys.modules, unflicker.Settings().strength)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False 1.0\n"


def test_library_code_does_not_print():
    for path in MODULES:
        tree = parsed(path.read_text(encoding="utf-8"))
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        assert not any(getattr(call.func, "id", "") == "print" for call in calls), path

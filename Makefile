# make run     steady the demo clip, or VIDEO=film.mp4
# make test    set up and run the tests
# make check   format, lint, types, import rule, all tests, those that take long too
# make man     the manual page, docs/unflicker.1, from the help
# make install-check   a wheel in a new environment: what it holds, and two runs
# make vapoursynth-check   the filter under the real VapourSynth, in an environment of its own
# make fuzz    ten minutes of damaged and hostile inputs
# make bench   the published numbers: speed, quality on CLIPS=folder of steady clips,
#              visible flicker on FILMS=folder of flickering films
# Every target sets up what it needs in .venv; a second call finds it there.

PYTHON ?= python3
VIDEO ?=
CLIPS ?=
FILMS ?=
OUT ?= out
export VIDEO OUT CLIPS FILMS
BIN := .venv/bin
# The programs that tests start would compile all modules each time, where no bytecode is kept.
PYTEST := env -u PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: man install-check run test all-tests vapoursynth-check check lint format fuzz bench clean
.DEFAULT_GOAL := run

.venv/run.stamp: pyproject.toml constraints.txt
	@echo "setting up .venv (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) -e ".[web]"
	@touch $@

.venv/dev.stamp: .venv/run.stamp
	@echo "adding the tools for tests (once) ..."
	@$(PIP) -e ".[dev,neural,web,cluster,remote,images]"
	@touch $@

.venv/benchmark.stamp: .venv/dev.stamp
	@$(PIP) -e ".[dev,neural,web,cluster,remote,images,benchmark]"
	@touch $@

run: .venv/run.stamp
ifeq ($(strip $(VIDEO)),)
	@$(BIN)/python examples/demo.py --folder demo
else
	@$(BIN)/unflicker run "$$VIDEO" -o "$$OUT/" --overwrite \
		--report "$$OUT/report.html" --sheet "$$OUT/before_after.png"
endif

test: .venv/dev.stamp
	@$(PYTEST) -m "not slow" $(ARGS)

all-tests: .venv/dev.stamp
	@$(PYTEST) $(ARGS)

vapoursynth-check: .venv/dev.stamp
	@UNFLICKER_VAPOURSYNTH_PYTHON=make $(BIN)/python -m pytest -n 0 -rs tests/plugins/test_vapoursynth.py

lint: .venv/dev.stamp
	@$(BIN)/ruff format --check src tests benchmarks examples
	@$(BIN)/ruff check src tests benchmarks examples
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-cache

man: .venv/dev.stamp
	@$(BIN)/python -m unflicker.cli.manual > docs/unflicker.1

fuzz: .venv/dev.stamp
	@$(BIN)/python benchmarks/fuzz.py --seconds 300
	@$(BIN)/python benchmarks/hostile.py

install-check: .venv/run.stamp
	@$(BIN)/python benchmarks/fresh_install.py

check: lint all-tests

format: .venv/dev.stamp
	@$(BIN)/ruff format src tests benchmarks examples
	@$(BIN)/ruff check --fix src tests benchmarks examples

bench: .venv/benchmark.stamp
ifneq ($(strip $(CLIPS)),)
	@$(BIN)/unflicker evaluate "$$CLIPS" --suite quality -o "$$OUT/quality"
endif
ifneq ($(strip $(FILMS)),)
	@$(BIN)/unflicker evaluate "$$FILMS" --suite real -o "$$OUT/real"
endif
	@$(BIN)/unflicker evaluate --suite speed -o "$$OUT/speed"

clean:
	rm -rf demo out build dist .pytest_cache .ruff_cache .hypothesis

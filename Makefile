# The one door: `make run`, `make test`, `make lint`, `make bench`, `make soak`. Each sets up what it needs by itself.
SHELL := /bin/bash
PYTHON ?= python3
PY := .venv/bin/python
export PYTHONPATH := .

.PHONY: help setup test soak lint bench clean lock
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: .venv/.ready ## make .venv and install the pinned packages

.venv/.ready: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is wanted, this is " + sys.version.split()[0]) if sys.version_info < (3, 10) else 0'
	@echo "Installing the pinned packages into .venv (once, about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(PY) -m pip install --disable-pip-version-check --progress-bar on --require-hashes -r requirements.lock
	@touch $@

test: .venv/.ready ## all tests that end within minutes
	@$(PY) -m pytest -m "not soak"

soak: .venv/.ready ## the long fuzz and soak runs
	@$(PY) -m pytest -m soak

lint: .venv/.ready ## ruff and mypy
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

lock: ## pin every package again (needs uv)
	@uv pip compile --universal --python-version 3.10 --all-extras --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock

clean: ## remove what was built and installed
	@rm -rf .venv build

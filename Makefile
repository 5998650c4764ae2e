# Deskmate. `make demo` shows it, `make test` proves it; both begin from nothing and are safe to run again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PARALLEL := -n $(shell expr $$(nproc) + 1) --maxprocesses=4 --dist=worksteal

.PHONY: help demo install test trials check bench debian fast clean

help:  ## What there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: install  ## Everything from nothing, then the desk and a Slack workspace in your browser
	$(BIN)/deskmate up

install: $(STAMP)  ## .venv with everything

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Deskmate needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 -c constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	$(BIN)/python -c 'from knowledge.embedder import exported_model; from knowledge.settings import default_cache; exported_model("", default_cache())'
	touch $(STAMP)

debian:  # Server programs that some tests need; only root can install them
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  missing=""; \
	  [ -n "$$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null)" ] || missing="$$missing postgresql"; \
	  [ -x /usr/sbin/slapd ] || missing="$$missing slapd"; \
	  [ -x /usr/bin/chromium ] || missing="$$missing chromium fonts-noto-color-emoji"; \
	  if [ -n "$$missing" ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; fi; \
	fi

test: install debian  ## Everything from nothing, then all tests
	$(BIN)/python -m pytest $(PARALLEL)

fast: install  ## The quick tests, for each save
	$(BIN)/python -m pytest -q -m 'not trials and not slow and not browser and not postgres and not ldap'

trials: install debian  ## What bounds rare leaks: the longest tests, left out of `make test`
	$(BIN)/python -m pytest -m trials

check: install debian  ## What CI runs: style, types, import contracts, all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -m pytest $(PARALLEL)

bench: install debian  ## Measures, never judges: answers' quality and times
	$(BIN)/python -m bench

clean:  ## Forget everything that was made here
	rm -rf $(VENV) .deskmate

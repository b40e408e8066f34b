# `make demo` shows it, `make test` runs what .ci/run runs.
.PHONY: demo test test-light check lint types unit coverage install fix readme translations contact-sheets gates models bench kills model clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHOTO ?=
WORDS ?=
# For a kiss: all in the photo are adults, and fine with it.
YES ?=
PHOTOS ?=
# Everything the targets need lies in this folder, so that a look leaves nothing behind elsewhere.
export VIVANT_DATA_DIR ?= $(CURDIR)/data
# To the shell as they are: words may hold quotes (and a dollar sign is written twice, as ever in make).
export PHOTO WORDS YES

demo: $(VENV)/.demo models
	$(BIN)/vivant demo $${PHOTO:+"$$PHOTO"} $${WORDS:+--words "$$WORDS"} $${YES:+--yes}

test: install models lint types unit

# Without torch and its gigabytes.
test-light: $(VENV)/.test models lint
	$(BIN)/pytest -m "not torch"

check: lint types unit

install: $(VENV)/.test $(VENV)/.torch

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e '.[puppet,redis]'
	touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e '.[telegram,discord,puppet,redis,postgres,heic]' --group dev
	touch $@ $(VENV)/.demo

# torch by its exact version first: a plain `torch` takes a CUDA build of several gigabytes.
$(VENV)/.torch: $(VENV)/.test
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet -c constraints.txt -e '.[engine]'
	touch $@

models: $(VENV)/.demo
	$(BIN)/vivant engine download puppet

lint: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.test
	$(BIN)/mypy

unit: $(VENV)/.test
	$(BIN)/pytest

# The page of contact sheets; with PHOTOS=folder one's own, into data/sheets.
contact-sheets: $(VENV)/.test models
	$(BIN)/python -m tools.contact_sheets $(if $(PHOTOS),"$(PHOTOS)" --into "$(VIVANT_DATA_DIR)/sheets")

# Every photo of PHOTOS=folder x every action, measured on the decoded clips.
gates: $(VENV)/.test models
	$(BIN)/python -m tests.gates.matrix --photos "$(PHOTOS)" --models-dir "$(VIVANT_DATA_DIR)/models/puppet" \
	  --sheets "$(VIVANT_DATA_DIR)/gates"

# After a sentence changed: brings the catalogues up to date and compiles them.
translations: $(VENV)/.test
	$(BIN)/python -m vivant.locales

# The table of settings in the README.
readme: $(VENV)/.test
	$(BIN)/python -m tests.test_readme

# Which lines no test runs.
coverage: $(VENV)/.test
	$(BIN)/pytest --cov

fix: $(VENV)/.test
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Everything measured; `make bench-NAME` for one.
bench-%: $(VENV)/.test models
	$(BIN)/python -m bench.$*

bench: $(addprefix bench-,queue encode bot_process photos acceptance words fairness throughput puppet diffusion)

# Processes killed at random under a stream of photos, for long; `make test` does it for a minute.
kills: $(VENV)/.test
	$(BIN)/python -m bench.kills

# Every order of events with four misfortunes; `make test` allows three.
model: $(VENV)/.test
	$(BIN)/python -m tests.protocol --misfortunes 4

clean:
	rm -rf $(VENV) data dist build .coverage .mypy_cache .pytest_cache .ruff_cache

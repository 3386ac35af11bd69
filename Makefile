# Nothing but Python >= 3.11 and the package index. uv is used when it is there.
PYTHON     ?= python3
BIN        := .venv/bin
CONNECTORS := $(wildcard connectors/*/pyproject.toml)
FOLDERS    := $(CONNECTORS:%/pyproject.toml=%)
EDITABLE   := --editable . $(FOLDERS:%=--editable ./%)
.DEFAULT_GOAL := help
.PHONY: help install demo test live torture mutants check bench docs clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# uv installs in seconds what takes pip minutes; without it pip does the same. Every package is checked by hash.
PIP        := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV         := $(BIN)/uv pip install --quiet --python $(BIN)/python
define fetch
	@echo "installing the packages of $(1)"
	@$(UV) --compile-bytecode --require-hashes --only-binary :all: -r $(1) 2>/dev/null \
		|| $(PIP) install --require-hashes --only-binary :all: -r $(1)
endef

.venv/.python:
	@echo "making .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(PIP) install uv 2>/dev/null || true
	@touch $@

.venv/.runtime: .venv/.python pyproject.toml constraints.txt $(CONNECTORS)
	$(call fetch,constraints.txt)
	@$(UV) --no-deps --no-build-isolation $(EDITABLE) 2>/dev/null || $(PIP) install --no-deps --no-build-isolation $(EDITABLE)
	@$(BIN)/python -m compileall -q src $(FOLDERS:%=%/src)
	@touch $@

.venv/.ready: .venv/.runtime constraints-dev.txt
	$(call fetch,constraints-dev.txt)
	@touch $@

install: .venv/.ready ## Install everything into .venv, every package checked by hash

# What the demo needs is made side by side: our packages, and a Tryton with its database, which takes the longer.
.live/.tryton: .venv/.python $(wildcard src/aios_connect/testing/servers/*.py src/aios_connect/testing/servers/*.txt)
	@PYTHONPATH=src $(BIN)/python -m aios_connect.testing.servers
	@mkdir -p .live && touch $@

demo: ## The whole story: a sheet, a real Tryton, a HubSpot sandbox
	@$(MAKE) --silent --no-print-directory -j 2 .venv/.runtime .live/.tryton
	@$(BIN)/python -m tests.demo

test: .venv/.ready ## Unit, laws, contract, command line, both stores; offline
	@$(BIN)/pytest -q -n 2

live: .venv/.ready ## Against real servers on loopback
	@AIOS_LIVE=1 $(BIN)/pytest -q -n 2 --dist worksteal -m live

torture: .venv/.ready ## Faults and kills (AIOS_SCHEDULES=10000 AIOS_LAG_SEEDS=20 for all)
	@$(BIN)/pytest -q -m torture

mutants: .venv/.ready ## Break the reference connector; the conformance suite must see it
	@$(BIN)/pytest -v -n 2 -m mutants tests/mutants

check: .venv/.ready ## Lint, types, layers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: .venv/.ready ## Ratios against a bare loop in the same run
	@$(BIN)/python -m tests.bench

docs: .venv/.ready ## Generate the reference pages again
	@$(BIN)/python -m aios_connect.cli.reference docs/reference

clean:  # not listed: help shows ten, and everybody knows this one
	@rm -rf .venv .live .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis

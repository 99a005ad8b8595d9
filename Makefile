# The commands of this repository; `make` alone lists them.

BIN := .venv/bin
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup packages demo test lint format docs site bench bench-reliability fuzz clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv from the lock file (quick when done); PYTHON=... chooses the interpreter
	@scripts/setup

packages:
	@scripts/packages test

demo: setup ## a gate and a simulated fleet on loopback: an honest week, then attacks (a minute or two)
	@$(BIN)/simward lab demo $(DEMO)

# The tests of a file run in order in one process, files and lint side by side. Byte code is kept even where the environment
# says not to: the tests start hundreds of processes, each of which would compile the package again.
test: export PYTHONDONTWRITEBYTECODE :=
test: packages setup ## lint and every test, side by side (skipped ones are listed; TESTS=tests/gate: some)
	@scripts/check $(TESTS)

lint: setup ## ruff, mypy --strict, the import law, shell syntax
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@for script in scripts/* .ci/run; do case "$$(head -1 $$script)" in *sh) sh -n $$script || exit 1;; esac; done

format: setup ## sort imports and apply ruff's safe fixes
	$(BIN)/ruff check --fix .

docs: setup ## write the reference pages that are made from code
	$(BIN)/python scripts/write_client.py
	$(BIN)/python scripts/write_reference.py

site: setup ## build the documentation site, strictly, into build/site
	$(BIN)/python -m sphinx -b html -E -W --keep-going -n -q -d build/site-read docs build/site
	@echo "site: build/site/index.html"

bench: setup ## figures beside FreeRADIUS, with and without PostgreSQL, latency, floods, memory, start (BENCH=NAME: one)
	@scripts/packages bench
	$(BIN)/python -m benchmarks $(BENCH); code=$$?; $(BIN)/python scripts/write_figures.py; $(BIN)/python scripts/write_reference.py; exit $$code

bench-reliability: setup ## kill -9 of every process at random moments, under load and in the closed loop: is anything lost or done twice?
	$(BIN)/python -m benchmarks kills webhooks closed_loop

fuzz: setup ## look for what breaks the receiver, answers to Disconnect-Request and policy files, FUZZ_S=30 seconds each
	@scripts/fuzz

clean: ## remove .venv and caches of tools (compiled kernels live in ~/.cache/simward)
	rm -rf .venv .fuzz build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info

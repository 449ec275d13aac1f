# The entry point. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup matrix test bsd unit coverage fuzz mutants defects soak lab canary suite bench bench-peers lint format lock \
	clean down

BIN := .venv/bin
ARGS ?=
SECONDS ?= 600
COUNT ?= 150
SEED ?= 1
RESTORES ?= 200
KILLS ?= 30
CLEAN ?= 100
# DEBUG=1: the cell with the debug kernel too, see docs/guests.md. It is no business of any other build.
unexport DEBUG
ALSO := $(if $(DEBUG),--also linux-amd64-debug)

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## Make ready all that matrix and test need; what is ready is left alone
	@tools/bootstrap
	@$(BIN)/harness setup $(ALSO)

matrix: ## Set up, run the ioctl suite in every cell, write results.json and results.xml; DEBUG=1: in the debug kernel too
	@tools/bootstrap
	@$(BIN)/harness matrix $(ALSO) $(ARGS)

test: setup lint unit coverage lab suite ## Set up, then all checks, the harness's own tests and the suite in the guests

bsd: ## Build the driver for FreeBSD, amd64 and i386, into build/bsd, and check the files
	@tools/bootstrap
	@$(BIN)/python -m tools.freebsd_driver

unit: ## The harness's own tests, and the driver's core on this machine
	$(BIN)/python -m pytest tests/harness tests/agent tests/tools tests/core tests/os2 -q -n 2

coverage: ## Lines and branches of the driver's core that its unit tests run
	@$(BIN)/python -m tools.coverage

fuzz: ## Fuzz the driver's core on this machine for SECONDS (default: 600)
	@$(BIN)/python -m tools.fuzz --seconds $(SECONDS)

mutants: ## Change the driver in COUNT places (default: 150), one at a time, and see whether the suite notices
	@$(BIN)/python -m tools.mutants --count $(COUNT) --seed $(SEED)

defects: ## Put twenty mistakes made by hand into the driver, one at a time: does the suite notice each in CELL
	@$(BIN)/python -m tools.defects --cell $(or $(CELL),windows-amd64)

soak: ## Restore RESTORES times in each way (200), kill KILLS runs in each way (30); CLEAN runs over all cells (100)
	@$(BIN)/python -m tools.soak --restores $(RESTORES) --kills $(KILLS) --clean $(CLEAN) --seed $(SEED)

lab: ## Guests for real: crashes, hangs, killed controllers; with DEBUG=1 what only the debug kernel notices
	$(if $(DEBUG),$(BIN)/harness setup $(ALSO))
	$(BIN)/python -m pytest tests/lab -q -n 2

canary: ## Make the driver fail in every way it can, in every cell, and check what the harness says; with DEBUG=1 too
	@$(BIN)/harness canary $(ALSO) $(ARGS)

suite: ## The ioctl suite in every cell
	$(BIN)/harness matrix $(ALSO) $(ARGS)

bench: ## Measure what the README states
	@$(BIN)/harness bench $(ARGS)

bench-peers: ## The same tests through virtme-ng, pytest-testinfra and this harness, which each take how long
	@$(BIN)/python -m tools.peers $(ARGS)

lint: ## Style, types, import layers, C formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')

format: ## Format Python and C
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	clang-format -i $$(git ls-files '*.c' '*.h')

lock: ## Renew the lock files from pyproject.toml
	echo 'setuptools>=70' | $(BIN)/uv pip compile --generate-hashes --no-header --no-annotate - -o requirements/build.lock
	$(BIN)/uv pip compile --extra dev --generate-hashes --no-header --no-annotate --python-version 3.11 \
		pyproject.toml -o requirements/runtime.lock
	printf '%s\n' paramiko pytest pytest-testinfra virtme-ng | $(BIN)/uv pip compile --generate-hashes --no-header \
		--no-annotate --python-version 3.11 - -o requirements/peers.lock

down: ## Remove guests and runs of ours that were left behind
	@$(BIN)/harness down

clean: ## Remove what was built in this clone; downloads and images stay in the cache
	rm -rf build results results.json results.xml

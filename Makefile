# One command each; `make help` lists them. Nothing but Python 3.11+, make and gcc is expected on the machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# An index named in the environment would find its way into the lock: it must name packages and hashes only.
CLEAN := env -u UV_DEFAULT_INDEX -u UV_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL
COMPILE := $(CLEAN) $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header
# What the tests install beside this environment: the vendors' own clients, and generators of clients.
CLIENTS = $(basename $(wildcard tests/sdk/requirements/*.in))
RELOCK = npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
# More than there are cores (2 in CI): a quarter of the time is spent waiting for leases to run out.
WORKERS ?= 3
# Hundreds of processes are started: where nothing may be written, each compiles everything anew (3.4 s, not 1.4).
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo run test test-all check bench docs docs-serve docs-answers format openapi lock clean setup

help: ## Show what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: $(VENV)/.runtime ## Start everything, import a file of contacts, show the counts, stop
	@$(BIN)/sluice demo

run: $(VENV)/.runtime ## Serve on 127.0.0.1:8000 until Ctrl-C, data in .sluice/
	@$(BIN)/sluice up

test: $(VENV)/.dev ## Run the tests, on real PostgreSQL and Valkey (under 8 minutes)
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m "not slow"

test-all: $(VENV)/.dev ## Run the slow sweeps too
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup

check: $(VENV)/.dev ## Lint, types, import contract, sizes, OpenAPI fresh, documentation whole
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/house

coverage: $(VENV)/.dev ## Run the tests and report the lines and branches of app and workers that none of them reaches
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m "not slow" --cov --cov-report=term --cov-report=html

bench: $(VENV)/.dev ## Measure speed and memory side by side with a psql script; writes benchmarks/results.md
	$(BIN)/python -m benchmarks

docs: $(VENV)/.dev ## Build the documentation into site/; a broken link fails
	@$(BIN)/python -m docs.generate

docs-serve: $(VENV)/.dev ## Show the documentation on 127.0.0.1:8001
	@$(BIN)/python -m docs.generate --pages && $(BIN)/zensical serve --dev-addr 127.0.0.1:8001

docs-answers: $(VENV)/.dev ## Run the commands that the documentation prints, and write the answers into its pages
	$(BIN)/python -m docs.record
	$(BIN)/python -m docs.record.demo

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format -q .

openapi: $(VENV)/.dev ## Write the OpenAPI files anew
	$(BIN)/python -c "from app.main import OPENAPI, write_openapi; write_openapi(OPENAPI)"

lock: $(VENV)/.uv ## Lock the dependencies anew, with hashes and without any host
	$(COMPILE) requirements-bootstrap.in -o requirements-bootstrap.txt
	$(COMPILE) --extra embedded pyproject.toml -o requirements.txt
	$(COMPILE) -c requirements.txt pyproject.toml -o requirements-server.txt
	$(COMPILE) --extra embedded --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	set -e; for each in $(CLIENTS); do $(COMPILE) $$each.in -o $$each.txt; done
	set -e; for each in tests/sdk/node/*/; do (cd $$each && $(RELOCK)); done

setup: $(VENV)/.runtime ## Install what running needs, nothing more

clean: ## Remove everything that was made here
	rm -rf $(VENV) .sluice site docs/.pages .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# uv installs in two seconds what takes pip a minute; it is itself installed by hash.
$(VENV)/.uv: requirements-bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is needed (Debian: apt install python3-venv)" >&2; exit 2; }
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
	@touch $@

$(VENV)/.runtime: $(VENV)/.uv requirements.txt pyproject.toml
	@$(BIN)/uv pip install -q --require-hashes -r requirements.txt
	@$(BIN)/uv pip install -q --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@$(BIN)/uv pip install -q --require-hashes -r requirements-dev.txt
	@touch $@

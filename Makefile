# The commands of the project; `make help` lists them. The machine needs only Python 3.11 or newer, make and gcc.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Without a package index from the environment: it would get into the lock, which has only packages and hashes.
CLEAN := env -u UV_DEFAULT_INDEX -u UV_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL
COMPILE := $(CLEAN) $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header
# What the tests install in environments of their own: the vendors' clients, and generators of clients.
CLIENTS = $(basename $(wildcard tests/sdk/requirements/*.in))
RELOCK = npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
# More than the cores (2 in CI), because a quarter of the time is spent waiting for leases to expire.
WORKERS ?= 3
# The tests start hundreds of processes. Without bytecode files each would compile everything again (3.4 s, not 1.4).
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo run test test-all check bench bench-ten-million bench-peers docs docs-serve docs-answers format openapi deploy-env sbom lock clean setup

help: ## List the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: $(VENV)/.runtime ## Start the service, import an example file, show the report, stop
	@$(BIN)/sluice demo

run: $(VENV)/.runtime ## Run the service on 127.0.0.1:8000 until Ctrl-C, with its data in .sluice/
	@$(BIN)/sluice up

test: $(VENV)/.dev ## Run the tests on real PostgreSQL and Valkey servers, but for those that `make check` runs
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m "not slow" --ignore tests/house

test-all: export SLUICE_TEST_ALL := 1
test-all: $(VENV)/.dev ## Run all tests, including the slow ones
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup
	SLUICE_TEST_PARTITIONS=4 $(BIN)/pytest -q -n $(WORKERS) --dist loadgroup tests/engine tests/faults

check: $(VENV)/.dev ## Check lint, types, import contracts, sizes, OpenAPI documents and documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/house

coverage: $(VENV)/.dev ## Run the tests and report the lines and branches of app and workers that none of them reaches
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m "not slow" --cov --cov-report=term --cov-report=html

bench: $(VENV)/.dev ## Measure speed and memory against a psql script; writes benchmarks/results.md
	$(BIN)/python -m benchmarks

bench-ten-million: $(VENV)/.dev ## Measure 200 imports into 20 accounts and ten nights of changes; takes an hour, writes benchmarks/ten_million.md
	$(BIN)/python -m benchmarks --only ten-million --results benchmarks/ten_million.md $(TEN_MILLION)

bench-peers: $(VENV)/.dev ## Measure Sluice beside other programs, which it installs into .cache/peers; writes benchmarks/peers.md
	$(BIN)/python -m benchmarks.peers $(PEERS)

docs: $(VENV)/.dev ## Build the documentation into site/; a broken link fails
	@$(BIN)/python -m docs.generate

docs-serve: $(VENV)/.dev ## Show the documentation on 127.0.0.1:8001
	@$(BIN)/python -m docs.generate --pages && $(BIN)/zensical serve --dev-addr 127.0.0.1:8001

docs-answers: $(VENV)/.dev ## Run the commands that the documentation prints, and write the answers and pictures into its pages
	$(BIN)/python -m docs.record
	$(BIN)/python -m docs.record.demo
	$(BIN)/python -m docs.record.pages

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format -q .

deploy-env: $(VENV)/.dev ## Write deploy/sluice.env, the example of all settings
	$(BIN)/python -m docs.generate.environment

sbom: $(VENV)/.dev ## Write sluice.cdx.json: the Python packages of the image, with versions and hashes, in CycloneDX
	$(BIN)/cyclonedx-py requirements requirements-server.txt --pyproject pyproject.toml --output-reproducible --output-file sluice.cdx.json

openapi: $(VENV)/.dev ## Write the OpenAPI documents
	$(BIN)/python -c "from app.main import OPENAPI, write_openapi; write_openapi(OPENAPI)"

lock: $(VENV)/.uv ## Lock the dependencies, with hashes and without hosts
	$(COMPILE) requirements-bootstrap.in -o requirements-bootstrap.txt
	$(COMPILE) --extra embedded --extra traces pyproject.toml -o requirements.txt
	$(COMPILE) --extra traces -c requirements.txt pyproject.toml -o requirements-server.txt
	$(COMPILE) --extra embedded --extra traces --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	set -e; for each in $(CLIENTS); do $(COMPILE) $$each.in -o $$each.txt; done
	set -e; for each in tests/sdk/node/*/; do (cd $$each && $(RELOCK)); done

setup: $(VENV)/.runtime ## Install only what the service needs to run

clean: ## Remove everything that these commands created
	rm -rf $(VENV) .sluice site sluice.cdx.json docs/.pages .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# uv installs in two seconds what takes pip a minute. It is installed by hash itself.
$(VENV)/.uv: requirements-bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is required. Set PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is required. On Debian: apt install python3-venv" >&2; exit 2; }
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
	@touch $@

$(VENV)/.runtime: $(VENV)/.uv requirements.txt pyproject.toml
	@$(BIN)/uv pip install -q --require-hashes -r requirements.txt
	@$(BIN)/uv pip install -q --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@$(BIN)/uv pip install -q --require-hashes -r requirements-dev.txt
	@touch $@

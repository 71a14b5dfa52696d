# make demo [FRAMEWORK=fastapi|flask|django], make test, make faults, make lint, make bench,
# make clean
#
# Each sets itself up: a virtual environment in VENV, made by PYTHON, which gets what
# pyproject.toml lists for the target, again whenever that file changes.

PYTHON ?= python3
VENV ?= .venv
FRAMEWORK ?= fastapi
# Options for pytest, such as PYTEST="-k journal -n 0".
PYTEST ?=

BIN = $(VENV)/bin
OLDEST = 3.11

.PHONY: demo test faults lint bench clean

demo: $(VENV)/.installed-demo
	@$(BIN)/python -m example_apps.demo --framework $(FRAMEWORK)

test: $(VENV)/.installed-tests
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses auto $(PYTEST)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

# The faults of the ordinary run, with kills, forks and requests enough for docs/reliability.md.
faults: $(VENV)/.installed-tests
	FAULTS=long $(BIN)/python -m pytest tests/faults --numprocesses auto $(PYTEST)

lint: $(VENV)/.installed-lint
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

bench: $(VENV)/.installed-bench
	@$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .venv-* .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What a target needs: the group of that name, and every framework.
$(VENV)/.installed-%: pyproject.toml $(VENV)/.made
	@echo "Installing what 'make' needs for $* into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --editable '.[django,fastapi,flask,starlette]' --group $*
	@touch $@

# pip learned --group in 25.1.
$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "abmiddleware needs Python $(OLDEST) or newer, but there is no '$(PYTHON)':" \
	    "install one, or name one, as in 'make $(MAKECMDGOALS) PYTHON=python$(OLDEST)'." >&2; \
	  exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < tuple(map(int, "$(OLDEST)".split("."))))' || { \
	  echo "abmiddleware needs Python $(OLDEST) or newer, but '$(PYTHON)' is $$($(PYTHON) -V 2>&1):" \
	    "name a newer one, as in 'make $(MAKECMDGOALS) PYTHON=python$(OLDEST)'." >&2; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); \
	  echo "The virtual environment could not be made; on Debian and Ubuntu" \
	    "'apt install python3-venv' brings what is missing." >&2; \
	  exit 1; }
	@$(BIN)/python -m pip install -qq --upgrade 'pip>=25.1'
	@touch $@

# `make serve` runs it, `make test` checks it. Python packages go into .venv; the tests also need Chromium and Node.js,
# which are installed with apt-get where that can be done (as root), and asked for elsewhere.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: serve test picture requirements docs figures install clean

serve: install
	@$(BIN)/uproar serve --open $(ARGS)

install: .venv/.installed

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "uproar needs Python 3.11 or newer: set PYTHON, as in make install PYTHON=python3.12." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.required: .venv/.python requirements/run.txt
	$(PIP) install --require-hashes -r requirements/run.txt
	@touch $@

.venv/.installed: .venv/.required pyproject.toml hatch_build.py src/uproar/native/sender.c
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.tested: .venv/.installed requirements/test.txt
	$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

# The page is tested in the distribution's own browser; UPROAR_CHROMIUM names another one.
.PHONY: browser
browser:
	@command -v "$${UPROAR_CHROMIUM:-chromium}" >/dev/null || \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core fonts-noto-color-emoji; \
		else \
			echo "The tests of the page need Chromium: install it, or set UPROAR_CHROMIUM to its path." >&2; exit 1; \
		fi

.PHONY: node
node:
	@command -v node >/dev/null || \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update && apt-get install -y --no-install-recommends nodejs; \
		else \
			echo "The tests of the page's modules need Node.js: install it." >&2; exit 1; \
		fi

test: .venv/.tested browser node
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	node --test tests/web/*.test.mjs
	$(BIN)/pytest
	@echo "All is well: style, types, the page's modules and every test."

picture: .venv/.tested browser
	$(BIN)/python -m tests.web.take_picture

docs: install
	$(BIN)/uproar docs

# What `uproar bench --json docs/figures/NAME.json` measured, on its page and as curves.
figures: install
	$(BIN)/uproar bench report docs/figures/*.json --into docs/performance.md

# Pins are made by uv for every platform, and name no index.
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

requirements:
	$(COMPILE) pyproject.toml --group build --output-file requirements/run.txt
	$(COMPILE) pyproject.toml --group build --group test --output-file requirements/test.txt
	$(COMPILE) bench/peers/python/requirements.in --output-file bench/peers/python/requirements.txt

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

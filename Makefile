# `make demo` shows the portal, `make check` is the quick judge, `make test` the whole one. `make help` lists all.

PYTHON ?= python3
PORT ?= 8000
PY := .venv/bin/python
MAKEFLAGS += --no-print-directory
LOCK = uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-annotate $(ARGS)

# In an environment of its own: what it brings along would change how the tests read and write workbooks.
SBOM := cyclonedx-bom>=7.5,<8

# What the portal is compared with, in an environment of its own as well.
RIVALS := django-guardian>=3,<4 django-auditlog>=3,<4 django-simple-history>=3.11,<4 psycopg[binary]>=3.3.9,<3.4
# Assignments; as many requests and ten times the events. The whole: SIZES="1000 10000 100000 1000000" DUE=100000.
SIZES ?= 1000 100000
DUE ?= 10000

# What must hold before anything else: who may do what, asking and ending, the attacks, the house itself.
CORE = tests/test_house.py tests/test_authority.py tests/test_activation.py tests/test_attacks.py

.DELETE_ON_ERROR:
.PHONY: help demo demo-reset check test test-sqlite test-long pictures faults bench lint tools lock sbom format

help:  ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /|/' | awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'

demo: .venv/base.stamp  ## Serve the portal with a sample organisation on http://127.0.0.1:8000 (PORT=8123 for another port)
	@PIM_DEMO=1 PIM_BASE_URL="http://127.0.0.1:$(PORT)" PIM_DATA_DIR="$(CURDIR)/.demo" \
		exec $(PY) manage.py demo --port "$(PORT)"

demo-reset:  ## Forget what was done in the demo; the next `make demo` starts over
	@rm -rf .demo
	@echo "The demo starts over with the next \"make demo\"."

check: lint  ## The quick judge: lint, types, imports, templates, migrations, the tests of who may do what, on SQLite
	$(PY) -m pytest -q -n 2 -m "not browser and not slow" $(CORE)

test-sqlite: lint  ## Lint, then every test that needs neither a browser nor much time, on SQLite
	$(PY) -m pytest -q -n 2 -m "not browser and not slow"

test: tools lint  ## The whole judge: lint, every test but the long ones on SQLite and in a real Chromium, then on PostgreSQL
	$(PY) -m pytest -n 2 -m "not long"
	$(PY) -m tests.postgres $(PY) -m pytest -n 2 -m "not browser and not long"

test-long: tools  ## What takes a minute each: every page in a browser, the largest imports, a long history; on both databases
	$(PY) -m pytest -n 2 -m long
	$(PY) -m tests.postgres $(PY) -m pytest -n 2 -m "long and not browser"

faults: .venv/dev.stamp  ## Break things on purpose, on SQLite and PostgreSQL, and hold the rows against the rules (docs/faults.md)
	$(PY) -m tests.faults

pictures: tools  ## Make the pictures of the guides (docs/pictures) anew, from the journeys in the browser
	PIM_PICTURES=1 $(PY) -m pytest -q -m "not long" tests/journeys

.venv/sbom.stamp: requirements/sbom.txt | $(PY)
	@$(PY) -m venv --clear .venv/sbom
	@.venv/sbom/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/sbom.txt
	@touch $@

bench: .venv/dev.stamp .venv/bench.stamp  ## Measure every page and act at two sizes on a PostgreSQL of its own (SIZES="1000 1000000"), see docs/speed.md
	@$(PY) -m tests.postgres --durable $(PY) -m tests.bench.run $(or $(SIZE),$(SIZES)) --due $(DUE) --rivals .venv/bench/bin/python

.venv/bench.stamp: requirements/bench.txt | $(PY)
	@$(PY) -m venv --clear .venv/bench
	@.venv/bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

tools: .venv/dev.stamp
	@$(PY) -m tests.chromium
	@$(PY) -m tests.postgres

lint: .venv/dev.stamp
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) -c "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
	$(PY) -m djlint --lint --quiet templates
	DJANGO_SETTINGS_MODULE=tests.settings $(PY) manage.py makemigrations --check --dry-run

sbom: .venv/sbom.stamp  ## Write the bill of materials of what is installed for real: sbom.json (CycloneDX)
	.venv/sbom/bin/python -W ignore -m cyclonedx_py requirements requirements/base.txt --pyproject pyproject.toml -o sbom.json

format: .venv/dev.stamp  ## Put the code into its form
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

lock: .venv/dev.stamp  ## Write requirements/ anew from pyproject.toml (ARGS=--upgrade for the newest versions)
	$(PY) -m $(LOCK) pyproject.toml -o requirements/base.txt
	$(PY) -m $(LOCK) --extra dev -c requirements/base.txt pyproject.toml -o requirements/dev.txt
	@echo "$(SBOM)" | $(PY) -m $(LOCK) - -o requirements/sbom.txt
	@printf '%s\n' $(foreach one,$(RIVALS),"$(one)") | $(PY) -m $(LOCK) -c requirements/base.txt - -o requirements/bench.txt
	@! grep -n "://" requirements/*.txt || { echo "A lock names an address."; exit 1; }

# The environment. A stamp for each lock: a changed lock is installed, and nothing else is.

$(PY):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing. On Debian: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Making the environment in .venv (half a minute, once)."
	@$(PYTHON) -m venv --clear .venv

.venv/base.stamp: requirements/base.txt | $(PY)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@touch $@

# uv installs the rest in seconds. It does not read pip's configuration, so behind a mirror pip does the same work.
.venv/dev.stamp: requirements/dev.txt | $(PY)
	@awk '/^[^ ]/ { wanted = /^uv==/ } wanted' requirements/dev.txt > .venv/uv.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@$(PY) -m uv pip install --quiet --python $(PY) --require-hashes -r requirements/dev.txt \
		|| $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

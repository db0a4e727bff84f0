# Every target prepares the machine by itself: on a bare clone `make demo` or `make test` is the first command.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The checkout's path may have any letters, which Python and Java read by the locale; C.UTF-8 is on every machine.
export LC_ALL := C.UTF-8
# Clients of packages and schemas keep what they fetched below the checkout too.
export XDG_CACHE_HOME := $(CURDIR)/.local/cache
# What a person set for a Postgres of their own is not for ours.
unexport $(filter PG%,$(.VARIABLES))
# Python keeps what it compiled, below the checkout: a service that compiles itself at each start takes twice as long.
unexport PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX

PY := .venv/bin/python
# What the local stack is made of, also for a Python that has nothing installed.
TOOLS := PYTHONPATH=deploy/local:libs/registry/src

STACK := $(TOOLS) $(PY) -m stack
# Looking and stopping need nothing installed.
BARE_STACK := $(TOOLS) python3 -m stack

.PHONY: help
help: ## This list
	@echo 'Sampan. Targets:'
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / {printf "  %-13s %s\n", $$1, $$2}' Makefile

.PHONY: sync
sync: ## Install what is missing: Debian packages, Python packages, Kafka
	@$(TOOLS) python3 -m bootstrap sync

.PHONY: lock
lock: ## Choose versions for requirements.lock (UPGRADE=1: newest)
	@$(TOOLS) python3 -m bootstrap lock $(if $(UPGRADE),--upgrade)

.PHONY: up
up: sync ## Start the whole stack; nothing happens when it runs already
	@$(STACK) up

.PHONY: up-infra
up-infra: sync ## Start only Postgres, Redis and Kafka
	@$(STACK) up --only infra

.PHONY: down
down: ## Stop everything; data stays
	@$(BARE_STACK) down

.PHONY: reset
reset: ## Stop everything and delete its data
	@$(BARE_STACK) reset

.PHONY: status
status: ## Show every part: state, process, address
	@$(BARE_STACK) status

.PHONY: logs
logs: ## Show a part's log: make logs SERVICE=payment
	@$(BARE_STACK) logs $(SERVICE)

.PHONY: restart
restart: sync ## Restart a part (SERVICE=payment), or all of our services
	@$(STACK) restart $(SERVICE)

.PHONY: check
check: sync ## Lint, types, import contracts, Protobuf, migrations, gateway: under a minute
	@$(TOOLS) python3 -m bootstrap validators
	@$(TOOLS) $(PY) -m checks

.PHONY: fmt
fmt: sync ## Format the code and mend what the linter can
	@$(PY) -m ruff format -q .
	@$(PY) -m ruff check -q --fix .

.PHONY: browser
browser: sync ## Install Chromium, which the web client's tests drive
	@$(TOOLS) python3 -m bootstrap browser

.PHONY: test
test: browser ## Every test, on instances of its own: suites side by side, the twenty slowest listed
	@sh deploy/local/run-tests.sh $(ARGS)

.PHONY: soak
soak: browser ## Every test, the long ones as long as they can be: an hour or more
	@SAMPAN_CI_SIZE=soak sh deploy/local/run-tests.sh $(ARGS)

.PHONY: test-unit
test-unit: sync ## Tests that need nothing running
	@$(PY) -m pytest -q -m 'not component and not e2e and not fault' $(ARGS)

.PHONY: e2e
e2e: browser ## Stories and faults through the gateway, on the whole stack
	@sh deploy/local/run-tests.sh tests-e2e $(ARGS)

.PHONY: demo
demo: up ## The order-payment story with a live timeline, on the running stack
	@PYTHONPATH=tests-e2e $(PY) -m demo $(ARGS)

.PHONY: registry
registry: sync ## Make anew what is made from services/<name>/service.toml
	@$(TOOLS) $(PY) -m made

.PHONY: service
service: sync ## Make a new service: make service NAME=reviews
	@$(TOOLS) $(PY) -m new_service $(NAME)
	@$(TOOLS) python3 -m bootstrap sync
	@$(PY) -m contracts generate
	@$(TOOLS) $(PY) -m made
	@$(PY) -m contracts reasons
	@$(PY) -m contracts catalogue
	@$(PY) -m contracts golden
	@$(PY) -m ruff check -q --fix services/$(NAME)
	@$(PY) -m ruff format -q services/$(NAME)
	@$(PY) -m gateway openapi

.PHONY: proto
proto: sync ## Make anew what is made from proto-events and from reasons.toml
	@$(PY) -m contracts generate
	@$(PY) -m contracts reasons
	@$(PY) -m contracts catalogue
	@$(PY) -m contracts golden

.PHONY: bench
bench: up ## Measure every figure into bench/RESULTS.md, or some: make bench FIGURE="relay orders"
	@$(PY) bench/results.py $(FIGURE)

.PHONY: bench-compare
bench-compare: up ## Ours beside each peer that installs here, judged: make bench-compare ARGS="--rounds 5"
	@$(PY) bench/compare.py $(ARGS)

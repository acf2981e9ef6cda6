# The two commands a newcomer needs: `make up` and `make test`. ARGS passes words on: make up ARGS=--no-demo
.PHONY: help up down examples test lint types format bench bench-peers audit test-faults test-faults-long test-soak test-security test-compatibility lock bootstrap
.DEFAULT_GOAL := help

BIN := .venv/bin

help:
	@echo "make up           everything, with the simulated city, and a live table (first time: minutes)"
	@echo "make down         stop everything that 'make up' started"
	@echo "make examples     the example analyses on a simulated week: pictures in examples-out/"
	@echo "make test         lint, then all tests, those with the real stack last; as root on Debian it installs what they need"
	@echo "make lint         ruff, formatting, mypy"
	@echo "make bench        measure this installation beside its own limits"
	@echo "make bench-peers  the aggregate job beside Flink, Spark, Kafka Streams and others: benchmarks/RESULTS.md (half an hour)"
	@echo "make test-faults  the fault tests as in 'make test': 5 kills; make test-faults-long: SEEDS=50000 in memory, KILLS=30"
	@echo "make test-soak    the stack under load with a kill every ten minutes, and what creeps: MINUTES=120 RATE=200"
	@echo "make test-security  the security tests in their whole sizes (docs/security.md)"
	@echo "make test-compatibility  the tests with the real stack on another Kafka (KAFKA=3.9.1), and with a real InfluxDB 2.7"
	@echo "make audit        known vulnerabilities of what requirements.lock pins; asks an advisory service, so it wants a network"
	@echo "make format       let ruff reformat and repair"
	@echo "make lock         resolve pyproject.toml into requirements.lock"

bootstrap:
	@scripts/bootstrap

up: bootstrap
	$(BIN)/taishi up $(ARGS)

down: bootstrap
	$(BIN)/taishi down

examples: bootstrap
	$(BIN)/python -m examples $(ARGS)

lint: bootstrap
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: bootstrap
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Fast tests first; then, a file at a time, those with the real stack: both halves have a stack of their own.
test: lint
	@scripts/system-packages
	$(BIN)/pytest -n 2 -m "not stack" $(ARGS)
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m stack $(ARGS)

test-faults: bootstrap
	$(BIN)/pytest -p no:xdist -m faults $(ARGS)

test-faults-long: bootstrap
	TAISHI_SIMULATION_SEEDS=$(or $(SEEDS),50000) $(BIN)/pytest -p no:xdist tests/simulation $(ARGS)
	TAISHI_FAULT_KILLS=$(or $(KILLS),30) $(BIN)/pytest -p no:xdist -m faults --timeout 14400 $(ARGS)

test-soak: bootstrap
	TAISHI_SOAK_MINUTES=$(or $(MINUTES),120) TAISHI_SOAK_RATE=$(or $(RATE),200) \
	$(BIN)/pytest -p no:xdist -s tests/faults/test_soak.py $(ARGS)

test-security: bootstrap
	TAISHI_SECURITY_SHARE=1 $(BIN)/pytest -p no:xdist -m "not stack" tests/security $(ARGS)
	TAISHI_SECURITY_SHARE=1 $(BIN)/pytest -p no:xdist --timeout 1800 tests/contract/test_mqtt_refusals.py \
	  tests/behaviour/test_privacy_at_the_door.py tests/behaviour/test_http_flood.py $(ARGS)

test-compatibility: bootstrap
	@scripts/system-packages
	$(BIN)/python -m tests.influxdb2
	TAISHI_COMPATIBILITY=1 TAISHI_EMBEDDED_KAFKA=$(or $(KAFKA),3.9.1) \
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m stack $(ARGS)

# --strict: a package that could not be looked up is a failure, not silence.
audit: bootstrap
	$(BIN)/uv tool run pip-audit -r requirements.lock --disable-pip --require-hashes --strict $(ARGS)

bench: bootstrap
	$(BIN)/taishi bench $(ARGS)

bench-peers: bootstrap
	$(BIN)/python -m benchmarks.peers --write $(ARGS)

lock: bootstrap
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url pyproject.toml --group dev -o requirements.lock

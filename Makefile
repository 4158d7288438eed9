# `make demo` and `make test` set up everything they need; both are quick the second time.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
READY   = $(VENV)/.ready
COMPILED = $(VENV)/.compiled

# One thread per process: the tests run in parallel, and small circuits gain nothing from more. Three processes on two
# cores, since many tests wait for processes and services that they start.
# Files stay whole, since their tests share what they have trained; tests/conftest.py puts the slow ones first.
IN_PARALLEL = --dist loadfile --no-loadscope-reorder -n 3
# Bytecode is kept even where the surroundings say otherwise: the processes that tests start need not compile anew.
TEST_ENV = PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: demo test test-fast lint types tests docs docs-serve release-check bench gallery clean help

help:
	@echo "make demo   set up, train HQNN-Parallel on handwritten digits, evaluate it exactly and on Aer"
	@echo "make test   set up, then format, lint, types and tests"
	@echo "make test-fast   the tests that take less than 0.2 seconds, in two minutes"
	@echo "make docs   set up, then build the documentation site in build/html; make docs-serve shows it on 127.0.0.1:8000"
	@echo "make release-check  build sdist and wheel, install the wheel unconstrained in new environments, use it there"
	@echo "make bench  measure the quantum layer beside its limit and the installed peers"

# uv brings torch from the package index in the version that torchvision was built with; plain pip
# may prefer a CPU wheel from a locally configured folder, and torchvision then fails at import.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "qiskit_hqnn needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

demo: $(READY)
	$(BIN)/hqnn run quickstart --resume

# The types are checked beside what the tests wait for, and beside the first of them.
test: lint
	@$(MAKE) --no-print-directory -j 2 types tests

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

# What the tests import is compiled to bytecode by one process, once: else every process of the tests does it, all at the
# same time. To compile everything that is installed takes three times as long, since most of it is never imported.
$(COMPILED): $(READY)
	@out=$$($(TEST_ENV) $(BIN)/python -m pytest --collect-only -qq 2>&1) || { echo "$$out"; exit 1; }
	@touch $(COMPILED)

tests: $(COMPILED)
	$(TEST_ENV) $(BIN)/python -m pytest $(IN_PARALLEL)

test-fast: $(COMPILED)
	$(TEST_ENV) $(BIN)/python -m pytest $(IN_PARALLEL) -m "not slow"

# Nothing is fetched and no notebook is executed; a warning is an error.
docs: $(READY)
	rm -rf docs/reference/api
	$(TEST_ENV) $(BIN)/python -m sphinx -q -W --keep-going -j auto -c docs . build/html
	@echo "build/html/index.html"

docs-serve: docs
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/html 8000

release-check: $(READY)
	bash .ci/release-check $(abspath $(BIN)/uv)

bench: $(READY)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.run

gallery: $(READY)
	$(BIN)/hqnn gallery

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache

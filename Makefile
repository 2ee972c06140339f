# `make demo` and `make test` do all their set-up on a machine that has Python 3.11 or later and make.
# The second call is quick: a stamp in the virtual environment remembers what pyproject.toml asked for.

PYTHON ?= python3
VENV   ?= .venv
LOWEST ?= .venv-lowest
BEAM   ?= .venv-beam
BIN    := $(VENV)/bin
RUN    := runs/demo
PIP    := -m pip install --quiet --no-compile --disable-pip-version-check --editable

export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: demo test test-slow test-all test-lowest test-beam lint docs clean

demo: $(VENV)/installed
	@rm -rf $(RUN)
	$(BIN)/visionmtl train garments --evaluate test --run $(RUN)
	$(BIN)/visionmtl export $(RUN)
	$(BIN)/visionmtl predict $(RUN) --split test --overlays 8 --out $(RUN)/predictions
	@echo; echo "Photograph, truth and prediction side by side: $(RUN)/samples"
	@echo "Predictions on held-out pictures: $(RUN)/predictions/overlays"
	@echo "All of it on one page: $(RUN)/report.html"

# Two workers: TensorFlow takes more than a gigabyte in each; `make test WORKERS=4` where there is room. A file's tests stay
# on one worker, which makes once what they share.
WORKERS ?= 2
PYTEST   = -m pytest -n $(WORKERS) --dist loadfile

test: $(VENV)/installed-dev
	$(BIN)/python $(PYTEST) -m "not slow" $(ARGS)

test-slow: $(VENV)/installed-dev
	$(BIN)/python $(PYTEST) -m slow $(ARGS)

test-all: $(VENV)/installed-dev
	$(BIN)/python $(PYTEST) $(ARGS)

# The same with the lowest versions that pyproject.toml claims: every contract (each source of data has one), pictures,
# samples, recipes, tasks, the files of a run, and the figures of a comparison.
LOWEST_TESTS = tests/contracts tests/pipelines/pixels tests/pipelines/samples tests/visionmtl/recipe \
	tests/visionmtl/tasks tests/visionmtl/metrics tests/visionmtl/drawing tests/visionmtl/report tests/visionmtl/export tests/visionmtl/callbacks \
	$(wildcard tests/visionmtl/comparison/test_*.py)

test-lowest: $(LOWEST)/installed-dev
	$(LOWEST)/bin/python $(PYTEST) -m "not slow" $(LOWEST_TESTS) $(ARGS)

# Apache Beam pins Pillow and protobuf below what `dev` installs: an environment of its own, in which what reads pictures
# is tested with those too.
BEAM_TESTS = tests/visionmtl/prediction/test_beam.py tests/visionmtl/prediction/test_prediction_results.py \
	tests/visionmtl/export/test_decoding.py tests/pipelines/pixels

test-beam: $(BEAM)/installed-dev
	$(BEAM)/bin/python $(PYTEST) $(BEAM_TESTS) $(ARGS)

# The pages of docs/, README.md and others into build/docs: fails on a broken link, a public name without a docstring, and
# a page that is not what the code says now; `python docs/generate.py` writes such a page anew.
docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) $(LOWEST) $(BEAM) build *.egg-info .pytest_cache .ruff_cache .mypy_cache .coverage*

%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "visionmtl needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." \
	    "Name another one: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $* || { rm -rf $*; exit 1; }

$(VENV)/installed: $(BIN)/python setup.py pyproject.toml
	@echo "Installing visionmtl into $(VENV), once; TensorFlow takes a few minutes to download."
	@$(BIN)/python $(PIP) '.[pretrained]'
	@touch $@

$(VENV)/installed-dev: $(BIN)/python setup.py pyproject.toml
	@echo "Installing visionmtl and its tools into $(VENV), once; TensorFlow takes a few minutes to download."
	@$(BIN)/python $(PIP) '.[pretrained,dev]'
	@touch $@ $(VENV)/installed

$(VENV)/installed-docs: $(VENV)/installed-dev
	@echo "Installing what builds the pages into $(VENV), once."
	@$(BIN)/python $(PIP) '.[pretrained,dev,docs]'
	@touch $@

$(LOWEST)/installed-dev: $(LOWEST)/bin/python setup.py pyproject.toml
	@echo "Installing visionmtl with its lowest versions into $(LOWEST), once."
	@$(LOWEST)/bin/python .ci/lowest.py > $(LOWEST)/lowest.txt
	@$(LOWEST)/bin/python $(PIP) '.[pretrained,dev]' --constraint $(LOWEST)/lowest.txt
	@touch $@

$(BEAM)/installed-dev: $(BEAM)/bin/python setup.py pyproject.toml
	@echo "Installing visionmtl with Apache Beam into $(BEAM), once."
	@$(BEAM)/bin/python $(PIP) '.[beam,dev]'
	@touch $@

# Two commands: `make` renders the handbook, `make test` proves that it is right. Both set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The research projects have an environment of their own, with a torch for the CPU only: TORCH is a version that the
# index has as such a build, which is 200 MB where others are gigabytes. With TORCH_BACKEND=cpu, as in CI, uv takes
# such builds from torch's own index.
PROJECTS := $(patsubst chapters/research/%/pyproject.toml,%,$(wildcard chapters/research/*/pyproject.toml))
RESEARCH := .venv-research
LONGEST := driving selfplay eras phrases gp
TORCH := torch==2.13.0

# The tests start the command thousands of times: what it imports is compiled once, by the first that imports it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: site preview check test test-walks test-long test-quarto test-research test-kit test-types $(PROJECTS:%=test-%) \
  quarto clean help

site: $(READY)  ## render the handbook into _book/
	@$(BIN)/handbook render

preview: $(READY)  ## serve the handbook and show every edit at once
	@$(BIN)/handbook preview

check: $(READY)  ## find mistakes in the chapters and in _book/
	@$(BIN)/handbook check

test: $(READY)  ## check types and style, and run the tests
	$(BIN)/ruff check tooling chapters
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

test-walks: $(READY)  ## run the commands on whole packages, recipes and books
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "walk and not slow and not long"

test-long: $(READY)  ## walk whole releases, GitHub's jobs, every page in a browser, and attacks
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m long

test-quarto: $(READY)  ## compare the pages of both engines, and read Quarto's in a browser; needs quarto on your PATH
	HANDBOOK_NEEDS_QUARTO=1 $(BIN)/pytest -n 3 --dist loadfile -m "not slow" -k "quarto or parity" tooling/tests/book
	$(BIN)/handbook render --engine quarto --to html
	HANDBOOK_SITE=_book $(BIN)/pytest -m long tooling/tests/browser/test_published_site.py

test-research: $(RESEARCH)/.ready  ## check and test the research projects, with torch
	$(RESEARCH)/bin/ruff check chapters
	@# The longest begin first, so that neither core waits for the other at the end.
	@$(MAKE) --no-print-directory --jobs 2 --output-sync test-kit test-types \
	  $(addprefix test-,$(LONGEST) $(filter-out $(LONGEST),$(PROJECTS)))

test-types: $(RESEARCH)/.ready
	$(RESEARCH)/bin/mypy --config-file chapters/research/mypy.ini

# One thread for each process: the arrays are so small that more would only wait for each other.
test-kit $(PROJECTS:%=test-%): export OMP_NUM_THREADS := 1

test-kit: $(RESEARCH)/.ready
	$(RESEARCH)/bin/pytest tooling/tests/research

$(PROJECTS:%=test-%): test-%: $(RESEARCH)/.ready
	cd chapters/research/$* && $(abspath $(RESEARCH))/bin/pytest

quarto: $(READY)  ## add Quarto where its program can be downloaded
	@$(BIN)/python -m pip install --quiet --editable '.[quarto]' 2> /dev/null && $(BIN)/quarto --version > /dev/null 2>&1 \
	  && echo "Quarto is ready in $(BIN): put that folder on your PATH, then run make." \
	  || { echo "Quarto can't be had here: its package downloads the program from a release page that"; \
	       echo "this machine does not reach. make and make preview work without it."; exit 1; }

clean:  ## remove what the commands made
	rm -rf $(VENV) $(RESEARCH) _book _variables.yml .quarto

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

# An environment is made again when the requirements of what it holds change.
$(READY): WANTED := --editable '.[render,check,release,recipe,seminar,watch,dev]'
$(READY): pyproject.toml
$(RESEARCH)/.ready: WANTED := '$(TORCH)' --editable '.[dev,tracking]' $(PROJECTS:%=--editable './chapters/research/%[test]')
$(RESEARCH)/.ready: CPU := $(if $(filter cpu,$(TORCH_BACKEND)),$(RESEARCH)/bin/uv pip install --quiet \
  --python $(RESEARCH)/bin/python --torch-backend cpu)
$(RESEARCH)/.ready: pyproject.toml $(PROJECTS:%=chapters/research/%/pyproject.toml)
$(READY) $(RESEARCH)/.ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; set PYTHON=... to one."; exit 1; }
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@echo "Installing the handbook's tools into $(@D)/ ..."
	@$(@D)/bin/python -m pip install --quiet --upgrade pip
	@# Python compiles what it imports; pip would compile everything.
	@$(if $(CPU),$(@D)/bin/python -m pip install --quiet uv)
	@$(or $(CPU),$(@D)/bin/python -m pip install --quiet --no-compile) $(WANTED)
	@touch $@

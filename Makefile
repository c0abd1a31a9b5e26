# Two commands: `make` renders the handbook, `make test` proves that it is right. Both set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: site preview check test quarto clean help

site: $(READY)  ## render the handbook into _book/
	@$(BIN)/handbook render

preview: $(READY)  ## serve the handbook and show every edit at once
	@$(BIN)/handbook preview

check: $(READY)  ## find mistakes in the chapters and in _book/
	@$(BIN)/handbook check

test: $(READY)  ## check types and style, and run the tests
	$(BIN)/ruff check tooling
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadfile

quarto: $(READY)  ## add Quarto where its program can be downloaded
	@$(BIN)/python -m pip install --quiet --editable '.[quarto]' 2> /dev/null && $(BIN)/quarto --version > /dev/null 2>&1 \
	  && echo "Quarto is ready in $(BIN): put that folder on your PATH, then run make." \
	  || { echo "Quarto can't be had here: its package downloads the program from a release page that"; \
	       echo "this machine does not reach. make and make preview work without it."; exit 1; }

clean:  ## remove what the commands made
	rm -rf $(VENV) _book _variables.yml .quarto

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

# The environment is made again when the package's requirements change.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; set PYTHON=... to one."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the handbook's tools into $(VENV)/ ..."
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --editable '.[render,check,release,recipe,dev]'
	@touch $@

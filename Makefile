# Two commands are enough: `make riff` makes music, `make test` runs every test.
# Both make the environment first; a second call finds it made.

VENV ?= .venv
BIN := $(VENV)/bin
# What the tests need beside Python: a band, a synthesiser and its sounds, a browser, a database.
TEST_PACKAGES := mma libfluidsynth3 timgm6mb-soundfont chromium postgresql
EXTRAS := dev,docs,train,stable-diffusion,cluster,mcp,control
# Only its weights are read; what it asks for (TensorFlow, NumPy of 2019) stays out.
MUSICNN := musicnn==0.1.0
# Half of the time of many tests is waiting. A file's tests stay together: they share servers.
PYTEST ?= --numprocesses 2 --dist loadfile
# In a folder of its own: it binds older versions of what Sonoriff uses itself.
CLIENT_MAKER := openapi-python-client==0.29.1
INSTALLED := $(VENV)/.installed
INSTALLED_TEST := $(VENV)/.installed-test
INPUTS := pyproject.toml composer/pyproject.toml constraints.txt scripts/environment.sh hatch_build.py \
	src/sonoriff/sonogram/native/codec.c

.PHONY: help riff test lint format bench bench-cluster bench-jobs bench-tab soak attack evaluation docs site constraints clean

help: ## Print this
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

riff: $(INSTALLED) ## Install, and end with music: out/riff.wav
	@scripts/first_riff.sh $(VENV)

test: $(INSTALLED_TEST) ## Install with all that tests need, and run them all
	@$(BIN)/python hatch_build.py
	@$(BIN)/python -m pytest $(PYTEST)

lint: $(INSTALLED_TEST) ## Style, types, the import contract, generated documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/make_cli_docs.py --check

format: $(INSTALLED_TEST) ## Bring the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(INSTALLED_TEST) ## Speed and quality of the codec, speed of the model, how soon and how many of the server
	@$(BIN)/python -m benchmarks.codec
	@$(BIN)/python -m benchmarks.light
	@$(BIN)/python -m benchmarks.server

bench-cluster: $(INSTALLED_TEST) ## What Ray costs one listener of one machine
	@$(BIN)/python -m benchmarks.cluster

bench-jobs: $(INSTALLED_TEST) ## 1,000 riffs asked of two front servers while these are killed
	@$(BIN)/python -m benchmarks.jobs

bench-tab: $(INSTALLED_TEST) ## The engine of web pages in headless Chromium: seconds and memory of a window
	@$(BIN)/python -m benchmarks.tab

soak: $(INSTALLED_TEST) ## Listen to a server for 20 minutes: memory and underruns
	@$(BIN)/python -m benchmarks.soak

attack: $(INSTALLED_TEST) ## Attack a server of our own while somebody listens: REQUESTS=5000 for a short one
	@$(BIN)/python -m benchmarks.attack --requests $(or $(REQUESTS),100000)

evaluation: $(INSTALLED) ## Add the weights that `sonoriff evaluate model` listens with
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(MUSICNN)

docs: $(INSTALLED_TEST) ## Write the documents that are made from the code
	@$(BIN)/python scripts/make_cli_docs.py

site: $(INSTALLED_TEST) ## The documentation as a website, in out/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo "Read: $(BIN)/python -m http.server --directory out/site"

constraints: $(INSTALLED_TEST) ## Pin the versions of this environment
	@$(BIN)/python scripts/make_constraints.py

clean: ## Remove the environment and what was made
	rm -rf $(VENV) out build dist

$(INSTALLED): $(INPUTS)
	@scripts/environment.sh $(VENV)
	@touch $@

$(INSTALLED_TEST): $(INPUTS) scripts/debian_packages.sh
	@scripts/debian_packages.sh $(TEST_PACKAGES)
	@scripts/environment.sh $(VENV) $(EXTRAS)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable composer
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(MUSICNN)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade \
		--target $(VENV)/client-maker $(CLIENT_MAKER)
	@touch $@ $(INSTALLED)

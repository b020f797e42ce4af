# Two commands, each does all the set-up first: make table3, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Scripts in $(BIN) begin with its path, which may have a space: each is run as a module.
# Snakemake takes braces for wildcards, and a PATH ends at a colon: a venv cannot be there.
ifneq ($(findstring {,$(CURDIR))$(findstring },$(CURDIR))$(findstring :,$(CURDIR)),)
$(error folder $(CURDIR): its path has {, } or :, which does not work; rename the folder or move the project to another)
endif

.PHONY: table3 report test test-fast test-long test-gpu test-slurm test-browser rehearse bench-prune bench-gpu check lock

table3: $(VENV)/.installed
	@$(BIN)/python -m snakemake --cores all results/table3.csv
	@echo "The table: results/table3.md; with all columns: results/table3.csv"

# All there is to see, in one zip and in one page; of the embedded default.
report: $(VENV)/.installed
	@$(BIN)/python -m snakemake --cores all report
	@$(BIN)/python -m snakemake --cores all report --report results/report.zip
	@$(BIN)/python -m snakemake --cores all report --report results/report.html
	@echo && echo "To read: results/report.html, or results/report.zip unpacked; the outputs alone: results/browse.html"

# The paper's grid at true shape, on stand-ins with random weights: no Hub, no GPU.
REHEARSAL := --cores all --configfile config/paper.yaml config/rehearse.yaml --
rehearse: $(VENV)/.installed
	@$(BIN)/python -m snakemake $(REHEARSAL) $(foreach name,opt-125m opt-350m roberta-large,\
	  results/stand_in/$(name)/model.safetensors)
	@$(BIN)/python -m snakemake $(REHEARSAL) results/table3.csv results/table3.md results/audit.csv
	@echo && cat results/table3.md && echo "With all columns: results/table3.csv; results/audit.md"

# Beside llm-compressor, which is installed aside: half an hour on two cores.
bench-prune: $(VENV)/.installed
	@$(BIN)/python benchmarks/prune.py

# Each stage's rate on this machine's GPU, and what the paper's grid will take: some five minutes.
bench-gpu: $(VENV)/.installed
	@$(BIN)/python benchmarks/gpu.py --protocol

# A process for each core, and for each of its files one after the other.
SIDE_BY_SIDE := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
test: check
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not long"

# Unit tests, while one works: none that prunes, trains, downloads or draws.
test-fast: $(VENV)/.installed
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not long and not slow" tests/unit

# What `make test` leaves out; each test says in its mark why it is long.
test-long: $(VENV)/.installed
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m long

# Every stage on this machine's GPU, with true int8 kernels, in two to four minutes; never skipped.
test-gpu: $(VENV)/.installed
	$(BIN)/python -m pytest tests/gpu

# The grid on a SLURM that the tests start and stop (root, Debian; tests/slurm/up.sh): never skipped.
test-slurm: $(VENV)/.installed
	$(BIN)/python -m pytest tests/slurm

# results/browse.html in Debian's Chromium (root, for apt-get; tests/browser/up.sh): never skipped.
test-browser: $(VENV)/.installed
	@tests/browser/up.sh
	$(BIN)/python -m pytest tests/browser

# The guards, all of them: pre-commit and CI have no list of their own.
TEXTS := *.md *.toml CITATION.cff Makefile Snakefile .ci .gitignore .pre-commit-config.yaml \
  benchmarks config docs envs profiles resources tests workflow
check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m snakefmt --check Snakefile workflow
	$(BIN)/python -m codespell_lib $(TEXTS)
	$(BIN)/python -m mypy

$(VENV)/.installed: envs/requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; make PYTHON=... names one")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/requirements.lock
	@touch $@

# Every version but those of the GPU packages, which torch brings where there is a GPU build.
lock: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet uv==0.13.9
	$(BIN)/uv pip compile --universal --python-version 3.11 --no-header --no-annotate \
	  envs/requirements.in | grep -v -E '^(nvidia-|cuda-|triton|#)' > envs/requirements.lock
	$(MAKE) envs/sparsesum.yaml

# For --sdm conda: the lock's versions, all of them.
envs/sparsesum.yaml: envs/requirements.lock
	{ printf '%s\n' '# For `--sdm conda`: requirements.lock, written by `make lock`.' 'channels:' \
	  '  - conda-forge' 'dependencies:' '  - python=3.11' '  - pip' '  - pip:'; \
	  sed 's/^/      - /' $<; } > $@

# Two commands do everything: `make demo` and `make test`. Both install first.
PYTHON ?= python3
TORCH := 2.13.0
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu
BIN := .venv/bin
READY := .venv/.ready

.PHONY: install demo test check format schemas lock clean

install: $(READY)

# torch goes first, and exactly: a range would pull a newer CUDA build of several gigabytes.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "curate needs Python 3.11 or newer, found $$($(PYTHON) --version)"; exit 1; }
	@# Debian keeps what venv needs in a package of its own
	@$(PYTHON) -m venv .venv 2>/dev/null || { rm -rf .venv; sh scripts/apt.sh python3-venv && $(PYTHON) -m venv .venv; }
	@if [ "$$(uname)" = Linux ] && ! command -v nvidia-smi >/dev/null; then \
	  $(BIN)/pip install -q "torch==$(TORCH)+cpu" 2>/dev/null || $(BIN)/pip install -q "torch==$(TORCH)" --index-url $(TORCH_CPU_INDEX); \
	else $(BIN)/pip install -q "torch==$(TORCH)"; fi
	$(BIN)/pip install -q -c requirements.lock -e '.[dev]'
	@# of its wheel one file is read, the mask of a person (250 kB); it would want an older numpy
	$(BIN)/pip install -q --no-deps mediapipe==0.10.21 || echo "people will be cut out by GrabCut"
	@command -v rubberband >/dev/null || sh scripts/apt.sh rubberband-cli || echo "it is optional; curate doctor says what it is for"
	@touch $(READY)

demo: install
	$(BIN)/curate build helium-v2

test: install
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadgroup  # two workers, two cores

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadgroup  # two workers, two cores

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schemas: install
	$(BIN)/python -m curate.schema

# What was tested, for one Python on one platform; torch is pinned above.
lock: install
	$(BIN)/pip freeze --exclude-editable | grep -viE '^(torch|pip|setuptools|mediapipe)(==| @)' > requirements.lock

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache

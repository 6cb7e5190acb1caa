# Two commands are all a newcomer needs: `make demo` and `make test`.
# Both make .venv, install into it and run. Outside of this folder they write to the caches of the
# user alone: pip's, and sakedge's compiled graphs (SAKEDGE_CACHE=off does without).
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
OUT ?= out

# What clang-tidy must know of the kernels that build/ed does not compile.
AARCH64 := --target=aarch64-linux-gnu -march=armv8.2-a+dotprod+i8mm+bf16 -std=c++20 -Icsrc

# The kernel and concurrency tests under sanitizers: make sanitize, make sanitize SANITIZE=thread
SANITIZE ?= address,undefined

.PHONY: demo test docs sanitize qualify lint format wheel wheel-cuda wheels clean

demo: .venv/demo.stamp
	$(BIN)/sakedge demo --output $(OUT)

test: .venv/dev.stamp
	$(BIN)/python -m pytest

sanitize: .venv/dev.stamp
	$(BIN)/python -m tools.sanitize $(SANITIZE)

# The documentation as a site in build/site, to be read from a disk: open build/site/index.html.
docs: .venv/docs.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -f tools/site/mkdocs.yml

# Too long for every change: fuzzers, soaks, sanitizers; all of them, or CHECKS=soak-exits-openvino.
# Writes docs/qualification.md, which is committed.
qualify: .venv/dev.stamp
	$(BIN)/python -m tools.qualify $(CHECKS)

# Linters that run at a time.
JOBS ?= 2
lint: .venv/dev.stamp .venv/lint.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	git ls-files '*.h' '*.cpp' '*.cu' '*.def' | xargs $(BIN)/clang-format --dry-run --Werror
	git ls-files 'csrc/*.cpp' ':!csrc/cpu/neon*' | \
		xargs -n 3 -P $(JOBS) $(BIN)/clang-tidy --quiet -p build/ed
	git ls-files 'csrc/cpu/neon*.cpp' | xargs -r -I{} $(BIN)/clang-tidy --quiet {} -- $(AARCH64)

format: .venv/lint.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files '*.h' '*.cpp' '*.cu' '*.def' | xargs $(BIN)/clang-format -i

wheel: .venv/stamp
	$(PIP) wheel --no-deps --wheel-dir dist .

# With the CUDA backend (docs/cuda.md): no toolkit is needed, and no GPU.
wheel-cuda: .venv/stamp
	SAKEDGE_CUDA=1 $(PIP) wheel --no-deps --wheel-dir dist/cuda .

# Every Python, x86-64 and aarch64, without and with CUDA (docs/platforms.md), on one x86-64 machine;
# e.g. WHEELS="--python 3.12 --machine aarch64 --no-cuda", or WHEELS=--check to install them as well.
wheels: .venv/wheels.stamp
	$(BIN)/python -m tools.wheels $(WHEELS)

clean:
	rm -rf .venv build dist out

.venv/stamp:
	$(PYTHON) -m venv .venv
	$(PIP) install --quiet --upgrade "pip>=25.1"
	touch $@

# A user's installation: the built package, no compiler flags, no development tools.
# It gives way to the editable one once `make test` has run, which serves the demo as well.
.venv/demo.stamp: .venv/stamp
	test -e .venv/dev.stamp || $(PIP) install --quiet ".[all]"
	touch $@

.venv/dev.stamp: .venv/stamp pyproject.toml
	$(PIP) install --quiet --group build --group test
	$(PIP) install --quiet --no-build-isolation -Ceditable.rebuild=true -Cbuild-dir=build/ed \
		--editable ".[all,convert]" torch==2.13.0
	touch $@

.venv/wheels.stamp: .venv/stamp pyproject.toml
	$(PIP) install --quiet --group build --group wheels
	touch $@

.venv/docs.stamp: .venv/stamp pyproject.toml
	$(PIP) install --quiet --group docs
	touch $@

.venv/lint.stamp: .venv/stamp pyproject.toml
	$(PIP) install --quiet --group lint
	touch $@

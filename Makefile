# One entry for people and for CI. Every target is idempotent and quick the second time.
.DEFAULT_GOAL := help
SHELL := /bin/bash
FUZZ_SECONDS ?= 60
# no: `make build` and `make test` leave the engine alone, and what needs it is skipped.
ENGINE ?= yes

.PHONY: help build engine run package test check format golden e2e bench bench-standby bench-sizes fuzz clean

help:  ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 15

build: binary  ## set-up, gateway and engine: everything that run needs, nothing started
	@[ $(ENGINE) = no ] || tools/engine.sh

.PHONY: binary
binary:
	@tools/setup.sh build
	@mkdir -p build
	@cmake --preset release >build/release.configure.log 2>&1 || \
		{ cat build/release.configure.log; exit 1; }
	@cmake --build --preset release --target nightlight

engine:  ## the local engine, llama-server, unless this machine has one; minutes, once
	@tools/engine.sh

run: binary  ## serve on 127.0.0.1:2300; the engine is built meanwhile, unless it is there
	@tools/run.sh

package: binary  ## a Debian package in build/package; its engine is built for other machines too
	@tools/setup.sh package
	@tools/package.sh

test: asan  ## everything that must pass: unit, tidy, end-to-end, fault and thread tests
	@cmake --preset tsan >build/tsan.configure.log 2>&1 || { cat build/tsan.configure.log; exit 1; }
	@cmake --build --preset tsan --target concurrency_tests
	@[ $(ENGINE) = no ] || tools/engine.sh || echo "test: no engine; what needs it is skipped"
	@ctest --preset asan

.PHONY: asan
asan:
	@tools/setup.sh build test
	@mkdir -p build
	@cmake --preset asan >build/asan.configure.log 2>&1 || { cat build/asan.configure.log; exit 1; }
	@cmake --build --preset asan

check:  ## house rules, layout and clang-tidy of what changed
	@tools/setup.sh build lint
	@tools/check.py
	@tools/lint.sh

format:  ## lay out every source file
	@tools/setup.sh lint
	@find src fuzz bench -name '*.h' -o -name '*.cc' | xargs -r clang-format-14 -i

golden: asan  ## rewrite the golden files from what the code does now; the diff is the review
	@NL_GOLDEN=rewrite build/asan/dialect_test --gtest_filter='*olden*'
	@NL_GOLDEN=rewrite build/asan/app_test --gtest_filter='*olden*'

e2e: asan  ## the end-to-end and fault suites alone
	@ctest --preset asan -L 'e2e|fault'

bench:  ## microbenchmarks and the runs behind docs/performance.md
	@tools/setup.sh build bench
	@mkdir -p build
	@cmake --preset bench >build/bench.configure.log 2>&1 || { cat build/bench.configure.log; exit 1; }
	@cmake --build --preset bench
	@python3 tests/e2e/agent_talk.py build/bench/talks
	@export NL_TALKS=build/bench/talks; for bench in build/bench/bench/*_bench; do [ ! -x $$bench ] || $$bench; done
	@[ ! -e bench/run.py ] || NIGHTLIGHT_BIN=$(CURDIR)/build/bench/nightlight python3 bench/run.py

bench-standby:  ## warm standby: first token at failover, a trace of four windows, added latency
	@tools/setup.sh build bench
	@mkdir -p build
	@cmake --preset bench >build/bench.configure.log 2>&1 || { cat build/bench.configure.log; exit 1; }
	@cmake --build --preset bench --target nightlight standby_trace paced_streams
	@NIGHTLIGHT_BIN=$(CURDIR)/build/bench/nightlight python3 bench/standby.py
	@build/bench/standby_trace
	@NIGHTLIGHT_BIN=$(CURDIR)/build/bench/nightlight python3 bench/standby_cost.py

bench-sizes:  ## the sizes of Gemma 4 in SIZES (e2b) on this machine, with random weights
	@tools/setup.sh build bench
	@mkdir -p build
	@cmake --preset bench >build/bench.configure.log 2>&1 || { cat build/bench.configure.log; exit 1; }
	@cmake --build --preset bench --target nightlight
	@NIGHTLIGHT_BIN=$(CURDIR)/build/bench/nightlight python3 bench/sizes.py $(or $(SIZES),e2b)

fuzz:  ## every fuzz target for FUZZ_SECONDS (60)
	@tools/setup.sh build fuzz
	@mkdir -p build
	@cmake --preset fuzz >build/fuzz.configure.log 2>&1 || { cat build/fuzz.configure.log; exit 1; }
	@cmake --build --preset fuzz --target fuzzers
	@tools/fuzz.sh $(FUZZ_SECONDS)

clean:  ## remove build/; the test clients stay
	rm -rf build

# A thin front of CMake. `make help` lists what there is.
#
# Every target first sees to it that the Debian packages it needs are there (tools/install-deps.sh);
# SLOE_SKIP_DEPS=1 leaves that out. Each variant has a build folder of its own.

BUILD      ?= build
BUILD_ASAN ?= build-asan
BUILD_AGENT ?= build-agent
PREFIX     ?= /usr/local
DESTDIR    ?=
JOBS       ?= $(shell nproc 2>/dev/null || echo 2)

CONFIGURE = cmake -S . -G Ninja
COMPILE   = cmake --build

.DEFAULT_GOAL := build
.PHONY: build demo agent test bench accuracy networks lint fuzz install clean help

## build    the command build/sloe and build/libsloe.so
build:
	@tools/install-deps.sh build
	@$(CONFIGURE) -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null
	@$(COMPILE) $(BUILD) -j $(JOBS) --target sloe

## demo     estimates three real CNNs on several boards, then profiles this processor for a minute
demo: build
	@tools/demo.sh $(BUILD)/sloe

## agent    build-agent/sloe, static, for a board (aarch64), checked under qemu; AGENT_CC=gcc: for this machine
AGENT_CC ?= $(if $(filter aarch64,$(shell uname -m)),$(CC),aarch64-linux-gnu-gcc)
AGENT     = $(MAKE) -s -j $(JOBS) -f tools/agent.mk CC="$(AGENT_CC)" OUT=$(BUILD_AGENT)
ifeq ($(AGENT_CC),aarch64-linux-gnu-gcc)
agent: build
	@tools/install-deps.sh agent
	@tools/arm64-jansson.sh $(BUILD_AGENT)/jansson
	@$(AGENT) JANSSON=$(BUILD_AGENT)/jansson
	@tests/alone/run.sh $(BUILD)/sloe $(BUILD_AGENT)/sloe qemu-aarch64
else
agent:
	@$(AGENT)
endif

## test     all tests, plain and under AddressSanitizer and UBSan; closes with the totals (WERROR=ON)
test:
	@tools/install-deps.sh build test
	@tools/run-tests.sh -j $(JOBS) $(BUILD) $(BUILD_ASAN) $(if $(WERROR),-DSLOE_WERROR=$(WERROR))

## bench    speed beside python-onnx and C++ protobuf, in one run
bench:
	@tools/install-deps.sh build bench
	@$(CONFIGURE) -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) -DSLOE_BENCH=ON >/dev/null
	@$(COMPILE) $(BUILD) -j $(JOBS) --target sloe bench_programs
	@bench/run.sh $(BUILD)

## accuracy profiles this processor, then every figure of the platform's accuracy (OUT=build/accuracy, PARTS="...")
accuracy:
	@tools/install-deps.sh build bench plots
	@$(CONFIGURE) -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) -DSLOE_BENCH=ON >/dev/null
	@$(COMPILE) $(BUILD) -j $(JOBS) --target all bench_programs
	@SLOE=$(BUILD)/sloe tools/accuracy/run.sh $(or $(OUT),$(BUILD)/accuracy) $(PARTS)

## networks all models of TABLE (the CPU's dataset) tested and drawn as Bouzidi et al. do (OUT=build/networks, OPTIONS="--tune")
networks: build
	@tools/install-deps.sh plots
	@SLOE=$(BUILD)/sloe tools/learn/networks.sh $(or $(TABLE),data/datasets/intel-xeon-onednn-t1.csv.gz) $(or $(OUT),$(BUILD)/networks) $(OPTIONS)

## lint     formatting, static analysis, layering, banned functions; built in BUILD_LINT (build-lint)
lint:
	@tools/install-deps.sh build test lint
	@$(if $(BUILD_LINT),BUILD_LINT=$(BUILD_LINT)) tools/lint.sh

## fuzz     every fuzz target for an hour of CPU (SECONDS_EACH=N, SEED=N, TARGETS="a b")
fuzz:
	@tools/install-deps.sh build fuzz
	@tools/fuzz.sh $(if $(SECONDS_EACH),-s $(SECONDS_EACH)) $(if $(SEED),-S $(SEED)) $(TARGETS)

## install  into $(DESTDIR)$(PREFIX)
install: build
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD) --prefix $(PREFIX)

## clean    removes every build folder
clean:
	rm -rf $(BUILD) $(BUILD_ASAN) $(BUILD_AGENT) build-fuzz build-lint

## help     this list
help:
	@sed -n 's/^## //p' Makefile

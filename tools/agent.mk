# agent.mk: the static sloe for a board, by make and a C compiler alone: `make agent` on a desk, and on
# the board itself, whatever its compiler (gcc 7 of JetPack 4 knows C11 and no C17).
#
#   make -f tools/agent.mk CC=aarch64-linux-gnu-gcc OUT=build-agent JANSSON=build-agent/jansson
#   make -f tools/agent.mk                         on a board, with its package libjansson-dev
#
#   JANSSON   folder with include/ and lib/libjansson.a; empty: the compiler finds both
#
# What it is made of: every room that answers, device without its modules, and of campaign what measures
# one network. Objects of no use are left out by the linker, so that none has to be named here.
CC       ?= cc
OUT      ?= build-agent
JANSSON  ?=
CFLAGS   ?= -O2 -g
STD      ?= -std=gnu11
LDFLAGS  ?= -s

rooms     := base net model onnx zoo platform estimate explore report device
sources   := $(sort $(shell find $(addprefix src/,$(rooms)) src/cli -name '*.c'))
sources   += $(addprefix src/campaign/,lab.c measure.c measured_table.c sensed.c session.c isolated.c)
needs_lib := src/base/gzip.c $(wildcard src/device/onednn/*.c src/device/cudnn/*.c src/device/replay/*.c)
objects   := $(patsubst %.c,$(OUT)/%.o,$(filter-out $(needs_lib),$(sources)))

define_all := -DSLOE_ALONE -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 \
  -DSLOE_DATADIR='"/usr/local/share/sloe"'
includes   := -Iinclude -Isrc $(if $(JANSSON),-I$(JANSSON)/include)
libraries  := $(if $(JANSSON),$(JANSSON)/lib/libjansson.a,-ljansson) -lm -lpthread

$(OUT)/sloe: $(objects)
	$(CC) -static -o $@.new $(objects) -Wl,--gc-sections $(LDFLAGS) $(libraries)
	mv $@.new $@

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(STD) $(define_all) $(includes) $(CFLAGS) -ffunction-sections -fdata-sections -MMD -c -o $@ $<

-include $(objects:.o=.d)

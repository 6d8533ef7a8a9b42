# SPDX-License-Identifier: GPL-2.0-only
# Builds lkvm. "make help" lists the goals and the variables.

O ?= .
BUILD := $(O)/build
ARCH ?= $(shell uname -m)
CROSS_COMPILE ?=
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
PKG_CONFIG ?= $(if $(CROSS_COMPILE),$(CROSS_COMPILE)pkg-config,pkg-config)
PREFIX ?= /usr/local
WERROR ?= 1

ifeq ($(ARCH),x86_64)
ARCH_DIR := x86
else ifneq ($(filter $(ARCH),arm64 aarch64),)
ARCH_DIR := arm
else
$(error ARCH=$(ARCH): lkvm runs on x86_64 and arm64)
endif

VERSION := $(shell cat VERSION)$(shell git describe --always --dirty --abbrev=8 2>/dev/null | sed 's/^/-g/')

WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	-Wcast-qual -Wwrite-strings -Wvla -Wundef -Wno-unused-parameter \
	-Wno-missing-field-initializers $(if $(filter 1,$(WERROR)),-Werror)
CPPFLAGS += -Iinclude -I. -I$(BUILD) -D_GNU_SOURCE $(shell $(PKG_CONFIG) --cflags libbsd-overlay)
CFLAGS ?= -O2 -g
override CFLAGS += -std=c11 $(WARNINGS) -pthread -fno-strict-aliasing -MMD -MP
LDLIBS += -laio -pthread

SRCS := $(sort $(wildcard *.c backend/*.c hw/*.c virtio/*.c vfio/*.c $(ARCH_DIR)/*.c))
OBJS := $(SRCS:%.c=$(BUILD)/%.o)

all: $(O)/lkvm $(O)/vm

$(O)/lkvm: $(OBJS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(O)/vm: $(O)/lkvm
	ln -f $< $@

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

-include $(OBJS:.o=.d)

.PHONY: all

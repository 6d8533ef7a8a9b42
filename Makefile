# SPDX-License-Identifier: GPL-2.0-only
# Builds lkvm. "make help" lists the goals and the variables.

# ---- What the user may set ----

# Where all products go; their objects go to $(O)/build.
O ?= .
ARCH ?= $(shell uname -m)
CROSS_COMPILE ?=
# A folder with the libraries of the machine to build for, where they are not
# installed: Debian's packages, unpacked there.
SYSROOT ?=
PREFIX ?= /usr/local
DESTDIR ?=
# 0: warnings are no errors.
WERROR ?= 1
# 1: print the commands.
V ?= 0
# address, thread or fuzz: an instrumented build in $(O)/build/{asan,tsan,fuzz}.
SAN ?=
# Seconds for each fuzz program of "make check", and of "make fuzz-smoke".
FUZZ_SECONDS ?= 8
CFLAGS ?= -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2

# ---- Machine, compiler, folders ----

ifeq ($(ARCH),x86_64)
ARCH_DIR := x86
else ifneq ($(filter $(ARCH),arm64 aarch64),)
ARCH_DIR := arm
ARCH_LIBS := fdt
SYSROOT_TRIPLET := aarch64-linux-gnu
else
$(error ARCH=$(ARCH): lkvm runs on x86_64 and arm64)
endif

# For programs that run while lkvm is built.
HOSTCC ?= gcc
PKG_CONFIG ?= $(if $(CROSS_COMPILE),$(CROSS_COMPILE)pkg-config,pkg-config)
CLANG ?= clang

san_dir_address := asan
san_dir_thread := tsan
san_dir_fuzz := fuzz
# clang's sanitizers, where clang is: gcc's TSan refuses memory fences.
ifeq ($(origin CC),default)
ifeq ($(SAN),)
CC := $(CROSS_COMPILE)gcc
else
CC := $(shell command -v $(CLANG) || echo gcc)
endif
endif
AR := $(CROSS_COMPILE)ar

ifeq ($(SAN),)
OUT := $(O)
BUILD := $(O)/build
else ifneq ($(san_dir_$(SAN)),)
BUILD := $(O)/build/$(san_dir_$(SAN))
OUT := $(BUILD)
else
$(error SAN=$(SAN): it is address, thread or fuzz)
endif

san_flags := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=undefined
san_cflags_address := $(san_flags) -fsanitize=address,undefined
san_ldflags_address := -fsanitize=address,undefined
san_cflags_thread := $(san_flags) -fsanitize=thread
san_ldflags_thread := -fsanitize=thread
san_cflags_fuzz := $(san_flags) -fsanitize=fuzzer-no-link,address,undefined
san_ldflags_fuzz := -fsanitize=address,undefined
ifneq ($(SAN),)
CFLAGS := $(san_cflags_$(SAN))
endif

# ---- Flags ----

WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	-Wcast-qual -Wwrite-strings -Wvla -Wundef -Wno-unused-parameter \
	-Wno-missing-field-initializers $(if $(filter 1,$(WERROR)),-Werror)
INCLUDES := -Iinclude -I. -I$(BUILD)
ifneq ($(SYSROOT),)
SYSROOT_CPPFLAGS := -isystem $(SYSROOT)/usr/include \
	-isystem $(SYSROOT)/usr/include/$(SYSROOT_TRIPLET)
SYSROOT_LDFLAGS := -L$(SYSROOT)/usr/lib/$(SYSROOT_TRIPLET) \
	-Wl,-rpath-link,$(SYSROOT)/usr/lib/$(SYSROOT_TRIPLET) \
	-Wl,-rpath-link,$(SYSROOT)/lib/$(SYSROOT_TRIPLET)
# pkg-config would find the build machine's.
PKG_CONFIG := false
endif
lkvm_cppflags = $(INCLUDES) -D_GNU_SOURCE $(CONFIG_CPPFLAGS) \
	$(SYSROOT_CPPFLAGS) $(CPPFLAGS)
lkvm_cflags = -std=c11 $(CFLAGS) $(WARNINGS) -pthread -fno-strict-aliasing
lkvm_ldflags = $(CFLAGS) $(san_ldflags_$(SAN)) -pthread -Wl,--as-needed \
	-Wl,-z,relro -Wl,-z,noexecstack $(SYSROOT_LDFLAGS) $(LDFLAGS)
lkvm_ldlibs = $(CONFIG_LDLIBS) $(LDLIBS)
compile = $(CC) $(lkvm_cppflags) $(lkvm_cflags) -include lkvm/banned.h -MMD -MP

# $(call say,WHAT,FILE): the short form of a command, unless V=1 prints it or
# make -s wants silence.
silent := $(findstring s,$(filter-out --%,$(firstword $(MAKEFLAGS))))
ifneq ($(silent),)
Q := @
say := @
else ifeq ($(V),1)
Q :=
say :=
else
Q := @
say = @printf '  %-7s %s\n' '$(1)' '$(2)';
endif

# ---- Files ----

# Goals that compile nothing need no libraries.
NO_BUILD_GOALS := help clean uninstall
ifneq ($(filter-out $(NO_BUILD_GOALS),$(or $(MAKECMDGOALS),all)),)
include $(BUILD)/config.mk
endif

# confine.c, with filters, or confine_none.c.
OTHER_CONFINE := $(if $(filter 1,$(CONFIG_CONFINE)),confine_none.c,confine.c)
SRCS := $(filter-out $(OTHER_CONFINE) $(CONFIG_WITHOUT),$(sort \
	$(wildcard *.c backend/*.c hw/*.c virtio/*.c vfio/*.c $(ARCH_DIR)/*.c)))
# A static program loads no libraries.
OBJS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out library_none.c,$(SRCS))) \
	$(BUILD)/guest/blob.o
GUEST_SRCS := $(sort $(wildcard guest/*.c))
STATIC_OBJS := $(patsubst %/library.o,%/library_none.o,$(OBJS))
LIB := $(BUILD)/lkvm.a
HEADERS := $(filter-out tests/boot/arm/%,$(sort $(wildcard *.h) $(shell find \
	include $(wildcard backend guest hw virtio vfio) $(ARCH_DIR) tests tools \
	-name '*.h')))
SUPPORT_SRCS := $(sort $(wildcard tests/support/*.c))
SUPPORT_OBJS := $(SUPPORT_SRCS:%.c=$(BUILD)/%.o)
# Tests of arm/ are of files that need no arm64; those of x86/ need x86's headers.
FOREIGN_TESTS := $(if $(filter arm,$(ARCH_DIR)),tests/unit/x86/% tests/fuzz/x86/%)
UNIT_SRCS := $(filter-out $(FOREIGN_TESTS),$(sort $(shell find tests/unit \
	-name '*_test.c')))
FUZZ_SRCS := $(filter-out $(FOREIGN_TESTS),$(sort $(shell find tests/fuzz \
	-name '*_fuzz.c')))
UNIT_PROGRAMS := $(UNIT_SRCS:%.c=$(BUILD)/%)
FUZZ_PROGRAMS := $(FUZZ_SRCS:%.c=$(BUILD)/%)
# The other architecture's files need the other architecture's headers.
OTHER_ARCH := $(filter-out $(ARCH_DIR),x86 arm)

.PHONY: all
all: $(OUT)/lkvm $(OUT)/vm

.DELETE_ON_ERROR:
.SUFFIXES:

-include $(ARCH_DIR)/Makefile.inc
include tests/guest/Makefile.inc

# ---- Libraries: asked once, reported once ----

# $(call try_link,HEADER,LIBRARIES): does a program with both build?
try_link = printf '\#include <$(1)>\nint main(void) { return 0; }\n' | \
	$(CC) $(INCLUDES) $(SYSROOT_CPPFLAGS) $$cppflags $(SYSROOT_LDFLAGS) \
	-x c -o /dev/null - $(2) 2>/dev/null

# $(call find_codec,LIBRARY,HEADER,NAME,SOURCE): libraries that are loaded at
# run time, so that only headers are needed; without them SOURCE is left out.
find_codec = flags=$$($(PKG_CONFIG) --cflags $(1) 2>/dev/null) || flags=; \
	if cppflags=$$flags; $(call try_link,$(2),); then \
		codecs="$$codecs -DCONFIG_$(3)=1 $$flags"; \
		found="$$found, $(1): yes"; \
	else \
		codecs="$$codecs -DCONFIG_$(3)=0"; without="$$without $(4)"; \
		found="$$found, $(1): no"; \
	fi

# Only what runs while lkvm is built needs libseccomp, 2.5 or later. Sanitizers make
# system calls of their own, so instrumented builds have no filters.
try_libseccomp = printf '\043include <seccomp.h>\n%s\n' \
		'int main(void) { return !SCMP_FLTATR_CTL_OPTIMIZE; }' | \
	$(HOSTCC) -x c -o /dev/null - -lseccomp 2>/dev/null
find_libseccomp = confine=0; libc=other; \
	if printf '\043include <features.h>\n__GLIBC__\n' | \
			$(CC) -E -P - 2>/dev/null | grep -q '^[0-9]'; then \
		libc=glibc; \
	fi; \
	if $(if $(SAN),false,$(try_libseccomp)); then \
		confine=1; found="$$found, libseccomp: yes"; \
	else \
		found="$$found, libseccomp: no$(if $(SAN), (sanitizers))"; \
	fi

# The program in guests is static. Without it there are no "lkvm sandbox" and no
# root file systems of lkvm's own.
find_static_libc = guest_init=1; \
	if ! printf 'int main(void) { return 0; }\n' | \
			$(CC) -static -x c -o /dev/null - 2>/dev/null; then \
		guest_init=0; found="$$found, static libc: no"; \
	fi

$(BUILD)/config.mk: Makefile $(BUILD)/flags
	@mkdir -p $(@D)
	@cppflags=$$($(PKG_CONFIG) --cflags libbsd-overlay 2>/dev/null) || \
		cppflags='-isystem $(SYSROOT)/usr/include/bsd -DLIBBSD_OVERLAY'; \
	$(call try_link,sys/tree.h,) || { echo "lkvm needs sys/tree.h:" \
		"install libbsd-dev" >&2; exit 1; }; \
	$(call try_link,libaio.h,-laio) || { echo "lkvm needs libaio:" \
		"install libaio-dev" >&2; exit 1; }; \
	$(call try_link,jansson.h,-ljansson) || { echo "lkvm needs jansson:" \
		"install libjansson-dev" >&2; exit 1; }; \
	$(foreach lib,$(ARCH_LIBS),$(call try_link,lib$(lib).h,-l$(lib)) || \
		{ echo "lkvm on $(ARCH) needs lib$(lib):" \
		"install lib$(lib)-dev" >&2; exit 1; };) \
	bsd=$$cppflags; \
	$(call find_codec,liblzma,lzma.h,LIBLZMA,codec_xz.c); \
	$(call find_codec,zlib,zlib.h,ZLIB,codec_gzip.c png.c); \
	$(call find_codec,libzstd,zstd.h,LIBZSTD,codec_zstd.c); \
	$(call find_codec,libslirp,slirp/libslirp.h,LIBSLIRP,backend/net_user.c); \
	$(call find_codec,sdl2,SDL2/SDL.h,SDL,$(wildcard \
		backend/display_sdl*.c)); \
	$(call find_codec,libvncserver,rfb/rfb.h,VNC,$(wildcard \
		backend/display_vnc*.c)); \
	$(find_libseccomp); \
	$(find_static_libc); \
	{ echo "CONFIG_GUEST_INIT := $$guest_init"; echo "CONFIG_CONFINE := $$confine"; echo "CONFIG_LIBC := $$libc"; \
	echo "CONFIG_CPPFLAGS := $$bsd$$codecs"; \
	echo "CONFIG_WITHOUT := $$without"; \
	echo "CONFIG_LDLIBS := -laio -ljansson -ldl$(ARCH_LIBS:%= -l%)"; } >$@; \
	$(if $(silent),:,echo \
		"  config  libaio: yes, jansson: yes$(ARCH_LIBS:%=, lib%: yes)$$found")

# Rewritten, and with it everything rebuilt, when compiler or flags change.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(lkvm_cflags) $(CPPFLAGS) $(LDFLAGS) $(LDLIBS)' | \
		cmp -s - $@ || echo '$(CC) $(lkvm_cflags) $(CPPFLAGS)' \
		'$(LDFLAGS) $(LDLIBS)' >$@

# A source file that goes away leaves the archive and the program, too.
$(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(SRCS)' | cmp -s - $@ || echo '$(SRCS)' >$@

# VERSION, and in a git tree the commit.
$(BUILD)/version.h: FORCE
	@mkdir -p $(@D)
	@version=$$(cat VERSION); \
	git='git --git-dir=.git --work-tree=.'; \
	if commit=$$($$git describe --always --dirty --abbrev=8 \
			--exclude='*' 2>/dev/null); then \
		version=$$version-g$$commit; \
	fi; \
	echo "#define LKVM_VERSION \"$$version\"" | cmp -s - $@ || \
		echo "#define LKVM_VERSION \"$$version\"" >$@

.PHONY: FORCE
FORCE:

# ---- Programs ----

$(BUILD)/%.o: %.c $(BUILD)/flags $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(call say,CC,$<)$(compile) -c -o $@ $<

$(BUILD)/builtin-version.o: $(BUILD)/version.h

# The first process of guests: a static program, without instrumentation, that
# lkvm carries with it.
GUEST_OBJS := $(GUEST_SRCS:%.c=$(BUILD)/%.o)
$(GUEST_OBJS): $(BUILD)/guest/%.o: guest/%.c $(BUILD)/flags $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(lkvm_cppflags) -std=c11 -Os $(WARNINGS) \
		-include lkvm/banned.h -MMD -MP -c -o $@ $<

$(BUILD)/guest/init: $(GUEST_OBJS)
	$(call say,LD,$@)$(CC) -static -s -Wl,--gc-sections $(SYSROOT_LDFLAGS) \
		-o $@ $^

ifeq ($(CONFIG_GUEST_INIT),1)
$(BUILD)/guest/blob.o: $(BUILD)/guest/init
blob_flags = -DGUEST_INIT='"$(BUILD)/guest/init"'
endif
$(BUILD)/guest/blob.o: guest/blob.S $(BUILD)/flags $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(call say,AS,$<)$(CC) $(blob_flags) -c -o $@ $<

# The filters of confine.c, made by a program that runs here.
CONFINE_GEN_SRCS := tools/confine_gen.c tools/confine_rules.c \
	tools/confine_$(ARCH_DIR).c
$(BUILD)/confine_gen: $(CONFINE_GEN_SRCS) tools/confine_rules.h confine_priv.h \
		include/lkvm/confine.h $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(call say,HOSTCC,$@)$(HOSTCC) -std=c11 -O1 -D_GNU_SOURCE -Iinclude -I. \
		$(WARNINGS) -o $@ $(CONFINE_GEN_SRCS) -lseccomp

$(BUILD)/confine_filters.h: $(BUILD)/confine_gen
	$(call say,GEN,$@)$< $(ARCH_DIR) $(CONFIG_LIBC) >$@

$(BUILD)/confine.o: $(BUILD)/confine_filters.h

$(OUT)/lkvm: $(OBJS) $(BUILD)/sources
	$(call say,LD,$@)$(CC) $(lkvm_ldflags) -o $@ $(OBJS) $(lkvm_ldlibs)

$(OUT)/vm: $(OUT)/lkvm
	$(Q)ln -f $< $@

# One file that runs in any Linux root, without displays.
.PHONY: lkvm-static
lkvm-static: $(OUT)/lkvm-static
ifneq ($(OUT)/lkvm-static,lkvm-static)
$(OUT)/lkvm-static: $(STATIC_OBJS)
	$(call say,LD,$@)$(CC) $(lkvm_ldflags) -static -o $@ $^ $(lkvm_ldlibs)
endif

LIB_OBJS := $(filter-out $(BUILD)/main.o,$(OBJS))
$(LIB): $(LIB_OBJS) $(BUILD)/sources
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $(LIB_OBJS)

# ---- Programs of the tests ----

.PHONY: unit-programs fuzz-programs
unit-programs: $(UNIT_PROGRAMS)
fuzz-programs: $(FUZZ_PROGRAMS)

# An archive: a test gets the stand-ins that it names, and no others.
SUPPORT_LIB := $(BUILD)/tests/support.a
$(SUPPORT_LIB): $(SUPPORT_OBJS)
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $(SUPPORT_OBJS)

$(UNIT_PROGRAMS): %: %.o $(SUPPORT_LIB) $(LIB)
	$(call say,LD,$@)$(CC) $(lkvm_ldflags) -o $@ $^ $(lkvm_ldlibs) -lcmocka

$(BUILD)/tests/unit/arm/fdt_test: CONFIG_LDLIBS += -lfdt

$(FUZZ_PROGRAMS): %: %.o $(SUPPORT_LIB) $(LIB)
	$(call say,LD,$@)$(CC) $(lkvm_ldflags) -fsanitize=fuzzer -o $@ $^ \
		$(lkvm_ldlibs)

# ---- Tests ----

.PHONY: check check-unit check-cli check-guest check-display check-boot check-arm64 \
	fuzz-smoke lint bench demo
suite = +$(Q)MAKE='$(MAKE)' O='$(O)' FUZZ_SECONDS='$(FUZZ_SECONDS)' tests/check

check:
	$(suite) lint build unit cli guest display fuzz boot arm64
check-unit:
	$(suite) unit
check-cli:
	$(suite) cli
check-guest:
	$(suite) guest
check-display:
	$(suite) display
check-boot:
	$(suite) boot
check-arm64:
	$(suite) arm64
fuzz-smoke:
	$(suite) fuzz
lint:
	$(suite) lint

bench: all
	$(Q)LKVM='$(abspath $(OUT)/lkvm)' BUILD_DIR='$(abspath $(BUILD))' \
		tests/bench/run

demo: all
	$(Q)LKVM='$(abspath $(OUT)/lkvm)' BUILD_DIR='$(abspath $(BUILD))' \
		tests/boot/demo

# ---- Lint: the parts, each of which "make lint" runs ----

lint_srcs = $(SRCS) $(GUEST_SRCS) $(SUPPORT_SRCS) $(UNIT_SRCS) $(FUZZ_SRCS) $(GUEST_HOST_SRCS)
lint_files = $(shell find . -path ./build -prune -o -path ./$(O)/build -prune \
	-o -name '*.[ch]' -print | sed 's|^\./||' | sort)

.PHONY: lint-format lint-tidy lint-cppcheck lint-shell lint-headers lint-man \
	lint-arch
lint-format:
	$(Q)clang-format --dry-run --Werror $(lint_files)

# A file is looked at again when its object had to be built again. The analyzer
# takes seconds a file; tests, which run, go without.
lint-tidy: $(lint_srcs:%.c=$(BUILD)/lint/%.tidy)
$(BUILD)/lint/%.tidy: %.c $(BUILD)/%.o .clang-tidy
	@mkdir -p $(@D)
	$(call say,TIDY,$<)clang-tidy --quiet --warnings-as-errors='*' \
		$(if $(filter tests/%,$<),--checks=-clang-analyzer-*) $< -- \
		$(lkvm_cppflags) -std=c11 -pthread 2>$@.log || \
		{ cat $@.log >&2; exit 1; }
	@touch $@

# cppcheck does not see the system's headers: these stand for <sys/tree.h>.
CPPCHECK_MACROS := '-DRB_ENTRY(t)=struct{int c;}' \
	'-DRB_HEAD(n,t)=struct n{struct t*r;}' \
	'-DRB_GENERATE_INTERNAL(n,t,f,c,a)='

lint-cppcheck:
	@mkdir -p $(BUILD)/lint/cppcheck
	$(Q)cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr \
		--enable=warning,performance,portability -j 2 \
		--cppcheck-build-dir=$(BUILD)/lint/cppcheck \
		--suppressions-list=.cppcheck-suppressions \
		-Iinclude -I. $(CPPCHECK_MACROS) $(SRCS) $(GUEST_SRCS)

lint-shell:
	$(Q)shellcheck -x $$(grep -rlE --exclude-dir=build --exclude-dir=.git \
		--exclude-dir=issues '^#!.*[/ ](ba|da)?sh( |$$)|^# shellcheck shell=' .)

# Each header is compiled with nothing in front of it.
lint-headers: $(HEADERS:%=$(BUILD)/lint/%.alone)
$(BUILD)/lint/%.alone: % $(HEADERS) $(BUILD)/flags $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)echo '#include "$<"' | $(CC) $(lkvm_cppflags) $(lkvm_cflags) \
		-fsyntax-only -x c -
	@touch $@

# Common code knows no architecture: no conditions on one, none of its headers,
# nothing of KVM that is one's own.
lint-arch:
	$(Q)grep -nE -e '__(x86_64|i386|aarch64|arm)__' \
		-e 'include "(x86|arm)/' -e 'KVM_(CAP_)?(ARM|X86)_' \
		$(wildcard *.[ch] backend/*.[ch] hw/*.[ch] virtio/*.[ch] \
		vfio/*.[ch] include/lkvm/*.h); [ $$? = 1 ]

lint-man:
	$(Q)mandoc -T lint -W warning docs/lkvm.1

# ---- Installation ----

BINDIR = $(DESTDIR)$(PREFIX)/bin
MANDIR = $(DESTDIR)$(PREFIX)/share/man/man1
COMPDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd

# Pages of commands come from the program's own tables, if it runs here.
install_pages = for page in $$($(OUT)/lkvm help --names); do \
		$(OUT)/lkvm help --man $$page >$(MANDIR)/lkvm-$$page.1; \
	done
ifneq ($(CROSS_COMPILE),)
install_pages = :
endif

.PHONY: install uninstall clean help
install: all
	install -d $(BINDIR) $(MANDIR) $(COMPDIR) $(ZSHDIR) \
		$(UNITDIR)/system $(UNITDIR)/user
	install -m 755 $(OUT)/lkvm $(BINDIR)/lkvm
	ln -f $(BINDIR)/lkvm $(BINDIR)/vm
	install -m 644 docs/lkvm.1 $(MANDIR)/lkvm.1
	$(install_pages)
	install -m 644 completion/lkvm.bash $(COMPDIR)/lkvm
	ln -sf lkvm $(COMPDIR)/vm
	install -m 644 completion/_lkvm $(ZSHDIR)/_lkvm
	sed 's|@BINDIR@|$(PREFIX)/bin|' service/lkvm@.service.in \
		>$(UNITDIR)/system/lkvm@.service
	install -m 644 $(UNITDIR)/system/lkvm@.service \
		$(UNITDIR)/user/lkvm@.service

uninstall:
	rm -f $(BINDIR)/lkvm $(BINDIR)/vm $(MANDIR)/lkvm.1 \
		$(MANDIR)/lkvm-*.1 $(COMPDIR)/lkvm $(COMPDIR)/vm \
		$(ZSHDIR)/_lkvm $(UNITDIR)/system/lkvm@.service \
		$(UNITDIR)/user/lkvm@.service

clean:
	rm -rf $(BUILD) $(OUT)/lkvm $(OUT)/vm $(OUT)/lkvm-static

help:
	@echo 'Goals:'
	@echo '  all           lkvm and its second name vm (the default)'
	@echo '  lkvm-static   one file without shared libraries'
	@echo '  install, uninstall, clean'
	@echo '  demo          boot a Debian kernel to a shell'
	@echo '  check         build and run every test'
	@echo '  check-unit, check-cli, check-guest, check-display, check-boot,'
	@echo '  check-arm64, fuzz-smoke'
	@echo '                one suite of it'
	@echo '  lint          format, clang-tidy, cppcheck, shellcheck, headers'
	@echo '  bench         print figures'
	@echo 'Variables:'
	@echo '  O=DIR         put all products there'
	@echo '  ARCH=x86_64|arm64, CROSS_COMPILE=PREFIX-'
	@echo '  SYSROOT=DIR   libraries of that machine, where not installed'
	@echo '  CC, CFLAGS, CPPFLAGS, LDFLAGS, LDLIBS, PKG_CONFIG, HOSTCC'
	@echo '  PREFIX=DIR, DESTDIR=DIR'
	@echo '  SAN=address|thread|fuzz  instrumented, in O/build/asan, ...'
	@echo '  WERROR=0      warnings are no errors'
	@echo '  V=1           print the commands'
	@echo '  FUZZ_SECONDS=N  for each fuzz program'

-include $(patsubst %.o,%.d,$(sort $(OBJS) $(STATIC_OBJS) $(GUEST_OBJS))) \
	$(SUPPORT_OBJS:.o=.d) $(GUEST_HOST_OBJS:.o=.d) $(UNIT_PROGRAMS:%=%.d) $(FUZZ_PROGRAMS:%=%.d)

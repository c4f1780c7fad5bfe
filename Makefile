# SPDX-License-Identifier: Apache-2.0
#: nodevol: node bootstrap and volume provisioning for EKS nodes
#:
#:   make              build every binary into $(B)
#:   make deps         install what building and testing needs, with apt or dnf (root)
#:   make demo         a node's boot from blank volume to running container, on this machine (root)
#:   make check        unit, command-line and root tests (root; without root a part is skipped)
#:   make lint         layers, symbols, static analysis, scripts, man pages
#:   make bench        ratios against other tools, same work, same run (root)
#:   make install      into $(DESTDIR)$(PREFIX); make uninstall takes it out again
#:   make clean        remove $(B)
#:
#: Variables: B=build  V=1 (show commands)  D=asan,ubsan (sanitizers)  WERROR=1  CC=clang
#:            PREFIX=/usr  DESTDIR=  MUST_RUN=1 (a skipped test is a failure)

VERSION := 0.1.0
B       ?= build
PREFIX  ?= /usr
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man/man8
DATADIR ?= $(PREFIX)/share/nodevol
PYTHON  ?= python3
export B CC PYTHON

ROOMS     := bootstrap/base bootstrap/sys bootstrap/disk bootstrap/aws bootstrap/node ebs al2023 bottlerocket
PACKAGES  := libcurl jansson expat libcrypto blkid mount ext2fs com_err zlib

mains     := $(sort $(wildcard bootstrap/imds-get.c bootstrap/image-cache.c ebs/ebs-*.c al2023/al2023-bootstrap.c \
                               bottlerocket/bottlerocket-bootstrap.c))
sources   := $(filter-out $(mains),$(sort $(wildcard $(ROOMS:=/*.c))))
units     := $(sort $(wildcard tests/unit/test-*.c))
servers   := tests/lab/noisevol.c
shims     := $(filter-out $(servers),$(sort $(wildcard tests/lab/*.c)))
fuzzers   := $(sort $(wildcard tests/fuzz/*.c))
tools     := $(sort $(wildcard tests/root/*.c tests/bench/*.c))
pages     := $(sort $(wildcard bootstrap/*.8 ebs/*.8 al2023/*.8 bottlerocket/*.8))
binaries  := $(addprefix $(B)/,$(notdir $(mains:.c=)))

# Without -O there is no FORTIFY; user flags come last so that they win.
CPPFLAGS_ALL = -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DNODEVOL_VERSION='"$(VERSION)"' $(fortify) $(pc_cflags) $(CPPFLAGS)
CFLAGS_ALL   = -std=gnu11 $(optimize) -g -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
               -Wpointer-arith -Wwrite-strings -Wundef -Wno-unused-parameter -fPIE -fstack-protector-strong \
               -ffunction-sections -fdata-sections -fno-strict-aliasing -fno-asynchronous-unwind-tables \
               -ffile-prefix-map=$(CURDIR)=. $(if $(WERROR),-Werror) $(sanitize) $(CFLAGS)
# Without pages of padding between code and constants: two of them are a tenth of the smaller binaries.
LDFLAGS_ALL  = -pie -Wl,-z,relro,-z,now,-z,noseparate-code -Wl,--as-needed -Wl,--gc-sections $(sanitize) $(LDFLAGS)
# Small, because nodes carry all of them; fast (see below) where every byte of a disk's ends goes through.
optimize     = -Os
fortify      = $(if $(findstring asan,$(D)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
sanitize     = $(if $(D),$(patsubst %,-fsanitize=%,$(subst ubsan,undefined,$(subst asan,address,$(subst $(comma), ,$(D))))) \
               -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
comma       := ,
pc_cflags   := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
pc_libs     := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lpthread
cmocka_libs := $(shell pkg-config --libs cmocka 2>/dev/null)

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

all: $(binaries)
.PHONY: all deps demo check check-fast lint bench install uninstall clean help tests fuzzers
.DELETE_ON_ERROR:

$(B)/obj/bootstrap/disk/noise.o: optimize = -O2

objects = $(patsubst %.c,$(B)/obj/%.o,$(1))
archive := $(B)/libnodevol.a

# Rebuilt when the flags change, and only then.
flags_text = $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)
$(B)/flags: FORCE
	@mkdir -p $(B)
	@printf '%s\n' '$(subst ','\'',$(flags_text))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(flags_text))' >$@
FORCE:

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(archive): $(call objects,$(sources))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

define binary_rule
$(B)/$(notdir $(1:.c=)): $(B)/obj/$(1:.c=.o) $(archive)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(CFLAGS_ALL) $$(LDFLAGS_ALL) -o $$@ $$< $(archive) $$(pc_libs)
endef
$(foreach main,$(mains),$(eval $(call binary_rule,$(main))))

$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(archive)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< $(archive) $(pc_libs) $(cmocka_libs)

define tool_rule
$(B)/$(1:.c=): $(B)/obj/$(1:.c=.o) $(archive)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(CFLAGS_ALL) $$(LDFLAGS_ALL) -o $$@ $$< $(archive) $$(pc_libs)
endef
$(foreach tool,$(tools),$(eval $(call tool_rule,$(tool))))

$(B)/tests/fuzz/%: tests/fuzz/%.c $(archive) $(B)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -MMD -MP -MF $(B)/obj/fuzz-$*.d \
		$(if $(FUZZ),-fsanitize=fuzzer -DNODEVOL_LIBFUZZER) -o $@ $< $(archive) $(pc_libs)

# Loaded into binaries under test with LD_PRELOAD, so they never carry a sanitizer.
$(B)/tests/lab/%.so: tests/lab/%.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -I. -D_GNU_SOURCE -std=gnu11 -O2 -g -Wall -Wextra -fPIC -shared -o $@ $< -ldl

# Programs of the lab, which run beside what is under test.
$(B)/tests/lab/%: tests/lab/%.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -D_GNU_SOURCE -std=gnu11 -O2 -g -Wall -Wextra $(if $(WERROR),-Werror) -o $@ $< -lpthread

# Objects of tests are kept: make would take them for intermediates.
.SECONDARY:

unit_binaries := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(units))
shim_binaries := $(patsubst tests/lab/%.c,$(B)/tests/lab/%.so,$(shims)) $(patsubst tests/lab/%.c,$(B)/tests/lab/%,$(servers))
fuzz_binaries := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(fuzzers))
tool_binaries := $(patsubst tests/%.c,$(B)/tests/%,$(tools))
tests: $(binaries) $(unit_binaries) $(shim_binaries) $(fuzz_binaries) $(tool_binaries)

deps:
	@tests/lab/install-deps

# Bare machines have no compiler yet: install first, then start make again so that pkg-config is asked anew.
check:
	@tests/lab/install-deps --if-missing
	@$(MAKE) --no-print-directory tests
	@$(PYTHON) tests/run

demo:
	@tests/lab/install-deps --if-missing
	@$(MAKE) --no-print-directory $(if $(V),,-s) all $(shim_binaries)
	@$(PYTHON) tests/lab/demo.py

bench: tests
	@$(PYTHON) tests/bench/bench.py

lint: all
	@tests/lint/run

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR) $(DESTDIR)$(DATADIR)
	install -m 0755 $(binaries) $(DESTDIR)$(BINDIR)
	install -m 0644 $(pages) $(DESTDIR)$(MANDIR)
	install -m 0644 ebs/config.schema.json $(DESTDIR)$(DATADIR)

uninstall:
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,$(notdir $(binaries)))
	rm -f $(addprefix $(DESTDIR)$(MANDIR)/,$(notdir $(pages)))
	rm -f $(DESTDIR)$(DATADIR)/config.schema.json

clean:
	rm -rf $(B)

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# mien: build with `make`, try with `make demo`, test with `make check`. README.md says more. V=1 shows
# the commands and all of their output.

VERSION := $(shell sed -n 's/^\#define MIEN_VERSION "\(.*\)"/\1/p' include/mien/version.h)
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BUILD ?= build
CC ?= cc
OBJCOPY ?= objcopy
CFLAGS ?= -O2 -g
# Debian's, for which its packages of other toolkits are made.
PYTHON ?= /usr/bin/python3
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wpointer-arith -Wvla
# Images that are decoded besides JPEGs, where these libraries are installed. make WITHOUT="libwebp": not
# these, all the same. libheif is loaded when it is needed.
FORMATS := $(shell for p in $(filter-out $(WITHOUT),libpng libwebp libheif); do \
	pkg-config --exists $$p 2>/dev/null && echo $$p; done)
FORMAT_DEFINES = $(patsubst libpng,-DMIEN_PNG,$(patsubst libwebp,-DMIEN_WEBP,$(patsubst libheif,-DMIEN_HEIF,$(FORMATS))))
# make MPI=1: mien-train over several processes, by the MPI that the system's mpi-c.pc stands for; MPI=mpich
# or another name that pkg-config knows: by that one.
MPI_PACKAGE = $(patsubst 1,mpi-c,$(filter-out 0,$(MPI)))
INCLUDES = -Iinclude -Ilib -D_POSIX_C_SOURCE=200809L $(FORMAT_DEFINES) @$(BUILD)/build.flags
# The objects also make a shared library.
PIC = -fPIC -fno-semantic-interposition
# make HARDEN=0 leaves out what makes errors in memory harder to exploit; sanitizers have their own checks.
HARDEN ?= 1
HARDENED = $(if $(SAN),,$(filter-out 0,$(HARDEN)))
HARDEN_FLAGS = $(if $(HARDENED),$(BUILD)/harden.flags)
READ_ONLY = -Wl,-z,relro,-z,now,-z,noexecstack
ALL_CFLAGS = -std=c17 $(WARN) -pthread $(PIC) $(SAN) $(HARDEN_FLAGS:%=@%) $(INCLUDES) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(ALL_CFLAGS) $(if $(HARDENED),$(READ_ONLY))
LINK_PROGRAM = $(LINK) $(if $(HARDENED),-pie) $(LDFLAGS)
# The linker keeps only the libraries that a program really uses.
LIBS = -Wl,--as-needed -larchive -ljpeg $(patsubst lib%,-l%,$(filter-out libheif,$(FORMATS))) -ldl -lopenblas -lz -ldeflate -ljansson -lm \
	$(if $(MPI_PACKAGE),$(shell pkg-config --libs $(MPI_PACKAGE)))

PROGRAMS = $(addprefix mien-, meta images detect crop resize split pack net import export embed train predict \
	score view montage synth)
LIB_SRC = $(wildcard lib/*/*.c)
UNIT = $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*.c))
FUZZ = $(filter-out replay,$(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c)))
TOOLS = $(filter-out mien-synth,$(patsubst tests/tool/%.c,%,$(wildcard tests/tool/*.c)))
BENCH = $(patsubst scripts/bench/%.c,$(BUILD)/bench/%,$(wildcard scripts/bench/*.c))
DOUBLE = tests/double/test_grad $(patsubst %.c,%,$(wildcard lib/layers/op_*.c lib/train/op*.c)) lib/train/grad \
	lib/kernel/bf16 lib/train/trainer lib/train/blocks lib/train/exchange lib/train/memory lib/train/needs \
	lib/train/pass lib/train/forward lib/train/backward lib/train/products \
	lib/layers/patches
VECTORIZED = $(patsubst %.c,%,$(wildcard lib/layers/op_*.c lib/train/op_*.c)) lib/train/grad lib/train/optim \
	lib/kernel/bf16
MAN = $(wildcard man/man*/*.[1357])
NETWORKS = $(wildcard networks/*.net networks/*.map)
SETS = $(wildcard sets/*.set)
EXAMPLES = $(wildcard examples/*.py)
HEADERS = $(wildcard include/mien/*.h)
# Programs that are shell scripts over the others.
SCRIPTS = mien-photos mien-models mien-report
# What completes their command lines, made by running them: make COMPLETIONS= leaves it out where they
# can't run, as they are for another processor.
COMPLETIONS = $(addprefix $(BUILD)/completions/,bash zsh fish)
SHARE = $(PREFIX)/share
COMPLETED = $(if $(COMPLETIONS),$(foreach p,mien $(PROGRAMS) $(SCRIPTS),bash-completion/completions/$p \
	fish/vendor_completions.d/$p.fish) zsh/site-functions/_mien)
# What `make install` installs and `make uninstall` removes.
INSTALLED = $(PROGRAMS:%=$(PREFIX)/bin/%) $(SCRIPTS:%=$(PREFIX)/bin/%) $(HEADERS:include/%=$(INCLUDEDIR)/%) \
	$(addprefix $(LIBDIR)/,libmien.a libmien.so.$(VERSION) $(SONAME) libmien.so pkgconfig/mien.pc) \
	$(MAN:%=$(SHARE)/%) $(SHARE)/mien/experiment.mk $(SHARE)/mien/recipe.mk $(SHARE)/mien/variables.mk $(NETWORKS:%=$(SHARE)/mien/%) $(SETS:%=$(SHARE)/mien/%) $(EXAMPLES:%=$(SHARE)/doc/mien/%) \
	$(COMPLETED:%=$(SHARE)/%)

# All rooms of lib/: what the programs and tests are linked with.
LIB = $(BUILD)/rooms.a
# The library that is installed has the rooms of the public headers, and those that they use.
PUBLIC_ROOMS := $(shell awk '!/^\#/ { line[++n] = $$0 } END { for (; n; n--) { words = split(line[n], word); \
	if (line[n] ~ /\.h$$/ || used[word[1]]) { print word[1]; for (i = 2; i <= words; i++) used[word[i]] = 1 } } }' \
	lib/rooms)
PUBLIC_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(PUBLIC_ROOMS:%=lib/%/*.c)))
SONAME = libmien.so.0
LIBMIEN = $(BUILD)/libmien.a $(BUILD)/libmien.so.$(VERSION)
BIN = $(PROGRAMS:%=$(BUILD)/bin/%)
TOOL_BIN = $(TOOLS:%=$(BUILD)/tests/tool/%)
FUZZ_BIN = $(FUZZ:%=$(BUILD)/tests/fuzz/%)
FUZZ_MAIN = $(BUILD)/tests/fuzz/replay.o
TORTURE = $(BUILD)/tests/torture/torture $(BUILD)/tests/torture/inject.so
TEST_BIN = $(UNIT:%=$(BUILD)/tests/%) $(BUILD)/tests/test_grad $(TOOL_BIN) $(FUZZ_BIN) $(TORTURE)

# What a command does to which file, instead of the command.
QUIET = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2);)
# What make check and the like build with: all cores, unless make was given a number.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
BUILD_STEP = +@scripts/step build $(MAKE) $(JOBS) V=1
MAKEFLAGS += --no-print-directory
export BUILD V HARDEN MPI

.PHONY: always all tests check check-slow asan fuzz fuzz-cover fuzz-targets torture valgrind models demo bare \
	bench bench-guard lint analyze install uninstall dist deb clean
.SECONDARY:

all: $(BIN) $(LIBMIEN) $(COMPLETIONS)

$(BUILD)/bin/%: $(BUILD)/cmd/%.o $(LIB)
	@mkdir -p $(@D)
	$(call QUIET,LD,$@)$(LINK_PROGRAM) -o $@ $< $(LIB) $(LIBS)

# The maker of the tests' and the demo's data set is of use to others, too.
$(BUILD)/bin/mien-synth: $(BUILD)/tests/tool/mien-synth.o $(LIB)
	@mkdir -p $(@D)
	$(call QUIET,LD,$@)$(LINK_PROGRAM) -o $@ $< $(LIB) $(LIBS)

$(COMPLETIONS): $(BIN) $(SCRIPTS:%=scripts/%) scripts/completions
	@mkdir -p $(@D)
	$(call QUIET,GEN,$@)scripts/completions $(@F) $(BIN) $(SCRIPTS:%=scripts/%) >$@.new && mv $@.new $@

$(BUILD)/tests/tool/%: $(BUILD)/tests/tool/%.o $(LIB)
	$(call QUIET,LD,$@)$(LINK_PROGRAM) -o $@ $< $(LIB) $(LIBS)

# A fuzz target with a main that runs files; make fuzz puts clang's libFuzzer in its place.
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(FUZZ_MAIN) $(LIB)
	$(call QUIET,LD,$@)$(LINK_PROGRAM) -o $@ $^ $(LIBS)

$(BUILD)/bench/%: $(BUILD)/scripts/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(call QUIET,LD,$@)$(LINK_PROGRAM) -o $@ $< $(LIB) $(LIBS)

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(LIB)
	$(call QUIET,LD,$@)$(LINK_PROGRAM) -o $@ $< $(LIB) $(LIBS) -lcmocka

# Gradients are checked in double precision: the same kernels, their number type changed.
$(BUILD)/tests/test_grad: $(DOUBLE:%=$(BUILD)/double/%.o) $(LIB)
	$(call QUIET,LD,$@)$(LINK_PROGRAM) -o $@ $^ $(LIBS) -lcmocka

$(BUILD)/double/%.o: %.c Makefile | $(BUILD)/build.flags $(BUILD)/test.flags $(HARDEN_FLAGS)
	@mkdir -p $(@D)
	$(call QUIET,CC,$<)$(CC) $(ALL_CFLAGS) -DMIEN_DOUBLE -MMD -MP -c -o $@ $<

$(LIB): $(LIB_SRC:%.c=$(BUILD)/%.o)
	@rm -f $@
	$(call QUIET,AR,$@)$(AR) rcs $@ $^

# One object in which only the public functions are global: the rooms' names can't clash with a
# program's own.
$(BUILD)/libmien.o: $(PUBLIC_OBJ)
	$(call QUIET,LD,$@)$(LD) -r -o $@ $^
	@$(OBJCOPY) --wildcard --keep-global-symbol='mien_*' $@

$(BUILD)/libmien.a: $(BUILD)/libmien.o
	@rm -f $@
	$(call QUIET,AR,$@)$(AR) rcs $@ $^

$(BUILD)/libmien.so.$(VERSION): $(PUBLIC_OBJ) lib/libmien.map
	$(call QUIET,LD,$@)$(LINK) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=lib/libmien.map \
		$(if $(SAN),,-Wl,-z,defs) -o $@ $(PUBLIC_OBJ) $(LIBS)

# What is SIMD in real.h is for the vectorizer, which gcc's -O2 hardly lets work.
$(VECTORIZED:%=$(BUILD)/%.o) $(VECTORIZED:%=$(BUILD)/double/%.o): override CFLAGS := $(CFLAGS:-O2=-O3)

$(UNIT:%=$(BUILD)/tests/unit/%.o): | $(BUILD)/test.flags

$(BUILD)/%.o: %.c Makefile | $(BUILD)/build.flags $(HARDEN_FLAGS)
	@mkdir -p $(@D)
	$(call QUIET,CC,$<)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The libraries' flags, asked for once; who lacks a compiler or libraries reads here what to do.
$(BUILD)/build.flags: NEEDS = libarchive libjpeg openblas zlib libdeflate jansson $(FORMATS)
$(BUILD)/test.flags: NEEDS = cmocka
$(BUILD)/%.flags: Makefile
	@mkdir -p $(@D)
	@for p in $(firstword $(CC)) pkg-config; do command -v $$p >/dev/null || \
		{ echo "mien: $$p not found; scripts/deps installs what the build needs" >&2; exit 1; }; done
	@pkg-config --cflags $(NEEDS) >$@.new || \
		{ echo "mien: $(strip libraries are missing; scripts/deps $(filter test,$*) installs them)" >&2; exit 1; }
	@mv $@.new $@

# Each flag that the compiler takes without a warning beside those of the user, whose own win: clang
# lacks some, and _FORTIFY_SOURCE needs optimization.
$(BUILD)/harden.flags: Makefile | $(BUILD)/build.flags
	@try() { printf '\043include <string.h>\n' | \
		$(CC) -Werror "$$@" $(CPPFLAGS) $(CFLAGS) -x c -S -o /dev/null - 2>/dev/null && echo "$$*"; }; \
	{ try -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 || try -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2; \
		for f in -fstack-protector-strong -fstack-clash-protection -fcf-protection; do try $$f; done; \
	} >$@.new || true
	@mv $@.new $@

$(BUILD)/lib/ranks/mpi.o: override CPPFLAGS += $(if $(MPI_PACKAGE),-DMIEN_MPI $(shell pkg-config --cflags $(MPI_PACKAGE)))
$(BUILD)/lib/ranks/mpi.o: $(BUILD)/mpi
$(BUILD)/mpi: always
	@mkdir -p $(@D)
	@echo "$(MPI_PACKAGE)" | cmp -s - $@ || echo "$(MPI_PACKAGE)" >$@

# What knows the formats is made anew when they change.
$(patsubst %,$(BUILD)/lib/image/%.o,decoder png webp heif) $(BUILD)/lib/util/version.o: $(BUILD)/formats
$(BUILD)/formats: always
	@mkdir -p $(@D)
	@echo "$(FORMATS)" | cmp -s - $@ || echo "$(FORMATS)" >$@

tests: $(TEST_BIN)

check:
	@scripts/deps test
	$(BUILD_STEP) all tests
	@scripts/step tests tests/run

# What takes longer than a newcomer waits for.
check-slow:
	@scripts/deps slow $(if $(MPI_PACKAGE),mpi)
	$(BUILD_STEP) all tests
	@scripts/step tests-slow tests/run tests/slow/*.t

ASAN = BUILD=build/asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined" \
	CFLAGS="-O1 -g -fno-omit-frame-pointer"

asan:
	$(MAKE) $(ASAN) check

# Every call of small runs of every program fails, and signals come. make torture SAN=1: with the
# address sanitizer; PART=1/20 SEED=N: a twentieth of the runs, drawn by the seed [the date].
torture:
	@scripts/deps test
	$(BUILD_STEP) $(if $(SAN),$(ASAN)) all tests
	BUILD=$(if $(SAN),build/asan,$(BUILD)) PART=$(PART) SEED=$(SEED) tests/torture/run

# Neither of them with a sanitizer: what is tortured has it.
$(BUILD)/tests/torture/torture: tests/torture/torture.c tests/torture/inject.h | $(BUILD)/build.flags
	@mkdir -p $(@D)
	$(call QUIET,CC,$<)$(CC) -std=c17 $(WARN) -O2 -g -o $@ $<

$(BUILD)/tests/torture/inject.so: tests/torture/inject.c tests/torture/inject.h | $(BUILD)/build.flags
	@mkdir -p $(@D)
	$(call QUIET,CC,$<)$(CC) -std=c17 $(WARN) -O2 -g -fPIC -shared -fno-builtin -o $@ $<

# make fuzz TARGETS="record mat" FUZZ_TIME=60: these, for a minute each; RUNS=100000: so many inputs.
fuzz:
	@scripts/deps test fuzz
	$(BUILD_STEP) all tests
	$(MAKE) BUILD=$(BUILD)/fuzz CC=clang CFLAGS="-O2 -g -fno-omit-frame-pointer" FUZZ_MAIN= \
		SAN="-fsanitize=fuzzer,address,undefined,float-cast-overflow \
		-fno-sanitize-recover=undefined,float-cast-overflow -DMIEN_FUZZ" fuzz-targets
	BUILD=$(BUILD) FUZZ_TIME=$(FUZZ_TIME) RUNS=$(RUNS) tests/fuzz/run $(TARGETS)

# The lines of their sources that what the targets have learnt reaches.
fuzz-cover:
	$(MAKE) BUILD=$(BUILD)/cover CC=clang \
		CFLAGS="-O1 -g -fprofile-instr-generate -fcoverage-mapping" fuzz-targets
	BUILD=$(BUILD) tests/fuzz/cover $(TARGETS)

fuzz-targets: $(FUZZ_BIN)

valgrind:
	@scripts/deps test valgrind
	$(BUILD_STEP) all tests
	@scripts/step valgrind tests/valgrind

# The pretrained networks, where programs find them by name, and photographs in build/photos.
models:
	@scripts/deps models
	$(BUILD_STEP) $(BIN)
	@scripts/step fetch scripts/mien-models --photos $(BUILD)/photos
	@echo "photographs to try them on: $(BUILD)/photos"

demo:
	@scripts/deps
	$(BUILD_STEP) $(BIN)
	@scripts/demo

# The demo, the tests and the README's first block on a Debian that has nothing yet; needs root.
bare:
	@scripts/bare

# make bench STAGES="metadata small": only these, scripts/bench/bench.py --help names them; RUNS=1: a
# quick look.
bench:
	-@scripts/deps bench
	$(BUILD_STEP) all $(TOOL_BIN) $(BENCH)
	@RUNS=$(RUNS) $(PYTHON) scripts/bench/bench.py $(STAGES)

# make bench-guard UPDATE=1 records the counts anew.
bench-guard:
	@scripts/deps valgrind
	$(BUILD_STEP) all $(TOOL_BIN)
	@UPDATE=$(UPDATE) scripts/bench/guard

lint:
	scripts/deps lint
	scripts/arrows
	clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
	scripts/lint-pages $(MAN)
	shellcheck tests/lib.sh $$(grep -rl "^#!/bin/sh" .ci scripts tests)
	cppcheck -j 2 --quiet --enable=warning,portability --inline-suppr --error-exitcode=1 \
		-Iinclude -Ilib cmd lib

# gcc's analyzer and clang-tidy on each source, ten minutes of a processor; .clang-tidy has the latter's
# checks. gcc 12 sees leaks where pointers are kept in arrays, loses sight of arrays that loops fill (which
# clang's analyzer looks at, too), and takes the lanes of a vector for its bits.
GCC_ANALYZER = gcc -fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-use-of-uninitialized-value \
	-Wno-analyzer-shift-count-overflow
ANALYZED = $(patsubst %,$(BUILD)/analyzed/%,$(wildcard cmd/*.c lib/*/*.c))

analyze:
	@scripts/deps test lint
	@$(MAKE) $(JOBS) -s $(ANALYZED)

$(BUILD)/analyzed/%.c: FLAGS = -std=c17 $(INCLUDES) $(CPPFLAGS) $(if $(filter lib/util/err.c,$<),,-include scripts/analyzed.h)
$(BUILD)/analyzed/%.c: %.c .clang-tidy scripts/analyzed.h Makefile | $(BUILD)/build.flags
	@mkdir -p $(@D)
	$(call QUIET,LINT,$<)$(GCC_ANALYZER) -Werror $(FLAGS) -O1 -MMD -MP -MF $@.d -MT $@ -c -o /dev/null $< && \
		clang-tidy --quiet $< -- $(FLAGS) 2>$@.log || { cat $@.log >&2; exit 1; }
	@touch $@

install: all
	for f in $(sort $(dir $(INSTALLED))); do install -d "$(DESTDIR)$$f" || exit; done
	install $(BIN) $(SCRIPTS:%=scripts/%) "$(DESTDIR)$(PREFIX)/bin"
	install -m 644 $(HEADERS) "$(DESTDIR)$(INCLUDEDIR)/mien"
	install -m 644 $(LIBMIEN) "$(DESTDIR)$(LIBDIR)"
	ln -sf libmien.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/$(SONAME)"
	ln -sf $(SONAME) "$(DESTDIR)$(LIBDIR)/libmien.so"
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' \
		-e 's|@FORMATS@|$(filter-out libheif,$(FORMATS))|' \
		-e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' \
		-e 's|@INCLUDEDIR@|$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|' \
		lib/mien.pc.in >"$(DESTDIR)$(LIBDIR)/pkgconfig/mien.pc"
	for f in $(MAN); do install -m 644 $$f "$(DESTDIR)$(SHARE)/$$f" || exit; done
	install -m 644 scripts/experiment.mk scripts/recipe.mk scripts/variables.mk "$(DESTDIR)$(SHARE)/mien"
	install -m 644 $(NETWORKS) "$(DESTDIR)$(SHARE)/mien/networks"
	install -m 644 $(SETS) "$(DESTDIR)$(SHARE)/mien/sets"
	install -m 644 $(EXAMPLES) "$(DESTDIR)$(SHARE)/doc/mien/examples"
ifneq ($(COMPLETIONS),)
	install -m 644 $(BUILD)/completions/bash "$(DESTDIR)$(SHARE)/bash-completion/completions/mien"
	install -m 644 $(BUILD)/completions/fish "$(DESTDIR)$(SHARE)/fish/vendor_completions.d/mien.fish"
	install -m 644 $(BUILD)/completions/zsh "$(DESTDIR)$(SHARE)/zsh/site-functions/_mien"
	for p in $(PROGRAMS) $(SCRIPTS); do \
		ln -sf mien "$(DESTDIR)$(SHARE)/bash-completion/completions/$$p" && \
		ln -sf mien.fish "$(DESTDIR)$(SHARE)/fish/vendor_completions.d/$$p.fish" || exit; done
endif
	[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || true # so that programs find the new library

uninstall:
	for f in $(INSTALLED); do rm -f "$(DESTDIR)$$f" || exit; done
	for d in $(SHARE)/mien/networks $(SHARE)/mien/sets $(SHARE)/mien $(SHARE)/doc/mien/examples $(SHARE)/doc/mien \
		$(INCLUDEDIR)/mien; do rmdir "$(DESTDIR)$$d" 2>/dev/null || true; done

dist:
	@scripts/dist $(VERSION)

# Debian packages of it, in build/deb.
deb:
	@scripts/deps deb
	$(BUILD_STEP) all
	@scripts/deb $(VERSION)

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

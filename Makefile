# make            build/steady (float) and build/steady64 (double)
# make check      builds and runs the tests (ONLY=word: just those with the word in their name)
# make check-all  also with the sanitizers, with 1 and 2 threads, faults, kills, fuzzers
# make fuzz       the fuzzers of test/fuzz (clang)
# make setup      installs the packages; `make setup demo` and `make setup check` also work
# make demo       a first run of a few minutes
# make docs       docs/recipe-keys.md from the table of keys
# make install    program, library, headers, steady.pc (DESTDIR=, PREFIX=); make uninstall
# make format | clean | distclean                    V=1 shows the commands
#
# Sources are found, not listed: the .c files of engine/*/, models/, data/ and data/*/ make the
# library, those of tools/, tools/*/ and tools/task/*/ the program; tools/recipes/*.ini are compiled in.
# test/DIR/test_*.c is a test program each, in double in test/grad and in float elsewhere; other .c
# files of a test directory are linked into all of its programs; test/cli/*.sh are shell tests.

VERSION = 0.1.0
B = build

all:

# ---- setup goes first and alone, whatever -j says ---------------------------------------

ifneq ($(filter setup,$(MAKECMDGOALS)),)

REST := $(filter-out setup,$(MAKECMDGOALS))

.PHONY: setup after-setup $(REST)
setup:
	@sh tools/setup/install-packages.sh
after-setup: setup
	@$(if $(REST),$(MAKE) --no-print-directory $(REST),:)
$(REST): after-setup
	@:

else

# ---- configuration -----------------------------------------------------------------------

ifneq ($(filter-out clean distclean format,$(or $(MAKECMDGOALS),all)),)
include config.mk
endif
ifneq ($(filter -ffast-math -Ofast -ffinite-math-only,$(CFLAGS)),)
$(error CFLAGS has -ffast-math or -Ofast, which fold isnan() to false: take it out)
endif
ifeq ($(HAVE_CMOCKA)$(filter check%,$(MAKECMDGOALS)),nocheck)
$(error the tests need cmocka (Debian: libcmocka-dev).  Install it, run ./configure again)
endif

config.mk: configure
	@sh ./configure $(CONFIGURE_ARGS)

# ---- what there is -----------------------------------------------------------------------

LIB_SRC := $(sort $(wildcard engine/*/*.c models/*.c data/*.c data/*/*.c))
TOOL_SRC := $(sort $(wildcard tools/*.c tools/*/*.c tools/task/*/*.c))
HEADERS := $(sort $(wildcard engine/*/*.h models/*.h data/*.h data/*/*.h))
RECIPES := $(addsuffix .ini,$(sort $(basename $(wildcard tools/recipes/*.ini))))

LIB_OBJ := $(LIB_SRC:%.c=$(B)/float/%.o)
LIB64_OBJ := $(LIB_SRC:%.c=$(B)/double/%.o)
# All of tools/ but main: an archive, so that a test links only what it uses.
TOOLS_OBJ := $(patsubst %.c,$(B)/float/%.o,$(filter-out tools/main.c,$(TOOL_SRC))) \
	$(B)/float/recipes_builtin.o
TOOLS64_OBJ := $(TOOLS_OBJ:$(B)/float/%=$(B)/double/%)

TEST_SRC := $(sort $(wildcard test/*/test_*.c))
HELPER_SRC := $(filter-out $(TEST_SRC),$(sort $(wildcard test/*/*.c)))
TEST_BIN := $(patsubst test/%.c,$(B)/test/%,$(TEST_SRC))
CLI_TESTS := $(sort $(wildcard test/cli/*.sh))
ONLY ?=
chosen = $(if $(ONLY),$(foreach t,$(1),$(if $(findstring $(ONLY),$(t)),$(t))),$(1))

.PHONY: all tests check check-cli check-unit check-all demo docs fuzz fuzz-programs install uninstall format clean distclean
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/steady $(B)/steady64

# ---- compiling ---------------------------------------------------------------------------

say = $(if $(V),,@echo '  $(1) $@';)
COMPILE = $(call say,cc)$(CC) -I. -DSTEADY_VERSION='"$(VERSION)"' $(CPPFLAGS) $(WARNINGS) \
	$(FLAGS) $(CFLAGS) $(SANITIZE) -MMD -MP
LINK = $(call say,link)$(CC) $(FLAGS) $(CFLAGS) $(SANITIZE) $(LDFLAGS)

$(B)/float/%.o: %.c config.mk
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

$(B)/double/%.o: %.c config.mk
	@mkdir -p $(@D)
	$(COMPILE) -DSTEADY_DOUBLE -c -o $@ $<

$(B)/float/test/%.o: CPPFLAGS += $(TEST_CPPFLAGS)
$(B)/double/test/%.o: CPPFLAGS += $(TEST_CPPFLAGS)

$(B)/float/recipes_builtin.o: $(B)/recipes_builtin.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

$(B)/double/recipes_builtin.o: $(B)/recipes_builtin.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

# recipes_builtin[] = {name, text} of each tools/recipes/NAME.ini
$(B)/recipes_builtin.c: $(RECIPES) $(wildcard tools/recipes) Makefile
	@mkdir -p $(@D)
	@{ echo '#include <stddef.h>'; \
	echo 'const struct { const char *name, *text; } recipes_builtin[] = {'; \
	for f in $(RECIPES); do \
		echo "{\"$$(basename $$f .ini)\","; \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/^/"/' -e 's/$$/\\n"/' $$f; \
		echo '},'; \
	done; \
	echo '{NULL, NULL}};'; \
	echo 'const size_t recipes_builtin_count ='; \
	echo '    sizeof recipes_builtin / sizeof *recipes_builtin - 1;'; } > $@

$(B)/libsteady.a: $(LIB_OBJ)
$(B)/libsteady64.a: $(LIB64_OBJ)
$(B)/libtools.a: $(TOOLS_OBJ)
$(B)/libtools64.a: $(TOOLS64_OBJ)
$(B)/libsteady.a $(B)/libsteady64.a $(B)/libtools.a $(B)/libtools64.a:
	@rm -f $@
	$(call say,ar)$(AR) rcs $@ $^

$(B)/steady: $(B)/float/tools/main.o $(B)/libtools.a $(B)/libsteady.a
	$(LINK) -o $@ $^ $(LIBS)

$(B)/steady64: $(B)/double/tools/main.o $(B)/libtools64.a $(B)/libsteady64.a
	$(LINK) -o $@ $^ $(LIBS)

# ---- tests -------------------------------------------------------------------------------

helpers = $(patsubst %.c,$(B)/$(1)/%.o,$(filter test/$(2)/%,$(HELPER_SRC)))

# rule for one test directory: $(1) its name, $(2) float or double, $(3) "" or 64
define TEST_DIR_RULE
$(B)/test/$(1)/%: $(B)/$(2)/test/$(1)/%.o $(call helpers,$(2),$(1)) \
		$(B)/libtools$(3).a $(B)/libsteady$(3).a
	@mkdir -p $$(@D)
	$$(LINK) -o $$@ $$^ $$(TEST_LIBS) $$(LIBS)
endef
TEST_DIRS := $(sort $(patsubst test/%/,%,$(dir $(TEST_SRC))))
$(foreach d,$(filter-out grad,$(TEST_DIRS)),$(eval $(call TEST_DIR_RULE,$(d),float,)))
$(eval $(call TEST_DIR_RULE,grad,double,64))

RUN_TESTS = STEADY=$(B)/steady STEADY64=$(B)/steady64 sh test/run.sh

check: all $(call chosen,$(TEST_BIN))
	@$(RUN_TESTS) $(call chosen,$(TEST_BIN) $(CLI_TESTS))

tests: $(TEST_BIN)

check-unit: $(call chosen,$(TEST_BIN))
	@STEADY=build/steady sh test/run.sh $(call chosen,$(TEST_BIN))

# The shell tests, but for what measures speed or links the library with another compiler's flags.
check-cli: all
	@$(RUN_TESTS) $(filter-out test/cli/bench.sh test/cli/install.sh,$(CLI_TESTS))

# Leak detection needs ptrace to be allowed; test/lsan.supp names what other libraries keep.
check-all: check
	$(MAKE) --no-print-directory B=build/asan SANITIZE="-fsanitize=address,undefined \
		-fno-sanitize-recover=all" CFLAGS="$(CFLAGS) -O1" check-unit check-cli
	STEADY_TEST_LARGE=1 $(MAKE) --no-print-directory check-unit ONLY=test_vit
	OMP_NUM_THREADS=1 $(MAKE) --no-print-directory check-unit
	OMP_NUM_THREADS=2 $(MAKE) --no-print-directory check-unit
	STEADY=$(B)/steady sh test/fault/kill.sh 20
	STEADY=$(B)/steady sh test/fault/run.sh -e 400 -s 7
	@if [ -n "$(CLANG)" ]; then $(MAKE) --no-print-directory fuzz && sh test/fuzz/run.sh -s 3; \
	else echo "skipped: the fuzzers need clang"; fi

# libFuzzer's harnesses, one a parser: build/fuzz/NAME of test/fuzz/NAME.c (clang and libomp).
CLANG ?= $(firstword $(foreach c,clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14,\
	$(if $(shell command -v $(c)),$(c))))
FUZZ_BIN := $(patsubst test/fuzz/%.c,$(B)/%,$(filter-out %/fuzz.c,$(wildcard test/fuzz/*.c)))

fuzz:
	@test -n "$(CLANG)" || { echo "fuzzing needs clang (Debian: clang libomp-dev)"; exit 1; }
	@$(MAKE) --no-print-directory B=build/fuzz CC=$(CLANG) WARNINGS=-Wno-pass-failed \
		FLAGS="-std=c11 -O2 -g -fopenmp" CFLAGS= SANITIZE="-fsanitize=fuzzer-no-link,address,undefined \
		-fno-sanitize-recover=all" fuzz-programs
fuzz-programs: $(FUZZ_BIN)
$(FUZZ_BIN): $(B)/%: $(B)/float/test/fuzz/%.o $(B)/float/test/fuzz/fuzz.o $(B)/libtools.a \
		$(B)/libsteady.a
	$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBS)

docs: $(B)/steady
	$(B)/steady train --help-keys-markdown > docs/recipe-keys.md

demo: all
	@STEADY=$(B)/steady sh tools/demo.sh

# test/bench/NAME.c measures one thing: make build/bench/NAME
$(B)/bench/%: $(B)/float/test/bench/%.o $(B)/libsteady.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(LIBS)

# ---- installing --------------------------------------------------------------------------

DESTDIR =
bindir = $(DESTDIR)$(PREFIX)/bin
libdir = $(DESTDIR)$(PREFIX)/lib
includedir = $(DESTDIR)$(PREFIX)/include/steady
# What steady.h includes: not the kernels, lists for macros and parts of other modules.
PUBLIC = $(filter-out engine/kern/% %/list.h %_cpu.h %_parts.h,$(HEADERS))

install: all $(B)/libsteady.a
	mkdir -p $(bindir) $(libdir)/pkgconfig $(includedir)
	install -m 755 $(B)/steady $(B)/steady64 $(bindir)
	install -m 644 $(B)/libsteady.a $(libdir)
	@for h in $(HEADERS); do mkdir -p $(includedir)/$${h%/*} && \
		install -m 644 $$h $(includedir)/$$h || exit 1; done
	@echo "steady.h, steady.pc -> $(DESTDIR)$(PREFIX)"
	@{ echo '/* The library of steady $(VERSION). */'; \
	for h in $(PUBLIC); do echo "#include \"$$h\""; done; } > $(includedir)/steady.h
	@{ echo 'prefix=$(PREFIX)'; echo 'libdir=$${prefix}/lib'; \
	echo 'includedir=$${prefix}/include/steady'; echo; echo 'Name: steady'; \
	echo 'Description: trains transformers on CPUs without attention entropy collapse'; \
	echo 'Version: $(VERSION)'; \
	echo 'Libs: -L$${libdir} -lsteady $(LIBS) $(filter -fopenmp,$(FLAGS))'; \
	echo 'Cflags: -I$${includedir}'; } > $(libdir)/pkgconfig/steady.pc

uninstall:
	rm -f $(bindir)/steady $(bindir)/steady64 $(libdir)/libsteady.a \
		$(libdir)/pkgconfig/steady.pc
	rm -rf $(includedir)

# ---- tidying -----------------------------------------------------------------------------

format:
	@if command -v clang-format >/dev/null; then clang-format -i $$(find engine models \
		data tools test -name '*.[ch]'); else echo "clang-format is not installed"; fi

clean:
	rm -rf $(B)

distclean: clean
	rm -f config.mk

-include $(shell test -d $(B) && find $(B) -name '*.d')

endif

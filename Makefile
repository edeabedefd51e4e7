# make            build/steady (float) and build/steady64 (double)
# make check      builds and runs the tests, as many at a time as there are processors (-j2: two);
#                 ONLY=word: those with the word in their path, and builds no more than they need
# make check-unit | check-cli | check-sanitized       a part of them; of the library, with sanitizers
# make check-all  also with the sanitizers, with 1 and 4 threads, faults, kills, fuzzers; golden
#                 trajectories at each level of instructions (make check-levels) with each of OpenBLAS's kernels
# make fuzz       the fuzzers of test/fuzz (clang)
# make debug      build/debug/steady, -O0 and sanitizers (SANITIZE=-fsanitize=thread: another)
# make coverage   lines that tests run, by folder; build/coverage/html/index.html (ONLY= works)
# make setup      installs the packages; `make setup demo` and `make setup check` also work;
#                 make setup-ci: also the tools of lint, format, coverage, fuzz and the clang build
# make demo       a first run of a few minutes
# make reproduce-NAME   the paper's figures and tables in small (docs/paper.md has the names)
# make docs       docs/recipe-keys.md from the table of keys
# make install    program, manual pages, completion, libraries, steady.h, steady.pc (DESTDIR=,
#                 PREFIX=); make uninstall
# make format-check | lint      layout; clang-tidy and cppcheck, of the files that changed
# make format | clean | distclean                    V=1 shows the commands
#
# Sources are found, not listed: the .c files of engine/*/, models/, data/ and data/*/ make the
# library, those of tools/, tools/*/ and tools/task/*/ the program; tools/recipes, tools/help and
# tools/completion are compiled in.
# The tests are in test/test.mk.

VERSION = 0.1.0
B = build
CONFIG = config.mk

all:

# ---- setup goes first and alone, whatever -j says ---------------------------------------

SETUP := $(filter setup setup-ci,$(MAKECMDGOALS))
ifneq ($(SETUP),)

REST := $(filter-out $(SETUP),$(MAKECMDGOALS))

.PHONY: setup setup-ci after-setup $(REST)
setup:
	@sh tools/setup/install-packages.sh
setup-ci:
	@sh tools/setup/install-packages.sh --ci
after-setup: $(SETUP)
	@$(if $(REST),$(MAKE) --no-print-directory $(REST),:)
$(REST): after-setup
	@:

else

# ---- configuration -----------------------------------------------------------------------

ifneq ($(filter-out clean distclean format format-check,$(or $(MAKECMDGOALS),all)),)
include $(CONFIG)
endif
ifneq ($(filter -ffast-math -Ofast -ffinite-math-only,$(CFLAGS)),)
$(error CFLAGS has -ffast-math or -Ofast, which fold isnan() to false: take it out)
endif
ifeq ($(HAVE_CMOCKA)$(filter check%,$(MAKECMDGOALS)),nocheck)
$(error the tests need cmocka (Debian: libcmocka-dev).  Install it, run ./configure again)
endif

# A newer configure repeats what the first one was given; variables of this make are none of it.
$(CONFIG): configure
	@$(if $(filter file,$(origin CONFIGURE_ARGS)),unset CC CFLAGS LDFLAGS PKG_CONFIG PKG_CONFIG_PATH CI;) \
		sh ./configure $(CONFIGURE_ARGS) --output=$@

# ---- what there is -----------------------------------------------------------------------

LIB_SRC := $(sort $(wildcard engine/*/*.c models/*.c data/*.c data/*/*.c))
TOOL_SRC := $(sort $(wildcard tools/*.c tools/*/*.c tools/task/*/*.c))
HELP := $(sort $(wildcard tools/help/*.txt))
COMPLETION := $(sort $(wildcard tools/completion/*.in))
RECIPES := $(addsuffix .ini,$(sort $(basename $(wildcard tools/recipes/*.ini))))

# Compiled for each level of instructions (engine/kern/kernels.h); LEVELS is empty where there is one.
LEVEL_SRC := $(addprefix engine/kern/,bf16_loops.c choice.c ctc.c few.c mask.c norm.c panel.c reduce.c rows.c spread.c \
	tile.c tile_kernel.c update.c vmath.c)
objects_of = $(if $(LEVELS),$(patsubst %.c,$(B)/$(1)/%.o,$(filter-out $(LEVEL_SRC),$(LIB_SRC))) \
	$(foreach l,$(LEVELS),$(LEVEL_SRC:%.c=$(B)/$(1)/%.$(l).o)),$(LIB_SRC:%.c=$(B)/$(1)/%.o))
LIB_OBJ := $(call objects_of,float)
LIB64_OBJ := $(call objects_of,double)
# All of tools/ but main: an archive, so that a test links only what it uses.
TOOLS_OBJ := $(patsubst %.c,$(B)/float/%.o,$(filter-out tools/main.c,$(TOOL_SRC))) \
	$(B)/float/recipes_builtin.o $(B)/float/help_builtin.o \
	$(B)/float/completion_builtin.o $(B)/float/version_builtin.o
TOOLS64_OBJ := $(TOOLS_OBJ:$(B)/float/%=$(B)/double/%)

.PHONY: all debug demo docs install install-pages uninstall uninstall-pages clean distclean
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/steady $(B)/steady64

# ---- compiling ---------------------------------------------------------------------------

say = $(if $(V),,@echo '  $(1) $@';)
# STEADY_VERSION comes from a header, so that an object knows of another one.
COMPILE = $(call say,cc)$(CC) -I. -include $(B)/version.h $(CPPFLAGS) $(WARNINGS) \
	-fPIC -fvisibility=hidden $(FLAGS) $(CFLAGS) $(SANITIZE) -MMD -MP
LINK = $(call say,link)$(CC) $(FLAGS) $(CFLAGS) $(SANITIZE) $(LDFLAGS)
# An archive, and the list of its objects, by their paths, for test_house_objects.
define ARCHIVE
@rm -f $@
$(call say,ar)$(AR) rcs $@ $^
@echo $^ > $@.objects
endef

$(B)/float/%.o: %.c $(CONFIG) | $(B)/version.h
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

$(B)/double/%.o: %.c $(CONFIG) | $(B)/version.h
	@mkdir -p $(@D)
	$(COMPILE) -DSTEADY_DOUBLE -c -o $@ $<

define LEVEL_RULES
$(B)/float/%.$(1).o: %.c $(CONFIG) | $(B)/version.h
	@mkdir -p $$(@D)
	$$(COMPILE) $$(AS_LEVEL) -c -o $$@ $$<

$(B)/double/%.$(1).o: %.c $(CONFIG) | $(B)/version.h
	@mkdir -p $$(@D)
	$$(COMPILE) $$(AS_LEVEL) -DSTEADY_DOUBLE -c -o $$@ $$<

$(LEVEL_SRC:%.c=$(B)/float/%.$(1).o) $(LEVEL_SRC:%.c=$(B)/double/%.$(1).o): \
	AS_LEVEL = $(LEVEL_$(1)) -DSTEADY_LEVEL=$(1) -include engine/kern/level_names.h
endef
$(foreach l,$(LEVELS),$(eval $(call LEVEL_RULES,$(l))))
$(B)/float/engine/kern/level.o $(B)/double/engine/kern/level.o: CPPFLAGS += \
	$(if $(LEVELS),-DSTEADY_LEVELS,-DSTEADY_ONE_LEVEL='"$(ONE_LEVEL)"')

$(B)/float/%_builtin.o: $(B)/%_builtin.c | $(B)/version.h
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

$(B)/double/%_builtin.o: $(B)/%_builtin.c | $(B)/version.h
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

# NAME_builtin[] = {name, text} of each file of tools/recipes, tools/help and tools/completion
$(B)/recipes_builtin.c: $(RECIPES) $(wildcard tools/recipes)
$(B)/help_builtin.c: $(HELP) $(wildcard tools/help)
$(B)/completion_builtin.c: $(COMPLETION)
$(B)/%_builtin.c: Makefile
	@mkdir -p $(@D)
	@{ echo '#include <stddef.h>'; \
	echo 'const struct { const char *name, *text; } $*_builtin[] = {'; \
	for f in $(filter %.ini %.txt %.in,$^); do \
		name=$${f##*/}; echo "{\"$${name%.*}\","; \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/^/"/' -e 's/$$/\\n"/' $$f; \
		echo '},'; \
	done; \
	echo '{NULL, NULL}};'; \
	echo 'const size_t $*_builtin_count = sizeof $*_builtin / sizeof *$*_builtin - 1;'; } > $@

# Written anew only where they say something else: the version, which is a variable of make, and
# the commit of this clone ("" elsewhere), which changes without a file of the program.
COMMIT := $(if $(wildcard .git),$(shell git describe --always --abbrev=7 --exclude='*' --dirty=-modified 2>/dev/null))
.PHONY: look
look:
$(B)/version.h: LINE = \#define STEADY_VERSION "$(VERSION)"
$(B)/version_builtin.c: LINE = extern const char version_builtin[]; const char version_builtin[] = "$(COMMIT)";
# With +, so that make -n knows whether they change, and does not list everything.
$(B)/version.h $(B)/version_builtin.c: look
	+@mkdir -p $(@D)
	+@[ '$(LINE)' = "$$(cat $@ 2>/dev/null)" ] || echo '$(LINE)' > $@

$(B)/libsteady.a: $(LIB_OBJ)
$(B)/libsteady64.a: $(LIB64_OBJ)
$(B)/libtools.a: $(TOOLS_OBJ)
$(B)/libtools64.a: $(TOOLS64_OBJ)
$(B)/libsteady.a $(B)/libsteady64.a $(B)/libtools.a $(B)/libtools64.a:
	$(ARCHIVE)

$(B)/steady: $(B)/float/tools/main.o $(B)/libtools.a $(B)/libsteady.a
	$(LINK) -o $@ $^ $(PROGRAM_LIBS) $(LIBS)

$(B)/steady64: $(B)/double/tools/main.o $(B)/libtools64.a $(B)/libsteady64.a
	$(LINK) -o $@ $^ $(PROGRAM_LIBS) $(LIBS64) $(LIBS)

include tools/library/library.mk
include test/test.mk
include docs/reproduce.mk
ifneq ($(filter format% lint%,$(MAKECMDGOALS)),)
include test/lint.mk
endif

# ---- other ------------------------------------------------------------------------------

debug:
	@$(MAKE) --no-print-directory B=build/debug CFLAGS="$(CFLAGS) -O0 -g3 -fno-omit-frame-pointer" \
		SANITIZE="$(or $(SANITIZE),$(SANITIZERS))" build/debug/steady

docs: $(B)/steady
	$(B)/steady train --help-keys-markdown > docs/recipe-keys.md

demo: all
	@STEADY=$(B)/steady sh tools/demo.sh

# ---- installing --------------------------------------------------------------------------

DESTDIR =
ifneq ($(filter install% uninstall%,$(MAKECMDGOALS)),)
$(foreach v,DESTDIR PREFIX,$(if $(word 2,[$($(v))]),$(error $(v)=$($(v)): expected a path without blanks)))
endif
bindir = $(DESTDIR)$(PREFIX)/bin
install: all install-library
	mkdir -p $(bindir)
	install -m 755 $(B)/steady $(B)/steady64 $(bindir)

uninstall: uninstall-library
	rm -f $(bindir)/steady $(bindir)/steady64

# Manual pages and completion, which the program prints from its tables: made again when an object
# with such a table is, not with every build of the program.
TABLES := $(patsubst %.c,$(B)/float/%.o,$(wildcard tools/*.c tools/command/*.c tools/recipe/*.c \
	tools/task/*/bench.c) tools/bench/model.c tools/probe/linear_probe.c tools/program/command.c \
	tools/program/help.c tools/program/shell.c $(wildcard tools/run/rundiff*.c) tools/task/bench.c tools/task/table.c) \
	$(patsubst %,$(B)/float/%_builtin.o,recipes help completion)
COMMANDS := $(filter-out steady,$(basename $(notdir $(HELP))))
PAGES := $(B)/share/steady.1 $(COMMANDS:%=$(B)/share/steady-%.1)
SHELLS := $(COMPLETION:tools/completion/%.in=$(B)/share/steady.%)
sharedir = $(DESTDIR)$(PREFIX)/share
COMPLETION_FILES = $(sharedir)/bash-completion/completions/steady \
	$(sharedir)/fish/vendor_completions.d/steady.fish $(sharedir)/zsh/site-functions/_steady

all: $(PAGES) $(SHELLS)
$(PAGES) $(SHELLS): Makefile $(TABLES) | $(B)/steady
$(PAGES):
	@mkdir -p $(@D)
	$(call say,page)$(B)/steady --manual $(basename $(@F)) > $@
$(SHELLS):
	@mkdir -p $(@D)
	$(call say,shell)$(B)/steady --completion $(subst .,,$(suffix $@)) > $@

install: install-pages
install-pages: all
	mkdir -p $(sharedir)/man/man1 $(dir $(COMPLETION_FILES))
	install -m 644 $(PAGES) $(sharedir)/man/man1
	@set -- $(SHELLS) && for to in $(COMPLETION_FILES); do \
		install -m 644 $$1 $$to && shift || exit 1; done

uninstall: uninstall-pages
uninstall-pages:
	rm -f $(PAGES:$(B)/share/%=$(sharedir)/man/man1/%) $(COMPLETION_FILES)

# ---- tidying -----------------------------------------------------------------------------

clean:
	rm -rf $(B)

distclean: clean
	rm -f config.mk

-include $(shell test -d $(B) && find $(B) -name '*.d')

endif

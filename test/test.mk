# Tests, fuzzers and measurements; the Makefile includes this.
#
# test/unit/test_*.c and test/grad/test_*.c are a program each, in float and in double.  A test
# that includes no header of tools/ is linked with the library alone; the other .c files of its
# folder are helpers, of which it gets what it uses.  test/cli/*.sh run the program.

# ---- which tests -------------------------------------------------------------------------

TEST_SRC := $(sort $(wildcard test/unit/test_*.c test/grad/test_*.c))
# These have nothing but the library's door.
DOOR_TEST_SRC := $(shell grep -l '^\#include "include/steady.h' $(TEST_SRC))
TOOLS_TEST_SRC := $(shell grep -l '^\#include "tools/' $(TEST_SRC))
CLI_TESTS := $(sort $(wildcard test/cli/*.sh))
# Programs that look at the built program; so does every shell test, and one installs all.  Some
# cases of one go by the program in double.
DOUBLE_TESTS = test/unit/test_golden.c test/cli/sharpness.sh
PROGRAM_TESTS = test/unit/test_library.c test/unit/test_golden.c test/unit/test_house_objects.c
INSTALL_TESTS = test/cli/install.sh
EXAMPLE_TESTS = test/cli/examples.sh
ARCHIVE_TESTS = test/cli/library_faults.sh
# These take longest, so they go first.
SLOW_TESTS = test/unit/test_golden.c test/cli/resume.sh

test_bin = $(patsubst test/%.c,$(B)/test/%,$(filter %.c,$(1)))

# ONLY=word: those that have it in their path, such as mpi, grad/ or test_recipe.c
ONLY ?=
chosen = $(if $(ONLY),$(foreach t,$(1),$(if $(findstring $(ONLY),$(t)),$(t))),$(1))
first_slow = $(filter $(SLOW_TESTS),$(1)) $(filter-out $(SLOW_TESTS),$(1))
# WITHOUT=pattern: unit tests that are left out, such as test/grad/% (what is in double)
WITHOUT ?=
UNIT_TESTS := $(call first_slow,$(filter-out $(WITHOUT),$(call chosen,$(TEST_SRC))))
ALL_TESTS := $(call first_slow,$(call chosen,$(TEST_SRC) $(CLI_TESTS)))
needs = $(call test_bin,$(1)) $(if $(filter $(PROGRAM_TESTS) $(CLI_TESTS),$(1)),$(B)/steady) \
	$(if $(filter $(DOUBLE_TESTS),$(1)),$(B)/steady64) \
	$(if $(filter $(INSTALL_TESTS),$(1)),all) $(if $(filter $(EXAMPLE_TESTS),$(1)),$(EXAMPLES)) \
	$(if $(filter $(ARCHIVE_TESTS),$(1)),$(B)/lib/libsteady.a)

# ---- building ----------------------------------------------------------------------------

$(B)/float/test/%.o $(B)/double/test/%.o: CPPFLAGS += $(TEST_CPPFLAGS)

helpers = $(patsubst %.c,$(B)/$(1)/%.o,$(filter-out $(TEST_SRC),$(sort $(wildcard test/$(2)/*.c))))
UNIT_HELPERS = $(B)/float/test/unit/helpers.a
GRAD_HELPERS = $(B)/double/test/grad/helpers.a
$(UNIT_HELPERS): $(call helpers,float,unit)
$(GRAD_HELPERS): $(call helpers,double,grad)
$(UNIT_HELPERS) $(GRAD_HELPERS):
	$(ARCHIVE)

define LINK_TEST
@mkdir -p $(@D)
$(LINK) -o $@ $^ $(TEST_LIBS) $(PROGRAM_LIBS) $(if $(findstring /grad/,$@),$(LIBS64)) $(LIBS)
endef
tests_of = $(call test_bin,$(filter test/$(1)/%,$(filter-out $(TOOLS_TEST_SRC) $(DOOR_TEST_SRC),$(TEST_SRC))))

$(call tests_of,unit): $(B)/test/%: $(B)/float/test/%.o $(UNIT_HELPERS) $(B)/libsteady.a
	$(LINK_TEST)
$(call tests_of,grad): $(B)/test/%: $(B)/double/test/%.o $(GRAD_HELPERS) $(B)/libsteady64.a
	$(LINK_TEST)
$(call test_bin,$(filter test/unit/%,$(TOOLS_TEST_SRC))): $(B)/test/%: $(B)/float/test/%.o \
		$(UNIT_HELPERS) $(B)/libtools.a $(B)/libsteady.a
	$(LINK_TEST)
$(call test_bin,$(filter test/grad/%,$(TOOLS_TEST_SRC))): $(B)/test/%: $(B)/double/test/%.o \
		$(GRAD_HELPERS) $(B)/libtools64.a $(B)/libsteady64.a
	$(LINK_TEST)

$(call test_bin,$(DOOR_TEST_SRC)): $(B)/test/%: $(B)/float/test/%.o $(B)/lib/libsteady.a
	$(LINK_TEST)

# ---- running -----------------------------------------------------------------------------

.PHONY: tests check check-unit check-cli check-examples check-sanitized check-all

# -jN of the command line is also the number of tests at a time.  AGAIN runs a failed one again.
AGAIN ?= make $@ ONLY=
RUN_TESTS = $(if $(strip $(1)),STEADY=$(B)/steady STEADY64=$(B)/steady64 AGAIN='$(AGAIN)' \
	sh test/run.sh $(filter-out -j,$(filter -j%,$(MAKEFLAGS))) $(patsubst test/%.c,$(B)/test/%,$(1)), \
	echo "make $@: no test has '$(ONLY)' in its name" && exit 1)

tests: $(call test_bin,$(TEST_SRC))

check: $(if $(ONLY),,all) $(call needs,$(ALL_TESTS))
	@$(call RUN_TESTS,$(ALL_TESTS))

check-unit: $(call needs,$(UNIT_TESTS))
	@$(call RUN_TESTS,$(UNIT_TESTS))

# The shell tests, but for what measures speed or links the library with another compiler's flags.
SHELL_TESTS := $(filter-out %/bench.sh %/install.sh,$(call chosen,$(CLI_TESTS)))
check-cli: $(call needs,$(SHELL_TESTS))
	@$(call RUN_TESTS,$(SHELL_TESTS))

# Under sanitizers too: make check-examples B=build/asan SANITIZE=-fsanitize=address,undefined
check-examples: $(call needs,$(EXAMPLE_TESTS))
	@$(call RUN_TESTS,$(EXAMPLE_TESTS))

# Tests and examples of the library under sanitizers; the program has its own in check-cli.
# Leak detection needs ptrace to be allowed; test/lsan.supp names what other libraries keep.
# Reports have lines, but gdb has no variables (use `make debug`); gold links faster, where it is
# installed.
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=all
QUICK_LD = $(if $(shell command -v ld.gold),-fuse-ld=gold)
# Left out are tests of numbers that take long: eigenvalues (which need all of tools/ in double), bounds, growth,
# OpenBLAS's products, frequencies of draws.
UNSANITIZED = test/grad/test_sharpness.c test/grad/test_theorem.c test/unit/test_theory.c \
	test/unit/test_blas_check.c test/unit/test_sample.c
SANITIZED = $(MAKE) --no-print-directory B=build/asan CFLAGS="$(CFLAGS) -O1 -g1 -fno-omit-frame-pointer" SANITIZE="$(SANITIZERS)" \
	WITHOUT="$(WITHOUT) $(UNSANITIZED)" \
	LDFLAGS="$(LDFLAGS) $(QUICK_LD)"
check-sanitized:
	+@$(SANITIZED) check-library AGAIN='make $@ ONLY='
LIBRARY_TESTS = $(filter-out $(PROGRAM_TESTS),$(UNIT_TESTS)) $(call chosen,$(EXAMPLE_TESTS))
check-library: $(call needs,$(LIBRARY_TESTS))
	@$(call RUN_TESTS,$(LIBRARY_TESTS))

check-all: check check-sanitized
	+$(SANITIZED) check-cli
	STEADY_TEST_LARGE=1 $(MAKE) --no-print-directory check-unit ONLY=test_vit
	OMP_NUM_THREADS=1 $(MAKE) --no-print-directory check-unit
	OMP_NUM_THREADS=4 $(MAKE) --no-print-directory check-unit
	$(MAKE) --no-print-directory check-levels
	STEADY=$(B)/steady sh test/fault/kill.sh 20
	STEADY=$(B)/steady sh test/fault/run.sh -e 400 -s 7
	@if [ -n "$(CLANG)" ]; then $(MAKE) --no-print-directory fuzz && sh test/fuzz/run.sh -s 3; \
	else echo "skipped: the fuzzers need clang"; fi

# The golden trajectories at each level of instructions with each of OpenBLAS's kernels; long
# (CORES=Haswell: with these alone).
.PHONY: check-levels
check-levels: $(call test_bin,test/unit/test_golden.c) $(B)/steady $(B)/steady64
	STEADY=$(B)/steady STEADY64=$(B)/steady64 sh test/levels.sh $< $(CORES)

# ---- coverage ----------------------------------------------------------------------------

# Counts of all processes and threads; what a test ends with a signal is not counted.
.PHONY: coverage
COVERED = build/coverage/files.csv
coverage:
	@command -v gcovr >/dev/null || { echo "make $@: no gcovr; it comes with: make setup-ci" >&2; exit 1; }
	@rm -rf build/coverage/html && if [ -d build/coverage ]; then find build/coverage -name '*.gcda' -delete; fi
	-@$(MAKE) --no-print-directory B=build/coverage SANITIZE="--coverage -fprofile-update=prefer-atomic" \
		CFLAGS="$(CFLAGS) -O1" check-covered
	@mkdir -p build/coverage/html
	@gcovr -r . -e test -e examples --exclude-unreachable-branches build/coverage/float \
		--html-details build/coverage/html/index.html --csv $(COVERED)
	@awk -F, 'NR > 1 { sub("/[^/]*$$", "", $$1); lines[$$1] += $$2; run[$$1] += $$3; all += $$2; ran += $$3 } \
		function row(name, n, m) { return sprintf("%-24s %7d lines %6.1f %%", name, n, 100 * m / (n + !n)) } \
		END { for (f in lines) print row(f, lines[f], run[f]) | "sort"; close("sort"); \
			print row("all", all, ran) }' $(COVERED)
	@echo "build/coverage/html/index.html"
check-covered: $(call needs,$(UNIT_TESTS) $(SHELL_TESTS))
	@$(call RUN_TESTS,$(UNIT_TESTS) $(SHELL_TESTS))

# ---- fuzzers, measurements ---------------------------------------------------------------

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
	$(LINK) -fsanitize=fuzzer -o $@ $^ $(PROGRAM_LIBS) $(LIBS)

# test/bench/NAME.c measures one thing: make build/bench/NAME
$(B)/bench/%: $(B)/float/test/bench/%.o $(B)/libsteady.a
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(LIBS)

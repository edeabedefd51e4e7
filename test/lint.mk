# Layout and static analysis of the sources; the Makefile includes this for its targets.

STYLED := $(shell find engine models data tools test include examples -name '*.[ch]' 2>/dev/null)
LINTED := $(filter-out test/%,$(filter %.c,$(STYLED)))

# Other versions lay out other lines, so these two are of version 14.
versioned = $(firstword $(foreach c,$(1)-14 $(1),$(if $(shell $(c) --version 2>/dev/null | \
	grep 'version 14\.'),$(c))))
CLANG_FORMAT := $(call versioned,clang-format)
CLANG_TIDY := $(call versioned,clang-tidy)
CPPCHECK := $(shell command -v cppcheck)
need = @test -n "$($(1))" || { echo "make $@: no $(2); it comes with: make setup-ci" >&2; exit 1; }
AT_ONCE = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN))

.PHONY: format format-check lint lint-files

format:
	$(call need,CLANG_FORMAT,clang-format of version 14)
	@$(CLANG_FORMAT) -i $(STYLED)

format-check:
	$(call need,CLANG_FORMAT,clang-format of version 14)
	@bad=$$($(CLANG_FORMAT) --dry-run --Werror $(STYLED) 2>&1 | sed -n 's/^\([^:]*\):[0-9]*:.*error:.*/\1/p' | sort -u); \
	for f in $$bad; do echo "$$f: not laid out by .clang-format; run: make format"; done; [ -z "$$bad" ]

# Findings of all files, several at a time; build/lint/FILE.ok says that a file has none.
lint:
	$(call need,CLANG_TIDY,clang-tidy of version 14)
	$(call need,CPPCHECK,cppcheck)
	@$(MAKE) --no-print-directory $(AT_ONCE) -k lint-files
lint-files: $(LINTED:%.c=$(B)/lint/%.ok)

# How far clang's analyzer follows the paths of a function, in its nodes.  Its own default is three
# times as far and as long: make lint NODES=225000.
NODES = 75000
TIDY = $(CLANG_TIDY) --quiet $(addprefix --extra-arg=,-Xclang -analyzer-config -Xclang max-nodes=$(NODES))

LINT_FLAGS = -I. -Iinclude -DSTEADY_LEVELS -DSTEADY_VERSION='"$(VERSION)"' $(CPPFLAGS)
CPPCHECK_FLAGS = --quiet --std=c11 --enable=warning,performance,portability --error-exitcode=1 \
	--suppressions-list=.cppcheck $(addprefix --library=,posix gnu .cppcheck.cfg) \
	-I. -DSTEADY_LEVELS -DSTEADY_VERSION='""' $(filter -D%,$(CPPFLAGS)) \
	--template='{file}:{line}: {severity}: {message} [cppcheck {id}]'

$(B)/lint/%.ok: %.c .clang-tidy .cppcheck .cppcheck.cfg $(CONFIG)
	@mkdir -p $(@D)
	$(call say,lint)$(CC) -MM -MP -MT $@ -MF $(@:.ok=.d) $(LINT_FLAGS) $<
	@$(TIDY) $< -- -std=c11 -fopenmp $(LINT_FLAGS) >$@.log 2>&1 || { cat $@.log; exit 1; }
	@$(CPPCHECK) $(CPPCHECK_FLAGS) $<
	@mv $@.log $@

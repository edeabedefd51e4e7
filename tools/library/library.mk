# The library that others link (include/steady.h): archives of both precisions and a shared one,
# in build/lib.  What they hold besides steady_* nobody outside can see or run into: objects are
# compiled with hidden symbols, and joined into one whose hidden symbols become local ones.

SONAME = libsteady.so.0
SHARED = libsteady.so.$(VERSION)
PUBLIC_LIBS := $(addprefix $(B)/lib/,libsteady.a libsteady64.a $(SHARED))
DOOR_SRC := $(sort $(wildcard tools/library/*.c))

.PHONY: library
library: $(PUBLIC_LIBS)

$(B)/lib/float.o: $(DOOR_SRC:%.c=$(B)/float/%.o) $(B)/libtools.a $(B)/libsteady.a
$(B)/lib/double.o: $(DOOR_SRC:%.c=$(B)/double/%.o) $(B)/libtools64.a $(B)/libsteady64.a
$(B)/lib/float.o $(B)/lib/double.o:
	@mkdir -p $(@D)
	$(call say,join)$(CC) -r -nostdlib -o $@ $^ && objcopy -w -G 'steady_*' $@

$(B)/lib/libsteady.a: $(B)/lib/float.o
$(B)/lib/libsteady64.a: $(B)/lib/double.o
$(B)/lib/libsteady.a $(B)/lib/libsteady64.a:
	$(ARCHIVE)

$(B)/lib/$(SHARED): $(B)/lib/float.o tools/library/symbols.map
	$(LINK) -shared -Wl,-soname,$(SONAME) -Wl,-z,defs \
		-Wl,--version-script,tools/library/symbols.map -o $@ $< $(LIBS)
	@ln -sf $(SHARED) $(@D)/$(SONAME) && ln -sf $(SHARED) $(@D)/libsteady.so

# ---- installing --------------------------------------------------------------------------

libdir = $(DESTDIR)$(PREFIX)/lib
includedir = $(DESTDIR)$(PREFIX)/include

.PHONY: install-library uninstall-library
install-library: library
	mkdir -p $(libdir)/pkgconfig $(includedir)
	install -m 644 include/steady.h $(includedir)
	install -m 644 $(B)/lib/libsteady.a $(B)/lib/libsteady64.a $(libdir)
	install -m 755 $(B)/lib/$(SHARED) $(libdir)
	ln -sf $(SHARED) $(libdir)/$(SONAME)
	ln -sf $(SHARED) $(libdir)/libsteady.so
	@echo "steady.pc -> $(libdir)/pkgconfig"
	@{ echo 'prefix=$(PREFIX)'; echo 'libdir=$${prefix}/lib'; \
	echo 'includedir=$${prefix}/include'; echo; echo 'Name: steady'; \
	echo 'Description: trains transformers on CPUs without attention entropy collapse'; \
	echo 'Version: $(VERSION)'; \
	echo 'Libs: -L$${libdir} -lsteady'; \
	echo 'Libs.private: $(LIBS) $(filter -fopenmp,$(FLAGS))'; \
	echo 'Cflags: -I$${includedir}'; } > $(libdir)/pkgconfig/steady.pc

uninstall-library:
	rm -f $(includedir)/steady.h $(libdir)/pkgconfig/steady.pc $(libdir)/libsteady.a \
		$(libdir)/libsteady64.a $(libdir)/libsteady.so $(libdir)/$(SONAME) $(libdir)/$(SHARED)

# ---- examples: with nothing but the header and the archive -------------------------------

EXAMPLES := $(patsubst examples/%.c,$(B)/examples/%,$(sort $(wildcard examples/*.c)))

.PHONY: examples
examples: $(EXAMPLES)

$(EXAMPLES): $(B)/examples/%: examples/%.c include/steady.h $(B)/lib/libsteady.a $(CONFIG)
	@mkdir -p $(@D)
	$(call say,example)$(CC) -std=c11 -g -O1 -Wall -Wextra -Wpedantic $(SANITIZE) -Iinclude -o $@ $< \
		$(B)/lib/libsteady.a $(LDFLAGS) $(filter -fopenmp,$(FLAGS)) $(LIBS)

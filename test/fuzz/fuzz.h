/* fuzz: what the harnesses share.  test/fuzz/NAME.c holds LLVMFuzzerTestOneInput
 * for one parser of foreign bytes; `make fuzz` builds them with clang,
 * test/fuzz/run.sh runs them.
 *
 *     int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
 *         const char *path = fuzz_file("a.png", data, size);
 *         ... parse path, use what came out, free it ...
 *         return 0;
 *     }
 *
 * A parser may refuse its input in any way it likes, but returns: a crash, a sanitizer's
 * report, exit(), abort() and more than ten seconds are findings. */
#ifndef STEADY_FUZZ_H
#define STEADY_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A folder of this process's own: in $FUZZ_FOLDER, whose maker removes it, else in memory
 * where /dev/shm is there. */
const char *fuzz_folder(void);

/* Writes the file into that folder; its path, valid until the next call with this
 * name. */
const char *fuzz_file(const char *name, const uint8_t *data, size_t size);

/* An input for several files: cut at each line "---" into parts, one a name; the last
 * names get empty files where there are fewer parts.  names ends with NULL. */
void fuzz_files(const char *const *names, const uint8_t *data, size_t size);

/* The input as a string: cut at `most` bytes and at the first NUL.  Valid
 * until the next call. */
const char *fuzz_text(const uint8_t *data, size_t size, size_t most);

/* Stops the program where the condition does not hold: what the parser let through is
 * wrong. */
void fuzz_expect(int condition);

#endif

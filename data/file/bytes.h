/* bytes: a file read front to back, plain or gzip, for the readers of binary sets.
 *
 *     ByteFile file;
 *     if (bytes_open(&file, path, &err)) return err.status;
 *     status = bytes_take(&file, header, sizeof header, &err);
 *     bytes_close(&file);
 *
 * Memory grows with what the file really holds, so a header cannot ask for more.  Bytes
 * after a gzip member that are no member are FAIL_DATA in whatever reads to the end. */
#ifndef STEADY_BYTES_H
#define STEADY_BYTES_H

#include "engine/core/base.h"

#define PATH_SIZE 1400

typedef struct ByteFile {
    struct Gunzip *in; /* data/file/gunzip.h */
    char path[PATH_SIZE];
    size_t taken; /* bytes read so far, after decompression */
    size_t most;  /* bytes that the file can hold (gzip: 1032 times its length) */
} ByteFile;

/* Sets path to folder/name, or to folder/name.gz where only that is there; false:
 * neither. */
bool bytes_find(const char *folder, const char *name, char path[PATH_SIZE]);

/* Is path.gz there beside path? */
bool bytes_has_twin(const char *path);

Status bytes_open(ByteFile *file, const char *path, Err *err);
void bytes_close(ByteFile *file);

/* Exactly n bytes, or FAIL_DATA with what is missing. */
Status bytes_take(ByteFile *file, void *to, size_t n, Err *err);
/* The same into new memory (mem_free). */
Status bytes_take_new(ByteFile *file, size_t n, uint8_t **to, Err *err);
/* All that is left, n bytes in new memory. */
Status bytes_take_rest(ByteFile *file, uint8_t **to, size_t *n, Err *err);
/* FAIL_DATA unless the file ends here, its gzip checksum included. */
Status bytes_end(ByteFile *file, Err *err);

#endif

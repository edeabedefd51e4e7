/* safetensors: named tensors in one file, read and written.
 *
 *     Safetensors *file = safetensors_open("vit.safetensors", SAFETENSORS_VERIFY, &err);
 *     if (!file) return err.status;
 *     const SafetensorsEntry *e = safetensors_find(file, "head.weight");
 *     if (e && safetensors_read(file, e, out, e->count, &err)) ...
 *     safetensors_close(file);
 *
 *     SafetensorsWriter *w = safetensors_writer_new();
 *     safetensors_add(w, "head.weight", 2, (size_t[]){10, 64}, values);
 *     safetensors_add_metadata(w, "step", "100");
 *     status = safetensors_save(w, "step-100.safetensors", &err);
 *     safetensors_writer_free(w);
 *
 * The format: 8 bytes with the length of the header (little-endian), a JSON object
 *   {"name":{"dtype":"F32","shape":[..],"data_offsets":[begin,end]},...,"__metadata__":{..}}
 * that spaces may follow, and the data without gaps (github.com/huggingface/safetensors).
 * Every claim of the header is checked against the file; what does not hold is FAIL_DATA
 * with the file, the tensor, what was seen and what was wanted.  So is a file that cannot
 * be opened; one that the disk does not give is FAIL_RUN.
 *
 * Only little-endian machines are served.  Not for: files of several shards. */
#ifndef STEADY_SAFETENSORS_H
#define STEADY_SAFETENSORS_H

#include "data/file/narrow.h"
#include "engine/core/base.h"

#define SAFETENSORS_DIMS 8
#define SAFETENSORS_NAME_MAX 511 /* bytes */

typedef struct Safetensors Safetensors;

typedef struct SafetensorsEntry {
    const char *name;
    const char
        *dtype; /* "F64" "F32" "F16" "BF16" "I64" "I32" "I16" "I8" "U64" "U32" "U16"
                          "U8" "BOOL" */
    int dims;   /* 0: a scalar */
    size_t shape[SAFETENSORS_DIMS];
    size_t count; /* product of the shape */
    size_t begin; /* first byte in the data section */
    size_t bytes;
} SafetensorsEntry;

typedef enum {
    /* a crc32 in the metadata is compared with the data (reads it all) */
    SAFETENSORS_VERIFY,
    SAFETENSORS_TRUST,
} SafetensorsCheck;

/* Opens and checks the header; NULL and `err` on failure. */
Safetensors *safetensors_open(const char *path, SafetensorsCheck check, Err *err);
/* The same below a run folder, whose links are not followed
 * (data/file/openfile.h); NULL: anywhere. */
Safetensors *safetensors_open_in(const char *path, const char *root,
                                 SafetensorsCheck check, Err *err);
void safetensors_close(Safetensors *file);

/* CRC-32 of the data, 8 hexadecimal digits: that of the metadata where they have one,
 * else of what is read. */
enum { SAFETENSORS_CRC = 9 };
Status safetensors_crc(const Safetensors *file, char crc[SAFETENSORS_CRC], Err *err);

/* Entries in the order of their data; what they point to lives as long as the file. */
size_t safetensors_count(const Safetensors *file);
const SafetensorsEntry *safetensors_entry(const Safetensors *file, size_t i);
const SafetensorsEntry *safetensors_find(const Safetensors *file, const char *name);

/* Names that begin with `prefix` go without it from then on; false, and nothing is done:
 * one would be empty, or that of another entry. */
bool safetensors_strip(Safetensors *file, const char *prefix);

/* Whole numbers and BOOL are listed, but not read: quantized weights need their scales,
 * which only their program knows. */
#define SAFETENSORS_REALS "F32, F64, F16 or BF16"
bool safetensors_is_real(const SafetensorsEntry *entry);

/* A string of `__metadata__`; NULL: none. */
const char *safetensors_metadata(const Safetensors *file, const char *key);

/* Converts all of an entry to `out` [count]; count must be entry->count.  Numbers are
 * rounded to nearest where `real` is narrower.  Fails when the file ends early (it has
 * been cut since it was opened), and where the entry is not real. */
Status safetensors_read(const Safetensors *file, const SafetensorsEntry *entry, real *out,
                        size_t count, Err *err);

typedef struct SafetensorsWriter SafetensorsWriter;

SafetensorsWriter *safetensors_writer_new(void);
void safetensors_writer_free(SafetensorsWriter *writer);

/* Tensors are written in the order of the calls, as F32 or F64, whatever `real` is, or
 * in the kind of safetensors_add_as (data/file/narrow.h; its values are copied).
 * The name is copied, `values` is borrowed until after safetensors_save.  Two tensors
 * or two metadata of one name are a bug of the caller, as are the name "__metadata__"
 * and the key "crc32". */
void safetensors_add(SafetensorsWriter *writer, const char *name, int dims,
                     const size_t *shape, const real *values);
void safetensors_add_as(SafetensorsWriter *writer, NarrowKind kind, const char *name,
                        int dims, const size_t *shape, const real *values);
void safetensors_add_metadata(SafetensorsWriter *writer, const char *key,
                              const char *text);

/* Writes path.tmp, syncs it, and renames it to `path`, whose directory is synced.  On
 * failure (FAIL_RUN) path.tmp is removed and what `path` held before is untouched.  The
 * CRC-32 of the data is in the metadata as "crc32", 8 hexadecimal digits. */
Status safetensors_save(const SafetensorsWriter *writer, const char *path, Err *err);
/* The same below a run folder. */
Status safetensors_save_in(const SafetensorsWriter *writer, const char *path,
                           const char *root, Err *err);

#endif

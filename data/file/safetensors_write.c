#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "data/file/openfile.h"
#include "data/file/safetensors.h"
#include "engine/core/grow.h"

/* Bytes handed to zlib and to write at once. */
#define CHUNK ((size_t)1 << 26)

typedef struct Block {
    const void *values;
    size_t bytes;
    void *own; /* the values where they are converted, or NULL */
} Block;

struct SafetensorsWriter {
    json_t *header;   /* as it will be written, but for the crc */
    json_t *metadata; /* borrowed from the header */
    Block *blocks;
    size_t count, room;
    size_t bytes;   /* of all blocks */
    char *bad_name; /* the first name or text that is not UTF-8 */
};

SafetensorsWriter *safetensors_writer_new(void) {
    SafetensorsWriter *writer = mem_zalloc(sizeof *writer);
    writer->header = json_object();
    writer->metadata = json_object();
    CHECK(writer->header && writer->metadata, "out of memory");
    CHECK(!json_object_set_new(writer->header, "__metadata__", writer->metadata),
          "jansson");
    return writer;
}

void safetensors_writer_free(SafetensorsWriter *writer) {
    if (!writer) return;
    json_decref(writer->header);
    for (size_t i = 0; i < writer->count; i++) mem_free(writer->blocks[i].own);
    mem_free(writer->blocks);
    mem_free(writer->bad_name);
    mem_free(writer);
}

/* Takes `value` over; jansson refuses what is not UTF-8, and the save reports it. */
static void set_or_note(SafetensorsWriter *writer, json_t *object, const char *key,
                        json_t *value) {
    CHECK(!json_object_get(object, key), "%s was already added", key);
    if (json_object_set_new(object, key, value) && !writer->bad_name)
        writer->bad_name = mem_strdup(key);
}

static void append_block(SafetensorsWriter *writer, Block block) {
    GROW(writer->blocks, writer->count, writer->room, 1);
    writer->blocks[writer->count++] = block;
    writer->bytes += block.bytes;
}

/* What the header says of the next block; returns its numbers. */
static size_t add_entry(SafetensorsWriter *writer, const char *dtype, size_t size,
                        const char *name, int dims, const size_t *shape) {
    CHECK(strlen(name) <= SAFETENSORS_NAME_MAX, "a name of %zu bytes", strlen(name));
    CHECK(dims >= 0 && dims <= SAFETENSORS_DIMS, "%s: %d dimensions", name, dims);
    json_t *list = json_array();
    size_t bytes = size;
    for (int d = 0; d < dims; d++) {
        CHECK(size_mul(bytes, shape[d], &bytes), "%s: too large", name);
        json_array_append_new(list, json_integer((json_int_t)shape[d]));
    }
    set_or_note(writer, writer->header, name,
                json_pack("{s:s, s:o, s:[I,I]}", "dtype", dtype, "shape", list,
                          "data_offsets", (json_int_t)writer->bytes,
                          (json_int_t)(writer->bytes + bytes)));
    return bytes / size;
}

void safetensors_add(SafetensorsWriter *writer, const char *name, int dims,
                     const size_t *shape, const real *values) {
    size_t count = add_entry(writer, REAL_NAME, sizeof(real), name, dims, shape);
    append_block(writer, (Block){values, count * sizeof(real), NULL});
}

void safetensors_add_as(SafetensorsWriter *writer, NarrowKind kind, const char *name,
                        int dims, const size_t *shape, const real *values) {
    size_t size = narrow_bytes(kind);
    size_t count = add_entry(writer, narrow_dtype(kind), size, name, dims, shape);
    void *own = mem_alloc(MAX(count * size, (size_t)1));
    narrow_write(kind, own, values, count);
    append_block(writer, (Block){own, count * size, own});
}

void safetensors_add_metadata(SafetensorsWriter *writer, const char *key,
                              const char *text) {
    CHECK(strcmp(key, "crc32"), "the key crc32 is taken");
    set_or_note(writer, writer->metadata, key, json_string(text));
}

/* ---- saving ---- */

static uint32_t blocks_crc(const SafetensorsWriter *writer) {
    uLong crc = 0;
    for (size_t i = 0; i < writer->count; i++) {
        const unsigned char *bytes = (const unsigned char *)writer->blocks[i].values;
        for (size_t done = 0; done < writer->blocks[i].bytes; done += CHUNK)
            crc = crc32(crc, bytes + done,
                        (uInt)MIN(CHUNK, writer->blocks[i].bytes - done));
    }
    return (uint32_t)crc;
}

/* Length and header as they stand in the file, padded with spaces to a multiple of 8. */
static char *make_head(const SafetensorsWriter *writer, size_t *size) {
    char crc[9];
    text_format(crc, sizeof crc, "%08x", blocks_crc(writer));
    json_object_set_new(writer->metadata, "crc32", json_string(crc));
    char *text = json_dumps(writer->header, JSON_COMPACT);
    CHECK(text, "jansson cannot write the header");
    size_t length = strlen(text);
    uint64_t padded = (length + 7) / 8 * 8;
    *size = 8 + (size_t)padded;
    char *head = mem_alloc(*size);
    memcpy(head, &padded, 8);
    memset(head + 8, ' ', (size_t)padded);
    memcpy(head + 8, text, length);
    free(text);
    return head;
}

/* False with errno on failure. */
static bool write_all(int fd, const void *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t put = write(fd, (const char *)bytes + done, MIN(CHUNK, size - done));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        done += (size_t)put;
    }
    return true;
}

static bool write_contents(const SafetensorsWriter *writer, int fd) {
    size_t size;
    char *head = make_head(writer, &size);
    bool good = write_all(fd, head, size);
    mem_free(head);
    for (size_t i = 0; good && i < writer->count; i++)
        good = write_all(fd, writer->blocks[i].values, writer->blocks[i].bytes);
    return good && fsync(fd) == 0;
}

/* Removes `temporary`; errno still tells what went wrong. */
static Status give_up(const char *path, const char *temporary, const char *root,
                      const SafetensorsWriter *writer, Err *err) {
    int reason = errno;
    openfile_remove(temporary, root);
    return err_set(err, FAIL_RUN,
                   "%s: cannot be written (%.1f MB): %s; nothing was changed", path,
                   (double)writer->bytes / 1e6,
                   reason == ENXIO ? "not a regular file" : strerror(reason));
}

static Status save_by_way_of(const SafetensorsWriter *writer, const char *path,
                             const char *temporary, const char *root, Err *err) {
    int fd = openfile_create(temporary, root, err);
    if (fd < 0) return err->status;
    bool good = write_contents(writer, fd);
    int kept = errno;
    if (close(fd) && good) {
        good = false;
        kept = errno;
    }
    errno = kept;
    if (!good || !openfile_rename(temporary, path, root))
        return give_up(path, temporary, root, writer, err);
    if (!openfile_sync_folder(path, root))
        return err_set(err, FAIL_RUN,
                       "%s: written, but its directory cannot be synced: %s", path,
                       strerror(errno));
    return OK;
}

Status safetensors_save(const SafetensorsWriter *writer, const char *path, Err *err) {
    return safetensors_save_in(writer, path, NULL, err);
}

Status safetensors_save_in(const SafetensorsWriter *writer, const char *path,
                           const char *root, Err *err) {
    if (writer->bad_name)
        return err_set(err, FAIL_RUN, "%s: the name or text of \"%.60s\" is not UTF-8",
                       path, writer->bad_name);
    char *behind = openfile_behind(path, root);
    char *temporary = openfile_draft_name(behind, ".tmp", root);
    Status status = save_by_way_of(writer, behind, temporary, root, err);
    mem_free(temporary);
    mem_free(behind);
    return status;
}

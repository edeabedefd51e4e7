#include "data/file/bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file/gunzip.h"
#include "data/file/openfile.h"

#define DEFLATE_MOST 1032 /* bytes out of one byte, at best (zlib's technical notes) */

bool bytes_find(const char *folder, const char *name, char path[PATH_SIZE]) {
    text_format(path, PATH_SIZE, "%s/%s", folder, name);
    if (access(path, F_OK) == 0) return true;
    text_format(path, PATH_SIZE, "%s/%s.gz", folder, name);
    return access(path, F_OK) == 0;
}

/* Of a gzip file that was cut within its first two bytes nothing says that it
 * is one but its name. */
static Status check_packed(const ByteFile *file, size_t size, Err *err) {
    size_t length = strlen(file->path);
    bool named = length > 3 && !strcmp(file->path + length - 3, ".gz");
    if (!named || size >= 2) return OK;
    return err_set(err, FAIL_DATA, "%s is truncated: it has only %zu bytes", file->path,
                   size);
}

bool bytes_has_twin(const char *path) {
    char packed[PATH_SIZE + 4];
    text_format(packed, sizeof packed, "%s.gz", path);
    return access(packed, F_OK) == 0;
}

Status bytes_open(ByteFile *file, const char *path, Err *err) {
    *file = (ByteFile){0};
    text_format(file->path, sizeof file->path, "%s", path);
    int descriptor = openfile_read(path, NULL, err);
    if (descriptor < 0) return FAIL_DATA;
    struct stat info;
    Status status = OK;
    if (fstat(descriptor, &info))
        status = err_set(err, FAIL_DATA, "%s: %s", path, strerror(errno));
    if (!status) status = check_packed(file, (size_t)info.st_size, err);
    if (status) {
        close(descriptor);
        return status;
    }
    file->in = gunzip_new(descriptor, file->path, err);
    if (!file->in) return FAIL_DATA;
    size_t scale = gunzip_packed(file->in) ? DEFLATE_MOST : 1;
    if (!size_mul((size_t)info.st_size, scale, &file->most)) file->most = SIZE_MAX;
    return OK;
}

void bytes_close(ByteFile *file) {
    gunzip_free(file->in);
    file->in = NULL;
}

/* Up to n bytes; fewer only at a good end of the file. */
static Status take_some(ByteFile *file, uint8_t *to, size_t n, size_t *got, Err *err) {
    Status status = gunzip_read(file->in, to, n, got, err);
    file->taken += *got;
    return status;
}

static Status fail_short(const ByteFile *file, size_t wanted, size_t got, Err *err) {
    return err_set(err, FAIL_DATA,
                   "%s is truncated: it ends after %zu bytes, but %zu more are expected",
                   file->path, file->taken, wanted - got);
}

Status bytes_take(ByteFile *file, void *to, size_t n, Err *err) {
    size_t got;
    Status status = take_some(file, to, n, &got, err);
    if (!status && got < n) return fail_short(file, n, got, err);
    return status;
}

/* Reads at most `most` bytes into memory that doubles as bytes arrive. */
static Status take_growing(ByteFile *file, size_t most, uint8_t **to, size_t *n,
                           Err *err) {
    size_t room = MIN(most, (size_t)1 << 16);
    *to = mem_alloc(room);
    *n = 0;
    for (;;) {
        size_t got;
        Status status = take_some(file, *to + *n, room - *n, &got, err);
        if (status) {
            mem_free(*to);
            *to = NULL;
            return status;
        }
        *n += got;
        if (*n < room || room == most) return OK;
        room = room > most / 2 ? most : 2 * room;
        uint8_t *wider = mem_alloc(room);
        memcpy(wider, *to, *n);
        mem_free(*to);
        *to = wider;
    }
}

Status bytes_take_new(ByteFile *file, size_t n, uint8_t **to, Err *err) {
    *to = NULL;
    if (n > file->most - MIN(file->most, file->taken))
        return err_set(
            err, FAIL_DATA,
            "%s is truncated, or its header is wrong: %zu more bytes are expected, but "
            "a file of its length has at most %zu in total",
            file->path, n, file->most);
    size_t got;
    Status status = take_growing(file, n, to, &got, err);
    if (status || got == n) return status;
    mem_free(*to);
    *to = NULL;
    return fail_short(file, n, got, err);
}

Status bytes_take_rest(ByteFile *file, uint8_t **to, size_t *n, Err *err) {
    return take_growing(file, SIZE_MAX, to, n, err);
}

Status bytes_end(ByteFile *file, Err *err) {
    uint8_t extra;
    size_t got;
    Status status = take_some(file, &extra, 1, &got, err);
    if (!status && got)
        return err_set(err, FAIL_DATA, "%s has data after the expected %zu bytes",
                       file->path, file->taken - 1);
    return status;
}

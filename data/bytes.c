#include "data/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define DEFLATE_MOST 1032 /* bytes out of one byte, at best (zlib's technical notes) */

bool bytes_find(const char *folder, const char *name, char path[PATH_SIZE]) {
    text_format(path, PATH_SIZE, "%s/%s", folder, name);
    if (access(path, F_OK) == 0) return true;
    text_format(path, PATH_SIZE, "%s/%s.gz", folder, name);
    return access(path, F_OK) == 0;
}

Status bytes_open(ByteFile *file, const char *path, Err *err) {
    *file = (ByteFile){0};
    text_format(file->path, sizeof file->path, "%s", path);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return err_set(err, FAIL_DATA, "%s cannot be opened: %s", path, strerror(errno));
    struct stat info;
    if (fstat(descriptor, &info) || !S_ISREG(info.st_mode)) {
        close(descriptor);
        return err_set(err, FAIL_DATA, "%s is not a regular file", path);
    }
    file->gz = gzdopen(descriptor, "rb");
    CHECK(file->gz, "gzdopen of %s", path);
    gzbuffer(file->gz, 1 << 17);
    size_t scale = gzdirect(file->gz) ? 1 : DEFLATE_MOST;
    if (!size_mul((size_t)info.st_size, scale, &file->most)) file->most = SIZE_MAX;
    return OK;
}

void bytes_close(ByteFile *file) {
    if (file->gz) gzclose_r(file->gz);
    file->gz = NULL;
}

/* Up to n bytes; fewer only at a good end of the file. */
static Status take_some(ByteFile *file, uint8_t *to, size_t n, size_t *got, Err *err) {
    *got = 0;
    while (*got < n) {
        int part = gzread(file->gz, to + *got, (unsigned)MIN(n - *got, (size_t)1 << 30));
        if (part <= 0) break;
        *got += (size_t)part;
    }
    file->taken += *got;
    int code = Z_OK;
    const char *reason = gzerror(file->gz, &code);
    if (*got == n || code == Z_OK || code == Z_STREAM_END) return OK;
    if (code == Z_ERRNO) reason = strerror(errno);
    return err_set(err, FAIL_DATA, "%s is cut short or damaged after %zu bytes (%s)",
                   file->path, file->taken, reason);
}

static Status fail_short(const ByteFile *file, size_t wanted, size_t got, Err *err) {
    return err_set(err, FAIL_DATA,
                   "%s is cut short: it ends after %zu bytes, where %zu more are wanted",
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
    size_t room = MIN(most, (size_t)1 << 24);
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
            "%s is cut short, or its header is wrong: %zu more bytes are wanted, "
            "a file of its length has at most %zu in all",
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
        return err_set(err, FAIL_DATA,
                       "%s goes on after the %zu bytes that it should have", file->path,
                       file->taken - 1);
    return status;
}

#include "data/file/gunzip.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { BUFFER = 1 << 17, PIECE = 1 << 30, GZIP_ONLY = 16 + MAX_WBITS };

typedef enum { PLAIN, MEMBER, BETWEEN } Place; /* what the next byte belongs to */

struct Gunzip {
    int descriptor;
    const char *path;
    Place place;
    bool packed, ended; /* ended: the descriptor gives no more */
    z_stream stream;    /* next_in, avail_in: bytes of `buffer` that are not used yet */
    size_t offset;      /* in the file, of what the descriptor gives next */
    /* begin: of the last member, end: of the last whole one */
    size_t members, begin, end;
    size_t given; /* bytes of contents */
    uint8_t buffer[BUFFER];
};

static voidpf take_memory(voidpf owner, uInt count, uInt size) {
    (void)owner;
    return mem_alloc((size_t)count * size);
}

static void give_memory(voidpf owner, voidpf memory) {
    (void)owner;
    mem_free(memory);
}

/* Up to n bytes of the descriptor; 0 at its end. */
static Status read_some(Gunzip *g, uint8_t *to, size_t n, size_t *got, Err *err) {
    ssize_t part;
    do part = read(g->descriptor, to, MIN(n, (size_t)PIECE));
    while (part < 0 && errno == EINTR);
    *got = part > 0 ? (size_t)part : 0;
    g->offset += *got;
    if (part == 0) g->ended = true;
    if (part >= 0) return OK;
    return err_set(err, FAIL_DATA, "%s cannot be read after byte %zu: %s", g->path,
                   g->offset, strerror(errno));
}

/* Makes `least` bytes ready where the file has them. */
static Status refill(Gunzip *g, size_t least, Err *err) {
    z_stream *s = &g->stream;
    while (s->avail_in < least && !g->ended) {
        size_t got;
        if (s->avail_in) memmove(g->buffer, s->next_in, s->avail_in);
        s->next_in = g->buffer;
        if (read_some(g, g->buffer + s->avail_in, BUFFER - s->avail_in, &got, err))
            return err->status;
        s->avail_in += (uInt)got;
    }
    return OK;
}

static size_t position(const Gunzip *g) { return g->offset - g->stream.avail_in; }

static bool at_magic(const z_stream *s) {
    return s->avail_in >= 2 && s->next_in[0] == 0x1F && s->next_in[1] == 0x8B;
}

static void begin_member(Gunzip *g) {
    CHECK(inflateReset(&g->stream) == Z_OK, "inflateReset of %s", g->path);
    g->begin = position(g);
    g->members++;
    g->place = MEMBER;
}

Gunzip *gunzip_new(int descriptor, const char *path, Err *err) {
    Gunzip *g = mem_alloc(sizeof *g);
    /* a small file does not pay for a large buffer */
    memset(g, 0, offsetof(Gunzip, buffer));
    g->descriptor = descriptor;
    g->path = path;
    g->stream.zalloc = take_memory;
    g->stream.zfree = give_memory;
    CHECK(inflateInit2(&g->stream, GZIP_ONLY) == Z_OK, "zlib %s", ZLIB_VERSION);
    Err own;
    if (refill(g, 2, err ? err : &own)) {
        gunzip_free(g);
        return NULL;
    }
    g->packed = at_magic(&g->stream);
    if (g->packed) begin_member(g);
    return g;
}

void gunzip_free(Gunzip *g) {
    if (!g) return;
    inflateEnd(&g->stream);
    close(g->descriptor);
    mem_free(g);
}

bool gunzip_packed(const Gunzip *g) { return g->packed; }

static Status fail_damaged(const Gunzip *g, const char *reason, Err *err) {
    return err_set(err, FAIL_DATA,
                   "%s is truncated or damaged after %zu bytes of contents (%s in gzip "
                   "member %zu, which begins at byte %zu)",
                   g->path, g->given, reason, g->members, g->begin);
}

static Status fail_stray(const Gunzip *g, Err *err) {
    struct stat info;
    size_t size = fstat(g->descriptor, &info) ? g->offset : (size_t)info.st_size;
    return err_set(err, FAIL_DATA,
                   "%s: %zu bytes after byte %zu belong to no gzip member; the file "
                   "may be damaged, or something was appended to it",
                   g->path, MAX(size, g->offset) - g->end, g->end);
}

static Status read_plain(Gunzip *g, uint8_t *to, size_t n, size_t *got, Err *err) {
    *got = MIN(n, (size_t)g->stream.avail_in);
    if (!*got) return g->ended ? OK : read_some(g, to, n, got, err);
    memcpy(to, g->stream.next_in, *got);
    g->stream.next_in += *got;
    g->stream.avail_in -= (uInt)*got;
    return OK;
}

/* One piece of the member's contents; at its end none, perhaps. */
static Status read_member(Gunzip *g, uint8_t *to, size_t n, size_t *got, Err *err) {
    z_stream *s = &g->stream;
    if (refill(g, 1, err)) return err->status;
    s->next_out = to;
    s->avail_out = (uInt)MIN(n, (size_t)PIECE);
    size_t room = s->avail_out;
    int code = inflate(s, Z_NO_FLUSH);
    *got = room - s->avail_out;
    if (code == Z_STREAM_END) {
        g->end = position(g);
        g->place = BETWEEN;
        return OK;
    }
    if (code == Z_BUF_ERROR) return fail_damaged(g, "the file ends", err);
    if (code == Z_OK) return OK;
    return fail_damaged(g, s->msg ? s->msg : "not gzip", err);
}

/* Past zeros to the next member, or to the end of the file. */
static Status pass_on(Gunzip *g, Err *err) {
    z_stream *s = &g->stream;
    for (;;) {
        if (refill(g, 2, err)) return err->status;
        if (!s->avail_in) return OK;
        if (at_magic(s)) return begin_member(g), OK;
        if (*s->next_in) return fail_stray(g, err);
        s->next_in++;
        s->avail_in--;
    }
}

Status gunzip_read(Gunzip *g, void *to, size_t n, size_t *got, Err *err) {
    *got = 0;
    Err own;
    err = err ? err : &own;
    while (*got < n) {
        size_t part = 0;
        if (g->place == BETWEEN && pass_on(g, err)) return err->status;
        if (g->place == BETWEEN) return OK;
        Status status =
            (g->place == PLAIN ? read_plain : read_member)(g, (uint8_t *)to + *got,
                                                           n - *got, &part, err);
        *got += part;
        g->given += part;
        if (status) return status;
        if (g->place == PLAIN && !part) return OK;
    }
    return OK;
}

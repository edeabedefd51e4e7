/* runlog_brief: the head, the tail and some rows between of a long log
 * (tools/run/runlog_parts.h). */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "data/file/textbuffer.h"
#include "tools/run/runlog_parts.h"

#define LINE_MOST ((size_t)16 << 20)
#define BUDGET ((size_t)4 << 20) /* bytes of all samples */

typedef struct Brief {
    int fd;
    size_t size;
    size_t room; /* bytes that are read for a line; more where lines are longer */
    size_t end;  /* up to here the log is taken, or passed over */
    TextBuffer text;
} Brief;

/* Up to `count` bytes at a place; mem_free. */
static char *read_at(const Brief *b, size_t at, size_t count, size_t *got) {
    char *bytes = mem_alloc(count);
    ssize_t n = pread(b->fd, bytes, count, (off_t)at);
    *got = n > 0 ? (size_t)n : 0;
    return bytes;
}

/* The first whole line that begins at `at` or behind it (behind it unless that is 0).
 * What has no line in 16 MB has none. */
static void take_line(Brief *b, size_t at) {
    for (; at >= b->end; b->room *= 4) {
        size_t got, skip = at > 0;
        char *bytes = read_at(b, at, b->room, &got), *start = bytes;
        if (skip) start = memchr(bytes, '\n', got);
        char *from = start ? start + skip : NULL;
        size_t left = from ? got - (size_t)(from - bytes) : 0;
        char *stop = left ? memchr(from, '\n', left) : NULL;
        if (stop) {
            text_append(&b->text, from, (size_t)(stop - from) + 1);
            b->end = at + (size_t)(stop - bytes) + 1;
        }
        mem_free(bytes);
        if (stop || got < b->room || b->room >= LINE_MOST) return;
    }
}

/* The last lines, of `room` bytes or more, whole but for one that is being written. */
static void take_tail(Brief *b, size_t room) {
    for (;; room *= 4) {
        size_t got, from = MAX(b->size - MIN(room, b->size), b->end);
        char *bytes = read_at(b, from, b->size - from, &got), *start = bytes;
        if (from > b->end) start = memchr(bytes, '\n', got), start += start != NULL;
        if (start) text_append(&b->text, start, got - (size_t)(start - bytes));
        mem_free(bytes);
        if (start || room >= LINE_MOST) return;
    }
}

/* Places are spread evenly, and the tail is a few rows only, so that means and medians of
 * the rows are those of the log. */
static void take_samples(Brief *b, size_t samples) {
    enum { TAIL = 4096, TAIL_BRIEF = 512, LINES = 8 };
    take_line(b, 0);
    size_t line = MAX(b->end, (size_t)1);
    samples = MIN(samples, BUDGET / line);
    for (size_t i = 1; i < samples; i++)
        take_line(b, (size_t)((double)b->size * (double)i / (double)samples));
    take_tail(b, MAX(LINES * MIN(line, LINE_MOST / LINES),
                     samples ? (size_t)TAIL_BRIEF : (size_t)TAIL));
}

char *runlog_brief(const char *path, const char *root, size_t samples, size_t *size,
                   bool *cut, Err *err) {
    struct stat info;
    Brief b = {.fd = openfile_read(path, root, err), .room = 4096};
    *cut = false;
    if (b.fd < 0) return NULL;
    b.size = fstat(b.fd, &info) || info.st_size < 0 ? 0 : (size_t)info.st_size;
    if (b.size <= BRIEF_WHOLE) {
        close(b.fd); /* it may grow meanwhile */
        return openfile_text(path, root, 16 * (size_t)BRIEF_WHOLE, size, err);
    }
    take_samples(&b, samples);
    close(b.fd);
    text_append_byte(&b.text, 0);
    *cut = true;
    *size = b.text.length - 1;
    return b.text.text;
}

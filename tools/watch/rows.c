#include "tools/watch/rows.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file/openfile.h"

#define PIECE ((size_t)1 << 20)
#define LINE_MOST ((size_t)16 << 20)

static const char EVENT[] = "\"event\"";

RowFile rows_file(const char *dir, const char *name) {
    RowFile file = {.line = 4096};
    rundir_path(file.path, dir, "%s", name);
    text_format(file.dir, sizeof file.dir, "%s", dir);
    return file;
}

static bool has_event(const char *line, size_t length) {
    return memmem(line, length, EVENT, sizeof EVENT - 1);
}

/* Zeros of a power cut, spaces, and a byte order mark are no part of a row. */
static void take(RowFile *file, const RowTaker *taker, const char *line, size_t length,
                 size_t at) {
    if (!at && length >= 3 && !memcmp(line, "\xEF\xBB\xBF", 3))
        line += 3, length -= 3, at += 3;
    for (; length && (!*line || strchr(" \t\r", *line)); length--) line++, at++;
    if (length && !taker->take(taker->context, line, length, at)) file->bad = true;
}

static void forget(RowFile *file, const RowTaker *taker) {
    if (file->read) taker->forget(taker->context);
    file->bad = false;
    file->read = file->marked = file->size = file->fill_at = file->fill_end = 0;
}

/* ---- where the reading stands ---- */

static void set_mark(RowFile *file, int fd) {
    size_t from = file->read - MIN(file->read, (size_t)ROWS_MARK);
    ssize_t got = pread(fd, file->mark, file->read - from, (off_t)from);
    file->marked = got > 0 ? (size_t)got : 0;
}

static bool is_marked(const RowFile *file, int fd) {
    char now[ROWS_MARK];
    ssize_t got = pread(fd, now, file->marked, (off_t)(file->read - file->marked));
    return got == (ssize_t)file->marked && !memcmp(now, file->mark, file->marked);
}

/* ---- a first look at a long log ---- */

/* The first whole line behind `at`, of at most `room` bytes; NULL: there is none. */
static char *line_behind(char *text, size_t size, bool first, size_t *length) {
    char *start = first ? text : memchr(text, '\n', size);
    if (!start) return NULL;
    if (!first) start++;
    char *stop = memchr(start, '\n', size - (size_t)(start - text));
    if (!stop) return NULL;
    *length = (size_t)(stop - start);
    return start;
}

/* Reads more at a time where lines are long.  What has no line in 16 MB has none. */
static void take_sample(RowFile *file, const RowTaker *taker, int fd, size_t at) {
    for (;; file->line *= 4) {
        size_t length, room = 2 * file->line;
        char *text = mem_alloc(room);
        ssize_t got = pread(fd, text, room, (off_t)at);
        char *line = got > 0 ? line_behind(text, (size_t)got, !at, &length) : NULL;
        if (line) take(file, taker, line, length, at + (size_t)(line - text));
        mem_free(text);
        if (line || got < (ssize_t)room || file->line >= LINE_MOST) return;
    }
}

/* Where a line begins at `at` or behind it; `at` where none does. */
static size_t line_start(int fd, size_t at, size_t size) {
    char *text = mem_alloc(size - at + 1);
    ssize_t got = pread(fd, text, size - at + 1, (off_t)at - 1);
    char *stop = got > 0 ? memchr(text, '\n', (size_t)got) : NULL;
    size_t start = stop ? at + (size_t)(stop - text) : at;
    mem_free(text);
    return start;
}

static void take_samples(RowFile *file, const RowTaker *taker, int fd, size_t size) {
    size_t end = size - MIN(size, taker->tail);
    for (size_t i = 0; i < taker->samples; i++)
        take_sample(file, taker, fd,
                    (size_t)((double)end * (double)i / (double)taker->samples));
    file->fill_at = 0;
    file->read = file->fill_end = end ? line_start(fd, end, size) : 0;
}

/* ---- all that is new ---- */

static size_t lines_of(const char *text, size_t size) {
    size_t lines = 0;
    for (const char *at = text, *end = text + size;
         (at = memchr(at, '\n', (size_t)(end - at))); at++)
        lines++;
    return lines;
}

/* Takes the whole lines of a piece of the file, and returns their bytes.  `stride`: of so
 * many one. */
static size_t take_lines(RowFile *file, const RowTaker *taker, const char *text,
                         size_t size, size_t at, bool last) {
    size_t used = 0, number = 0, lines = lines_of(text, size);
    size_t stride = taker->most ? (lines + taker->most - 1) / taker->most : 1;
    for (const char *stop; (stop = memchr(text + used, '\n', size - used)); number++) {
        const char *line = text + used;
        size_t length = (size_t)(stop - line);
        bool due = stride < 2 || number % stride == 0 || (last && number + 1 == lines);
        if (due || has_event(line, length)) take(file, taker, line, length, at + used);
        used += length + 1;
    }
    return used;
}

/* A last line without its end: an object that is whole will not go on. */
static size_t take_open_line(RowFile *file, const RowTaker *taker, const char *line,
                             size_t length, size_t at) {
    size_t end = length;
    while (end && strchr(" \t\r", line[end - 1])) end--;
    if (!end || line[end - 1] != '}') return 0;
    json_t *row = rows_parse(line, end);
    if (row) take(file, taker, line, end, at);
    json_decref(row);
    return row ? length : 0;
}

/* False: the file ends, or cannot be read. */
static bool take_piece(RowFile *file, const RowTaker *taker, int fd, size_t size,
                       size_t room) {
    char *text = mem_alloc(room);
    ssize_t got = pread(fd, text, MIN(room, size - file->read), (off_t)file->read);
    bool last = got <= 0 || file->read + (size_t)got >= size;
    size_t used = 0;
    if (got > 0) used = take_lines(file, taker, text, (size_t)got, file->read, last);
    if (last && got > (ssize_t)used)
        used += take_open_line(file, taker, text + used, (size_t)got - used,
                               file->read + used);
    file->read += used;
    mem_free(text);
    if (used || last) return !last;
    if (room < LINE_MOST) return take_piece(file, taker, fd, size, 4 * room);
    file->read += room; /* a line that is none */
    file->bad = true;
    return true;
}

static void read_on(RowFile *file, const RowTaker *taker, int fd, size_t size) {
    if (taker->samples && size - file->read > taker->whole) {
        forget(file, taker);
        take_samples(file, taker, fd, size);
    }
    while (file->read < size && take_piece(file, taker, fd, size, PIECE)) continue;
    set_mark(file, fd);
    file->size = size;
}

bool rows_poll(RowFile *file, const RowTaker *taker) {
    struct stat now;
    int fd = -1;
    bool was = file->there, exists = !stat(file->path, &now);
    file->there = exists && S_ISREG(now.st_mode);
    if (file->there && was && (uint64_t)now.st_ino == file->inode &&
        (uint64_t)now.st_dev == file->device && (size_t)now.st_size == file->size &&
        (double)now.st_mtim.tv_sec + 1e-9 * (double)now.st_mtim.tv_nsec == file->changed)
        return false;
    if (file->there) fd = openfile_read(file->path, file->dir, NULL);
    file->there = fd >= 0 && !fstat(fd, &now);
    if (!file->there) {
        if (fd >= 0) close(fd);
        bool known = file->bad;
        forget(file, taker);
        file->bad = exists;
        return was || known != exists;
    }
    size_t size = now.st_size > 0 ? (size_t)now.st_size : 0;
    if ((uint64_t)now.st_ino != file->inode || (uint64_t)now.st_dev != file->device ||
        size < file->read || !was || !is_marked(file, fd))
        forget(file, taker);
    file->inode = (uint64_t)now.st_ino;
    file->device = (uint64_t)now.st_dev;
    file->changed = (double)now.st_mtim.tv_sec + 1e-9 * (double)now.st_mtim.tv_nsec;
    read_on(file, taker, fd, size);
    close(fd);
    return true;
}

bool rows_backfill(RowFile *file, const RowTaker *taker, size_t bytes) {
    size_t size = MIN(bytes, file->fill_end - file->fill_at);
    int fd = size ? openfile_read(file->path, file->dir, NULL) : -1;
    if (fd < 0) return false;
    char *text = mem_alloc(size);
    ssize_t got = pread(fd, text, size, (off_t)file->fill_at);
    close(fd);
    const char *end = text + MAX(got, 0), *at = text, *event, *done = end;
    while ((event = memmem(at, (size_t)(end - at), EVENT, sizeof EVENT - 1))) {
        const char *before = memrchr(text, '\n', (size_t)(event - text));
        const char *line = before ? before + 1 : text;
        const char *stop = memchr(event, '\n', (size_t)(end - event));
        if (!stop) { /* the line goes on in the next piece */
            if (line > text) done = line;
            break;
        }
        take(file, taker, line, (size_t)(stop - line),
             file->fill_at + (size_t)(line - text));
        at = stop;
    }
    const char *newline = done == end ? memrchr(text, '\n', (size_t)(end - text)) : NULL;
    if (newline) done = newline + 1;
    file->fill_at = got > 0 ? file->fill_at + (size_t)(done - text) : file->fill_end;
    mem_free(text);
    return file->fill_at < file->fill_end;
}

char *rows_line(const RowFile *file, size_t at, size_t *length) {
    int fd = openfile_read(file->path, file->dir, NULL);
    char *text = NULL;
    for (size_t room = 2 * file->line; fd >= 0 && room <= 4 * LINE_MOST; room *= 4) {
        text = mem_alloc(room);
        ssize_t got = pread(fd, text, room, (off_t)at);
        char *stop = got > 0 ? memchr(text, '\n', (size_t)got) : NULL;
        if (stop) *length = (size_t)(stop - text);
        else if (got < (ssize_t)room) *length = (size_t)MAX(got, 0);
        if (stop || got < (ssize_t)room) break;
        MEM_DROP(text);
    }
    if (fd >= 0) close(fd);
    return text;
}

/* ---- objects ---- */

/* NaN, Infinity and -Infinity outside of texts become "", which is no number either, in
 * place. */
static void mend(char *text, size_t length) {
    static const char *const WORDS[] = {"NaN", "-Infinity", "Infinity"};
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"' && (!i || text[i - 1] != '\\')) quoted = !quoted;
        for (size_t w = 0; w < COUNT(WORDS) && !quoted; w++) {
            size_t n = strlen(WORDS[w]);
            if (length - i < n || memcmp(text + i, WORDS[w], n)) continue;
            memset(text + i, ' ', n);
            text[i] = text[i + 1] = '"';
            i += n - 1;
            break;
        }
    }
}

json_t *rows_parse(const char *line, size_t length) {
    json_t *row = length <= LINE_MOST ? json_loadb(line, length, 0, NULL) : NULL;
    if (!row && length && length <= LINE_MOST && line[length - 1] == '}') {
        char *copy = mem_alloc(length);
        memcpy(copy, line, length);
        mend(copy, length);
        row = json_loadb(copy, length, 0, NULL);
        mem_free(copy);
    }
    if (json_is_object(row)) return row;
    json_decref(row);
    return NULL;
}

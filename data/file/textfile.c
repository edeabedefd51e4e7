#include "data/file/textfile.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "data/file/bytes.h"
#include "data/file/openfile.h"
#include "data/file/textkind.h"
#include "data/file/utf8.h"

enum { LINE_MOST = 1 << 24, OWN_MOST = 1 << 28 };

bool textfile_exists(const char *path) {
    char packed[PATH_SIZE];
    text_format(packed, sizeof packed, "%s.gz", path);
    return access(path, F_OK) == 0 || access(packed, F_OK) == 0;
}

static Status read_stdin(TextFile *file, Err *err) {
    TextBuffer all = {0};
    char part[1 << 14];
    ssize_t got;
    while ((got = read(STDIN_FILENO, part, sizeof part)) != 0) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            text_free(&all);
            return err_set(err, FAIL_DATA, "standard input cannot be read: %s",
                           strerror(errno));
        }
        text_append(&all, part, (size_t)got);
    }
    text_format(file->path, sizeof file->path, "standard input");
    file->bytes = all.text;
    file->size = all.length;
    return OK;
}

/* A run's own, which is never packed. */
static Status read_own(TextFile *file, const char *path, const char *root, Err *err) {
    text_format(file->path, sizeof file->path, "%s", path);
    file->bytes = openfile_text(path, root, OWN_MOST, &file->size, err);
    return file->bytes ? OK : FAIL_DATA;
}

static Status read_bytes(TextFile *file, const char *path, const char *root, Err *err) {
    if (root) return read_own(file, path, root, err);
    if (!strcmp(path, "-")) return read_stdin(file, err);
    char packed[PATH_SIZE];
    text_format(packed, sizeof packed, "%s.gz", path);
    if (access(path, F_OK) && !access(packed, F_OK)) path = packed;
    text_format(file->path, sizeof file->path, "%s", path);
    ByteFile bytes;
    uint8_t *all = NULL;
    if (bytes_open(&bytes, path, err)) return err->status;
    Status status = bytes_take_rest(&bytes, &all, &file->size, err);
    bytes_close(&bytes);
    file->bytes = (char *)all;
    return status;
}

static void count_lines(TextFile *file) {
    size_t count = 0, at = 0;
    for (size_t i = 0; i < file->size; i++) count += file->bytes[i] == '\n';
    if (file->size && file->bytes[file->size - 1] != '\n') count++;
    file->count = count;
    file->start = mem_alloc((count + 1) * sizeof *file->start);
    for (size_t i = 0; i < count; i++) {
        file->start[i] = at;
        const char *end = memchr(file->bytes + at, '\n', file->size - at);
        at = end ? (size_t)(end - file->bytes) + 1 : file->size + 1;
    }
    file->start[count] = at;
}

Status textfile_check_line(const char *name, size_t number, const char *line,
                           size_t length, Err *err) {
    size_t bad;
    if (length > LINE_MOST)
        return err_set(err, FAIL_DATA,
                       "%s:%zu: a line of %zu bytes; at most %d (16 MB) are allowed; "
                       "break long lines (fold -s -w 1000 FILE >NEW)",
                       name, number, length, LINE_MOST);
    const char *nul = memchr(line, 0, length);
    if (nul)
        return err_set(err, FAIL_DATA,
                       "%s:%zu: byte %zu of the line is NUL; this may not be a text "
                       "file",
                       name, number, (size_t)(nul - line) + 1);
    if (utf8_valid(line, length, &bad)) return OK;
    return err_set(err, FAIL_DATA,
                   "%s:%zu: byte %zu of the line (0x%02x) is not UTF-8; convert the file "
                   "(of western languages perhaps iconv -f LATIN1 -t UTF-8 FILE >NEW)",
                   name, number, bad + 1, (unsigned)(unsigned char)line[bad]);
}

/* What is no text at all is named as a whole. */
static Status check_line(const TextFile *file, size_t i, Err *err) {
    size_t length;
    const char *line = textfile_line(file, i, &length);
    if (!textfile_check_line(file->path, i + 1, line, length, err)) return OK;
    const char *kind = textkind_of(file->bytes, file->size);
    return kind ? err_set(err, FAIL_DATA, "%s is %s", file->path, kind) : FAIL_DATA;
}

static void drop_byte_order_mark(TextFile *file) {
    if (file->size < 3 || memcmp(file->bytes, "\xEF\xBB\xBF", 3)) return;
    file->size -= 3;
    memmove(file->bytes, file->bytes + 3, file->size);
}

Status textfile_read(TextFile *file, const char *path, Err *err) {
    return textfile_read_in(file, path, NULL, err);
}

static Status read_lines(TextFile *file, const char *path, const char *root, Err *err) {
    *file = (TextFile){0};
    if (strlen(path) >= sizeof file->path - 4)
        return err_set(err, FAIL_DATA, "%.60s...: the name is too long", path);
    if (read_bytes(file, path, root, err)) return textfile_free(file), err->status;
    if (!root) drop_byte_order_mark(file); /* a run's own begins with what it saved */
    count_lines(file);
    return OK;
}

Status textfile_read_unchecked(TextFile *file, const char *path, Err *err) {
    return read_lines(file, path, NULL, err);
}

Status textfile_read_in(TextFile *file, const char *path, const char *root, Err *err) {
    if (read_lines(file, path, root, err)) return err->status;
    for (size_t i = 0; i < file->count; i++)
        if (check_line(file, i, err)) return textfile_free(file), err->status;
    return OK;
}

void textfile_of(TextFile *file, TextBuffer *text, const char *name) {
    *file = (TextFile){.bytes = text->text, .size = text->length};
    text_format(file->path, sizeof file->path, "%s", name);
    *text = (TextBuffer){0};
    count_lines(file);
}

const char *textfile_line(const TextFile *file, size_t i, size_t *length) {
    CHECK(i < file->count, "line %zu of %zu", i, file->count);
    const char *line = file->bytes + file->start[i];
    *length = file->start[i + 1] - file->start[i] - 1;
    if (*length && line[*length - 1] == '\r') --*length;
    return line;
}

void textfile_free(TextFile *file) {
    mem_free(file->bytes);
    mem_free(file->start);
    file->bytes = NULL;
    file->start = NULL;
}

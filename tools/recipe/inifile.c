#include "tools/recipe/inifile.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "data/file/openfile.h"

typedef struct IniText {
    const char *label;
    const IniCalls *calls;
    void *user;
    Err err;
    const char *next, *end;           /* what is left of the text */
    size_t line;                      /* number of the present line, from 1 */
    char whole[INIFILE_LINE_MAX + 1]; /* the present line, without indentation */
    const char *rest;                 /* what inih has not seen of it */
    bool wants_value;                 /* it has to reach the handler */
    size_t pieces;                    /* that reached it */
    char section[64], name[INIFILE_LINE_MAX + 1], value[INIFILE_LINE_MAX + 1];
} IniText;

/* ---- from inih: pieces of one value ---- */

static int take_piece(void *user, const char *section, const char *name,
                      const char *value) {
    IniText *text = user;
    size_t used = text->pieces ? strlen(text->value) : 0;
    if (text->pieces++ == 0) {
        text_format(text->section, sizeof text->section, "%s", section);
        text_format(text->name, sizeof text->name, "%s", name);
    }
    text_format(text->value + used, sizeof text->value - used, "%s", value);
    return 1;
}

static Status deliver_value(IniText *text) {
    if (text->pieces == 0)
        return err_set(&text->err, FAIL_USAGE,
                       "`%.60s` is neither [section] nor key = value", text->whole);
    if (!*text->section)
        return err_set(&text->err, FAIL_USAGE, "%.60s is before any [section]",
                       text->name);
    return text->calls->value(text->user, text->section, text->name, text->value,
                              text->line, &text->err);
}

/* ---- to inih: lines, in pieces where they are long ---- */

static Status open_section(IniText *text) {
    const char *close = strchr(text->whole, ']');
    if (!close)
        return err_set(&text->err, FAIL_USAGE, "`%.60s` has no closing ]", text->whole);
    char section[INIFILE_LINE_MAX];
    text_format(section, sizeof section, "%.*s", (int)(close - text->whole - 1),
                text->whole + 1);
    return text->calls->section(text->user, section, &text->err);
}

static Status copy_line(IniText *text) {
    const char *stop = memchr(text->next, '\n', (size_t)(text->end - text->next));
    if (!stop) stop = text->end;
    size_t length = (size_t)(stop - text->next);
    const char *start = text->next;
    text->next = stop < text->end ? stop + 1 : stop;
    text->line++;
    if (length > INIFILE_LINE_MAX)
        return err_set(&text->err, FAIL_USAGE,
                       "the line has %zu characters; at most %d are allowed", length,
                       INIFILE_LINE_MAX);
    while (length && isspace((unsigned char)*start)) start++, length--;
    while (length && isspace((unsigned char)start[length - 1])) length--;
    text_format(text->whole, sizeof text->whole, "%.*s", (int)length, start);
    return OK;
}

/* From a `;` or `#` at the start or behind a blank on; inih itself knows only the `;`. */
static void drop_comment(char *line) {
    for (char *c = line; *c; c++)
        if (strchr(";#", *c) && (c == line || isspace((unsigned char)c[-1]))) {
            *c = 0;
            return;
        }
}

static Status begin_line(IniText *text) {
    text->pieces = 0;
    text->wants_value = false;
    Status status = copy_line(text);
    if (status) return status;
    drop_comment(text->whole);
    text->rest = text->whole;
    if (*text->whole == '[') return open_section(text);
    text->wants_value = *text->whole != 0;
    return OK;
}

static bool next_line(IniText *text) {
    if (text->wants_value && deliver_value(text)) return false;
    text->wants_value = false;
    return text->next < text->end && begin_line(text) == OK;
}

/* inih trims pieces and reads comment signs at their start: neither may be at a cut. */
static size_t piece_length(const char *rest, size_t room) {
    size_t n = strlen(rest);
    if (n <= room) return n;
    for (n = room; n > 0; n--)
        if (!isspace((unsigned char)rest[n - 1]) && !isspace((unsigned char)rest[n]) &&
            !strchr(";#", rest[n]))
            break;
    return n;
}

static char *read_piece(char *buffer, int size, void *stream) {
    IniText *text = stream;
    if (text->err.status || (!*text->rest && !next_line(text))) return NULL;
    bool first = text->rest == text->whole;
    size_t room = (size_t)size - 3; /* a blank that continues, \n, 0 */
    size_t length = piece_length(text->rest, room);
    if (length == 0 && *text->rest) {
        err_set(&text->err, FAIL_USAGE, "too many spaces in a row");
        return NULL;
    }
    text_format(buffer, (size_t)size, "%s%.*s\n", first ? "" : " ", (int)length,
                text->rest);
    text->rest += length;
    return buffer;
}

/* ---- the whole text ---- */

static Status check_bytes(const char *label, const char *text, size_t length, Err *err) {
    for (size_t i = 0, line = 1; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n') line++;
        if (iscntrl(c) && !strchr("\t\n\r\f", c ? c : 1))
            return err_set(err, FAIL_USAGE,
                           "%.300s:%zu: byte 0x%02x: this is not an INI file", label,
                           line, c);
    }
    return OK;
}

Status inifile_parse(const char *label, const char *text, size_t length,
                     const IniCalls *calls, void *user, Err *err) {
    Status status = check_bytes(label, text, length, err);
    if (status) return status;
    IniText state = {.label = label,
                     .calls = calls,
                     .user = user,
                     .next = text,
                     .end = text + length,
                     .rest = ""};
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) state.next += 3;
    int result = ini_parse_stream(read_piece, &state, take_piece, &state);
    if (result < 0) return err_set(err, FAIL_RUN, "%.300s: out of memory", label);
    if (!state.err.status && state.wants_value)
        deliver_value(&state); /* inih gave up early */
    if (state.err.status)
        return err_set(err, state.err.status, "%.300s:%zu: %.600s", label, state.line,
                       state.err.text);
    return OK;
}

/* What a shell makes of <(...) is a pipe that somebody writes: nothing waits for long. */
static bool is_substitution(const char *path) {
    return !strncmp(path, "/dev/fd/", 8) || !strcmp(path, "/dev/stdin");
}

static FILE *open_text(const char *path, const char *root, Err *err) {
    if (root || !is_substitution(path)) return openfile_stream(path, root, err);
    FILE *file = fopen(path, "rb");
    if (!file) err_set(err, FAIL_USAGE, "%.300s: %s", path, strerror(errno));
    return file;
}

Status inifile_load(const char *path, const char *root, const IniCalls *calls, void *user,
                    Err *err) {
    FILE *file = open_text(path, root, err);
    if (!file) {
        Status failure = root ? FAIL_DATA : FAIL_USAGE;
        if (err) err->status = failure;
        return failure;
    }
    char *text = mem_alloc(INIFILE_SIZE_MAX + 1);
    size_t length = fread(text, 1, INIFILE_SIZE_MAX + 1, file);
    Status status = OK;
    if (ferror(file))
        status =
            err_set(err, FAIL_USAGE, "%.300s cannot be read: %s", path, strerror(errno));
    else if (length > INIFILE_SIZE_MAX)
        status = err_set(err, FAIL_USAGE,
                         "%.300s is larger than 1 MB, too large for a recipe", path);
    fclose(file);
    if (!status) status = inifile_parse(path, text, length, calls, user, err);
    mem_free(text);
    return status;
}

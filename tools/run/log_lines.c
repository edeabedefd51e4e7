/* log_lines: what the lines of a log are, in which order they belong, and which of them a
 * later one replaces (tools/run/log_parts.h). */
#include <stdlib.h>
#include <string.h>

#include "engine/core/grow.h"
#include "tools/run/log_parts.h"

/* Lines in the last megabyte are parsed; those before it are if they do not look as the
 * program writes them.  Parsing all of a long log takes half a minute. */
enum { PARSED = 1 << 20, LINE_MOST = 16 << 20, TWINS_MOST = 8 };

/* ---- one line ---- */

/* The digits of {"step":12, or {"step":12} */
static bool read_step(const char *text, size_t length, size_t *step) {
    static const char HEAD[] = "{\"step\":";
    size_t at = sizeof HEAD - 1, value = 0, digits = 0;
    if (length <= at || memcmp(text, HEAD, at)) return false;
    for (; at < length && text[at] >= '0' && text[at] <= '9' && digits < 18;
         at++, digits++)
        value = 10 * value + (size_t)(text[at] - '0');
    *step = value;
    return digits && at < length && (text[at] == ',' || text[at] == '}');
}

/* One object, as far as can be seen without parsing it. */
static bool looks_whole(const char *text, size_t length) {
    size_t odd = 0, quotes = 0, open = 0, closed = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        odd += c < 0x20 || c >= 0x7F || c == '\\';
        quotes += c == '"';
        open += c == '{' || c == '[';
        closed += c == '}' || c == ']';
    }
    return !odd && quotes % 2 == 0 && open == closed && length && text[length - 1] == '}';
}

/* An event, or sharpness alone, which is known some steps later than it is of. */
static bool is_apart(const json_t *row) {
    bool sharp = json_object_get(row, "sharpness") &&
                 !json_object_get(row, "attention") && !json_object_get(row, "weights");
    return sharp || json_object_get(row, "event");
}

static LineKind parse(LogCut *cut, const char *text, size_t length, size_t *step) {
    json_error_t error = {.text = "zeros, as after a power failure"};
    if (length > LINE_MOST)
        text_format(error.text, sizeof error.text, "%zu bytes", length);
    bool hopeless = !*text || length > LINE_MOST;
    json_t *row = hopeless ? NULL : json_loadb(text, length, 0, &error);
    const json_t *number = json_object_get(row, "step");
    json_int_t value = json_is_integer(number) ? json_integer_value(number) : -1;
    LineKind kind = is_apart(row) ? LINE_EVENT : LINE_ROW;
    *step = (size_t)MAX(value, 0);
    json_decref(row);
    if (value >= 0) return kind;
    if (read_step(text, length, step) && *step > cut->last_step) return LINE_ROW;
    if (!cut->bad_count++) {
        cut->bad = text;
        snprintf(cut->why, sizeof cut->why, "%s",
                 row ? "\"step\" is missing or no integer" : error.text);
    }
    return LINE_BAD;
}

static LineKind judge(LogCut *cut, const char *text, size_t length, size_t *step) {
    while (length && text[length - 1] && strchr(" \t\r\n", text[length - 1])) length--;
    if (!length) return LINE_BLANK;
    bool parsed = text + PARSED >= cut->text + cut->size;
    if (!parsed && looks_whole(text, length) && read_step(text, length, step) &&
        !memmem(text, length, "\"event\"", 7) &&
        !memmem(text, length, "\"sharpness\"", 11))
        return LINE_ROW;
    return parse(cut, text, length, step);
}

/* ---- all of them ---- */

static void add_line(LogCut *cut, const char *text, size_t length) {
    GROW(cut->lines, cut->count, cut->room, 1);
    LogLine *line = &cut->lines[cut->count++];
    *line = (LogLine){.text = text, .length = length};
    line->kind = judge(cut, text, length, &line->step);
}

/* A line ends behind \n, or before zeros, which are the blocks of a file that a power cut
 * left unwritten: they are a line of their own, and what follows them may be a row. */
static void split(LogCut *cut) {
    const char *at = cut->text, *end = cut->text + cut->size;
    enum { MARK = 3 }; /* a byte order mark, that an editor put there */
    if (cut->size >= MARK && !cut->before && !memcmp(at, "\xEF\xBB\xBF", MARK))
        add_line(cut, at, MARK), at += MARK;
    while (at < end) {
        const char *stop = at;
        while (stop < end && !*stop) stop++;
        if (stop == at) {
            stop = memchr(at, '\n', (size_t)(end - at));
            stop = stop ? stop + 1 : end;
            const char *zero = memchr(at, 0, (size_t)(stop - at));
            if (zero) stop = zero;
        }
        add_line(cut, at, (size_t)(stop - at));
        at = stop;
    }
}

static int by_order(const void *a, const void *b) {
    const LogLine *x = a, *y = b;
    if (x->order != y->order) return x->order < y->order ? -1 : 1;
    return x->text < y->text ? -1 : x->text > y->text;
}

static void sort(LogCut *cut) {
    size_t now = 0, last = 0;
    for (size_t i = 0; i < cut->count; i++) {
        LogLine *line = &cut->lines[i];
        bool row = line->kind == LINE_ROW;
        if (row) now = line->step;
        line->order = now;
        if (!row || line->step > cut->last_step) continue;
        cut->sorted |= line->step < last;
        last = line->step;
    }
    if (cut->sorted) qsort(cut->lines, cut->count, sizeof *cut->lines, by_order);
}

/* ---- rows of the same step ---- */

/* "split":"val" in it, with its length; "" without one. */
static const char *split_of(const LogLine *line, size_t *length) {
    static const char KEY[] = "\"split\":\"";
    const char *at = memmem(line->text, line->length, KEY, sizeof KEY - 1);
    *length = 0;
    if (!at) return "";
    at += sizeof KEY - 1;
    const char *quote = memchr(at, '"', (size_t)(line->text + line->length - at));
    *length = quote ? (size_t)(quote - at) : 0;
    return at;
}

static bool of_one_kind(const LogLine *a, const LogLine *b) {
    size_t m, n;
    const char *x = split_of(a, &m), *y = split_of(b, &n);
    static const char SITES[] = "\"attention\"";
    return m == n && !memcmp(x, y, m) &&
           !memmem(a->text, a->length, SITES, sizeof SITES - 1) ==
               !memmem(b->text, b->length, SITES, sizeof SITES - 1);
}

static void replace_earlier(LogCut *cut, size_t i) {
    LogLine *line = &cut->lines[i];
    size_t seen = 0;
    for (size_t j = i + 1; j < cut->count && cut->lines[j].order == line->order; j++) {
        if (cut->lines[j].kind != LINE_ROW) continue;
        if (++seen > TWINS_MOST) return;
        if (!of_one_kind(line, &cut->lines[j])) continue;
        line->kind = LINE_REPLACED;
        if (cut->bad_count++) return;
        cut->bad = line->text;
        text_format(cut->why, sizeof cut->why, "step %zu has a second row", line->step);
        return;
    }
}

void log_take_apart(LogCut *cut) {
    split(cut);
    sort(cut);
    for (size_t i = 0; i < cut->count; i++)
        if (cut->lines[i].kind == LINE_ROW && cut->lines[i].step <= cut->last_step)
            replace_earlier(cut, i);
}

/* Manifests: NeMo's JSON lines, and lines with tabs.  A line that is no utterance
 * is a fault as others are, counted and named; only a file of another kind ends
 * the reading at once. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/textfile.h"
#include "data/speech/sources.h"

#define WANTED                                                                           \
    "expected: one JSON object per line, {\"audio_filepath\": ..., \"text\": ..., "      \
    "\"duration\": ...}, or path, duration and text separated by tabs (duration is "     \
    "optional; docs/data.md, own recordings, converts other lists)"

/* A line of a manifest. */
typedef struct Line {
    SpeechFill *fill;
    const TextFile *file;
    size_t number; /* from 1 */
} Line;

static void __attribute__((format(printf, 2, 3)))
malformed(const Line *line, const char *format, ...) {
    char text[800];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    line->fill->set->report.listed++;
    speech_fault(line->fill->set, SPEECH_MALFORMED, "%s:%zu: %s", line->file->path,
                 line->number, text);
}

/* What a line says of its recording. */
typedef struct Recording {
    const char *path; /* relative to the manifest's folder */
    size_t length;    /* of the path */
    AudioSpan span;
    bool cut;
} Recording;

static void add(const Line *line, const Recording *recording, const char *text,
                size_t length) {
    const char *path = recording->path;
    size_t path_length = recording->length;
    char full[SPEECH_PATH];
    const char *slash = strrchr(line->file->path, '/');
    size_t folder = slash && path[0] != '/' ? (size_t)(slash - line->file->path) + 1 : 0;
    if (!path_length) {
        malformed(line, "the path is empty");
        return;
    }
    if (folder + path_length >= PATH_SIZE) {
        malformed(line, "the path is too long (%zu bytes)", path_length);
        return;
    }
    text_format(full, sizeof full, "%.*s%.*s", (int)folder, line->file->path,
                (int)path_length, path);
    SpeechItem *item = speech_add(line->fill, full, text, length, line->number);
    if (!item) return;
    item->span = recording->span;
    item->cut = recording->cut;
}

/* ---- JSON ---- */

/* "text, duration": the keys that are there, some of them. */
static void list_keys(const json_t *object, char *text, size_t size) {
    enum { SHOWN = 6, KEY = 40 };
    const char *key;
    json_t *value;
    size_t at = 0, count = 0;
    text_format(text, size, "none");
    json_object_foreach((json_t *)object, key, value) {
        if (count == SHOWN || at + KEY + 10 > size) break;
        text_format(text + at, size - at, "%s%.40s", count++ ? ", " : "", key);
        at += strlen(text + at);
    }
}

static const char *wanted_string(const Line *line, const json_t *object,
                                 const char *name) {
    const json_t *value = json_object_get(object, name);
    char keys[320];
    if (json_is_string(value)) return json_string_value(value);
    list_keys(object, keys, sizeof keys);
    if (value)
        malformed(line, "\"%s\" is not a string but %s", name,
                  json_is_null(value)     ? "null"
                  : json_is_number(value) ? "a number"
                                          : "of another type");
    else
        malformed(
            line,
            "\"%s\" is missing (keys of this line: %s; expected: audio_filepath, text, "
            "optionally offset and duration)",
            name, keys);
    return NULL;
}

/* Seconds, 0 where nothing or null is said; false: a fault.  `least` is out,
 * or in where it is 0. */
static bool read_seconds(const Line *line, const json_t *object, const char *name,
                         bool zero, double *seconds) {
    const json_t *value = json_object_get(object, name);
    *seconds = 0;
    if (!value || json_is_null(value)) return true;
    *seconds = json_number_value(value);
    if (json_is_number(value) && *seconds < 1e9 && (zero ? *seconds >= 0 : *seconds > 0))
        return true;
    malformed(line, "\"%s\" is not a number of seconds %s 0", name,
              zero ? "from" : "above");
    return false;
}

static void add_object(const Line *line, const json_t *object) {
    Recording r = {0};
    const char *text;
    if (!(r.path = wanted_string(line, object, "audio_filepath")) ||
        !(text = wanted_string(line, object, "text")) ||
        !read_seconds(line, object, "duration", false, &r.span.seconds) ||
        !read_seconds(line, object, "offset", true, &r.span.start))
        return;
    r.length = strlen(r.path);
    r.cut = json_is_number(json_object_get(object, "offset"));
    add(line, &r, text, strlen(text));
}

static void read_json(const Line *line, const char *bytes, size_t length) {
    json_error_t reason;
    json_t *object = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &reason);
    if (!object) malformed(line, "not JSON: %s", reason.text);
    else if (!json_is_object(object)) malformed(line, "not a JSON object");
    else add_object(line, object);
    json_decref(object);
}

/* ---- tabs ---- */

/* Seconds, or 0 where it is no duration. */
static double read_duration(const char *text, size_t length) {
    char copy[40], *end;
    if (!length || length >= sizeof copy) return 0;
    memcpy(copy, text, length);
    copy[length] = 0;
    double seconds = strtod(copy, &end);
    return *end == 0 && seconds > 0 && seconds < 1e9 ? seconds : 0;
}

static void read_tabs(const Line *line, const char *bytes, size_t length) {
    const char *end = bytes + length, *first = memchr(bytes, '\t', length);
    const char *second =
        first ? memchr(first + 1, '\t', (size_t)(end - first - 1)) : NULL;
    if (!first) {
        malformed(line, "expected a JSON object, or path and text separated by a tab, "
                        "or path, duration and text (docs/data.md, own recordings, "
                        "converts other lists)");
        return;
    }
    if (!second) {
        Recording whole = {.path = bytes, .length = (size_t)(first - bytes)};
        add(line, &whole, first + 1, (size_t)(end - first - 1));
        return;
    }
    size_t width = (size_t)(second - first - 1);
    Recording r = {.path = bytes, .length = (size_t)(first - bytes)};
    r.span.seconds = read_duration(first + 1, width);
    if (r.span.seconds > 0) add(line, &r, second + 1, (size_t)(end - second - 1));
    else
        malformed(line,
                  "the second column, \"%.*s\", is not a positive number of "
                  "seconds",
                  (int)MIN(width, (size_t)40), first + 1);
}

/* ---- the first line tells what the file is ---- */

static bool is_blank(const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != ' ' && bytes[i] != '\t') return false;
    return true;
}

/* The next of words with `sign` between; false: there is none. */
static bool next_column(const char **at, const char *end, char sign, const char **column,
                        size_t *length) {
    if (*at > end) return false;
    const char *stop = memchr(*at, sign, (size_t)(end - *at));
    *column = *at;
    if (!stop) stop = end;
    *length = (size_t)(stop - *at);
    *at = stop + 1;
    return true;
}

/* Names that columns of other manifests have. */
static bool is_header(const char *bytes, size_t length, char sign) {
    static const char *const NAMES[] = {
        "path",     "text",         "sentence",       "client_id",
        "file",     "filename",     "audio",          "wav",
        "duration", "transcript",   "audio_filepath", "id",
        "speaker",  "wav_filename", "file_name",      "transcription"};
    const char *at = bytes, *column;
    size_t width, names = 0;
    while (next_column(&at, bytes + length, sign, &column, &width))
        for (size_t i = 0; i < COUNT(NAMES); i++)
            names += width == strlen(NAMES[i]) && !memcmp(column, NAMES[i], width);
    return names > 1;
}

static bool is_word(const char *column, size_t width, const char *word) {
    return width == strlen(word) && !memcmp(column, word, width);
}

/* "path", "duration" and "text", or the first and the last of them. */
static bool is_own_header(const char *bytes, size_t length) {
    const char *at = bytes, *column = NULL;
    size_t width = 0;
    for (int i = 0; i < 2; i++)
        if (!next_column(&at, bytes + length, '\t', &column, &width)) return false;
    if (at > bytes + length) return is_word(column, width, "text");
    return is_word(column, width, "duration");
}

typedef enum { JSON_LINES, TAB_LINES, TAB_HEADER, OTHER_FILE } Form;

static Form form_of(const Line *line, const char *bytes, size_t length, Err *err) {
    const char *path = line->file->path, *start = bytes + strspn(bytes, " \t");
    size_t left = length - (size_t)(start - bytes);
    bool tabs = memchr(bytes, '\t', length);
    Form form = *start == '{' ? JSON_LINES : TAB_LINES;
    if (*start == '[')
        err_set(err, FAIL_DATA,
                "%s:%zu: this is a JSON array; expected one JSON object per line; "
                "convert it: jq -c '.[]' %s",
                path, line->number, path);
    else if (form == JSON_LINES && is_blank(start + 1, left - 1))
        err_set(err, FAIL_DATA,
                "%s:%zu: a JSON object on several lines; expected one per line; "
                "convert it: jq -c . %s",
                path, line->number, path);
    else if (is_own_header(bytes, length)) form = TAB_HEADER;
    else if (is_header(bytes, length, tabs ? '\t' : ','))
        err_set(err, FAIL_DATA,
                "%s:%zu: \"%.*s\": columns of another kind of list; " WANTED, path,
                line->number, (int)MIN(length, (size_t)80), bytes);
    return err->status ? OTHER_FILE : form;
}

static void read_line(const Line *line, Form form, const char *bytes, size_t length) {
    Err err = ERR_NONE;
    if (textfile_check_line("", line->number, bytes, length, &err)) {
        const char *text = strchr(err.text + 1, ' '); /* behind ":12:" */
        malformed(line, "%s", text ? text + 1 : err.text);
        return;
    }
    (form == JSON_LINES ? read_json : read_tabs)(line, bytes, length);
}

static Status read_manifest(SpeechFill *fill, const char *path, Err *err) {
    TextFile file;
    if (textfile_read_unchecked(&file, path, err)) return err->status;
    speech_begin_list(fill, path);
    bool known = false;
    Form form = OTHER_FILE;
    for (size_t i = 0; i < file.count && !err->status; i++) {
        size_t length;
        const char *bytes = textfile_line(&file, i, &length);
        Line line = {fill, &file, i + 1};
        if (is_blank(bytes, length)) continue;
        bool first = !known;
        if (first) form = form_of(&line, bytes, length, err), known = true;
        if (!err->status && !(first && form == TAB_HEADER))
            read_line(&line, form, bytes, length);
    }
    textfile_free(&file);
    return err->status;
}

const SpeechSource manifest_source = {.read_list = read_manifest,
                                      .wanted = {.kind = "file",
                                                 .what = "a manifest of your recordings",
                                                 .form = "FILE",
                                                 .either = true},
                                      .val = {"dev*", "val*"},
                                      .test = {"test*"}};

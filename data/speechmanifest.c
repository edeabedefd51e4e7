/* Manifests: NeMo's JSON lines, and lines with tabs. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "data/speech_parts.h"
#include "data/textfile.h"

/* A line of a manifest. */
typedef struct Line {
    SpeechFill *fill;
    const TextFile *file;
    size_t number; /* from 1 */
} Line;

static Status fail_at(const Line *line, Err *err, const char *what) {
    return err_set(err, FAIL_DATA, "%s:%zu: %s", line->file->path, line->number, what);
}

/* What a line says of its recording. */
typedef struct Recording {
    const char *path; /* relative to the manifest's folder */
    size_t length;    /* of the path */
    double seconds;   /* 0: not said */
} Recording;

static Status add(const Line *line, const Recording *recording, const char *text,
                  size_t length, Err *err) {
    const char *path = recording->path;
    size_t path_length = recording->length, before = line->fill->set->count;
    char full[SPEECH_PATH];
    const char *slash = strrchr(line->file->path, '/');
    size_t folder = slash && path[0] != '/' ? (size_t)(slash - line->file->path) + 1 : 0;
    if (!path_length) return fail_at(line, err, "the path is empty");
    if (folder + path_length >= sizeof full)
        return fail_at(line, err, "the path is too long");
    text_format(full, sizeof full, "%.*s%.*s", (int)folder, line->file->path,
                (int)path_length, path);
    speech_add(line->fill, full, text, length, line->number);
    SpeechSet *set = line->fill->set;
    if (set->count > before) set->item[before].said = recording->seconds;
    return OK;
}

/* ---- JSON ---- */

static Status add_object(const Line *line, const json_t *object, Err *err) {
    const json_t *path = json_object_get(object, "audio_filepath");
    const json_t *text = json_object_get(object, "text");
    const json_t *duration = json_object_get(object, "duration");
    const json_t *offset = json_object_get(object, "offset");
    if (!json_is_string(path))
        return fail_at(line, err, "there is no string \"audio_filepath\"");
    if (!json_is_string(text)) return fail_at(line, err, "there is no string \"text\"");
    if (duration && !(json_number_value(duration) > 0))
        return fail_at(line, err, "\"duration\" is not a number of seconds above 0");
    bool whole = !offset || json_is_null(offset) ||
                 (json_is_number(offset) && json_number_value(offset) == 0);
    if (!whole)
        return fail_at(line, err,
                       "\"offset\" is not 0: cut the recording into utterances first");
    Recording recording = {json_string_value(path), json_string_length(path),
                           json_number_value(duration)};
    return add(line, &recording, json_string_value(text), json_string_length(text), err);
}

static Status read_json(const Line *line, const char *bytes, size_t length, Err *err) {
    json_error_t reason;
    json_t *object = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &reason);
    if (!object)
        return err_set(err, FAIL_DATA, "%s:%zu: not JSON: %s", line->file->path,
                       line->number, reason.text);
    Status status = json_is_object(object) ? add_object(line, object, err)
                                           : fail_at(line, err, "not a JSON object");
    json_decref(object);
    return status;
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

static Status read_tabs(const Line *line, const char *bytes, size_t length, Err *err) {
    const char *end = bytes + length, *first = memchr(bytes, '\t', length);
    const char *second =
        first ? memchr(first + 1, '\t', (size_t)(end - first - 1)) : NULL;
    if (!second)
        return fail_at(
            line, err,
            "path, duration and text between tabs are wanted, or a JSON object");
    size_t width = (size_t)(second - first - 1);
    bool head = line->number == 1 && width == strlen("duration") &&
                !memcmp(first + 1, "duration", width);
    if (head) return OK;
    Recording recording = {bytes, (size_t)(first - bytes),
                           read_duration(first + 1, width)};
    if (recording.seconds == 0)
        return err_set(err, FAIL_DATA,
                       "%s:%zu: the second column, \"%.*s\", is not a number of seconds "
                       "above 0",
                       line->file->path, line->number, (int)MIN(width, (size_t)40),
                       first + 1);
    return add(line, &recording, second + 1, (size_t)(end - second - 1), err);
}

static bool is_blank(const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != ' ' && bytes[i] != '\t') return false;
    return true;
}

Status speech_read_manifest(SpeechFill *fill, const char *path, Err *err) {
    TextFile file;
    if (textfile_read(&file, path, err)) return err->status;
    speech_begin_list(fill, path);
    bool json = false, known = false;
    for (size_t i = 0; i < file.count && !err->status; i++) {
        size_t length;
        const char *bytes = textfile_line(&file, i, &length);
        Line line = {fill, &file, i + 1};
        if (is_blank(bytes, length)) continue;
        if (!known) json = bytes[strspn(bytes, " \t")] == '{', known = true;
        (json ? read_json : read_tabs)(&line, bytes, length, err);
    }
    textfile_free(&file);
    return err->status;
}

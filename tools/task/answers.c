#include "tools/task/answers.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/run/rundir.h"

/* The list of that name, made where it is missing. */
static json_t *list_of(json_t *answers, const char *name) {
    json_t *list = json_object_get(answers, name);
    if (!list) json_object_set_new(answers, name, list = json_array());
    return list;
}

void answers_add_text(json_t *answers, const char *title, ...) {
    json_t *rows = json_array();
    const char *label;
    va_list args;
    va_start(args, title);
    while ((label = va_arg(args, const char *))) {
        const char *value = va_arg(args, const char *);
        json_array_append_new(rows, json_pack("[s, o]", label, json_text(value)));
    }
    va_end(args);
    json_array_append_new(list_of(answers, "texts"),
                          json_pack("{s:s, s:o}", "title", title, "rows", rows));
}

void answers_note(json_t *answers, const char *format, ...) {
    char note[400];
    va_list args;
    va_start(args, format);
    vsnprintf(note, sizeof note, format, args);
    va_end(args);
    json_object_set_new(answers, "note", json_text(note));
}

void answers_add_line(json_t *answers, const char *format, ...) {
    char line[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    json_array_append_new(list_of(answers, "log"), json_text(line));
}

void answers_add_confusion(json_t *answers, char *const *names, const double *counts,
                           size_t classes) {
    json_t *list = json_array(), *rows = json_array();
    for (size_t i = 0; i < classes; i++) {
        char number[24];
        text_format(number, sizeof number, "%zu", i);
        json_array_append_new(list, json_text(names ? names[i] : number));
        json_t *row = json_array();
        for (size_t j = 0; j < classes; j++)
            json_array_append_new(row, json_integer((json_int_t)counts[i * classes + j]));
        json_array_append_new(rows, row);
    }
    json_object_set_new(answers, "confusion",
                        json_pack("{s:o, s:o}", "classes", list, "counts", rows));
}

void answer_cut(const char *text, char out[ANSWER_TEXT + 4]) {
    size_t length = strlen(text), end = MIN(length, (size_t)ANSWER_TEXT);
    while (end < length && end && ((unsigned char)text[end] & 0xC0) == 0x80) end--;
    memcpy(out, text, end);
    strcpy(out + end, end < length ? "..." : "");
    for (char *c = out; *c; c++)
        if (*c == '\n' || *c == '\r' || *c == '\t') *c = ' ';
}

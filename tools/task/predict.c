#include "tools/task/predict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/textmarks.h"
#include "tools/program/output.h"
#include "tools/program/say.h"
#include "tools/run/rundir.h"

/* ---- inputs ---- */

/* What is odd in an input (data/file/textmarks.h), on stderr. */
static void say_marks(const TextFile *file) {
    DataFacts facts = {0};
    textmarks_note(file, &facts);
    for (size_t i = 0; i < facts.notes; i++) say("steady: note: %s", facts.note[i].text);
    facts_free(&facts);
}

char *predict_line_copy(const InputLine *line) {
    char *copy = mem_alloc(line->length + 1);
    memcpy(copy, line->text, line->length);
    copy[line->length] = 0;
    return copy;
}

/* As they come, so that who types is answered line by line. */
static Status predict_stdin(size_t limit, PredictLine *answer, void *context, Err *err) {
    static const char NAME[] = "standard input";
    char *bytes = NULL;
    size_t room = 0, number = 0;
    ssize_t size;
    while (!err->status && !output_failed() && (!limit || number < limit) &&
           (size = getline(&bytes, &room, stdin)) > 0) {
        size_t length = (size_t)size;
        if (bytes[length - 1] == '\n') length--;
        if (length && bytes[length - 1] == '\r') length--;
        number++;
        InputLine line = {
            .where = NAME, .number = number, .text = bytes, .length = length};
        if (!textfile_check_line(NAME, number, bytes, length, err))
            answer(context, &line, err);
    }
    free(bytes);
    return err->status;
}

Status predict_lines(const char *path, size_t limit, PredictLine *answer, void *context,
                     Err *err) {
    TextFile file;
    if (!strcmp(path, "-")) return predict_stdin(limit, answer, context, err);
    if (textfile_read(&file, path, err)) return err->status;
    say_marks(&file);
    size_t most = limit ? MIN(limit, file.count) : file.count;
    for (size_t k = 0; k < most && !err->status && !output_failed(); k++) {
        InputLine line = {.where = path, .number = k + 1, .last = k + 1 == most};
        line.text = textfile_line(&file, k, &line.length);
        answer(context, &line, err);
    }
    textfile_free(&file);
    return err->status;
}

/* ---- output ---- */

json_t *predict_numbers(const real *x, size_t count) {
    json_t *row = json_array();
    for (size_t k = 0; k < count; k++)
        json_array_append_new(row, json_number((double)x[k]));
    return row;
}

void predict_print(json_t *row) {
    output_json(row, JSON_COMPACT | JSON_REAL_PRECISION(9));
}

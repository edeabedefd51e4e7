/* score: a split is scored, and its numbers are asked for by name. */
#include <math.h>
#include <string.h>

#include "data/file/textbuffer.h"
#include "tools/library/model.h"
#include "tools/task/score.h"

static bool has_split(const Task *task, steady_split split) {
    return split == STEADY_TRAIN || (split == STEADY_VAL && task->has_val) ||
           (split == STEADY_TEST && task->has_test);
}

static Status evaluate(steady_model *m, steady_split split, Err *err) {
    Score score;
    ForwardMode mode = model_mode(m);
    if (!has_split(m->task, split))
        return err_set(
            err, FAIL_USAGE,
            "the data have no %s split; see data.val_fraction, data.val_path and "
            "data.test_path",
            split == STEADY_VAL    ? "val"
            : split == STEADY_TEST ? "test"
                                   : "such");
    json_decref(m->scores);
    m->scores = NULL;
    model_freeze(m->task->model);
    if (m->task->ops->evaluate(m->task, tape_of(m), &mode, (Split)split, true, &score,
                               err))
        return err->status;
    m->scores = score_row(&score, m->done);
    score_clear(&score);
    return OK;
}

steady_status steady_model_evaluate(steady_model *model, steady_split split,
                                    steady_error *error) {
    THROUGH_DOOR(handle_of(model), MISSING1(model), error,
                 evaluate(model, split, &door.err));
}

static void list_names(json_t *scores, TextBuffer *text) {
    const char *name;
    json_t *value;
    text_clear(text);
    json_object_foreach(scores, name, value) {
        if (!json_is_number(value) && !json_is_null(value)) continue;
        if (text->length) text_append(text, ", ", 2);
        text_append(text, name, strlen(name));
    }
}

static Status find(const steady_model *m, const char *name, double *value, Err *err) {
    const json_t *found = json_object_get(m->scores, name);
    if (!m->scores) return err_set(err, FAIL_USAGE, "nothing has been evaluated yet");
    if (json_is_number(found)) return *value = json_number_value(found), OK;
    if (json_is_null(found)) return *value = (double)NAN, OK;
    TextBuffer names = {0};
    list_names(m->scores, &names);
    err_set(err, FAIL_USAGE, "%.60s is not measured; expected one of %.400s", name,
            names.text);
    text_free(&names);
    return err->status;
}

steady_status steady_model_score(const steady_model *model, const char *name,
                                 double *value, steady_error *error) {
    READ_THROUGH_DOOR(const_handle_of(model), MISSING3(model, name, value), error,
                      find(model, name, value, &door.err));
}

/* weights: single parameters, and files of all of them. */
#include <math.h>
#include <string.h>

#include "tools/library/model.h"
#include "tools/recipe/change.h"
#include "tools/run/checkpoint.h"
#include "tools/task/meaning.h"

size_t steady_model_parameters(const steady_model *model) {
    return model && model->task ? model->task->model->params->count : 0;
}

static Param *param_of(const steady_model *m, size_t i, Err *err) {
    size_t count = steady_model_parameters(m);
    if (i < count) return m->task->model->params->list[i];
    err_set(err, FAIL_USAGE, "parameter %zu: expected a number below %zu", i, count);
    return NULL;
}

static void describe(const steady_model *m, size_t i, steady_parameter *out, Err *err) {
    const Param *p = param_of(m, i, err);
    if (!p) return;
    *out = (steady_parameter){.name = p->name,
                              .dims = p->tensor.dims,
                              .size = p->tensor.size,
                              .trained = param_is_trained(p)};
    memcpy(out->shape, p->tensor.shape, (size_t)p->tensor.dims * sizeof *out->shape);
}

steady_status steady_model_parameter(const steady_model *model, size_t parameter,
                                     steady_parameter *out, steady_error *error) {
    READ_THROUGH_DOOR(const_handle_of(model), MISSING2(model, out), error,
                      describe(model, parameter, out, &door.err));
}

static Tensor *sized(const steady_model *m, size_t i, size_t size, Err *err) {
    Param *p = param_of(m, i, err);
    if (!p || p->tensor.size == size) return p ? &p->tensor : NULL;
    err_set(err, FAIL_USAGE, "%s has %zu numbers, but the array has %zu", p->name,
            p->tensor.size, size);
    return NULL;
}

static void read_values(const steady_model *m, size_t i, float *values, size_t size,
                        Err *err) {
    const Tensor *t = sized(m, i, size, err);
    for (size_t k = 0; t && k < size; k++) values[k] = (float)t->value[k];
}

steady_status steady_model_read(const steady_model *model, size_t parameter,
                                float *values, size_t size, steady_error *error) {
    READ_THROUGH_DOOR(const_handle_of(model), MISSING2(model, values), error,
                      read_values(model, parameter, values, size, &door.err));
}

static void write_values(steady_model *m, size_t i, const float *values, size_t size,
                         Err *err) {
    Tensor *t = sized(m, i, size, err);
    for (size_t k = 0; t && k < size; k++) t->value[k] = (real)values[k];
}

steady_status steady_model_write(steady_model *model, size_t parameter,
                                 const float *values, size_t size, steady_error *error) {
    THROUGH_DOOR(handle_of(model), MISSING2(model, values), error,
                 write_values(model, parameter, values, size, &door.err));
}

/* ---- files ---- */

static CheckpointParts parts_of(const steady_model *m) {
    return (CheckpointParts){.model = m->task->model,
                             .optim = m->step.optim,
                             .optimizer = optim_name(m->recipe.optim.name),
                             .skips = &m->task->skips,
                             .prober = m->prober};
}

static Status save(steady_model *m, const char *path, Err *err) {
    TextBuffer recipe = {0}, meaning = {0};
    Progressed at = {.epoch_steps = m->task->steps_per_epoch,
                     .epoch_left = m->task->steps_per_epoch,
                     .step = m->done,
                     .data_offset = m->passed,
                     .best_score = (double)NAN,
                     .temperature = model_mode(m).temperature,
                     .acted = m->acted,
                     .plateau = PLATEAU_START};
    CheckpointParts parts = parts_of(m);
    recipe_digest(&m->base, &recipe);
    meaning_describe(m->task, at.temperature, &meaning);
    parts.recipe = recipe.text;
    parts.meaning = meaning.text;
    checkpoint_save(path, NULL, &parts, &at, err);
    text_free(&meaning);
    text_free(&recipe);
    return err->status;
}

steady_status steady_model_save(steady_model *model, const char *path,
                                steady_error *error) {
    THROUGH_DOOR(handle_of(model), MISSING2(model, path), error,
                 save(model, path, &door.err));
}

static Status load(steady_model *m, const char *path, Err *err) {
    if (meaning_check_file(m->task, path, NULL, "", err)) return err->status;
    return weights_load_plain(path, NULL, m->task->model, err);
}

steady_status steady_model_load(steady_model *model, const char *path,
                                steady_error *error) {
    THROUGH_DOOR(handle_of(model), MISSING2(model, path), error,
                 load(model, path, &door.err));
}

/* Steps may follow that would not have followed there. */
static void say_changes(const steady_model *m, const char *path) {
    char *digest = checkpoint_fact(path, NULL, "recipe");
    if (!digest) return;
    TextBuffer text = {0};
    Recipe *was = mem_alloc(sizeof *was);
    *was = m->base;
    recipe_read_digest(was, digest);
    RecipeChanges changes = recipe_compare(was, &m->base);
    recipe_changes_text(&changes, &text);
    if (changes.count) say("steady: note: %s: %s", path, text.text);
    recipe_changes_free(&changes);
    text_free(&text);
    mem_free(was);
    mem_free(digest);
}

/* Interventions that acted there act here: its temperature is then the model's. */
static Status take_acted(steady_model *m, const char *path, Err *err) {
    Acted before = m->acted, acted;
    char *text = checkpoint_fact(path, NULL, "intervened");
    bool good = acted_read(text, &acted);
    mem_free(text);
    if (good) model_set_acted(m, &acted);
    if (!meaning_check_file(m->task, path, NULL, "", err)) return OK;
    model_set_acted(m, &before);
    return err->status;
}

static Status resume(steady_model *m, const char *path, Err *err) {
    Progressed at;
    CheckpointParts parts = parts_of(m);
    Acted before = m->acted;
    if (m->run.task)
        return err_set(err, FAIL_USAGE,
                       "a model opened from a run folder cannot be "
                       "trained");
    if (take_acted(m, path, err)) return err->status;
    if (checkpoint_load(path, NULL, &parts, &at, err)) {
        model_set_acted(m, &before);
        return err->status;
    }
    say_changes(m, path);
    m->done = at.step;
    m->passed = at.data_offset;
    return m->task->ops->start(m->task, m->done + m->passed + 1, err);
}

steady_status steady_model_resume(steady_model *model, const char *path,
                                  steady_error *error) {
    THROUGH_DOOR(handle_of(model), MISSING2(model, path), error,
                 resume(model, path, &door.err));
}

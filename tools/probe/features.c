#include "tools/probe/features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/safetensors.h"
#include "engine/kern/reduce.h"
#include "engine/kern/rows.h"
#include "tools/probe/pace.h"
#include "tools/program/stop.h"
#include "tools/run/datafacts.h"
#include "tools/run/rundir.h"
#include "tools/task/pictures.h"

/* Keys that scores of a model use and its features do not. */
static const char *const OF_LOSSES[] = {"contrast.temperature", "train.label_smoothing"};

Status features_check(const OpenRun *run, Err *err) {
    for (size_t i = 0; i < COUNT(OF_LOSSES); i++)
        if (keyset_has(run->recipe->worded, key_find(OF_LOSSES[i])))
            return err_set(
                err, FAIL_USAGE,
                "%s has no effect on features, which have no loss; leave it out",
                OF_LOSSES[i]);
    if (run->task->ops->features && !*run->checkpoint)
        fprintf(stderr,
                "steady: note: the weights are random initial ones; to name weights: "
                "train.init or --checkpoint\n");
    if (run->task->ops->features) return OK;
    return err_set(err, FAIL_USAGE,
                   "task.kind = %s has no picture features; a linear probe needs a run "
                   "of pictures",
                   task_name(run->recipe->task));
}

/* ---- one batch ---- */

static void take_piece(OpenRun *run, const Batch *batch, size_t from, size_t to,
                       real *x) {
    ForwardMode mode = run_mode(run);
    size_t width = run->recipe->model.width;
    tape_begin(run->tape, (TapeMode){.precision = mode.precision});
    Tensor *pixels = picture_tensor(run->tape, batch, from, to);
    Tensor *rows = run->task->ops->features(run->task, run->tape, &mode, pixels);
    CHECK(rows->size == (to - from) * width, "features of %zu numbers for %zu pictures",
          rows->size, to - from);
    memcpy(x + from * width, rows->value, rows->size * sizeof(real));
}

Status features_of_batch(OpenRun *run, const Batch *batch, Split split, real *x,
                         Err *err) {
    size_t width = run->recipe->model.width, piece = run->recipe->train.batch;
    for (size_t from = 0; from < batch->count; from += piece)
        take_piece(run, batch, from, MIN(from + piece, batch->count), x);
    for (size_t i = 0; i < batch->count; i++)
        if (!reduce_all_finite(x + i * width, width))
            return err_set(err, FAIL_DIVERGED,
                           "the encoder's features of %s picture %zu are not finite; "
                           "choose an earlier --checkpoint",
                           split_name(split), batch->item[i]);
    return OK;
}

/* ---- a split ---- */

static Status take_batch(OpenRun *run, const Batch *batch, Split split, Features *f,
                         Err *err) {
    real *x = f->x + f->count * f->width;
    if (features_of_batch(run, batch, split, x, err)) return err->status;
    memcpy(f->label + f->count, batch->label, batch->count * sizeof *f->label);
    f->count += batch->count;
    f->skipped = batch->skipped;
    if (!stop_requested()) return OK;
    return err_set(err, FAIL_INTERRUPTED, "interrupted while computing features of %s",
                   split_name(split));
}

static Status take_all(OpenRun *run, Loader *loader, const Dataset *set, Split split,
                       Features *f, Err *err) {
    PictureTask *p = (PictureTask *)run->task;
    const Batch *batch;
    char what[40];
    Pace pace = pace_begin();
    text_format(what, sizeof what, "features of %s", split_name(split));
    while (!loader_next(loader, &batch, err)) {
        picture_task_see_scored(p, split, batch);
        if (!batch->count || take_batch(run, batch, split, f, err)) break;
        pace_show(&pace, f->count, set->count, what);
    }
    return err->status;
}

static void make_room(Features *f, const OpenRun *run, const Dataset *set) {
    *f = (Features){.width = run->recipe->model.width,
                    .classes = picture_facts(run->task)->classes};
    mem_expect((double)set->count * (double)f->width * sizeof(real), "the features");
    f->x = mem_array(set->count * f->width, sizeof *f->x);
    f->label = mem_array(set->count, sizeof *f->label);
}

Status features_of_split(OpenRun *run, Split split, Features *f, Err *err) {
    *f = (Features){0};
    const Dataset *set = picture_task_set((PictureTask *)run->task, split, err);
    if (!set) return run_advise_data(err);
    if (!set->count)
        return err_set(err, FAIL_DATA, "the %s split is empty", split_name(split));
    LoaderConfig config =
        picture_task_loader(run->task, false, MIN(run->recipe->train.batch, set->count));
    config.pairs = false;
    Loader *loader = loader_start(set, &config, 1, err);
    if (!loader) return err->status;
    make_room(f, run, set);
    take_all(run, loader, set, split, f, err);
    loader_stop(loader);
    if (!err->status && !f->count)
        err_set(err, FAIL_DATA, "none of the %zu pictures of the %s split can be read",
                set->count, split_name(split));
    if (err->status) features_free(f);
    return err->status;
}

void features_free(Features *f) {
    mem_free(f->x);
    mem_free(f->label);
    *f = (Features){0};
}

/* ---- a file ---- */

static void add_class_names(SafetensorsWriter *writer, const PictureFacts *facts) {
    if (!facts->class_names) return;
    json_t *names = json_array();
    for (size_t k = 0; k < facts->classes; k++)
        json_array_append_new(names, json_text(facts->class_names[k]));
    char *text = json_dumps(names, JSON_COMPACT);
    safetensors_add_metadata(writer, "class_names", text);
    free(text);
    json_decref(names);
}

Status features_save(const OpenRun *run, Split split, const Features *f, const char *path,
                     Err *err) {
    char step[24];
    bool known = run->step || !*run->checkpoint;
    real *label = mem_array(f->count, sizeof *label);
    for (size_t i = 0; i < f->count; i++) label[i] = (real)f->label[i];
    text_format(step, sizeof step, "%zu", run->step);
    SafetensorsWriter *writer = safetensors_writer_new();
    safetensors_add(writer, "features", 2, (size_t[]){f->count, f->width}, f->x);
    safetensors_add(writer, "label", 1, &f->count, label);
    safetensors_add_metadata(writer, "split", split_name(split));
    if (known) safetensors_add_metadata(writer, "step", step);
    safetensors_add_metadata(writer, "checkpoint", run->checkpoint);
    add_class_names(writer, picture_facts(run->task));
    Status status = safetensors_save(writer, path, err);
    safetensors_writer_free(writer);
    mem_free(label);
    return status;
}

/* ---- one scale for all features ---- */

FeatureScale feature_scale_of(const Features *f) {
    size_t width = f->width;
    FeatureScale s = {.width = width,
                      .mean = mem_array(width, sizeof(real)),
                      .factor = mem_array(width, sizeof(real))};
    double *mean = mem_array(2 * width, sizeof *mean), *squares = mean + width, whole = 0;
    columns_moments(mean, squares, f->x, f->count, width);
    for (size_t d = 0; d < width; d++) whole += squares[d] / (double)width;
    for (size_t d = 0; d < width; d++) {
        double variance = (squares[d] + 1e-6 * whole) / (double)f->count;
        s.mean[d] = (real)mean[d];
        s.factor[d] = whole > 0 ? (real)(1 / sqrt(variance)) : 0;
    }
    mem_free(mean);
    return s;
}

void feature_scale_apply(const FeatureScale *s, real *x, size_t count) {
    for (size_t i = 0; i < count * s->width; i++)
        x[i] = (x[i] - s->mean[i % s->width]) * s->factor[i % s->width];
}

void feature_scale_free(FeatureScale *s) {
    mem_free(s->mean);
    mem_free(s->factor);
    *s = (FeatureScale){0};
}

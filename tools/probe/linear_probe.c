#include "tools/probe/linear_probe.h"

#include <math.h>
#include <string.h>

#include "data/picture/augment.h"
#include "engine/core/hash.h"
#include "tools/probe/features.h"
#include "tools/probe/neighbours.h"
#include "tools/probe/pace.h"
#include "tools/program/say.h"
#include "tools/program/stop.h"
#include "tools/run/datafacts.h"
#include "tools/run/rundir.h"
#include "tools/task/pictures.h"

const char *const feature_forms[] = {
    [FEATURES_STANDARDISED] = "standard", [FEATURES_PLAIN] = "none", NULL};

enum { BATCH = 1024 };

LinearProbe linear_probe_default(void) {
    return (LinearProbe){.plan = {.epochs = 90, .base = 0.1},
                         .augment = "none",
                         .split = SPLIT_TEST};
}

/* One encoder's probe. */
typedef struct Trial {
    OpenRun *run;
    LinearProbe wish;
    Features train, test;
    FeatureScale scale;
    Classifier *classifier;
    ClassifierScore train_score, score;
    double neighbours; /* top-1 of the nearest; NaN: each would be its own */
} Trial;

static bool augments(const LinearProbe *wish) {
    return *wish->augment && strcmp(wish->augment, "none");
}

/* ---- checks ---- */

static size_t classes_met(const Features *f) {
    bool *met = mem_zarray(f->classes, sizeof *met);
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++) {
        count += !met[f->label[i]];
        met[f->label[i]] = true;
    }
    mem_free(met);
    return count;
}

/* Before anything is computed. */
static Status check_wish(const OpenRun *run, const LinearProbe *wish, Err *err) {
    if (features_check(run, err)) return err->status;
    Augment *augment = augment_parse(wish->augment, err);
    augment_free(augment);
    return augment ? OK : err_wrap(err, "--augment");
}

static Status check_training(Trial *p, Err *err) {
    ClassifierPlan *plan = &p->wish.plan;
    if (classes_met(&p->train) < 2)
        return err_set(err, FAIL_DATA,
                       "the %zu training pictures are all of one class; a linear probe "
                       "needs labelled pictures of two or more classes: data.path=PATH",
                       p->train.count);
    if (plan->batch > p->train.count)
        return err_set(err, FAIL_USAGE,
                       "--batch %zu: the training split has only %zu pictures; choose "
                       "a smaller batch",
                       plan->batch, p->train.count);
    if (!plan->batch) plan->batch = MIN((size_t)BATCH, p->train.count);
    return OK;
}

/* ---- training ---- */

static void standardise(Trial *p, real *x, size_t count) {
    if (p->wish.form == FEATURES_STANDARDISED) feature_scale_apply(&p->scale, x, count);
}

static Loader *start_augmented(const Trial *p, Err *err) {
    PictureTask *task = (PictureTask *)p->run->task;
    LoaderConfig config = picture_task_loader(&task->task, true, p->wish.plan.batch);
    config.pairs = false;
    config.mixup = config.cutmix = 0;
    config.seed = p->wish.plan.seed;
    config.data.repeat = 1;
    config.data.shuffle = true;
    text_format(config.data.augment, sizeof config.data.augment, "%s", p->wish.augment);
    return loader_start(task->sets[SPLIT_TRAIN], &config, 1, err);
}

static Status train_batch(Trial *p, const Batch *batch, real *x, double lr, Err *err) {
    if (features_of_batch(p->run, batch, SPLIT_TRAIN, x, err)) return err->status;
    standardise(p, x, batch->count);
    if (classifier_step(p->classifier, x, batch->label, batch->count, lr, err))
        return err->status;
    if (!stop_requested()) return OK;
    return err_set(err, FAIL_INTERRUPTED, "interrupted while training the classifier");
}

/* Each picture of each epoch goes through the encoder. */
static Status train_augmented(Trial *p, Err *err) {
    const ClassifierPlan *plan = &p->wish.plan;
    const Batch *batch;
    Loader *loader = start_augmented(p, err);
    if (!loader) return err->status;
    size_t each = ((PictureTask *)p->run->task)->sets[SPLIT_TRAIN]->count / plan->batch;
    size_t steps = each * plan->epochs;
    Pace pace = pace_begin();
    real *x = mem_array(plan->batch * p->train.width, sizeof *x);
    for (size_t n = 1; n <= steps && !loader_next(loader, &batch, err); n++) {
        if (train_batch(p, batch, x, classifier_rate(plan, n, steps), err)) break;
        pace_show(&pace, n, steps, "linear probe, steps");
    }
    mem_free(x);
    loader_stop(loader);
    return err->status;
}

static Status train(Trial *p, Err *err) {
    p->classifier = classifier_new(p->train.width, p->train.classes, p->wish.plan.seed);
    if (augments(&p->wish)) return train_augmented(p, err);
    return classifier_train(p->classifier, p->train.x, p->train.label, p->train.count,
                            &p->wish.plan, err);
}

static ClassifierScore score(Trial *p, const Features *f) {
    return classifier_score(p->classifier, f->x, f->label, f->count);
}

/* `p` is to be freed by trial_free whatever comes of it. */
static Status probe_encoder(Trial *p, Err *err) {
    if (features_of_split(p->run, SPLIT_TRAIN, &p->train, err) ||
        check_training(p, err) || features_of_split(p->run, p->wish.split, &p->test, err))
        return err->status;
    p->neighbours = NAN;
    if (p->wish.split != SPLIT_TRAIN)
        p->neighbours =
            neighbours_top1(&p->train, &p->test, NEIGHBOURS, NEIGHBOUR_TEMPERATURE);
    p->scale = feature_scale_of(&p->train);
    standardise(p, p->train.x, p->train.count);
    standardise(p, p->test.x, p->test.count);
    if (train(p, err)) return err->status;
    p->train_score = score(p, &p->train);
    p->score = score(p, &p->test);
    return OK;
}

static void trial_free(Trial *p) {
    features_free(&p->train);
    features_free(&p->test);
    feature_scale_free(&p->scale);
    classifier_free(p->classifier);
}

/* ---- the row ---- */

static void add(json_t *row, const char *key, json_t *value) {
    json_object_set_new(row, key, value);
}

static void add_count(json_t *row, const char *key, size_t count) {
    add(row, key, json_integer((json_int_t)count));
}

/* Of all weights: are two probes of one encoder? */
static json_t *weights_digest(const OpenRun *run) {
    const ParamSet *params = run->task->model->params;
    char text[20];
    uint64_t hash =
        hash_bytes(HASH_START, params->values, params->trained * sizeof(real));
    text_format(text, sizeof text, "%016llx", (unsigned long long)hash);
    return json_string(text);
}

static void add_scores(json_t *row, const Trial *p) {
    add(row, "top1", json_number(p->score.top1));
    if (p->train.classes > 5) add(row, "top5", json_number(p->score.top5));
    add(row, "loss", json_number(p->score.loss));
    add(row, "train_top1", json_number(p->train_score.top1));
    add(row, "train_loss", json_number(p->train_score.loss));
    if (!isnan(p->neighbours)) add(row, "knn_top1", json_number(p->neighbours));
}

static void add_settings(json_t *row, const Trial *p) {
    const ClassifierPlan *plan = &p->wish.plan;
    add_count(row, "train_count", p->train.count);
    if (p->train.skipped + p->test.skipped)
        add_count(row, "skipped", p->train.skipped + p->test.skipped);
    add_count(row, "features", p->train.width);
    add_count(row, "classes", p->train.classes);
    add_count(row, "epochs", plan->epochs);
    add_count(row, "batch", plan->batch);
    add(row, "base_lr", json_number(plan->base));
    add(row, "augment", json_text(augments(&p->wish) ? p->wish.augment : "none"));
    add(row, "scale", json_string(feature_forms[p->wish.form]));
    add_count(row, "seed", plan->seed);
}

static json_t *row_of(const Trial *p) {
    json_t *row = json_object();
    add(row, "step", run_step_json(p->run));
    add(row, "split", json_string(split_name(p->wish.split)));
    add_count(row, "count", p->test.count);
    add_scores(row, p);
    add_settings(row, p);
    add(row, "weights", weights_digest(p->run));
    return row;
}

/* ---- random weights ---- */

/* As training would begin, were there no train.init. */
static void draw_weights(OpenRun *run) {
    task_initialize(run->task);
    model_start(run->task->model, NULL);
    model_freeze(run->task->model);
}

static Status add_random(OpenRun *run, const LinearProbe *wish, json_t *row, Err *err) {
    Trial p = {.run = run, .wish = *wish};
    say("linear probe of random weights");
    draw_weights(run);
    if (!probe_encoder(&p, err)) {
        add(row, "random_top1", json_number(p.score.top1));
        if (!isnan(p.neighbours)) add(row, "random_knn_top1", json_number(p.neighbours));
    }
    trial_free(&p);
    return err->status;
}

json_t *linear_probe_row(OpenRun *run, const LinearProbe *wish, Err *err) {
    Trial p = {.run = run, .wish = *wish};
    json_t *row = NULL;
    double begin = clock_now();
    if (!check_wish(run, wish, err) && !probe_encoder(&p, err)) row = row_of(&p);
    trial_free(&p);
    if (row && wish->random && add_random(run, wish, row, err)) {
        json_decref(row);
        return NULL;
    }
    if (row) add(row, "seconds", json_number(round(10 * (clock_now() - begin)) / 10));
    return row;
}

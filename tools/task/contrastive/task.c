/* contrastive: pictures without labels; what is learned is which two views are of one
 * picture (Chen et al. 2020).  A ViT, a projector, NT-Xent. */
#include <math.h>
#include <string.h>

#include "tools/run/rundir.h"
#include "tools/task/contrastive/contrastive.h"

static Contrast *model_of(Task *task) { return contrastive_of(task)->contrast; }

/* Of one picture each. */
static Tensor *features(Task *task, Tape *tape, const ForwardMode *mode, Tensor *pixels) {
    return vit_features(&model_of(task)->vit, tape, mode, pixels);
}

/* ---- training ---- */

static void initialize(Task *task, uint64_t seed) {
    contrast_initialize(model_of(task), seed);
}

static Status next(Task *task, Err *err) {
    if (picture_task_next(task, err)) return err->status;
    feature_sums_clear(&contrastive_of(task)->sums);
    task->flops = task->items * contrast_flops(model_of(task));
    return OK;
}

/* Pictures [from, to): the first view of all, then the second. */
static Tensor *views_tensor(Tape *tape, const Batch *batch, size_t from, size_t to) {
    size_t size = batch->channels * batch->height * batch->width, count = to - from;
    Tensor *x =
        tape_tensor(tape, 4,
                    (size_t[]){2 * count, batch->channels, batch->height, batch->width});
    for (size_t v = 0; v < 2; v++)
        memcpy(x->value + v * count * size, batch->view[v] + from * size,
               count * size * sizeof(real));
    return x;
}

static Tensor *loss(Task *task, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to) {
    Contrastive *c = contrastive_of(task);
    const Batch *batch = picture_task_batch(task);
    ForwardMode own = *mode;
    own.first_example = batch->first + from;
    ContrastArgs args = {.label = batch->label + from,
                         .pictures = batch->whole,
                         .ranks = task->ranks};
    Tensor *views = views_tensor(tape, batch, from, to);
    Tensor *found = contrast_features(c->contrast, tape, &own, views);
    const TapeMode *pass = tape_mode(tape);
    if (pass->training && !pass->watch)
        feature_sums_add(&c->sums, c->contrast, tape, found, args.label, 2);
    c->contrast->config.temperature = task->recipe->contrast.temperature;
    c->contrast->config.probe_lr = task->recipe->contrast.probe_lr;
    return contrast_loss_of(c->contrast, tape, found, &args);
}

static void conclude(Task *task) {
    Contrastive *c = contrastive_of(task);
    c->last = feature_sums_numbers(&c->sums, task->ranks);
}

static void add_numbers(const Task *task, json_t *row) {
    const FeatureNumbers *n = &((const Contrastive *)task)->last;
    json_object_set_new(row, "feature_std", json_number(n->std));
    if (isnan(n->top1)) return;
    json_object_set_new(row, "probe_loss", json_number(n->loss));
    json_object_set_new(row, "probe_top1", json_number(n->top1));
}

/* ---- opening ---- */

static void contrastive_free(Task *task) {
    Contrastive *c = contrastive_of(task);
    feature_sums_end(&c->sums);
    contrast_free(c->contrast);
    picture_task_release(task);
    mem_free(task);
}

/* Pictures of one class have no labels to speak of. */
static Status build(Task *task, Err *err) {
    Contrastive *c = contrastive_of(task);
    const Recipe *r = task->recipe;
    const PictureFacts *f = picture_facts(task);
    PictureShape shape = {f->channels, f->height, f->width};
    size_t classes = f->classes > 1 ? f->classes : 0;
    if (contrast_check(&r->model, &r->contrast, shape, err)) return err->status;
    c->contrast = contrast_new(&r->model, &r->contrast, shape, classes);
    feature_sums_begin(&c->sums, r->model.width);
    task->model = &c->contrast->vit.model;
    task->chance = log(2 * (double)contrastive_compared(r) - 1);
    task->tokens = 2 * (double)c->contrast->vit.tokens;
    return OK;
}

static Task *new_task(const Recipe *recipe, Ranks *ranks) {
    Contrastive *c = mem_zalloc(sizeof *c);
    c->pictures.task = (Task){.ops = &contrastive_ops, .recipe = recipe, .ranks = ranks};
    c->pictures.pairs = c->pictures.unlabelled = true;
    c->last = (FeatureNumbers){.std = NAN, .loss = NAN, .top1 = NAN};
    return &c->pictures.task;
}

static Status check_labels(const Task *task, Err *err) {
    const Recipe *r = task->recipe;
    bool probed = ((const Contrastive *)task)->contrast->probe_weight;
    bool chosen = task_best(task) == METRIC_PROBE_TOP1;
    bool watched = r->schedule.name == SCHEDULE_PLATEAU &&
                   metric_watch(r->schedule.watch) == METRIC_PROBE_TOP1;
    if (probed || !(chosen || watched)) return OK;
    return err_set(err, FAIL_USAGE,
                   "%s = probe_top1: there is no online probe, "
                   "because %s",
                   chosen ? "train.best" : "schedule.watch",
                   r->contrast.probe_lr > 0 ? "the pictures are of one class"
                                            : "contrast.probe_lr is 0");
}

size_t contrastive_compared(const Recipe *recipe) {
    return recipe->train.batch / recipe->train.accumulate;
}

Status contrastive_check_compared(const Recipe *recipe, Err *err) {
    if (contrastive_compared(recipe) >= 2) return OK;
    return err_set(err, FAIL_USAGE,
                   "train.batch = %zu with train.accumulate = %zu: a contrastive loss "
                   "compares the pictures of a micro-batch and needs at least two",
                   recipe->train.batch, recipe->train.accumulate);
}

/* Each rank needs a picture in each micro-batch, and each micro-batch two. */
static Status check_batch(const Task *task, Err *err) {
    const TrainConfig *t = &task->recipe->train;
    size_t ranks = ranks_count(task->ranks);
    if (contrastive_check_compared(task->recipe, err)) return err->status;
    if (contrastive_compared(task->recipe) < ranks)
        return err_set(
            err, FAIL_USAGE,
            "train.batch = %zu with train.accumulate = %zu is too small for %zu ranks: "
            "each needs a picture in each micro-batch",
            t->batch, t->accumulate, ranks);
    return OK;
}

static Status check_split(const PictureTask *p, Split split, Err *err) {
    const Dataset *set = p->sets[split];
    if (!set || set->count != 1) return OK;
    return err_set(err, FAIL_DATA,
                   "the %s split has one picture: a contrastive loss needs at least two",
                   split_name(split));
}

/* A loss of one picture is 0, whatever the model. */
static Status sample(Task *task, Split split, size_t count, Err *err) {
    if (picture_task_sample(task, split, count, err) || task->part > 1)
        return err->status;
    return err_set(
        err, FAIL_USAGE,
        "a sample of one picture of split %s: a contrastive loss needs at least two",
        split_name(split));
}

/* What the data and the batch decide. */
static void note_choices(Task *task) {
    const Recipe *r = task->recipe;
    const PictureTask *p = (const PictureTask *)task;
    DataFacts *notes = &task->notes;
    size_t compared = contrastive_compared(r);
    bool cut = r->train.accumulate > 1;
    bool probed = contrastive_of(task)->contrast->probe_weight;
    if (r->contrast.probe_lr > 0 && !probed)
        facts_note(notes, 1,
                   "all pictures are of one class, so there is no online probe "
                   "(contrast.probe_lr has no effect)");
    facts_note(notes, !*r->data.augment || !strcmp(r->data.augment, "none"),
               "data.augment = none: both views of a picture are the same");
    facts_note(notes, cut,
               "each of train.accumulate = %zu micro-batches compares only its own %zu "
               "pictures: the loss is that of a smaller batch",
               r->train.accumulate, compared);
    for (Split s = SPLIT_VAL; s <= SPLIT_TEST; s++)
        if (p->sets[s] && p->sets[s]->count > 1)
            facts_note(
                &p->sets[s]->facts, p->sets[s]->count < compared,
                "fewer pictures than train.batch%s = %zu: its loss compares only %zu and "
                "is therefore lower",
                cut ? " / train.accumulate" : "", compared, p->sets[s]->count);
}

static Status check(Task *task, Err *err) {
    if (check_labels(task, err) || check_batch(task, err)) return err->status;
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
        if (check_split((const PictureTask *)task, s, err)) return err->status;
    note_choices(task);
    return OK;
}

static Task *open_data(const Recipe *recipe, Ranks *ranks, Err *err) {
    Task *task = new_task(recipe, ranks);
    if (picture_task_open(task, err) || build(task, err) || check(task, err) ||
        picture_task_finish(task, err)) {
        task_free(task);
        return NULL;
    }
    const TrainConfig *train = &recipe->train;
    task->memory = contrast_memory(model_of(task),
                                   train->batch / train->accumulate / ranks_count(ranks),
                                   train->recompute == RECOMPUTE_BLOCK);
    return task;
}

static Task *open_bare(const Recipe *recipe, const char *run_dir, Err *err) {
    Task *task = new_task(recipe, NULL);
    if (!picture_task_open_bare(task, run_dir, err) && !build(task, err)) return task;
    task_free(task);
    return NULL;
}

/* They say with how many views, and with which, each is compared, and how. */
static const char *const LOSS_KEYS[] = {"contrast.temperature", "data.augment",
                                        "train.batch", "train.accumulate", NULL};

/* clang-format off */
const TaskOps contrastive_ops = {
    .open = open_data, .open_bare = open_bare, .free = contrastive_free,
    .unit = "examples", .best = METRIC_LOSS, .scope = SCOPE_ALL, .loss_keys = LOSS_KEYS,
    .initialize = initialize, .go_on = picture_task_go_on, .start = picture_task_start,
    .features = features, .next = next, .sample = sample, .loss = loss, .conclude = conclude,
    .add_numbers = add_numbers, .evaluate = contrastive_evaluate,
    .facts = picture_task_facts, .introduce = picture_task_introduce, .describe = picture_task_describe,
    .changes = picture_task_changes, .check_facts = picture_task_check_facts,
    .save_facts = picture_task_save_facts,
};
/* clang-format on */

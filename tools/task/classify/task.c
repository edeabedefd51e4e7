/* classify: pictures in, a class out; a ViT on any of the data sources. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/program/stop.h"
#include "tools/run/rundir.h"
#include "tools/task/classify/classify.h"

const ClassFacts *classify_facts(const Task *task) {
    return &((const Classify *)task)->facts;
}

/* Pictures [from, to) of a batch as a tensor. */
static Tensor *pictures(Tape *tape, const Batch *batch, size_t from, size_t to) {
    size_t size = batch->channels * batch->height * batch->width;
    return tape_wrap(tape, batch->pixels + from * size, 4,
                     (size_t[]){to - from, batch->channels, batch->height, batch->width});
}

Tensor *classify_logits(Task *task, Tape *tape, const ForwardMode *mode,
                        const Batch *batch) {
    tape_begin(tape, (TapeMode){0});
    return vit_logits(((Classify *)task)->vit, tape, mode,
                      pictures(tape, batch, 0, batch->count));
}

/* ---- training ---- */

LoaderConfig classify_loader(const Task *task, bool training, size_t batch) {
    const Classify *c = (const Classify *)task;
    const Recipe *r = task->recipe;
    return (LoaderConfig){.data = r->data,
                          .height = c->facts.height,
                          .width = c->facts.width,
                          .batch = batch,
                          .part = ranks_number(task->ranks),
                          .parts = ranks_count(task->ranks),
                          .seed = r->train.seed,
                          .training = training,
                          .interrupted = stop_requested,
                          .mixup = training ? r->train.mixup : 0,
                          .cutmix = training ? r->train.cutmix : 0};
}

static Status go_on(Task *task, const Place *place, size_t *left, Err *err) {
    (void)err;
    ((Classify *)task)->place = *place;
    *left = (task->examples - MIN(place_given(place), task->examples)) /
            task->recipe->train.batch;
    return OK;
}

static Status start(Task *task, size_t first, Err *err) {
    Classify *c = (Classify *)task;
    loader_stop(c->loader);
    LoaderConfig config = classify_loader(task, true, task->recipe->train.batch);
    config.start = c->place;
    c->loader = loader_start(c->sets[SPLIT_TRAIN], &config, first, err);
    return c->loader ? OK : err->status;
}

static Status next(Task *task, Err *err) {
    Classify *c = (Classify *)task;
    if (loader_next(c->loader, &c->batch, err) ||
        classify_see_skips(c, SPLIT_TRAIN, c->batch, err))
        return err->status;
    task->part = c->batch->count;
    task->items = (double)c->batch->whole;
    task->flops = task->items * vit_flops(c->vit);
    return OK;
}

static Tensor *loss(Task *task, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to) {
    Classify *c = (Classify *)task;
    const Batch *batch = c->batch;
    ForwardMode own = *mode;
    own.first_example = batch->first + from;
    Tensor *logits = vit_logits(c->vit, tape, &own, pictures(tape, batch, from, to));
    Target target = {.label = batch->label + from,
                     .other = batch->mixed_label + from,
                     .mix = batch->mix + from,
                     .smoothing = task->recipe->train.label_smoothing,
                     .divisor = (double)batch->whole};
    tape_scope(tape, "loss");
    return op_cross_entropy(tape, logits, &target);
}

/* ---- evaluation ---- */

/* Classes with a larger logit than the right one; ties go against us, NaN too. */
static size_t rank_of(const real *logits, size_t classes, size_t label) {
    size_t rank = 0;
    for (size_t k = 0; k < classes; k++)
        if (k != label && !(logits[k] < logits[label])) rank++;
    return rank;
}

static void count_batch(Classify *c, Tape *tape, const ForwardMode *mode,
                        const Batch *batch, Score *score) {
    Tensor *logits = classify_logits(&c->task, tape, mode, batch);
    Target target = {.label = batch->label, .divisor = 1};
    score->nll += (double)op_cross_entropy(tape, logits, &target)->value[0];
    target.smoothing = c->task.recipe->train.label_smoothing;
    score->value[METRIC_LOSS] +=
        (double)op_cross_entropy(tape, logits, &target)->value[0];
    for (size_t i = 0; i < batch->count; i++) {
        size_t classes = c->facts.classes;
        size_t rank = rank_of(logits->value + i * classes, classes, batch->label[i]);
        score->value[METRIC_TOP1] += rank < 1;
        score->value[METRIC_TOP5] += rank < 5;
    }
    score->count += batch->count;
}

/* Sums over this rank's part of the split. */
static Status score_part(Classify *c, Tape *tape, const ForwardMode *mode, Split split,
                         Score *score, Err *err) {
    const Dataset *set = classify_need_set(c, split, err);
    if (!set) return err->status;
    if (!set->count) return OK;
    LoaderConfig config =
        classify_loader(&c->task, false, MIN(c->task.recipe->train.batch, set->count));
    Loader *loader = loader_start(set, &config, 1, err);
    if (!loader) return err->status;
    const Batch *batch;
    Status status;
    while (!(status = loader_next(loader, &batch, err)) &&
           !(status = classify_see_skips(c, split, batch, err)) && batch->count) {
        count_batch(c, tape, mode, batch, score);
        if (!stop_requested()) continue;
        status = err_set(err, FAIL_INTERRUPTED, "interrupted while scoring %s",
                         split_name(split));
        break;
    }
    if (!status) score->skipped = batch->skipped;
    loader_stop(loader);
    return status;
}

static Status evaluate(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                       bool thorough, Score *score, Err *err) {
    (void)thorough;
    *score = score_begin(split, task->recipe->task);
    score_part((Classify *)task, tape, mode, split, score, err);
    if (ranks_agree(task->ranks, err)) return err->status;
    score_reduce(score, task->ranks);
    if (!score->count && score->skipped)
        return err_set(err, FAIL_DATA,
                       "none of the %zu images of the %s split can be read",
                       score->skipped, split_name(split));
    return OK;
}

/* ---- opening ---- */

static void class_facts_free(ClassFacts *facts) {
    for (size_t i = 0; facts->class_names && i < facts->classes; i++)
        mem_free(facts->class_names[i]);
    mem_free(facts->class_names);
    *facts = (ClassFacts){0};
}

static void class_free(Task *task) {
    Classify *c = (Classify *)task;
    loader_stop(c->loader);
    for (size_t i = 0; i < COUNT(c->sets); i++) dataset_free(c->sets[i]);
    for (size_t i = 0; i < COUNT(c->scored); i++) skips_end(&c->scored[i]);
    vit_free(c->vit);
    class_facts_free(&c->facts);
    mem_free(c);
}

static void initialize(Task *task, uint64_t seed) {
    vit_initialize(((Classify *)task)->vit, seed);
}

static void describe(const Task *task, TextBuffer *text) {
    const ClassFacts *f = classify_facts(task);
    for (size_t k = 0; f->class_names && k < f->classes; k++) {
        char start[40];
        text_format(start, sizeof start, "class %zu=", k);
        text_append(text, start, strlen(start));
        json_t *name = json_text(f->class_names[k]); /* as task.json has it: UTF-8 */
        for (const char *c = json_string_value(name); *c; c++)
            text_append_byte(text, *c == '\n' ? ' ' : *c);
        text_append_byte(text, '\n');
        json_decref(name);
    }
}

static const DataFacts *data_facts(const Task *task, Split split) {
    const Dataset *set = ((const Classify *)task)->sets[split];
    return set && set->count ? &set->facts : NULL;
}

static char **copy_names(char *const *names, size_t count) {
    if (!names) return NULL;
    char **copy = mem_alloc(count * sizeof *copy);
    for (size_t i = 0; i < count; i++) copy[i] = mem_strdup(names[i]);
    return copy;
}

/* The size of the first picture; with data.on_error = skip, of the first that can be read. */
static Status measure_first(Classify *c, OnError on_error, Err *err) {
    const Dataset *set = c->sets[SPLIT_TRAIN];
    Image image = {0};
    Status status = FAIL_DATA;
    size_t label;
    for (size_t i = 0; i < set->count && status == FAIL_DATA; i++) {
        status = dataset_get(set, i, &image, &label, err);
        if (on_error == ON_ERROR_STOP) break;
    }
    if (!status) {
        *err = ERR_NONE;
        c->facts.height = image.height;
        c->facts.width = image.width;
        c->measured = true;
    }
    image_free(&image);
    return status;
}

static Status find_facts(Classify *c, const DataConfig *data, Err *err) {
    const Dataset *set = c->sets[SPLIT_TRAIN];
    size_t side = data->image_size;
    c->facts =
        (ClassFacts){set->channels, side ? side : set->height, side ? side : set->width,
                     set->classes, copy_names(set->class_names, set->classes)};
    return c->facts.height ? OK : measure_first(c, data->on_error, err);
}

/* What the data decide and the recipe does not say. */
static void note_choices(Classify *c) {
    const Recipe *r = c->task.recipe;
    DataFacts *notes = &c->task.notes;
    size_t left = c->task.examples % r->train.batch;
    if (c->measured)
        facts_note(
            notes, 1,
            "data.image_size is not given: all pictures are resized to width %zu, height "
            "%zu, the size of the first training picture",
            c->facts.width, c->facts.height);
    if (!c->task.has_test)
        facts_note(notes, 1, "%s has no test split: %s", r->data.path,
                   c->task.has_val
                       ? "the val split alone is scored"
                       : "nothing is scored; data.val_fraction holds out a val split");
    if (c->task.steps_per_epoch)
        facts_note(
            notes, left,
            "%zu of %zu examples %s left out of each epoch: the last incomplete batch%s",
            left, c->task.examples, left == 1 ? "is" : "are",
            r->data.shuffle ? "" : ", always the same ones without data.shuffle");
}

static Status build(Classify *c, Err *err) {
    const ClassFacts *f = &c->facts;
    PictureShape picture = {f->channels, f->height, f->width};
    if (vit_check(&c->task.recipe->model, picture, err)) return err->status;
    c->vit = vit_new(&c->task.recipe->model, picture, f->classes);
    c->task.model = &c->vit->model;
    c->task.chance = log((double)MAX(f->classes, (size_t)1));
    c->task.tokens = (double)c->vit->tokens;
    return OK;
}

static Classify *new_classify(const Recipe *recipe, Ranks *ranks) {
    Classify *c = mem_zalloc(sizeof *c);
    c->task.ops = &classify_ops;
    c->task.recipe = recipe;
    c->task.ranks = ranks;
    return c;
}

static Task *open_data(const Recipe *recipe, Ranks *ranks, Err *err) {
    Classify *c = new_classify(recipe, ranks);
    if (classify_open_sets(c, err) || find_facts(c, &recipe->data, err) ||
        build(c, err) || (ranks_lead(ranks) && classify_survey(c, err))) {
        task_free(&c->task);
        return NULL;
    }
    c->task.examples = c->sets[SPLIT_TRAIN]->count;
    c->task.memory =
        vit_memory(c->vit,
                   recipe->train.batch / recipe->train.accumulate / ranks_count(ranks),
                   recipe->train.recompute == RECOMPUTE_BLOCK);
    c->task.steps_per_epoch = c->task.examples / recipe->train.batch;
    c->task.has_val = c->sets[SPLIT_VAL] && c->sets[SPLIT_VAL]->count;
    c->task.has_test = c->sets[SPLIT_TEST] && c->sets[SPLIT_TEST]->count;
    note_choices(c);
    return &c->task;
}

static Status class_facts_load(const char *run_dir, ClassFacts *facts, Err *err);

static Task *open_bare(const Recipe *recipe, const char *run_dir, Err *err) {
    Classify *c = new_classify(recipe, NULL);
    if (class_facts_load(run_dir, &c->facts, err)) {
        class_free(&c->task);
        return NULL;
    }
    c->task.has_val = recipe->data.val_fraction > 0;
    c->task.has_test = dataset_has_test(&recipe->data);
    if (!build(c, err)) return &c->task;
    class_free(&c->task);
    return NULL;
}

/* ---- facts: what a model needs when its data are elsewhere ---- */

/* A run that goes on keeps its pictures' size, though another picture may be first by now. */
static Status check_size(const Task *task, const char *run_dir, Err *err) {
    const Classify *c = (const Classify *)task;
    ClassFacts old;
    if (!c->measured || !checkpoint_newest(run_dir, SIZE_MAX)) return OK;
    if (class_facts_load(run_dir, &old, err)) return err->status;
    if (old.height != c->facts.height || old.width != c->facts.width)
        err_set(err, FAIL_DATA,
                "the run's pictures have width %zu, height %zu (%s/task.json), "
                "but the first training picture has width %zu, height %zu: has "
                "%s changed?",
                old.width, old.height, run_dir, c->facts.width, c->facts.height,
                c->task.recipe->data.path);
    class_facts_free(&old);
    return err->status;
}

static const char *old_name(const json_t *names, size_t k) {
    const char *name = json_string_value(json_array_get(names, k));
    return name ? name : "(none)";
}

/* As task.json would have it now. */
static bool is_named(const json_t *names, size_t k, const char *name) {
    json_t *now = json_text(name);
    bool same = json_equal(json_array_get(names, k), now);
    json_decref(now);
    return same;
}

/* How many classes there are, and the first that has another name than task.json has for it. */
static void changes(const Task *task, const char *run_dir, DataFacts *found) {
    const ClassFacts *now = classify_facts(task);
    json_t *root = rundir_load_json(run_dir, "task.json", NULL);
    const json_t *names = json_object_get(root, "class_names");
    size_t old = (size_t)json_integer_value(json_object_get(root, "classes")), k = 0;
    if (old && old != now->classes)
        facts_note(found, 1, "%zu classes were, %zu are", old, now->classes);
    while (now->class_names && names && k < now->classes &&
           is_named(names, k, now->class_names[k]))
        k++;
    if (now->class_names && names && k < now->classes)
        facts_note(found, 1, "class %zu was \"%.100s\", is \"%.100s\"", k,
                   old_name(names, k), now->class_names[k]);
    json_decref(root);
}

static Status save_facts(const Task *task, const char *run_dir, Err *err) {
    const ClassFacts *f = classify_facts(task);
    json_t *root =
        json_pack("{s:s, s:I, s:I, s:I, s:I}", "kind", task_name(task->recipe->task),
                  "channels", (json_int_t)f->channels, "height", (json_int_t)f->height,
                  "width", (json_int_t)f->width, "classes", (json_int_t)f->classes);
    if (f->class_names) {
        json_t *names = json_array();
        for (size_t i = 0; i < f->classes; i++)
            json_array_append_new(names, json_text(f->class_names[i]));
        json_object_set_new(root, "class_names", names);
    }
    return rundir_save_json(run_dir, "task.json", root, 0, err);
}

enum { SIDE_MOST = 16384 }; /* of a picture: the range of data.image_size */

static size_t positive(const json_t *root, const char *key) {
    json_int_t value = json_integer_value(json_object_get(root, key));
    return value > 0 && value < 1 << 24 ? (size_t)value : 0;
}

static Status read_facts(const json_t *root, const char *run_dir, ClassFacts *f,
                         Err *err) {
    *f = (ClassFacts){positive(root, "channels"), positive(root, "height"),
                      positive(root, "width"), positive(root, "classes"), NULL};
    if (!f->channels || !f->height || !f->width || !f->classes)
        return err_set(err, FAIL_DATA,
                       "%s/task.json: wanted channels, height, width and classes",
                       run_dir);
    if ((f->channels != 1 && f->channels != 3) || f->height > SIDE_MOST ||
        f->width > SIDE_MOST)
        return err_set(err, FAIL_DATA,
                       "%s/task.json: pictures of %zu channels, %zu x %zu pixels; 1 or 3 "
                       "channels and at "
                       "most %d pixels a side are expected",
                       run_dir, f->channels, f->height, f->width, SIDE_MOST);
    const json_t *names = json_object_get(root, "class_names");
    if (!names) return OK;
    if (json_array_size(names) != f->classes)
        return err_set(err, FAIL_DATA, "%s/task.json: %zu class names for %zu classes",
                       run_dir, json_array_size(names), f->classes);
    f->class_names = mem_alloc(f->classes * sizeof *f->class_names);
    for (size_t i = 0; i < f->classes; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        f->class_names[i] = mem_strdup(name ? name : "?");
    }
    return OK;
}

static Status class_facts_load(const char *run_dir, ClassFacts *facts, Err *err) {
    json_t *root = rundir_load_json(run_dir, "task.json", err);
    if (!root) return err->status;
    Status status = read_facts(root, run_dir, facts, err);
    json_decref(root);
    return status;
}

/* clang-format off */
const TaskOps classify_ops = {
    .open = open_data, .open_bare = open_bare, .free = class_free,
    .best = METRIC_TOP1, .scope = SCOPE_ALL,
    .initialize = initialize, .go_on = go_on, .start = start,
    .next = next, .loss = loss, .evaluate = evaluate,
    .facts = data_facts, .describe = describe, .changes = changes,
    .check_facts = check_size, .save_facts = save_facts,
};
/* clang-format on */

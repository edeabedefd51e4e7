#include "tools/task/pictures.h"

#include <omp.h>

#include "data/picture/augment.h"
#include "engine/core/machine.h"
#include "tools/program/say.h"
#include "tools/program/stop.h"

const Batch *picture_task_batch(const Task *task) {
    return ((const PictureTask *)task)->batch;
}

Tensor *picture_tensor(Tape *tape, const Batch *batch, size_t from, size_t to) {
    size_t size = batch->channels * batch->height * batch->width;
    return tape_wrap(tape, batch->pixels + from * size, 4,
                     (size_t[]){to - from, batch->channels, batch->height, batch->width});
}

/* ---- training ---- */

LoaderConfig picture_task_loader(const Task *task, bool training, size_t batch) {
    const PictureTask *p = (const PictureTask *)task;
    const Recipe *r = task->recipe;
    return (LoaderConfig){.data = r->data,
                          .height = p->facts.height,
                          .width = p->facts.width,
                          .batch = batch,
                          .part = ranks_number(task->ranks),
                          .parts = ranks_count(task->ranks),
                          .seed = r->train.seed,
                          .training = training,
                          .workers = p->supply.threads,
                          .interrupted = stop_requested,
                          .pairs = p->pairs,
                          .mixup = training ? r->train.mixup : 0,
                          .cutmix = training ? r->train.cutmix : 0};
}

Status picture_task_go_on(Task *task, const Place *place, size_t *left, Err *err) {
    (void)err;
    ((PictureTask *)task)->place = *place;
    *left = (task->examples - MIN(place_given(place), task->examples)) /
            task->recipe->train.batch;
    return OK;
}

static Status start_loader(PictureTask *p, size_t first, Err *err) {
    const Task *task = &p->task;
    loader_stop(p->loader);
    p->loader = NULL;
    LoaderConfig config = picture_task_loader(task, true, task->recipe->train.batch);
    config.start = p->place;
    p->next = first;
    p->makers = p->supply.threads;
    p->loader = loader_start(p->sets[SPLIT_TRAIN], &config, first, err);
    return p->loader ? OK : err->status;
}

Status picture_task_start(Task *task, size_t first, Err *err) {
    PictureTask *p = (PictureTask *)task;
    /* As many as training has: who gave it fewer threads than there are processors, a
     * sweep or another rank, uses the others. */
    size_t cores = MIN((size_t)omp_get_max_threads(), machine_threads("").threads);
    if (!p->supply.threads) p->supply = supply_begin(task->recipe->data.threads, cores);
    return start_loader(p, first, err);
}

/* Where training has waited too long, more threads make the batch that follows, and those
 * after it. */
static Status next_batch(PictureTask *p, Err *err) {
    char text[SUPPLY_TEXT];
    if (p->supply.threads != p->makers && start_loader(p, p->next, err))
        return err->status;
    double began = clock_now();
    if (loader_next(p->loader, &p->batch, err)) return err->status;
    double now = clock_now();
    p->next++;
    supply_see(&p->supply, now, now - began, p->batch->seconds, text);
    if (*text && ranks_lead(p->task.ranks)) say("steady: note: %s", text);
    return OK;
}

Status picture_task_next(Task *task, Err *err) {
    PictureTask *p = (PictureTask *)task;
    if (next_batch(p, err) || picture_task_see_trained(p, p->batch, err))
        return err->status;
    task->part = p->batch->count;
    task->items = (double)p->batch->whole;
    return OK;
}

/* ---- evaluation ---- */

/* Sums over this rank's part of the split. */
static Status score_part(PictureTask *p, Tape *tape, const ForwardMode *mode, Split split,
                         PictureScorer *scorer, Score *score, Err *err) {
    const Dataset *set = picture_task_set(p, split, err);
    if (!set) return err->status;
    if (!set->count) return OK;
    LoaderConfig config =
        picture_task_loader(&p->task, false,
                            MIN(p->task.recipe->train.batch, set->count));
    Loader *loader = loader_start(set, &config, 1, err);
    if (!loader) return err->status;
    const Batch *batch;
    Status status;
    while (!(status = loader_next(loader, &batch, err))) {
        picture_task_see_scored(p, split, batch);
        if (!batch->count) break;
        scorer(&p->task, tape, mode, batch, score);
        if (!stop_requested()) continue;
        status = err_set(err, FAIL_INTERRUPTED, "interrupted while scoring %s",
                         split_name(split));
        break;
    }
    if (!status) score->skipped = batch->skipped;
    loader_stop(loader);
    return status;
}

Status picture_task_score(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                          PictureScorer *scorer, Score *score, Err *err) {
    *score = score_begin(split, task->recipe->task);
    score_part((PictureTask *)task, tape, mode, split, scorer, score, err);
    if (ranks_agree(task->ranks, err)) return err->status;
    score_reduce(score, task->ranks);
    if (!score->count && score->skipped)
        return err_set(err, FAIL_DATA,
                       "none of the %zu images of the %s split can be read",
                       score->skipped, split_name(split));
    return OK;
}

/* ---- a sample ---- */

Status picture_task_sample(Task *task, Split split, size_t count, Err *err) {
    PictureTask *p = (PictureTask *)task;
    const Dataset *set = picture_task_set(p, split, err);
    if (!set) return err->status;
    if (!set->count)
        return err_set(err, FAIL_DATA, "the %s split is empty", split_name(split));
    loader_stop(p->sampler);
    p->batch = NULL;
    LoaderConfig config = picture_task_loader(task, false, MIN(count, set->count));
    config.sample = count;
    p->sampler = loader_start(set, &config, 1, err);
    if (!p->sampler || loader_next(p->sampler, &p->batch, err)) return err->status;
    picture_task_see_scored(p, split, p->batch);
    task->part = p->batch->count;
    task->items = (double)p->batch->whole;
    return OK;
}

/* ---- opening ---- */

const DataFacts *picture_task_facts(const Task *task, Split split) {
    const Dataset *set = ((const PictureTask *)task)->sets[split];
    return set && set->count ? &set->facts : NULL;
}

static char **copy_names(char *const *names, size_t count) {
    if (!names) return NULL;
    char **copy = mem_alloc(count * sizeof *copy);
    for (size_t i = 0; i < count; i++) copy[i] = mem_strdup(names[i]);
    return copy;
}

/* The size of the first picture; with data.on_error = skip, of the first that can be
 * read. */
static Status measure_first(PictureTask *p, OnError on_error, Err *err) {
    const Dataset *set = p->sets[SPLIT_TRAIN];
    Image image = {0};
    Status status = FAIL_DATA;
    size_t label;
    for (size_t i = 0; i < set->count && status == FAIL_DATA; i++) {
        status = dataset_get(set, i, &image, &label, err);
        if (on_error == ON_ERROR_STOP) break;
    }
    if (!status) {
        *err = ERR_NONE;
        p->facts.height = image.height;
        p->facts.width = image.width;
        p->measured = true;
    }
    image_free(&image);
    return status;
}

static Status find_facts(PictureTask *p, const DataConfig *data, Err *err) {
    const Dataset *set = p->sets[SPLIT_TRAIN];
    size_t side = data->image_size;
    p->facts =
        (PictureFacts){set->channels, side ? side : set->height, side ? side : set->width,
                       set->classes, copy_names(set->class_names, set->classes)};
    return p->facts.height ? OK : measure_first(p, data->on_error, err);
}

/* What the data decide and the recipe does not say. */
static void note_choices(PictureTask *p) {
    const Recipe *r = p->task.recipe;
    DataFacts *notes = &p->task.notes;
    size_t left = p->task.examples % r->train.batch;
    char colours[AUGMENT_COLOURS];
    if (p->measured)
        facts_note(
            notes, 1,
            "data.image_size is not set: all pictures are resized to width %zu, height "
            "%zu, the size of the first training picture",
            p->facts.width, p->facts.height);
    if (p->facts.channels < 3 && augment_colours(r->data.augment, colours))
        facts_note(notes, 1,
                   "data.augment: %s: no effect on pictures of %zu "
                   "channel%s",
                   colours, p->facts.channels, p->facts.channels == 1 ? "" : "s");
    if (!p->task.has_test)
        facts_note(notes, 1, "%s has no test split: %s", r->data.path,
                   p->task.has_val ? "only the val split is scored"
                                   : "nothing is scored, and no best checkpoint is "
                                     "chosen; to hold out a val split: "
                                     "data.val_fraction=0.1");
    if (p->task.steps_per_epoch)
        facts_note(
            notes, left,
            "%zu of %zu examples %s skipped in each epoch: the last incomplete batch%s",
            left, p->task.examples, left == 1 ? "is" : "are",
            r->data.shuffle ? "" : ", always the same ones without data.shuffle");
}

Status picture_task_open(Task *task, Err *err) {
    PictureTask *p = (PictureTask *)task;
    if (picture_open_sets(p, err)) return err->status;
    return find_facts(p, &task->recipe->data, err);
}

Status picture_task_finish(Task *task, Err *err) {
    PictureTask *p = (PictureTask *)task;
    if (ranks_lead(task->ranks) && picture_survey(p, err)) return err->status;
    task->examples = p->sets[SPLIT_TRAIN]->count;
    task->steps_per_epoch = task->examples / task->recipe->train.batch;
    task->has_val = p->sets[SPLIT_VAL] && p->sets[SPLIT_VAL]->count;
    task->has_test = p->sets[SPLIT_TEST] && p->sets[SPLIT_TEST]->count;
    note_choices(p);
    return OK;
}

Status picture_task_open_bare(Task *task, const char *run_dir, Err *err) {
    const DataConfig *data = &task->recipe->data;
    task->has_val = dataset_has_val(data);
    task->has_test = dataset_has_test(data);
    return picture_facts_load(run_dir, &((PictureTask *)task)->facts, err);
}

void picture_task_release(Task *task) {
    PictureTask *p = (PictureTask *)task;
    loader_stop(p->loader);
    loader_stop(p->sampler);
    for (size_t i = 0; i < COUNT(p->sets); i++) dataset_free(p->sets[i]);
    for (size_t i = 0; i < COUNT(p->scored); i++) skips_end(&p->scored[i]);
    picture_facts_free(&p->facts);
}

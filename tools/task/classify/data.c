/* data: the splits of classification (tools/task/classify/classify.h). */
#include <stdio.h>
#include <string.h>

#include "data/picture/survey.h"
#include "tools/program/say.h"
#include "tools/program/stop.h"
#include "tools/run/rundir.h"
#include "tools/task/classify/classify.h"

/* ---- splits ---- */

/* A run keeps names of folders as JSON has them: one that is not UTF-8 is another text there. */
static bool same_name(const char *a, const char *b) {
    json_t *x = json_text(a), *y = json_text(b);
    bool same = json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return same;
}

/* A set that is opened long after the model was built must be of its kind. */
static Status check_set(const ClassFacts *f, const Dataset *set, const char *path,
                        Err *err) {
    if (set->channels != f->channels)
        return err_set(err, FAIL_DATA,
                       "%s has pictures of %zu channels, the model was trained "
                       "on %zu",
                       path, set->channels, f->channels);
    if (set->classes > f->classes || (set->class_names && set->classes != f->classes))
        return err_set(err, FAIL_DATA, "%s has %zu classes, the model was trained on %zu",
                       path, set->classes, f->classes);
    for (size_t k = 0; set->class_names && f->class_names && k < f->classes; k++)
        if (!same_name(set->class_names[k], f->class_names[k]))
            return err_set(err, FAIL_DATA,
                           "%s: class %zu is \"%s\", the model was trained on "
                           "\"%s\"",
                           path, k, set->class_names[k], f->class_names[k]);
    return OK;
}

/* Pictures of another size than training's, though none was asked for. */
static void note_size(const Classify *c, Dataset *set) {
    const ClassFacts *f = &c->facts;
    if (c->task.recipe->data.image_size || !set->height) return;
    if (set->height == f->height && set->width == f->width) return;
    facts_note(
        &set->facts, set->count,
        "pictures of width %zu, height %zu are resized to width %zu, height %zu, the "
        "size of the training pictures",
        set->width, set->height, f->width, f->height);
}

const Dataset *classify_need_set(Classify *c, Split split, Err *err) {
    if (c->sets[split]) return c->sets[split];
    const DataConfig *data = &c->task.recipe->data;
    Dataset *set = dataset_open(data, split, err);
    if (set && set->count && check_set(&c->facts, set, data->path, err)) {
        dataset_free(set);
        return NULL;
    }
    if (set) skips_begin(&c->scored[split], set->count);
    if (set && set->count) note_size(c, set);
    return c->sets[split] = set;
}

Status classify_open_sets(Classify *c, Err *err) {
    const DataConfig *data = &c->task.recipe->data;
    c->sets[SPLIT_TRAIN] = dataset_open(data, SPLIT_TRAIN, err);
    if (!c->sets[SPLIT_TRAIN]) return err->status;
    c->sets[SPLIT_VAL] = dataset_open(data, SPLIT_VAL, err);
    if (!c->sets[SPLIT_VAL]) return err->status;
    if (dataset_has_test(data)) {
        c->sets[SPLIT_TEST] = dataset_open(data, SPLIT_TEST, err);
        if (!c->sets[SPLIT_TEST]) return err->status;
    }
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
        if (c->sets[s]) skips_begin(&c->scored[s], c->sets[s]->count);
    skips_begin(&c->task.skips, c->sets[SPLIT_TRAIN]->count);
    return OK;
}

/* ---- looking ---- */

Status classify_survey(Classify *c, Err *err) {
    const DataConfig *data = &c->task.recipe->data;
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) {
        Dataset *set = c->sets[s];
        if (!set) continue;
        note_size(c, set);
        if (survey_classes(set, s == SPLIT_TRAIN, err) ||
            survey_pictures(set, data, stop_requested, err))
            return err->status;
        if (s == SPLIT_TRAIN) survey_twice(set);
        else survey_overlap(c->sets[SPLIT_TRAIN], set, split_name(s));
    }
    return OK;
}

/* ---- broken items ---- */

/* Have all items of the class of `item` been met broken? */
static bool class_is_lost(const Dataset *set, const Skips *skips, size_t item,
                          size_t *size) {
    if (!set->label) return false;
    size_t class = set->label(set, item);
    *size = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (set->label(set, i) != class) continue;
        if (!skips->met[i]) return false;
        ++*size;
    }
    return true;
}

static Status check_classes(const Dataset *set, const Skips *skips, const Skip *skip,
                            Err *err) {
    size_t size;
    if (!class_is_lost(set, skips, skip->item, &size)) return OK;
    char number[24];
    size_t class = set->label(set, skip->item);
    text_format(number, sizeof number, "%zu", class);
    return err_set(
        err, FAIL_DATA,
        "none of the %zu pictures of class %s can be read (data.on_error = skip leaves "
        "them out); the last: %.600s",
        size, set->class_names ? set->class_names[class] : number, skip->text);
}

static void see_scored(Split split, Skips *skips, const SkipList *broken) {
    char more[TASK_SKIPS_TEXT];
    const Skip *first = NULL;
    size_t fresh = skips_see_all(skips, broken, &first);
    if (!fresh || !skips_are_named(skips, fresh)) return;
    task_skips_text(skips, fresh, more, sizeof more);
    say("steady: skipped in %s: %s%s", split_name(split), first->text, more);
}

Status classify_see_skips(Classify *c, Split split, const Batch *batch, Err *err) {
    Status status = OK;
    if (batch != c->batch) {
        see_scored(split, &c->scored[split], &batch->broken);
        return OK;
    }
    task_see_skips(&c->task, &batch->broken);
    for (size_t k = batch->broken.count; k-- > 0 && !status;)
        status =
            check_classes(c->sets[split], &c->task.skips, &batch->broken.skip[k], err);
    return status;
}

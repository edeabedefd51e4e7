/* picture_sets: the splits of a task of pictures (tools/task/pictures.h). */
#include <stdio.h>
#include <string.h>

#include "data/picture/survey.h"
#include "tools/program/say.h"
#include "tools/program/stop.h"
#include "tools/run/rundir.h"
#include "tools/task/pictures.h"

/* ---- splits ---- */

/* A run keeps names of folders as JSON has them: one that is not UTF-8 is
 * another text there. */
static bool same_name(const char *a, const char *b) {
    json_t *x = json_text(a), *y = json_text(b);
    bool same = json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return same;
}

static const char OTHER_CLASSES[] =
    "for other pictures: data.path=PATH; to measure features on other classes: steady "
    "eval RUN/recipe.ini --linear-probe train.init=RUN train.transfer=true "
    "data.path=PATH";

/* A set that is opened long after the model was built must be of its kind. */
static Status check_set(const PictureFacts *f, const Dataset *set, const char *path,
                        Err *err) {
    if (set->channels != f->channels)
        return err_set(err, FAIL_DATA,
                       "%s has pictures of %zu channels, but the model was trained on "
                       "%zu",
                       path, set->channels, f->channels);
    if (set->classes > f->classes || (set->class_names && set->classes != f->classes))
        return err_set(err, FAIL_DATA,
                       "%s has %zu classes, but the model was trained on %zu; %s", path,
                       set->classes, f->classes, OTHER_CLASSES);
    for (size_t k = 0; set->class_names && f->class_names && k < f->classes; k++)
        if (!same_name(set->class_names[k], f->class_names[k]))
            return err_set(err, FAIL_DATA,
                           "%s: class %zu is \"%s\", but the model was trained on "
                           "\"%s\"; %s",
                           path, k, set->class_names[k], f->class_names[k],
                           OTHER_CLASSES);
    return OK;
}

/* Pictures of another size than training's, though none was asked for. */
static void note_size(const PictureTask *p, Dataset *set) {
    const PictureFacts *f = &p->facts;
    if (p->task.recipe->data.image_size || !set->height) return;
    if (set->height == f->height && set->width == f->width) return;
    facts_note(
        &set->facts, set->count,
        "pictures of width %zu, height %zu are resized to width %zu, height %zu, the "
        "size of the training pictures",
        set->width, set->height, f->width, f->height);
}

const Dataset *picture_task_set(PictureTask *p, Split split, Err *err) {
    if (p->sets[split]) return p->sets[split];
    const DataConfig *data = &p->task.recipe->data;
    Dataset *set = dataset_open(data, split, err);
    if (set && set->count && check_set(&p->facts, set, data->path, err)) {
        dataset_free(set);
        return NULL;
    }
    if (set) skips_begin(&p->scored[split], set->count);
    if (set && set->count) note_size(p, set);
    return p->sets[split] = set;
}

Status picture_open_sets(PictureTask *p, Err *err) {
    const DataConfig *data = &p->task.recipe->data;
    p->sets[SPLIT_TRAIN] = dataset_open(data, SPLIT_TRAIN, err);
    if (!p->sets[SPLIT_TRAIN]) return err->status;
    p->sets[SPLIT_VAL] = dataset_open(data, SPLIT_VAL, err);
    if (!p->sets[SPLIT_VAL]) return err->status;
    if (dataset_has_test(data)) {
        p->sets[SPLIT_TEST] = dataset_open(data, SPLIT_TEST, err);
        if (!p->sets[SPLIT_TEST]) return err->status;
    }
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
        if (p->sets[s]) skips_begin(&p->scored[s], p->sets[s]->count);
    skips_begin(&p->task.skips, p->sets[SPLIT_TRAIN]->count);
    return OK;
}

/* ---- looking ---- */

Status picture_survey(PictureTask *p, Err *err) {
    const DataConfig *data = &p->task.recipe->data;
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) {
        Dataset *set = p->sets[s];
        if (!set) continue;
        note_size(p, set);
        if (survey_classes(set, s == SPLIT_TRAIN && !p->unlabelled, err) ||
            survey_pictures(set, data, stop_requested, err))
            return err->status;
        if (s == SPLIT_TRAIN) survey_twice(set);
        else survey_overlap(p->sets[SPLIT_TRAIN], set, split_name(s));
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
        "none of the %zu pictures of class %s can be read (data.on_error = skip "
        "ignores single ones); the last: %.600s",
        size, set->class_names ? set->class_names[class] : number, skip->text);
}

void picture_task_see_scored(PictureTask *p, Split split, const Batch *batch) {
    char more[TASK_SKIPS_TEXT];
    const Skip *first = NULL;
    Skips *skips = &p->scored[split];
    size_t fresh = skips_see_all(skips, &batch->broken, &first);
    if (!fresh || !skips_are_named(skips, fresh)) return;
    task_skips_text(skips, fresh, more, sizeof more);
    say("steady: skipped in %s: %s%s", split_name(split), first->text, more);
}

Status picture_task_see_trained(PictureTask *p, const Batch *batch, Err *err) {
    Status status = OK;
    task_see_skips(&p->task, &batch->broken);
    for (size_t k = p->unlabelled ? 0 : batch->broken.count; k-- > 0 && !status;)
        status = check_classes(p->sets[SPLIT_TRAIN], &p->task.skips,
                               &batch->broken.skip[k], err);
    return status;
}

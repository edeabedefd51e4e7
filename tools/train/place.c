/* place: where a run is in its data, and in its epochs (tools/train/parts.h).
 *
 * A run whose batches were always made in one way is at epoch step / steps_per_epoch.
 * Where that changed (Anchor) the epoch goes on from what it was: what was left of it
 * then took epoch_left batches, and each later one steps_per_epoch. */
#include <math.h>

#include "tools/train/parts.h"

/* Epochs since the anchor, `k` steps behind it. */
static double epochs_since(const Trainer *t, size_t k) {
    double share = 1 - t->at.anchor.share;
    size_t left = t->at.epoch_left;
    if (k <= left && left) return share * (double)k / (double)left;
    return share + (double)(k - left) / (double)t->steps_per_epoch;
}

double trainer_epoch(const Trainer *t, size_t step) {
    const Anchor *a = &t->at.anchor;
    if (!a->step) return (double)step / (double)t->steps_per_epoch;
    return a->epoch + epochs_since(t, step - a->step);
}

size_t trainer_step_of(const Trainer *t, double epoch) {
    const Anchor *a = &t->at.anchor;
    double whole = (double)t->steps_per_epoch, left = (double)t->at.epoch_left;
    if (!a->step) return moment_step(epoch, whole);
    double more = epoch - a->epoch, share = 1 - a->share;
    if (more <= 0)
        return a->epoch > 0 ? moment_step(epoch, (double)a->step / a->epoch) : a->step;
    if (more <= share) return a->step + moment_step(more, left / share);
    return a->step + t->at.epoch_left + moment_step(more - share, whole);
}

bool trainer_ends_epoch(const Trainer *t, size_t step) {
    const Anchor *a = &t->at.anchor;
    if (!a->step || step < a->step) return step % t->steps_per_epoch == 0;
    size_t k = step - a->step;
    if (k < t->at.epoch_left) return k == 0 && a->share == 0;
    return (k - t->at.epoch_left) % t->steps_per_epoch == 0;
}

void trainer_count_steps(Trainer *t) {
    const Recipe *r = t->recipe;
    t->steps = r->train.steps ? r->train.steps : trainer_step_of(t, r->train.epochs);
    t->steps = MAX(t->steps, (size_t)1);
    const ScheduleConfig *s = &r->schedule;
    t->warmup_steps =
        s->warmup_steps ? s->warmup_steps : trainer_step_of(t, s->warmup_epochs);
}

/* ---- at a resume ---- */

/* The way in which a recipe makes batches, `batches` of them. */
static PlacePart part_of(const Recipe *r, size_t batches) {
    const TrainConfig *train = &r->train; /* a task has one of the two at most */
    double load = (double)train->batch_tokens + train->batch_seconds;
    return (PlacePart){train->batch, train->accumulate, load, batches};
}

/* Moves the anchor of the run up to the present step: the place there, in the old way. */
static void move_anchor(Trainer *t, size_t *done) {
    Anchor *a = &t->at.anchor, old = *a;
    size_t number = t->at.step + t->at.data_offset, left = t->at.epoch_left;
    size_t k = number - old.place.number;
    double epoch = trainer_epoch(t, t->at.step);
    *done = k;
    if (k < left) {
        a->share = old.share + (1 - old.share) * (double)k / (double)left;
    } else {
        k -= left;
        *done = k % t->steps_per_epoch;
        a->place = (Place){.epoch = old.place.epoch + 1 + k / t->steps_per_epoch};
        a->share = (double)*done / (double)t->steps_per_epoch;
    }
    a->place.number = number;
    a->step = t->at.step;
    a->epoch = epoch;
}

/* Batches of the old way, or, where the examples are others or in another order, as many
 * of the new way as make the same share of an epoch. */
static void add_part(Trainer *t, bool same_examples, size_t done) {
    Anchor *a = &t->at.anchor;
    Place *place = &a->place;
    PlacePart part = part_of(t->was, done);
    if (!same_examples) {
        place->parts = 0;
        double share = a->share * (double)t->task->steps_per_epoch;
        part = part_of(t->recipe, (size_t)llround(share));
    }
    if (part.batches) place->part[place->parts++] = part;
}

/* Keys of the test split alone (data.test_limit) leave the training examples as they
 * are. */
static bool has_other_items(const Trainer *t) {
    for (size_t i = 0; i < t->changes.count; i++) {
        const Key *key = t->changes.change[i].key;
        if (key_change(key) == CHANGE_ITEMS &&
            key_uses(key, t->recipe) & (USE_EVAL_TRAIN | USE_EVAL_VAL))
            return true;
    }
    return false;
}

Status trainer_find_place(Trainer *t, bool other_data, Err *err) {
    const RecipeChanges *c = &t->changes;
    bool batch = recipe_changes_have(c, CHANGE_BATCH);
    bool examples =
        other_data || recipe_changes_have(c, CHANGE_ORDER) || has_other_items(t);
    size_t now = t->task->steps_per_epoch, left = now;
    const Anchor *a = &t->at.anchor;
    if (a->step > t->at.step || a->place.number > t->at.step + t->at.data_offset)
        return err_set(
            err, FAIL_DATA,
            "the checkpoint of step %zu records a position in the data after step %zu",
            t->at.step, a->step);
    if (!t->at.epoch_steps) { /* an older checkpoint */
        const TrainConfig *old = t->was ? &t->was->train : &t->recipe->train;
        bool counted = part_of(t->recipe, 0).load == 0;
        t->at.epoch_steps = counted && old->batch && !examples
                                ? MAX(t->task->examples / old->batch, (size_t)1)
                                : now;
        t->at.epoch_left = t->at.epoch_steps;
    }
    t->steps_per_epoch = t->at.epoch_steps;
    if (t->at.step && (batch || examples)) {
        size_t done;
        move_anchor(t, &done);
        t->new_order = examples || t->at.anchor.place.parts == PLACE_PARTS;
        add_part(t, !t->new_order, done);
    }
    t->steps_per_epoch = now;
    if (t->at.anchor.step &&
        t->task->ops->go_on(t->task, &t->at.anchor.place, &left, err))
        return err->status;
    t->at.epoch_steps = now;
    t->at.epoch_left = left;
    return OK;
}

/* intervene: keys that change while the run goes on (tools/train/parts.h). */
#include <math.h>
#include <string.h>

#include "tools/program/say.h"
#include "tools/train/parts.h"

static size_t step_of(const void *run, double epoch) {
    return trainer_step_of(run, epoch);
}

static CourseNow now_of(const Trainer *t, size_t step) {
    return (CourseNow){.step = step, .step_of = step_of, .run = t};
}

void trainer_set_course(Trainer *t) {
    course_set(t->base, &t->at.acted, t->recipe, t->task, &t->step);
    trainer_count_steps(t);
}

Acted trainer_acted_ahead(const Trainer *t) {
    CourseNow now = now_of(t, t->at.step);
    Acted acted = t->at.acted;
    size_t group;
    while (t->at.step && (group = course_due(t->base, &acted, &now)) < INTERVENE_GROUPS)
        acted.group[acted.count++] = group;
    return acted;
}

/* ---- rows ---- */

static Status log_change(Trainer *t, const Change *change, const char *was, Err *err) {
    char key[80];
    text_format(key, sizeof key, "%s.%s", change->key->section, change->key->name);
    progress_say(&t->progress, "step %zu: intervention: %s changed from %s to %s",
                 t->at.step, key, was, change->value);
    if (!ranks_lead(t->ranks)) return OK;
    return log_row(&t->train_log,
                   json_pack("{s:I, s:s, s:s, s:o, s:o}", "step", (json_int_t)t->at.step,
                             "event", "intervene", "key", key, "from", json_text(was),
                             "to", json_text(change->value)),
                   err);
}

/* With another value scores are no measure of those to come: it says which score is the
 * best's, or what a loss compares. */
static bool moves_scores(const Trainer *t, const Key *key) {
    if (key == key_find("train.best")) return true;
    const char *const *of_loss = t->task->ops->loss_keys;
    if (!of_loss || task_best(t->task) != METRIC_LOSS) return false;
    while (*of_loss && key != key_find(*of_loss)) of_loss++;
    return *of_loss;
}

static void act(Trainer *t, size_t group) {
    const char *rest = t->base->intervene.group[group].changes;
    Metric best = task_best(t->task);
    for (Change c; intervene_next(&rest, &c);)
        if (moves_scores(t, c.key)) t->at.best_score = NAN;
    t->at.acted.group[t->at.acted.count++] = group;
    trainer_set_course(t);
    if (task_best(t->task) != best) t->at.best_score = NAN;
}

static Status act_group(Trainer *t, size_t group, Err *err) {
    const char *rest = t->base->intervene.group[group].changes;
    for (Change c; intervene_next(&rest, &c);) {
        char was[KEY_VALUE_MAX];
        key_print(c.key, t->recipe, was, sizeof was);
        if (!strcmp(was, c.value))
            progress_say(&t->progress,
                         "step %zu: intervention: %s.%s is already %s; no change",
                         t->at.step, c.key->section, c.key->name, was);
        else if (log_change(t, &c, *was ? was : "(empty)", err)) return err->status;
    }
    act(t, group);
    return OK;
}

Status trainer_intervene(Trainer *t, Err *err) {
    CourseNow now = now_of(t, t->at.step);
    size_t group, before = t->at.acted.count;
    while ((group = course_due(t->base, &t->at.acted, &now)) < INTERVENE_GROUPS)
        if (act_group(t, group, err)) return err->status;
    if (t->at.acted.count == before) return OK;
    /* Batches that were made ahead are made again: augmentation may have changed. */
    return t->task->ops->start(t->task, t->at.step + t->at.data_offset + 1, err);
}

void trainer_take_back(Trainer *t) {
    if (t->at.acted.count == t->stepped) return;
    t->at.acted.count = t->stepped;
    trainer_set_course(t);
}

/* ---- at the start ---- */

static bool same_moment(Moment a, Moment b) {
    return a.unit == b.unit && a.value == b.value;
}

static bool same_group(const Intervention *a, const Intervention *b) {
    return same_moment(a->at, b->at) && !strcmp(a->changes, b->changes);
}

/* Is the moment before the step that the run is at? */
static bool is_behind(const Trainer *t, Moment moment) {
    if (moment.unit == MOMENT_STEPS) return moment.value < (double)t->at.step;
    return moment.unit == MOMENT_EPOCHS && t->at.step > trainer_step_of(t, moment.value);
}

static Status check_group(const Trainer *t, size_t g, Err *err) {
    const Intervention *is = &t->base->intervene.group[g];
    const char *at = intervene_at_key(g)->name;
    char text[MOMENT_TEXT];
    if (same_group(is, &t->was->intervene.group[g])) return OK;
    moment_print(is->at, text);
    if (acted_has(&t->at.acted, g))
        return err_set(err, FAIL_USAGE,
                       "intervene.%s took effect before step %zu, where the run is, "
                       "and cannot change; leave it as it was and use another number",
                       at, t->at.step);
    if (!is_behind(t, is->at)) return OK;
    return err_set(
        err, FAIL_USAGE,
        "intervene.%s = %s is before step %zu (epoch %.4g), where the run is: it "
        "has no effect; use %zu or later",
        at, text, t->at.step, trainer_epoch(t, t->at.step), t->at.step);
}

/* A key that an intervention has set does not follow the recipe any more. */
static Status check_key(const Trainer *t, const RecipeChange *c, Err *err) {
    char value[INTERVENE_TEXT];
    for (size_t i = t->at.acted.count; i-- > 0;) {
        size_t g = t->at.acted.group[i];
        if (!intervene_changes(t->base, g, c->key, value)) continue;
        return err_set(err, FAIL_USAGE,
                       "%s.%s = %.200s has no effect: intervene.%s has set it to %s; "
                       "to change it from step %zu on, use a free number N: "
                       "intervene.atN=%zu intervene.%s.%sN=%.200s",
                       c->key->section, c->key->name, c->is, intervene_at_key(g)->name,
                       value, t->at.step, t->at.step, c->key->section, c->key->name,
                       c->is);
    }
    return OK;
}

/* Do both come after the same step, one counted in steps and one in epochs? */
static bool meet(const Trainer *t, Moment steps, Moment epochs) {
    if (steps.unit != MOMENT_STEPS || epochs.unit != MOMENT_EPOCHS) return false;
    CourseNow at = now_of(t, (size_t)steps.value), before = now_of(t, at.step - 1);
    return course_is_past(&at, epochs) && !(at.step && course_is_past(&before, epochs));
}

static Status check_pair(const Trainer *t, size_t g, size_t h, Err *err) {
    const Intervention *group = t->base->intervene.group;
    const char *rest = group[g].changes;
    char value[INTERVENE_TEXT];
    if (!meet(t, group[g].at, group[h].at)) return OK;
    for (Change c; intervene_next(&rest, &c);)
        if (intervene_changes(t->base, h, c.key, value))
            return err_set(
                err, FAIL_USAGE,
                "intervene.%s and intervene.%s are both step %.0f (%zu steps per "
                "epoch) and both change %s.%s; keep one of the two",
                intervene_at_key(g)->name, intervene_at_key(h)->name, group[g].at.value,
                t->steps_per_epoch, c.key->section, c.key->name);
    return OK;
}

/* Not where batches were made in several ways: steps of earlier epochs are not known. */
static Status check_pairs(const Trainer *t, Err *err) {
    Status status = OK;
    for (size_t g = 0; g < INTERVENE_GROUPS && !t->at.anchor.step; g++)
        for (size_t h = 0; h < INTERVENE_GROUPS && !status; h++)
            status = check_pair(t, g, h, err);
    return status;
}

Status trainer_check_interventions(const Trainer *t, Err *err) {
    CourseNow now = now_of(t, t->at.step);
    if (check_pairs(t, err) || course_check_order(t->base, &t->at.acted, &now, err))
        return err->status;
    if (!t->was || !t->at.step) return OK;
    for (size_t g = 0; g < INTERVENE_GROUPS; g++)
        if (check_group(t, g, err)) return err->status;
    for (size_t i = 0; i < t->changes.count; i++)
        if (check_key(t, &t->changes.change[i], err)) return err->status;
    return OK;
}

bool trainer_best_changed(const Trainer *t) {
    for (size_t i = 0; i < t->changes.count; i++)
        if (moves_scores(t, t->changes.change[i].key)) return true;
    return false;
}

void trainer_note_interventions(const Trainer *t) {
    CourseNow last = now_of(t, t->steps - 1);
    for (size_t g = 0; g < INTERVENE_GROUPS; g++) {
        Moment at = t->base->intervene.group[g].at;
        char text[MOMENT_TEXT];
        bool waits = at.unit == MOMENT_STEPS || at.unit == MOMENT_EPOCHS;
        if (!waits || acted_has(&t->at.acted, g) || course_is_past(&last, at)) continue;
        moment_print(at, text);
        say("steady: note: intervene.%s = %s has no effect: the run ends at step %zu",
            intervene_at_key(g)->name, text, t->steps);
    }
}

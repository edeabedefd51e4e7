/* data: are the data of a run that is resumed those that it was trained on?
 * (tools/train/parts.h) */
#include <string.h>

#include "tools/run/datafacts.h"
#include "tools/train/parts.h"

void trainer_mark_data(const Task *task, DataMark data[3]) {
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) {
        const DataFacts *facts = task_facts(task, s);
        data[s] = (DataMark){0};
        if (facts) data[s] = (DataMark){true, facts->count, facts->hash};
    }
}

/* What the run's data were: the checkpoint says it, or data.json of an older one.
 * False: nobody knows. */
static bool marks_before(const Trainer *t, size_t step, DataMark data[3]) {
    char path[PATH_SIZE];
    trainer_checkpoint_path(t, step, path);
    if (checkpoint_data(path, t->dir, data)) return true;
    DataRecord record;
    bool known = !datafacts_load(t->dir, &record, NULL);
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
        data[s] =
            (DataMark){record.there[s], record.split[s].count, record.split[s].hash};
    datarecord_free(&record);
    return known && data[SPLIT_TRAIN].there;
}

/* The list, ready for a further item. */
static TextBuffer *further(TextBuffer *list) {
    if (list->length) text_append(list, "; ", 2);
    return list;
}

/* ---- splits ---- */

/* Is there a change of a key that chooses the items of the split? */
static bool is_asked_for(const Trainer *t, Split split) {
    static const unsigned USES[] = {USE_EVAL_TRAIN, USE_EVAL_VAL, USE_EVAL_TEST};
    for (size_t i = 0; i < t->changes.count; i++) {
        const Key *key = t->changes.change[i].key;
        if (key_change(key) != CHANGE_ITEMS) continue;
        unsigned uses = key_uses(key, t->recipe);
        if (uses & USES[split]) return true;
        /* A val split of its own is not cut off from the training data any more. */
        if (split == SPLIT_TRAIN && uses & USE_EVAL_VAL && t->was->data.val_fraction > 0)
            return true;
    }
    return false;
}

/* What counts and hashes do not show. */
static void add_changes(Trainer *t) {
    DataFacts changes = {0};
    if (t->task->ops->changes) t->task->ops->changes(t->task, t->dir, &changes);
    for (size_t i = 0; i < changes.notes; i++)
        text_append_format(further(&t->data_change), "%s", changes.note[i].text);
    facts_free(&changes);
}

static bool differs(const DataMark *was, const DataMark *is) {
    if (was->there != is->there || was->count != is->count) return true;
    return was->hash && is->hash && was->hash != is->hash;
}

static void add_split(Split s, const DataMark *was, const DataMark *is,
                      TextBuffer *text) {
    const char *name = split_name(s);
    if (!was->there || !is->there)
        text_append_format(further(text), "%s: %s", name,
                           is->there ? "did not exist before" : "no longer exists");
    else if (was->count != is->count)
        text_append_format(further(text), "%s: %zu items before, %zu now", name,
                           was->count, is->count);
    else
        text_append_format(further(text),
                           "%s: still %zu items, but different ones or in another order",
                           name, is->count);
}

static bool has_items(const DataMark *mark) { return mark->there && mark->count; }

/* Older versions scored a folder's val as the test split where there was no test. */
static void rename_val(DataMark was[3], const DataMark is[3]) {
    const DataMark *test = &was[SPLIT_TEST], *val = &is[SPLIT_VAL];
    bool same = has_items(test) && has_items(val) && test->count == val->count &&
                test->hash == val->hash;
    if (!same || has_items(&was[SPLIT_VAL]) || has_items(&is[SPLIT_TEST])) return;
    was[SPLIT_VAL] = was[SPLIT_TEST];
    was[SPLIT_TEST] = is[SPLIT_TEST];
}

Status trainer_check_data(Trainer *t, size_t step, Err *err) {
    DataMark was[3], is[3];
    bool asked = true;
    trainer_mark_data(t->task, is);
    memcpy(t->data_was, is, sizeof is);
    if (t->was && t->task->ops->check_facts &&
        t->task->ops->check_facts(t->task, t->dir, err))
        return err->status;
    if (!step || !marks_before(t, step, was)) return OK;
    rename_val(was, is);
    memcpy(t->data_was, was, sizeof was);
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) {
        if (!differs(&was[s], &is[s])) continue;
        add_split(s, &was[s], &is[s], &t->data_change);
        asked &= is_asked_for(t, s);
        t->other_data |= s == SPLIT_TRAIN;
        t->other_scores |= s != SPLIT_TRAIN;
    }
    add_changes(t);
    if (!t->data_change.length || asked || t->recipe->data.changed == DATA_ALLOW)
        return OK;
    return err_set(
        err, FAIL_DATA,
        "the data have changed since %.300s was trained: %.500s; restore them, or "
        "resume with data.changed=allow",
        t->dir, t->data_change.text);
}

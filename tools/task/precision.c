#include "tools/task/precision.h"

#include <string.h>

#include "tools/recipe/intervene.h"
#include "tools/recipe/keys.h"

/* ---- refusing ---- */

static Status refuse(const Units *units, const char *advice, Err *err) {
    return err_set(err, FAIL_USAGE,
                   "train.precision = bf16: there are no fast products in bf16: %s; %s",
                   units->why, advice);
}

static Status check(const Recipe *recipe, const Units *units, bool force, Err *err) {
    bool real_float = sizeof(real) == sizeof(float);
    if (recipe->train.precision != TRAIN_BF16 || units->bf16 || (force && real_float))
        return OK;
    return refuse(units,
                  real_float ? "train.precision=auto or fp32 trains here, and --force "
                               "takes plain loops, which are slow"
                             : "train with steady",
                  err);
}

Status precision_check(const Recipe *recipe, const Units *units, bool force, Err *err) {
    const Intervention *group = recipe->intervene.group;
    Recipe *now = mem_alloc(sizeof *now);
    Acted acted = {0};
    Status status = check(recipe, units, force, err);
    for (size_t g = 0; g < INTERVENE_GROUPS && !status; g++) {
        if (!*group[g].changes || group[g].at.unit == MOMENT_NEVER) continue;
        acted.group[acted.count++] = g;
        recipe_in_force(recipe, &acted, now);
        status = check(now, units, force, err);
        if (status && err)
            err_wrap(err, "behind intervene.%s", intervene_at_key(g)->name);
    }
    mem_free(now);
    return status;
}

/* ---- choosing ---- */

/* How many of the ranks have no units. */
static double count_without(const Task *task, const Units *units) {
    double without = units->bf16 ? 0 : 1;
    ranks_add(task->ranks, &without, 1);
    return without;
}

static void choose_auto(Task *task, const Units *units, const char *was, double without,
                        char note[PRECISION_NOTE]) {
    bool kept = was && !strcmp(was, "fp32");
    task->way.bf16 = !without && !kept;
    if (!units->bf16)
        text_format(note, PRECISION_NOTE,
                    "train.precision = auto: fp32: no fast products "
                    "in bf16: %s",
                    units->why);
    else if (without)
        text_format(note, PRECISION_NOTE,
                    "train.precision = auto: fp32: %.0f of %zu ranks have no fast "
                    "products in bf16",
                    without, ranks_count(task->ranks));
    else if (was)
        text_format(note, PRECISION_NOTE,
                    "train.precision = auto: %s, as up to the checkpoint",
                    kept ? "fp32" : "bf16");
    else
        text_format(note, PRECISION_NOTE,
                    "train.precision = auto: bf16: this processor has products in bf16");
}

void precision_choose(Task *task, const Units *units, const char *was,
                      char note[PRECISION_NOTE]) {
    PrecisionChoice wanted = task->recipe->train.precision;
    double without = count_without(task, units);
    task->way = (PrecisionWay){.plain = !units->bf16};
    *note = 0;
    if (wanted == TRAIN_AUTO) choose_auto(task, units, was, without, note);
    else if (wanted == TRAIN_BF16 && !units->bf16)
        text_format(note, PRECISION_NOTE,
                    "train.precision = bf16: plain loops, which are slow: %s",
                    units->why);
}

/* ---- following ---- */

Status precision_follow(Task *task, const Units *units, const char *was,
                        char note[PRECISION_NOTE], Err *err) {
    const Recipe *recipe = task->recipe;
    PrecisionChoice wanted = recipe->train.precision;
    bool bf16 =
        wanted == TRAIN_BF16 || (wanted == TRAIN_AUTO && was && !strcmp(was, "bf16"));
    *note = 0;
    task->way = (PrecisionWay){.bf16 = bf16 && units->bf16, .off = !units->bf16};
    if (!bf16 || units->bf16) return OK;
    if (keyset_has(recipe->worded, key_find("train.precision")) && wanted == TRAIN_BF16)
        return refuse(units, "leave the word out to compute in fp32", err);
    text_format(note, PRECISION_NOTE,
                "computed in fp32, the weights were trained in bf16: no fast products in "
                "bf16: %s",
                units->why);
    return OK;
}

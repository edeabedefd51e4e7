#include "tools/task/precision.h"

#include <math.h>
#include <string.h>

#include "tools/program/gain.h"
#include "tools/recipe/intervene.h"
#include "tools/recipe/keys.h"

/* ---- refusing ---- */

static Status refuse(const Units *units, const char *advice, Err *err) {
    return err_set(err, FAIL_USAGE,
                   "train.precision = bf16: no fast bf16 products here: %s; %s",
                   units->why, advice);
}

static Status check(const Recipe *recipe, const Units *units, bool force, Err *err) {
    bool real_float = sizeof(real) == sizeof(float);
    if (recipe->train.precision != TRAIN_BF16 || units->bf16 || (force && real_float))
        return OK;
    return refuse(units,
                  real_float ? "use train.precision=auto or fp32, or --force for plain "
                               "loops, which are slower than fp32"
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
        if (status && err) err_wrap(err, "with intervene.%s", intervene_at_key(g)->name);
    }
    mem_free(now);
    return status;
}

/* ---- choosing ---- */

static bool measure(const Recipe *recipe, char note[PRECISION_NOTE]) {
    enum { ROWS = 1024 };
    size_t in = recipe->model.width;
    size_t out = (size_t)llround(recipe->model.mlp_ratio * (double)in);
    double gain = machine_bf16_gain(ROWS, in, out);
    bool half = gain >= PRECISION_GAIN;
    text_format(
        note, PRECISION_NOTE,
        "train.precision = auto: %s: a product of %d x %zu x %zu is %.2f times as "
        "fast in bf16 as in fp32%s",
        half ? "bf16" : "fp32", ROWS, in, out, gain, half ? "" : ", too little to gain");
    return half;
}

PrecisionWay precision_way(const Recipe *recipe, const Units *units,
                           char note[PRECISION_NOTE]) {
    PrecisionChoice wanted = recipe->train.precision;
    PrecisionWay way = {.plain = !units->bf16};
    *note = 0;
    if (wanted == TRAIN_AUTO && units->bf16) way.bf16 = measure(recipe, note);
    else if (wanted == TRAIN_AUTO)
        text_format(note, PRECISION_NOTE,
                    "train.precision = auto: fp32; no fast bf16 products here: %s",
                    units->why);
    else if (wanted == TRAIN_BF16 && !units->bf16)
        text_format(note, PRECISION_NOTE,
                    "train.precision = bf16: plain loops, slower than fp32: %s",
                    units->why);
    return way;
}

/* How many of the ranks have no units. */
static double count_without(const Task *task, const Units *units) {
    double without = units->bf16 ? 0 : 1;
    ranks_add(task->ranks, &without, 1);
    return without;
}

void precision_choose(Task *task, const Units *units, const char *was,
                      char note[PRECISION_NOTE]) {
    PrecisionWay *way = &task->way;
    bool automatic = task->recipe->train.precision == TRAIN_AUTO;
    double without = count_without(task, units);
    *note = 0;
    *way = (PrecisionWay){.plain = !units->bf16};
    if (automatic && units->bf16 && without) {
        text_format(note, PRECISION_NOTE,
                    "train.precision = auto: fp32, because %.0f of %zu ranks have no "
                    "fast bf16 products",
                    without, ranks_count(task->ranks));
    } else if (automatic && was && !without) {
        way->bf16 = !strcmp(was, "bf16");
        text_format(note, PRECISION_NOTE,
                    "train.precision = auto: %.4s, as before the checkpoint", was);
    } else {
        *way = precision_way(task->recipe, units, note);
    }
    ranks_copy(task->ranks, &way->bf16, sizeof way->bf16); /* as rank 0 measures it */
}

/* ---- following ---- */

Status precision_follow(Task *task, const Units *units, const char *was,
                        char note[PRECISION_NOTE], Err *err) {
    const Recipe *recipe = task->recipe;
    PrecisionChoice wanted = recipe->train.precision;
    bool half =
        wanted == TRAIN_BF16 || (wanted == TRAIN_AUTO && was && !strcmp(was, "bf16"));
    *note = 0;
    task->way = (PrecisionWay){.bf16 = half && units->bf16, .off = !units->bf16};
    if (!half || units->bf16) return OK;
    if (sizeof(real) != sizeof(float)) {
        text_format(note, PRECISION_NOTE,
                    "computed in double; the weights were trained in bf16");
        return OK;
    }
    if (keyset_has(recipe->worded, key_find("train.precision")) && wanted == TRAIN_BF16)
        return refuse(units, "leave out train.precision to compute in fp32", err);
    text_format(note, PRECISION_NOTE,
                "computed in fp32, although the weights were trained in bf16: no fast "
                "bf16 products here: %s",
                units->why);
    return OK;
}

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

typedef struct Check {
    const Units *units;
    bool force;
} Check;

static Status check(const Recipe *now, void *input, Err *err) {
    const Check *c = input;
    bool real_float = sizeof(real) == sizeof(float);
    if (now->train.precision != TRAIN_BF16 || c->units->bf16 || (c->force && real_float))
        return OK;
    return refuse(c->units,
                  real_float ? "use train.precision=auto or fp32, or --force for plain "
                               "loops, which are slower than fp32"
                             : "train with steady",
                  err);
}

Status precision_check(const Recipe *recipe, const Units *units, bool force, Err *err) {
    Check input = {units, force};
    return intervene_check_ahead(recipe, &(Acted){0}, check, &input, err);
}

/* The group whose bf16 is in force; INTERVENE_GROUPS: none, it is the recipe's own. */
static size_t group_of(const Recipe *recipe, const Acted *acted) {
    char value[INTERVENE_TEXT];
    const Key *key = key_find("train.precision");
    for (size_t i = acted->count; i-- > 0;)
        if (intervene_changes(recipe, acted->group[i], key, value))
            return acted->group[i];
    return INTERVENE_GROUPS;
}

Status precision_check_resumed(const Recipe *recipe, const Acted *acted, size_t step,
                               const Units *units, bool force, Err *err) {
    Check input = {units, force};
    Recipe *now = mem_alloc(sizeof *now);
    recipe_in_force(recipe, acted, now);
    size_t group = group_of(recipe, acted);
    bool set = check(now, &input, NULL) && group < INTERVENE_GROUPS;
    mem_free(now);
    if (!set) return intervene_check_ahead(recipe, acted, check, &input, err);
    char advice[200];
    text_format(advice, sizeof advice,
                "intervene.%s has set it; to go on in fp32 use a free number N: "
                "intervene.atN=%zu intervene.train.precisionN=fp32%s",
                intervene_at_key(group)->name, step,
                sizeof(real) == sizeof(float) ? ", or --force for plain loops" : "");
    return refuse(units, advice, err);
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

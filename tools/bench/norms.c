/* norms: what norms and sigmaReparam cost a step (tools/bench/bench.h).
 *
 * A machine's speed drifts by more than what is looked for, so kinds take turns, each
 * turn begins with another kind, its times are divided by the floor's of the same turn,
 * and the median of the ratios is told. */
#include <string.h>

#include "tools/bench/bench.h"
#include "tools/program/stop.h"

enum { STEPS_A_TURN = 3, KEYS = 2, WORDS_MAX = 80 };

/* The first is the floor. */
static const struct {
    const char *name, *words[KEYS];
} KINDS[] = {
    {"none", {"model.norm=none", "model.reparam=none"}},
    {"pre", {"model.norm=pre", "model.reparam=none"}},
    {"post", {"model.norm=post", "model.reparam=none"}},
    {"sigma", {"model.norm=none", "model.reparam=sigma"}},
    {"sigma + post", {"model.norm=post", "model.reparam=sigma"}},
};

/* One kind's steps [steps] and its turns' medians [turns]. */
typedef struct Kind {
    double *seconds, *spent, *turn_seconds, *turn_spent;
    size_t count;
} Kind;

static Kind kind_new(size_t steps, size_t turns) {
    double *numbers = mem_zalloc(2 * (steps + turns) * sizeof *numbers);
    return (Kind){.seconds = numbers,
                  .spent = numbers + steps,
                  .turn_seconds = numbers + 2 * steps,
                  .turn_spent = numbers + 2 * steps + turns};
}

static Status take_turn(Bench *bench, const BenchSubject *subject, Kind *kind,
                        size_t turn, Err *err) {
    BenchSteps steps;
    if (!bench_steps(bench, subject, &steps, err)) {
        memcpy(kind->seconds + kind->count, steps.seconds, steps.count * sizeof(double));
        memcpy(kind->spent + kind->count, steps.spent, steps.count * sizeof(double));
        kind->count += steps.count;
        kind->turn_seconds[turn] = steps.time.median;
        kind->turn_spent[turn] = steps.processor.median;
    }
    bench_steps_release(&steps);
    if (stop_requested()) err_set(err, FAIL_INTERRUPTED, "interrupted");
    return err->status;
}

static Status make_subject(BenchSubject *subject, const BenchModel *model, size_t kind,
                           char **words, size_t count, Err *err) {
    char *all[WORDS_MAX], own[KEYS][32];
    CHECK(count + KEYS <= WORDS_MAX, "%zu words", count);
    memcpy(all, words, count * sizeof *all);
    for (size_t i = 0; i < KEYS; i++) {
        text_format(own[i], sizeof own[i], "%s", KINDS[kind].words[i]);
        all[count + i] = own[i];
    }
    return bench_subject(subject, model, all, count + KEYS, err);
}

static Status measure(Bench *bench, const BenchModel *model, char **words, size_t count,
                      Kind *kinds, size_t turns, Err *err) {
    size_t steps = bench->steps;
    bench->no_rate = true;
    for (size_t turn = 0; turn < turns && !err->status; turn++) {
        bench->steps = MIN(steps - turn * STEPS_A_TURN, (size_t)STEPS_A_TURN);
        for (size_t k = 0; k < COUNT(KINDS) && !err->status; k++) {
            BenchSubject subject;
            size_t i = (turn + k) % COUNT(KINDS);
            if (!make_subject(&subject, model, i, words, count, err))
                take_turn(bench, &subject, &kinds[i], turn, err);
        }
    }
    bench->steps = steps;
    bench->no_rate = false;
    return err->status;
}

/* The median of time / floor over the turns; time becomes the ratio. */
static double median_over(double *time, const double *floor, size_t turns) {
    for (size_t turn = 0; turn < turns; turn++) time[turn] /= floor[turn];
    return bench_summary(time, turns).median;
}

static BenchNorm summary(Kind *kind, const Kind *floor, size_t turns, const char *name) {
    return (BenchNorm){.name = name,
                       .time = bench_summary(kind->seconds, kind->count),
                       .processor = bench_summary(kind->spent, kind->count),
                       .over =
                           median_over(kind->turn_seconds, floor->turn_seconds, turns),
                       .processor_over =
                           median_over(kind->turn_spent, floor->turn_spent, turns)};
}

Status bench_norms(Bench *bench, const BenchModel *model, char **words, size_t count,
                   Err *err) {
    size_t turns = (bench->steps + STEPS_A_TURN - 1) / STEPS_A_TURN;
    BenchSubject subject;
    BenchNorm norms[COUNT(KINDS)];
    Kind kinds[COUNT(KINDS)];
    if (bench_subject(&subject, model, words, count, err)) return err->status;
    for (size_t i = 0; i < COUNT(KINDS); i++) kinds[i] = kind_new(bench->steps, turns);
    if (!measure(bench, model, words, count, kinds, turns, err)) {
        for (size_t i = COUNT(KINDS); i--;) /* the floor last: others are divided by it */
            norms[i] = summary(&kinds[i], &kinds[0], turns, KINDS[i].name);
        bench_print_norms(bench, &subject, norms, COUNT(KINDS));
    }
    for (size_t i = 0; i < COUNT(KINDS); i++) mem_free(kinds[i].seconds);
    return err->status;
}

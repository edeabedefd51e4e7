/* norms: what norms, sigmaReparam and probes cost a step (tools/bench/bench.h).
 *
 * A machine's speed drifts by more than what is looked for, so kinds take turns, each
 * turn begins with another kind, its times are divided by the floor's of the same turn,
 * and the median of the ratios is shown. */
#include <string.h>

#include "tools/bench/bench.h"
#include "tools/program/stop.h"

enum { KINDS_MAX = 5, KEYS = 2 };

typedef struct KindWords {
    const char *name, *words[KEYS];
} KindWords;

/* What takes turns.  The first kind is the floor. */
typedef struct Kinds {
    const char *level;
    size_t turn; /* steps */
    size_t count;
    KindWords kind[KINDS_MAX];
} Kinds;

static const Kinds NORMS = {
    .level = "norm",
    .turn = 3,
    .count = 5,
    .kind = {{"none", {"model.norm=none", "model.reparam=none"}},
             {"pre", {"model.norm=pre", "model.reparam=none"}},
             {"post", {"model.norm=post", "model.reparam=none"}},
             {"sigma", {"model.norm=none", "model.reparam=sigma"}},
             {"sigma + post", {"model.norm=post", "model.reparam=sigma"}}},
};

/* Ten steps have what comes at every tenth or more often in its share. */
static const Kinds PROBES = {
    .level = "probes",
    .turn = 10,
    .count = 3,
    .kind = {{"none", {"probe.every=0", "probe.spectral=true"}},
             {"all but sigma", {"probe.every=1", "probe.spectral=false"}},
             {"all", {"probe.every=1", "probe.spectral=true"}}},
};

/* One kind's steps [steps] and its turns' medians [turns]. */
typedef struct Kind {
    const char *name;
    double *seconds, *spent, *turn_seconds, *turn_spent;
    size_t count;
    bool noted; /* that it diverges: every turn is alike */
} Kind;

static Kind kind_new(const char *name, size_t steps, size_t turns) {
    double *numbers = mem_zalloc(2 * (steps + turns) * sizeof *numbers);
    return (Kind){.name = name,
                  .seconds = numbers,
                  .spent = numbers + steps,
                  .turn_seconds = numbers + 2 * steps,
                  .turn_spent = numbers + 2 * steps + turns};
}

static void note_losses(const BenchSubject *subject, const BenchSteps *steps,
                        Kind *kind) {
    char what[120];
    text_format(what, sizeof what, "%s, %s", subject->name, kind->name);
    kind->noted = kind->noted || bench_note_losses(steps, what);
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
        note_losses(subject, &steps, kind);
    }
    bench_steps_release(&steps);
    if (stop_requested()) err_set(err, FAIL_INTERRUPTED, "interrupted");
    return err->status;
}

static Status make_subject(Bench *bench, BenchSubject *subject, const BenchModel *model,
                           const KindWords *kind, char **words, size_t count, Err *err) {
    char **all = mem_alloc((count + KEYS) * sizeof *all), own[KEYS][32];
    for (size_t i = 0; i < count; i++) all[i] = words[i];
    for (size_t i = 0; i < KEYS; i++) {
        text_format(own[i], sizeof own[i], "%s", kind->words[i]);
        all[count + i] = own[i];
    }
    bench_subject(bench, subject, model, all, count + KEYS, err);
    mem_free(all);
    return err->status;
}

/* What is measured: the kinds, of one model with these words. */
typedef struct Job {
    const Kinds *kinds;
    const BenchModel *model;
    char **words;
    size_t word_count, turns;
} Job;

static Status measure(Bench *bench, const Job *m, Kind *kinds, Err *err) {
    size_t steps = bench->steps, count = m->kinds->count, a_turn = m->kinds->turn;
    bench->no_rate = true;
    for (size_t turn = 0; turn < m->turns && !err->status; turn++) {
        bench->steps = MIN(steps - turn * a_turn, a_turn);
        for (size_t k = 0; k < count && !err->status; k++) {
            BenchSubject subject;
            size_t i = (turn + k) % count;
            if (!make_subject(bench, &subject, m->model, &m->kinds->kind[i], m->words,
                              m->word_count, err))
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

static Status take_turns(Bench *bench, const Job *m, Err *err) {
    size_t count = m->kinds->count;
    BenchSubject subject;
    BenchNorm rows[KINDS_MAX];
    Kind kinds[KINDS_MAX];
    if (bench_subject(bench, &subject, m->model, m->words, m->word_count, err))
        return err->status;
    for (size_t i = 0; i < count; i++)
        kinds[i] = kind_new(m->kinds->kind[i].name, bench->steps, m->turns);
    if (!measure(bench, m, kinds, err)) {
        for (size_t i = count; i--;) /* the floor last: others are divided by it */
            rows[i] = summary(&kinds[i], &kinds[0], m->turns, m->kinds->kind[i].name);
        bench_print_norms(bench, &subject, m->kinds->level, rows, count);
    }
    for (size_t i = 0; i < count; i++) mem_free(kinds[i].seconds);
    return err->status;
}

static Job job_of(const Bench *bench, const Kinds *kinds, const BenchModel *model,
                  char **words, size_t count) {
    size_t turns = (bench->steps + kinds->turn - 1) / kinds->turn;
    return (Job){kinds, model, words, count, turns};
}

Status bench_norms(Bench *bench, const BenchModel *model, char **words, size_t count,
                   Err *err) {
    Job m = job_of(bench, &NORMS, model, words, count);
    return take_turns(bench, &m, err);
}

Status bench_probes(Bench *bench, const BenchModel *model, char **words, size_t count,
                    Err *err) {
    Job m = job_of(bench, &PROBES, model, words, count);
    return take_turns(bench, &m, err);
}

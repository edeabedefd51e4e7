#include "tools/sweep/compare.h"

#include <string.h>

/* ---- differences ---- */

static double measure_of(const Pool *pool, const SweepCell *cell,
                         CompareMeasure measure) {
    if (!cell) return NAN;
    return measure == COMPARE_SCORE ? pool_score(pool, cell)
                                    : pool_final_loss(pool, cell);
}

static Paired paired_new(const double *difference, size_t count) {
    bool enough = count >= INTERVAL_LEAST;
    return (Paired){.pairs = count,
                    .mean = statistics_mean(difference, count),
                    .interval = statistics_mean_interval(difference, count),
                    .p = enough ? statistics_flip_p(difference, count) : NAN};
}

static Paired compare_measure(const Pool *pool, const CompareRow *row,
                              CompareMeasure measure) {
    double *difference = mem_alloc(pool->seeds.count * sizeof *difference);
    size_t count = 0;
    for (size_t s = 0; s < pool->seeds.count; s++) {
        const SweepCell *a = pool_find(pool, row->method, row->rest, row->rate, s),
                        *b = pool_find(pool, pool->base, row->rest, row->base_rate, s);
        double d = measure_of(pool, a, measure) - measure_of(pool, b, measure);
        if (isfinite(d)) difference[count++] = d;
    }
    Paired paired = paired_new(difference, count);
    mem_free(difference);
    return paired;
}

/* Only where there is a pair. */
static void add_row(Comparison *c, const Pool *pool, CompareRow row) {
    size_t pairs = 0;
    for (size_t m = 0; m < COMPARE_MEASURES; m++) {
        row.of[m] = compare_measure(pool, &row, (CompareMeasure)m);
        pairs += row.of[m].pairs;
    }
    if (pairs) c->rows[c->row_count++] = row;
}

/* ---- curves ---- */

static SweepSpread spread_new(const double *x, size_t count) {
    SweepSpread spread = {.count = count,
                          .mean = statistics_mean(x, count),
                          .sd = NAN,
                          .interval = statistics_mean_interval(x, count)};
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (x[i] - spread.mean) * (x[i] - spread.mean);
    if (count > 1) spread.sd = sqrt(sum / (double)(count - 1));
    return spread;
}

/* Over the seeds at one rate. */
static SweepSpread spread_at(const Pool *pool, size_t method, size_t rest, size_t rate,
                             CompareMeasure measure) {
    double *x = mem_alloc(pool->seeds.count * sizeof *x);
    size_t count = 0;
    for (size_t s = 0; s < pool->seeds.count; s++) {
        const SweepCell *cell = pool_find(pool, method, rest, rate, s);
        double one = measure_of(pool, cell, measure);
        if (isfinite(one)) x[count++] = one;
    }
    SweepSpread spread = spread_new(x, count);
    mem_free(x);
    return spread;
}

/* ---- the best rate ---- */

/* Of a method at one rate: the runs that have ended, and those with a finite loss. */
typedef struct RateRuns {
    size_t runs, finite;
} RateRuns;

static RateRuns runs_at(const Pool *pool, const CompareCurve *curve, size_t rate) {
    RateRuns of = {0};
    for (size_t s = 0; s < pool->seeds.count; s++) {
        const SweepCell *cell = pool_find(pool, curve->method, curve->rest, rate, s);
        bool broken = cell && sweep_broke_off(cell);
        bool finite = !broken && isfinite(measure_of(pool, cell, COMPARE_LOSS));
        of.finite += finite;
        of.runs += finite || broken;
    }
    return of;
}

/* false: of too few runs, none of them finite, or a smaller share than another's. */
static void find_steadiest(const Pool *pool, const CompareCurve *curve, bool *steady) {
    RateRuns *of = mem_alloc(pool->rates.count * sizeof *of), best = {.runs = 1};
    size_t most = 0;
    for (size_t r = 0; r < pool->rates.count; r++) {
        of[r] = runs_at(pool, curve, r);
        most = MAX(most, of[r].runs);
    }
    for (size_t r = 0; r < pool->rates.count; r++) {
        if (2 * of[r].runs <= most) of[r].finite = 0;
        if (of[r].finite * best.runs > best.finite * of[r].runs) best = of[r];
    }
    for (size_t r = 0; r < pool->rates.count; r++)
        steady[r] = of[r].finite && of[r].finite * best.runs == best.finite * of[r].runs;
    mem_free(of);
}

static double loss_at(const Pool *pool, const CompareCurve *curve, size_t rate,
                      size_t seed) {
    return measure_of(pool, pool_find(pool, curve->method, curve->rest, rate, seed),
                      COMPARE_LOSS);
}

/* Seeds that have a loss at each of these rates; where there is none, all seeds. */
static void find_shared(const Pool *pool, const CompareCurve *curve, const bool *among,
                        bool *shared) {
    bool any = false;
    for (size_t s = 0; s < pool->seeds.count; s++) {
        shared[s] = true;
        for (size_t r = 0; r < pool->rates.count; r++)
            if (among[r]) shared[s] &= (bool)isfinite(loss_at(pool, curve, r, s));
        any |= shared[s];
    }
    for (size_t s = 0; s < pool->seeds.count && !any; s++) shared[s] = true;
}

static double mean_over(const Pool *pool, const CompareCurve *curve, size_t rate,
                        const bool *seeds) {
    double sum = 0;
    size_t count = 0;
    for (size_t s = 0; s < pool->seeds.count; s++) {
        double loss = loss_at(pool, curve, rate, s);
        if (!seeds[s] || !isfinite(loss)) continue;
        sum += loss;
        count++;
    }
    return sum / (double)count;
}

/* The lowest mean, on the seeds that they share, among the rates with the largest share
 * of runs that stayed finite: not one where runs break off and count as guessing.  A rate
 * with half as many runs as another is none of them, as one lucky seed makes it; and a
 * further seed at one rate alone, which any criterion of numbers of runs would reward,
 * moves nothing. */
static void choose_best(const Pool *pool, CompareCurve *curve) {
    bool *steady = mem_alloc(pool->rates.count * sizeof *steady),
         *shared = mem_alloc(pool->seeds.count * sizeof *shared);
    double lowest = INFINITY;
    find_steadiest(pool, curve, steady);
    find_shared(pool, curve, steady, shared);
    curve->best = SIZE_MAX;
    for (size_t r = 0; r < pool->rates.count; r++) {
        double mean = steady[r] ? mean_over(pool, curve, r, shared) : INFINITY;
        if (!(mean < lowest)) continue;
        lowest = mean;
        curve->best = r;
    }
    mem_free(steady);
    mem_free(shared);
    if (curve->best == SIZE_MAX) return;
    curve->loss = spread_at(pool, curve->method, curve->rest, curve->best, COMPARE_LOSS);
    for (size_t r = 0; r < pool->rates.count; r++)
        curve->passed |=
            runs_at(pool, curve, r).finite &&
            spread_at(pool, curve->method, curve->rest, r, COMPARE_LOSS).mean <
                curve->loss.mean;
}

static bool has_rate(const Pool *pool, size_t method, size_t rest, size_t rate) {
    for (size_t s = 0; s < pool->seeds.count; s++)
        if (pool_find(pool, method, rest, rate, s)) return true;
    return false;
}

/* Rates at which every method was run to its end; how many. */
static size_t common_rates(const Pool *pool, size_t rest, size_t *rate) {
    size_t count = 0;
    for (size_t r = 0; r < pool->rates.count; r++) {
        bool all = true;
        for (size_t m = 0; m < pool->methods.count; m++)
            all = all && has_rate(pool, m, rest, r);
        if (all) rate[count++] = r;
    }
    return count;
}

/* NaN: the seed lacks a rate, or a run that stayed finite the loss: that is not known,
 * and not as high as that of guessing. */
static double sensitivity_of(const Pool *pool, const CompareCurve *curve, size_t method,
                             const size_t *rate, size_t seed) {
    double *loss = mem_alloc(pool->rates.count * sizeof *loss), start = NAN;
    bool whole = true;
    for (size_t i = 0; i < curve->rate_count; i++) {
        const SweepCell *cell = pool_find(pool, method, curve->rest, rate[i], seed);
        loss[i] = measure_of(pool, cell, COMPARE_LOSS);
        whole = whole && cell && (cell->result.nonfinite || isfinite(loss[i]));
        if (cell) start = cell->result.chance;
    }
    double sensitivity = statistics_sensitivity(loss, curve->rate_count, start);
    mem_free(loss);
    return whole ? sensitivity : NAN;
}

static double start_of(const Pool *pool, size_t method, size_t rest) {
    for (const PoolCell *c = pool->cells; c < pool->cells + pool->count; c++)
        if (c->method == method && c->rest == rest && sweep_has_ended(c->cell))
            return c->cell->result.chance;
    return NAN;
}

static void fill_sensitivity(const Pool *pool, CompareCurve *curve) {
    size_t seeds = pool->seeds.count, count = 0, pairs = 0;
    size_t *rate = mem_alloc(pool->rates.count * sizeof *rate);
    double *own = mem_alloc(seeds * sizeof *own);
    double *difference = mem_alloc(seeds * sizeof *difference);
    curve->rate_count = common_rates(pool, curve->rest, rate);
    for (size_t s = 0; s < seeds && curve->rate_count > 1; s++) {
        double x = sensitivity_of(pool, curve, curve->method, rate, s);
        double d = x - sensitivity_of(pool, curve, pool->base, rate, s);
        if (isfinite(x)) own[count++] = x;
        if (isfinite(d)) difference[pairs++] = d;
    }
    if (curve->rate_count) {
        curve->low = pool->rate[rate[0]];
        curve->high = pool->rate[rate[curve->rate_count - 1]];
    }
    curve->start = start_of(pool, curve->method, curve->rest);
    curve->spread = spread_new(own, count);
    curve->against = paired_new(difference, pairs);
    mem_free(rate);
    mem_free(own);
    mem_free(difference);
}

static void fill_curves(const Pool *pool, Comparison *c) {
    size_t methods = pool->methods.count, rests = pool->rests.count;
    c->curves = mem_zalloc(rests * methods * sizeof *c->curves);
    if (pool->rates.count < 2) return;
    c->curve_count = rests * methods;
    for (size_t i = 0; i < c->curve_count; i++) {
        CompareCurve *curve = &c->curves[i];
        *curve = (CompareCurve){.method = i % methods, .rest = i / methods};
        choose_best(pool, curve);
        fill_sensitivity(pool, curve);
    }
}

/* ---- failures ---- */

static void fill_failures(const Pool *pool, Comparison *c) {
    c->failures = mem_zalloc(pool->methods.count * sizeof *c->failures);
    for (size_t i = 0; i < pool->count; i++) {
        const PoolCell *cell = &pool->cells[i];
        if (!sweep_has_ended(cell->cell)) continue;
        SweepFate fate = pool_fate(pool, cell->cell);
        c->failures[cell->method].runs += fate != FATE_UNKNOWN;
        c->failures[cell->method].failed += fate == FATE_FAILED;
    }
    const CompareFailures *base = &c->failures[pool->base];
    for (size_t m = 0; m < pool->methods.count; m++) {
        CompareFailures *one = &c->failures[m];
        one->share = statistics_share_interval(one->failed, one->runs);
        one->p =
            m == pool->base || !one->runs || !base->runs
                ? NAN
                : statistics_fisher_p(one->failed, one->runs, base->failed, base->runs);
    }
}

/* ---- means ---- */

static void fill_groups(const Pool *pool, Comparison *c) {
    size_t methods = pool->methods.count, rates = pool->rates.count;
    size_t most = pool->rests.count * rates * methods;
    c->groups = mem_zalloc(most * sizeof *c->groups);
    for (size_t i = 0; i < most; i++) {
        CompareGroup group = {.method = i % methods,
                              .rest = i / methods / rates,
                              .rate = i / methods % rates};
        for (size_t s = 0; s < pool->seeds.count; s++) {
            const SweepCell *cell =
                pool_find(pool, group.method, group.rest, group.rate, s);
            group.runs += cell != NULL;
            group.failed += cell && pool_fate(pool, cell) == FATE_FAILED;
        }
        if (!group.runs) continue;
        for (size_t m = 0; m < COMPARE_MEASURES; m++)
            group.of[m] =
                spread_at(pool, group.method, group.rest, group.rate, (CompareMeasure)m);
        c->groups[c->group_count++] = group;
    }
}

/* ---- all of it ---- */

static void fill_rows(const Pool *pool, Comparison *c) {
    size_t methods = pool->methods.count, rests = pool->rests.count;
    c->rows = mem_zalloc(rests * (pool->rates.count + 1) * methods * sizeof *c->rows);
    for (size_t i = 0; i < rests * pool->rates.count * methods; i++) {
        size_t method = i % methods, rate = i / methods % pool->rates.count;
        if (method == pool->base) continue;
        add_row(c, pool,
                (CompareRow){.method = method,
                             .rest = i / methods / pool->rates.count,
                             .rate = rate,
                             .base_rate = rate});
    }
    for (size_t i = 0; i < c->curve_count; i++) {
        const CompareCurve *curve = &c->curves[i],
                           *base = &c->curves[i - i % methods + pool->base];
        if (curve == base || curve->best == SIZE_MAX || base->best == SIZE_MAX) continue;
        add_row(c, pool,
                (CompareRow){.method = curve->method,
                             .rest = curve->rest,
                             .rate = curve->best,
                             .base_rate = base->best,
                             .best = true});
    }
}

Comparison compare_new(const Pool *pool) {
    Comparison comparison = {.row_count = 0};
    fill_curves(pool, &comparison);
    fill_failures(pool, &comparison);
    fill_groups(pool, &comparison);
    fill_rows(pool, &comparison);
    return comparison;
}

void compare_free(Comparison *comparison) {
    mem_free(comparison->groups);
    mem_free(comparison->rows);
    mem_free(comparison->failures);
    mem_free(comparison->curves);
    *comparison = (Comparison){.row_count = 0};
}

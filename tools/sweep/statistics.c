#include "tools/sweep/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "engine/core/quantile.h"
#include "engine/core/rng.h"

enum { EXACT_MOST = 8, MULTISETS_MOST = 6435, DRAWS = 10000, FLIPS_MOST = 15 };

#define TAIL ((100 - INTERVAL_PERCENT) / 200.0)
#define TIE 1e-9 /* sums that differ by rounding alone are equal */

/* ---- the mean ---- */

double statistics_mean(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return n ? sum / (double)n : NAN;
}

/* A mean that a resample has, and how likely. */
typedef struct Weighted {
    double value, weight;
} Weighted;

typedef struct Resamples {
    const double *x;
    size_t n, count;
    Weighted *mean;
} Resamples;

/* All ways to take `left` numbers from x[from ...): taking k times the same divides the
 * number of orders, n!, by k!. */
static void take(Resamples *r, size_t from, size_t left, double sum, double weight) {
    if (from + 1 == r->n) {
        sum += (double)left * r->x[from];
        weight /= tgamma((double)left + 1);
        r->mean[r->count++] = (Weighted){sum / (double)r->n, weight};
        return;
    }
    for (size_t k = 0; k <= left; k++)
        take(r, from + 1, left - k, sum + (double)k * r->x[from],
             weight / tgamma((double)k + 1));
}

static void draw(Resamples *r) {
    Rng dice = rng_make(0, RNG_BOOTSTRAP, r->n);
    for (; r->count < DRAWS; r->count++) {
        double sum = 0;
        for (size_t i = 0; i < r->n; i++)
            sum += r->x[rng_below(dice, r->count * r->n + i, r->n)];
        r->mean[r->count] = (Weighted){sum / (double)r->n, 1.0 / DRAWS};
    }
}

static int by_value(const void *a, const void *b) {
    double x = ((const Weighted *)a)->value, y = ((const Weighted *)b)->value;
    return (x > y) - (x < y);
}

/* The means beyond which a share of at most `level` lies on either side. */
static Interval cut_tails(const Weighted *mean, size_t count, double level) {
    size_t low = 0, high = count - 1;
    level *= 1 - TIE;
    for (double seen = mean[low].weight; seen < level && low + 1 < count;)
        seen += mean[++low].weight;
    for (double seen = mean[high].weight; seen < level && high > 0;)
        seen += mean[--high].weight;
    return (Interval){mean[low].value, mean[high].value};
}

static double widened_tail(size_t n) {
    double freedom = (double)n - 1, t = quantile_student(1 - TAIL, freedom);
    return erfc(sqrt((double)n / freedom) * t / M_SQRT2) / 2;
}

Interval statistics_mean_interval(const double *x, size_t n) {
    if (n < INTERVAL_LEAST) return INTERVAL_NONE;
    Resamples r = {.x = x, .n = n};
    r.mean = mem_alloc(MAX((size_t)DRAWS, (size_t)MULTISETS_MOST) * sizeof *r.mean);
    double orders = tgamma((double)n + 1) / pow((double)n, (double)n);
    if (n <= EXACT_MOST) take(&r, 0, n, 0, orders);
    else draw(&r);
    qsort(r.mean, r.count, sizeof *r.mean, by_value);
    Interval interval = cut_tails(r.mean, r.count, widened_tail(n));
    mem_free(r.mean);
    return interval;
}

/* ---- tests ---- */

/* Bit i of `signs` turns difference i. */
static double turned_sum(const double *d, size_t n, uint64_t signs) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += signs >> i & 1 ? -d[i] : d[i];
    return fabs(sum);
}

static double drawn_sum(const double *d, size_t n, Rng dice, size_t draw) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += rng_below(dice, draw * n + i, 2) ? -d[i] : d[i];
    return fabs(sum);
}

double statistics_flip_p(const double *d, size_t n) {
    if (!n) return NAN;
    double size = 0;
    for (size_t i = 0; i < n; i++) size += fabs(d[i]);
    double least = turned_sum(d, n, 0) - TIE * size;
    bool exact = n <= FLIPS_MOST;
    Rng dice = rng_make(0, RNG_BOOTSTRAP, n);
    size_t all = exact ? (size_t)1 << n : DRAWS, far = 0;
    for (size_t i = 0; i < all; i++)
        far += (exact ? turned_sum(d, n, i) : drawn_sum(d, n, dice, i)) >= least;
    return exact ? (double)far / (double)all : (double)(far + 1) / (double)(all + 1);
}

static double log_choose(size_t n, size_t k) {
    return lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1);
}

double statistics_fisher_p(size_t failed_a, size_t a, size_t failed_b, size_t b) {
    CHECK(failed_a <= a && failed_b <= b, "%zu of %zu, %zu of %zu", failed_a, a, failed_b,
          b);
    size_t failed = failed_a + failed_b, least = failed > b ? failed - b : 0;
    double seen = log_choose(a, failed_a) + log_choose(b, failed_b), p = 0;
    for (size_t k = least; k <= MIN(failed, a); k++) {
        double one = log_choose(a, k) + log_choose(b, failed - k);
        if (one <= seen + TIE) p += exp(one - log_choose(a + b, failed));
    }
    return fmin(p, 1);
}

Interval statistics_share_interval(size_t k, size_t n) {
    CHECK(k <= n, "%zu of %zu", k, n);
    if (!n) return INTERVAL_NONE;
    double hits = (double)k, misses = (double)(n - k);
    return (Interval){k ? quantile_beta(TAIL, hits, misses + 1) : 0,
                      k < n ? quantile_beta(1 - TAIL, hits + 1, misses) : 1};
}

/* ---- learning rates ---- */

double statistics_sensitivity(const double *loss, size_t n, double start) {
    double sum = 0, best = INFINITY;
    for (size_t i = 0; i < n; i++) {
        double capped = isfinite(loss[i]) ? fmin(loss[i], start) : start;
        if (!isfinite(capped)) return NAN;
        sum += capped;
        best = fmin(best, capped);
    }
    return n ? sum / (double)n - best : NAN;
}

/* statistics: what a few numbers allow one to say - an interval of a mean, a test of
 * paired differences, of counts, and how much a method minds its learning rate.
 *
 *     double score[] = {97.1, 97.4, 97.2};                            a seed each
 *     Interval mean = statistics_mean_interval(score, 3);             [97.1, 97.4]
 *     double p = statistics_fisher_p(7, 8, 0, 8);                     0.0014
 *
 * Plain numbers: it knows nothing of sweeps.  Nothing depends on the clock: the same
 * numbers in the same order give the same answer, to the bit. */
#ifndef STEADY_STATISTICS_H
#define STEADY_STATISTICS_H

#include "engine/core/base.h"

enum {
    INTERVAL_LEAST = 3, /* of fewer numbers there is no interval */
    INTERVAL_PERCENT = 95,
};

typedef struct Interval {
    double low, high; /* NaN, NaN: none */
} Interval;

#define INTERVAL_NONE ((Interval){__builtin_nan(""), __builtin_nan("")})

/* 95 % interval of the mean of x[n], all finite, by bootstrap over the numbers (Efron and
 * Tibshirani 1993), none where n < INTERVAL_LEAST.  Percentile interval whose levels are
 * widened for small n (Hesterberg 2015, "expanded percentile"):
 *     level = Phi(-sqrt(n / (n - 1)) t),   t = 97.5 % quantile of Student's t, n - 1
 * instead of 2.5 %.  For n <= 8 every resample is counted with its probability, beyond
 * that 10,000 are drawn by engine/core/rng.  The interval never reaches beyond the
 * numbers, so that with few of them it holds the true mean less often than its name says.
 * Of normal numbers (simulated): 75 % for n = 3, 87 % for 4, 92 % for 5, 94 % from 6 on.
 * The plain percentile interval has 75, 80, 84, 86 %, and BCa 73, 80, 84, 86 %: what it
 * corrects, bias and skewness, cannot be estimated from so few. */
Interval statistics_mean_interval(const double *x, size_t n);

double statistics_mean(const double *x, size_t n); /* NaN for n = 0 */

/* Two-sided p of "the differences d[n] are symmetric about 0": the share of all 2^n
 * choices of signs whose mean is at least as far from 0 (n <= 15), beyond that of 10,000
 * that are drawn, the given one among them.  It is at least 2 / 2^n: with 3 pairs 0.25,
 * with 6 0.03.  NaN for n = 0. */
double statistics_flip_p(const double *d, size_t n);

/* Fisher's exact test, two-sided: the probability, both margins given, of all tables
 * that are no likelier than failed_a of a against failed_b of b (as R's fisher.test). */
double statistics_fisher_p(size_t failed_a, size_t a, size_t failed_b, size_t b);

/* Exact 95 % interval of a share of which k of n were seen (Clopper and Pearson 1934).
 * n = 0: none. */
Interval statistics_share_interval(size_t k, size_t n);

/* Learning-rate sensitivity (Wortsman et al. 2023, arXiv 2309.14322, section 2.2) of
 * final losses at n rates:
 *     mean_i min(loss_i, start) - min_i min(loss_i, start)
 * start: loss of the untrained model.  A loss that is not finite counts as start.  NaN
 * where n = 0, or where such a loss meets a start that is not known (NaN). */
double statistics_sensitivity(const double *loss, size_t n, double start);

#endif

/* Theorem 3.1 of Zhai et al. 2023: how far heads are from its bound. */
#include <math.h>

#include "engine/core/rng.h"
#include "engine/core/sort.h"
#include "engine/kern/bound.h"
#include "engine/kern/gemm.h"
#include "engine/reparam/spectral.h"
#include "tools/bench/theory.h"

enum { KEYS_MAX = 256, WIDTH = 32, RANK = 8, HEADS = 51 };

static const size_t keys_of[] = {4, 16, 64, 256};
static const double sigmas[] = {1, 4, 8, 16};
_Static_assert(COUNT(keys_of) * COUNT(sigmas) == THEORY_GAPS, "room for them");

static double entropy_of(const double *logits, size_t n) {
    double most = -INFINITY, sum = 0, mean = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, logits[i]);
    for (size_t i = 0; i < n; i++) sum += exp(logits[i] - most);
    for (size_t i = 0; i < n; i++)
        mean += exp(logits[i] - most) / sum * (logits[i] - most);
    return sum > 0 ? log(sum) - mean : 0;
}

static void fill(RngCursor *dice, real *a, size_t count) {
    for (size_t i = 0; i < count; i++) a[i] = (real)rng_next_normal(dice);
}

static double norm_of(const real *a, size_t rows, size_t columns) {
    real u[KEYS_MAX], v[KEYS_MAX];
    return (double)spectral_norm(a, rows, columns, u, v);
}

/* The lowest row of X W_K W_Q^T X^T, its sigma scaled to this one. */
static double random_head(RngCursor *dice, size_t keys, double sigma) {
    static const size_t D = WIDTH;
    real x[KEYS_MAX * WIDTH] = {0}, k[WIDTH * RANK], q[WIDTH * RANK], pair[WIDTH * WIDTH];
    real xk[KEYS_MAX * WIDTH] = {0};
    double row[KEYS_MAX] = {0}, lowest = INFINITY;
    fill(dice, x, keys * D);
    fill(dice, k, D * RANK);
    fill(dice, q, D * RANK);
    gemm_nt(D, D, RANK, 1, k, RANK, q, RANK, 0, pair, D);
    double norm = norm_of(x, keys, D);
    double scale = sigma / (norm_of(pair, D, D) * norm * norm);
    gemm_nn(keys, D, D, 1, x, D, pair, D, 0, xk, D);
    for (size_t i = 0; i < keys; i++) {
        for (size_t j = 0; j < keys; j++) {
            double sum = 0;
            for (size_t d = 0; d < D; d++)
                sum += (double)xk[i * D + d] * (double)x[j * D + d];
            row[j] = scale * sum;
        }
        lowest = fmin(lowest, entropy_of(row, keys));
    }
    return lowest;
}

/* One logit at sigma sqrt(1 - 1/T), the others equal: row 1 of X = sqrt(s) I and
 * W_K W_Q^T = e_1 u^T / s. */
static double tight_row(size_t keys, double sigma) {
    double row[KEYS_MAX], t = (double)keys;
    for (size_t j = 0; j < keys; j++)
        row[j] = j ? -sigma / sqrt(t * (t - 1)) : sigma * sqrt(1 - 1 / t);
    return entropy_of(row, keys);
}

void theory_gaps(TheoryGap gaps[THEORY_GAPS]) {
    RngCursor dice = {rng_make(0, RNG_PROBE, 1), 0};
    for (size_t i = 0; i < THEORY_GAPS; i++) {
        TheoryGap *gap = &gaps[i];
        double above[HEADS];
        *gap = (TheoryGap){.keys = keys_of[i / COUNT(sigmas)],
                           .sigma = sigmas[i % COUNT(sigmas)]};
        gap->bound = entropy_bound(gap->keys, gap->sigma);
        for (size_t h = 0; h < HEADS; h++)
            above[h] = random_head(&dice, gap->keys, gap->sigma) - gap->bound;
        gap->random = sort_median(above, HEADS);
        gap->lowest = above[0];
        gap->tight = tight_row(gap->keys, gap->sigma) - gap->bound;
    }
}

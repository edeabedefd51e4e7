/* Proposition 3.2 of Zhai et al. 2023 on made gradients: g = mu + noise of deviation n in
 * each number; Adam's ideal step is Delta = mu / sqrt(mu^2 + n^2), and
 *     sigma_1(Delta) >= |Delta|_F / sqrt(w) = sqrt(w) sqrt(1 - w^-2 sum n^2/(mu^2 + n^2)) */
#include <math.h>

#include "engine/core/rng.h"
#include "engine/reparam/spectral.h"
#include "tools/bench/theory.h"

/* What mu is: w x w, of mean square 1. */
typedef void Signal(RngCursor *dice, real *mu, size_t w);

static void dense(RngCursor *dice, real *mu, size_t w) {
    for (size_t i = 0; i < w * w; i++) mu[i] = (real)rng_next_normal(dice);
}

/* a b^T + ... : what `rank` examples give. */
static void low_rank(RngCursor *dice, real *mu, size_t w, size_t rank) {
    double *a = mem_alloc(2 * w * sizeof *a), *b = a + w;
    for (size_t i = 0; i < w * w; i++) mu[i] = 0;
    for (size_t r = 0; r < rank; r++) {
        for (size_t i = 0; i < 2 * w; i++) a[i] = rng_next_normal(dice);
        for (size_t i = 0; i < w * w; i++)
            mu[i] += (real)(a[i / w] * b[i % w] / sqrt((double)rank));
    }
    mem_free(a);
}
static void rank_1(RngCursor *dice, real *mu, size_t w) { low_rank(dice, mu, w, 1); }
static void rank_8(RngCursor *dice, real *mu, size_t w) { low_rank(dice, mu, w, 8); }

/* Signs of a Hadamard matrix, w a power of two: orthogonal rows, which meet the bound. */
static void hadamard(RngCursor *dice, real *mu, size_t w) {
    (void)dice;
    for (size_t i = 0; i < w * w; i++) mu[i] = __builtin_parityll(i / w & i % w) ? -1 : 1;
}

static const struct {
    const char *name;
    Signal *fill;
} signals[] = {{"orthogonal rows", hadamard},
               {"dense", dense},
               {"rank 8", rank_8},
               {"rank 1", rank_1}};
static const double noises[] = {0, 1, 10};

_Static_assert(COUNT(signals) * COUNT(noises) == THEORY_IDEAL_LINES, "room for them");

static void step_of(real *mu, size_t w, double n, double *sigma, double *bound) {
    real *u = mem_alloc(2 * w * sizeof *u);
    double lost = 0, size = (double)w;
    for (size_t i = 0; i < w * w; i++) {
        double m = (double)mu[i], square = m * m + n * n;
        lost += square > 0 ? n * n / square : 1;
        mu[i] = square > 0 ? (real)(m / sqrt(square)) : 0;
    }
    *sigma = (double)spectral_norm(mu, w, w, u, u + w);
    *bound = sqrt(size) * sqrt(1 - lost / (size * size));
    mem_free(u);
}

size_t theory_ideal(TheoryLine *lines, size_t seeds, size_t widths) {
    size_t count = 0, most = theory_widths[widths - 1];
    real *mu = mem_alloc(most * most * sizeof *mu);
    for (size_t k = 0; k < COUNT(signals); k++)
        for (size_t n = 0; n < COUNT(noises); n++) {
            TheoryLine *line = &lines[count++];
            *line = (TheoryLine){.part = "ideal", .seeds = seeds, .widths = widths};
            text_format(line->method, sizeof line->method, "%s", signals[k].name);
            text_format(line->what, sizeof line->what, "noise %g", noises[n]);
            for (size_t seed = 0; seed < seeds; seed++)
                for (size_t i = 0; i < widths; i++) {
                    RngCursor dice = {rng_make(seed, RNG_PROBE, i), 0};
                    signals[k].fill(&dice, mu, theory_widths[i]);
                    step_of(mu, theory_widths[i], noises[n], &line->value[seed][i],
                            &line->bound[seed][i]);
                }
            theory_fit(line);
        }
    mem_free(mu);
    return count;
}

/* Theorem 3.1 on what attention computes: a = X W_K W_Q^T X^T, in double.
 *
 * sigma = |W_K W_Q^T|_2 |X|_2^2; each softmax row of a over T keys has at least
 * entropy_bound(T, sigma).  Rounding of products and of the softmax is under 1e-12 at
 * these sizes, so EXACT is what a true violation would have to exceed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/rng.h"
#include "engine/kern/bound.h"
#include "engine/kern/rows.h"
#include "engine/op/op.h"
#include "engine/reparam/spectral.h"

enum { T_MAX = 64, D_MAX = T_MAX, SIZE = T_MAX * D_MAX };
#define EXACT 1e-11

/* One head on one example; w = W_K W_Q^T. */
typedef struct Head {
    size_t tokens, width;
    double x[SIZE], w[SIZE], logits[T_MAX * T_MAX];
    double sigma;
} Head;

static double norm_of(const double *a, size_t rows, size_t columns) {
    double u[D_MAX], v[D_MAX];
    return spectral_norm(a, rows, columns, u, v);
}

/* c[m, n] = a[m, k] b[k, n], b given as its transpose where `turned`. */
static void multiply(double *c, const double *a, const double *b, size_t m, size_t n,
                     size_t k, bool turned) {
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t p = 0; p < k; p++)
                sum += a[i * k + p] * b[turned ? j * k + p : p * n + j];
            c[i * n + j] = sum;
        }
}

static void head_finish(Head *h) {
    double xw[SIZE], norm = norm_of(h->x, h->tokens, h->width);
    h->sigma = norm_of(h->w, h->width, h->width) * norm * norm;
    multiply(xw, h->x, h->w, h->tokens, h->width, h->width, false);
    multiply(h->logits, xw, h->x, h->tokens, h->tokens, h->width, true);
}

/* Scales W so that sigma is this. */
static void head_scale(Head *h, double sigma) {
    head_finish(h);
    if (h->sigma > 0)
        for (size_t i = 0; i < h->width * h->width; i++) h->w[i] *= sigma / h->sigma;
    head_finish(h);
}

static double entropy_of(const double *logits, size_t keys) {
    double row[T_MAX], entropy, largest;
    memcpy(row, logits, keys * sizeof *row);
    row_softmax(row, keys, &entropy, &largest);
    return entropy;
}

static double lowest_row(const Head *h) {
    double lowest = INFINITY;
    for (size_t i = 0; i < h->tokens; i++)
        lowest = fmin(lowest, entropy_of(h->logits + i * h->tokens, h->tokens));
    return lowest;
}

static double gap(const Head *h) {
    return lowest_row(h) - entropy_bound(h->tokens, h->sigma);
}

static void fill(RngCursor *dice, double *a, size_t count) {
    for (size_t i = 0; i < count; i++) a[i] = rng_next_normal(dice);
}

/* W_K W_Q^T of random W_K, W_Q [width, rank]. */
static void draw_pair(RngCursor *dice, Head *h, size_t rank) {
    double k[SIZE], q[SIZE];
    fill(dice, k, h->width * rank);
    fill(dice, q, h->width * rank);
    multiply(h->w, k, q, h->width, h->width, rank, true);
}

static Head draw_head(RngCursor *dice, size_t most_tokens, size_t most_width) {
    Head h = {.tokens = 2 + (size_t)(rng_next(dice) * (double)(most_tokens - 1)),
              .width = 1 + (size_t)(rng_next(dice) * (double)most_width)};
    fill(dice, h.x, h.tokens * h.width);
    draw_pair(dice, &h, 1 + (size_t)(rng_next(dice) * (double)h.width));
    return h;
}

static double draw_sigma(RngCursor *dice) {
    return exp(rng_next_between(dice, log(0.05), log(30)));
}

/* ---- no head falls under the bound ---- */

static void random_heads_stay_above_the_bound(void **state) {
    (void)state;
    RngCursor dice = {rng_make(1, 0, 0), 0};
    for (int trial = 0; trial < 1500; trial++) {
        Head h = draw_head(&dice, 24, 12);
        head_scale(&h, draw_sigma(&dice));
        assert_true(gap(&h) >= -EXACT);
    }
}

/* What trained models have: tokens along one direction, an outlier, few distinct tokens,
 * orthogonal ones. */
static void bend_tokens(RngCursor *dice, Head *h, int kind) {
    size_t d = h->width, odd = (size_t)(rng_next(dice) * (double)h->tokens);
    for (size_t i = 0; i < h->tokens; i++)
        for (size_t j = 0; j < d; j++) {
            double *x = &h->x[i * d + j];
            if (kind == 0) *x = 3 + 0.1 * *x;
            if (kind == 1) *x *= i == odd ? 20 : 0.1;
            if (kind == 2) *x = h->x[i % 2 * d + j];
            if (kind == 3) *x = i % d == j;
        }
}

/* Rank one, symmetric (W_K = W_Q), antisymmetric, diagonal, minus the identity. */
static void bend_weights(RngCursor *dice, Head *h, int kind) {
    size_t d = h->width;
    double w[SIZE];
    if (kind == 0) draw_pair(dice, h, 1);
    memcpy(w, h->w, sizeof w);
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++) {
            double *at = &h->w[i * d + j], turned = w[j * d + i];
            if (kind == 1) *at = w[i * d + j] + turned;
            if (kind == 2) *at = w[i * d + j] - turned;
            if (kind == 3) *at = i == j ? w[i * d + j] : 0;
            if (kind == 4) *at = i == j ? -1 : 0;
        }
}

static void structured_heads_stay_above_the_bound(void **state) {
    (void)state;
    RngCursor dice = {rng_make(2, 0, 0), 0};
    for (int trial = 0; trial < 1500; trial++) {
        Head h = draw_head(&dice, 24, 12);
        bend_tokens(&dice, &h, trial % 5);
        bend_weights(&dice, &h, trial / 5 % 6);
        head_scale(&h, draw_sigma(&dice));
        assert_true(gap(&h) >= -EXACT);
    }
}

/* ---- heads that meet it ---- */

static void set_identity(double *a, size_t n, double factor) {
    memset(a, 0, n * n * sizeof *a);
    for (size_t i = 0; i < n; i++) a[i * n + i] = factor;
}

/* X = sqrt(s) I, W_K W_Q^T = e_r u*^T / s, u* of norm sigma: row r of a is u*. */
static Head tight_head(size_t tokens, size_t row, double s, double sigma) {
    Head h = {.tokens = tokens, .width = tokens};
    double t = (double)tokens;
    set_identity(h.x, tokens, sqrt(s));
    for (size_t j = 0; j < tokens; j++)
        h.w[row * tokens + j] =
            sigma * (j == row ? sqrt(1 - 1 / t) : -1 / sqrt(t * (t - 1))) / s;
    head_finish(&h);
    return h;
}

static void the_tight_construction_meets_the_bound(void **state) {
    (void)state;
    for (size_t t = 2; t <= T_MAX; t += t < 8 ? 1 : 14)
        for (double sigma = 0.1; sigma < 40; sigma *= 1.7)
            for (double s = 0.01; s < 200; s *= 50) {
                Head h = tight_head(t, 0, s, sigma);
                assert_true(fabs(h.sigma - sigma) < 1e-9 * sigma);
                assert_true(fabs(gap(&h)) < 1e-9);
                for (size_t i = 1; i < t; i++) /* the others are uniform */
                    assert_true(fabs(entropy_of(h.logits + i * t, t) - log((double)t)) <
                                1e-9);
            }
}

/* X = I, a = s (I - 11^T/T): |a| = s, and each row has a gap of s where the bound allows
 * s sqrt(T/(T-1)). */
static void the_mean_over_rows_nears_the_bound_as_tokens_grow(void **state) {
    (void)state;
    for (double s = 0.5; s < 10; s += 1.5) {
        double before = INFINITY;
        for (size_t t = 4; t <= T_MAX; t *= 2) {
            Head h = {.tokens = t, .width = t};
            set_identity(h.x, t, 1);
            for (size_t i = 0; i < t * t; i++)
                h.w[i] = s * ((i % (t + 1) == 0) - 1 / (double)t);
            head_finish(&h);
            double n = (double)(t - 1), b = exp(-s);
            double wanted = log1p(n * b) + s * n * b / (1 + n * b);
            assert_true(fabs(h.sigma - s) < 1e-9);
            for (size_t i = 0; i < t; i++)
                assert_true(fabs(entropy_of(h.logits + i * t, t) - wanted) < 1e-9);
            double apart = gap(&h);
            /* gaps differ by s/2T, and no logit's gap changes H by more than ln T */
            assert_true(apart > 0 && apart < s * log((double)t) / (double)t);
            assert_true(s > 4 || apart < before);
            before = apart;
        }
    }
}

/* ---- causal masks ---- */

static void causal_rows_stay_above_the_bounds_of_their_own_keys(void **state) {
    (void)state;
    RngCursor dice = {rng_make(3, 0, 0), 0};
    bool broke_that_of_all_keys = false;
    for (int trial = 0; trial < 700; trial++) {
        Head h = draw_head(&dice, 24, 12);
        bend_tokens(&dice, &h, trial % 6);
        head_scale(&h, draw_sigma(&dice));
        double sum = 0;
        for (size_t i = 0; i < h.tokens; i++) {
            double entropy = entropy_of(h.logits + i * h.tokens, i + 1), norm;
            norm = norm_of(h.x, i + 1, h.width); /* of the tokens that the row sees */
            double own = norm_of(h.w, h.width, h.width) * norm * norm;
            assert_true(entropy >= entropy_bound(i + 1, h.sigma) - EXACT);
            assert_true(entropy >= entropy_bound(i + 1, own) - EXACT);
            broke_that_of_all_keys |= entropy < entropy_bound(h.tokens, h.sigma) - 0.1;
            sum += entropy;
        }
        double mean = entropy_bound_causal(h.tokens, h.sigma);
        assert_true(sum / (double)h.tokens >= mean - EXACT);
    }
    assert_true(broke_that_of_all_keys);
}

static void the_last_causal_row_can_meet_its_bound(void **state) {
    (void)state;
    for (size_t t = 2; t <= 32; t += 5) {
        Head h = tight_head(t, t - 1, 3, 4);
        double entropy = entropy_of(h.logits + (t - 1) * t, t);
        assert_true(fabs(entropy - entropy_bound(t, h.sigma)) < 1e-9);
    }
}

/* ---- biases ---- */

/* x' = (x, 1) and W' = (W; b): what projections with biases compute, without them. */
static void with_biases(RngCursor *dice, Head *plain, Head *whole, double size) {
    size_t d = plain->width, rank = d, t = plain->tokens;
    double k[SIZE], q[SIZE];
    fill(dice, k, (d + 1) * rank);
    fill(dice, q, (d + 1) * rank);
    for (size_t i = d * rank; i < (d + 1) * rank; i++) k[i] *= size, q[i] *= size;
    *whole = (Head){.tokens = t, .width = d + 1};
    for (size_t i = 0; i < t; i++) {
        memcpy(whole->x + i * (d + 1), plain->x + i * d, d * sizeof(double));
        whole->x[i * (d + 1) + d] = 1;
    }
    multiply(plain->w, k, q, d, d, rank, true);
    multiply(whole->w, k, q, d + 1, d + 1, rank, true);
    head_finish(plain);
    head_finish(whole);
}

static void biases_need_a_column_of_ones(void **state) {
    (void)state;
    RngCursor dice = {rng_make(4, 0, 0), 0};
    int broken = 0;
    for (int trial = 0; trial < 400; trial++) {
        Head plain = draw_head(&dice, 16, 6), whole;
        for (size_t i = 0; i < plain.tokens * plain.width; i++) plain.x[i] *= 0.15;
        with_biases(&dice, &plain, &whole, 6);
        assert_true(gap(&whole) >= -EXACT);
        broken += lowest_row(&whole) < entropy_bound(plain.tokens, plain.sigma) - 1e-3;
    }
    assert_true(broken > 100);
}

/* ---- what op_attention reports ---- */

enum { BATCH = 2, HEADS = 3, K = 4 };

/* One example's tokens go through each head's projections; sigma gets those of the heads,
 * 1/(sqrt(K) tau) included. */
static void project(RngCursor *dice, size_t tokens, size_t width, double temperature,
                    double *q, double *k, double sigma[HEADS]) {
    double x[SIZE], wq[SIZE], wk[SIZE], pair[SIZE], part[SIZE];
    fill(dice, x, tokens * width);
    double norm = norm_of(x, tokens, width);
    for (size_t h = 0; h < HEADS; h++) {
        fill(dice, wq, width * K);
        fill(dice, wk, width * K);
        multiply(pair, wk, wq, width, width, K, true);
        sigma[h] =
            norm_of(pair, width, width) * norm * norm / (sqrt((double)K) * temperature);
        for (int key = 0; key < 2; key++) {
            multiply(part, x, key ? wk : wq, tokens, K, width, false);
            for (size_t t = 0; t < tokens; t++)
                memcpy((key ? k : q) + (t * HEADS + h) * K, part + t * K,
                       K * sizeof(double));
        }
    }
}

static void reported_entropies_stay_above_the_bound(void **state) {
    (void)state;
    RngCursor dice = {rng_make(7, 0, 0), 0};
    Tape *tape = tape_new();
    for (int trial = 0; trial < 300; trial++) {
        size_t tokens = 1 + (size_t)(rng_next(&dice) * 20), size = tokens * HEADS * K;
        double temperature = exp(rng_next_between(&dice, 0, 6)), bound[HEADS] = {0};
        double entropy[HEADS], largest[HEADS];
        bool causal = trial % 2;
        tape_begin(tape, (TapeMode){0});
        Tensor *q = tape_tensor(tape, 3, (size_t[]){BATCH, tokens, HEADS * K});
        Tensor *k = tape_tensor(tape, 3, (size_t[]){BATCH, tokens, HEADS * K});
        for (size_t b = 0; b < BATCH; b++) {
            double sigma[HEADS];
            project(&dice, tokens, 7, temperature, q->value + b * size,
                    k->value + b * size, sigma);
            for (size_t h = 0; h < HEADS; h++)
                bound[h] +=
                    (causal ? entropy_bound_causal : entropy_bound)(tokens, sigma[h]) /
                    BATCH;
        }
        AttentionStats stats = {.entropy = entropy, .largest = largest};
        op_attention(tape, &(AttentionArgs){.q = {q, 0},
                                            .k = {k, 0},
                                            .v = {k, 0},
                                            .heads = HEADS,
                                            .head_width = K,
                                            .temperature = temperature,
                                            .causal = causal,
                                            .stats = &stats});
        for (size_t h = 0; h < HEADS; h++) assert_true(entropy[h] >= bound[h] - EXACT);
    }
    tape_free(tape);
}

/* ---- looking for a violation ---- */

/* Rows of norm sigma with the least entropy, by random steps that are kept when they
 * help and shrink when they do not. */
static double descend_row(RngCursor *dice, size_t keys, double sigma) {
    double best[T_MAX], lowest = INFINITY, step = 1;
    fill(dice, best, keys);
    for (int trial = 0; trial < 6000 && step > 1e-9; trial++) {
        double row[T_MAX], squares = 0;
        for (size_t i = 0; i < keys; i++) {
            row[i] = best[i] + (trial ? step * sigma * rng_next_normal(dice) : 0);
            squares += row[i] * row[i];
        }
        for (size_t i = 0; i < keys; i++) row[i] *= sigma / sqrt(squares);
        double entropy = entropy_of(row, keys);
        bool better = entropy < lowest;
        step *= better ? 1.5 : 0.95;
        if (better) lowest = entropy, memcpy(best, row, keys * sizeof *row);
    }
    return lowest;
}

static void descent_over_rows_ends_at_the_bound(void **state) {
    (void)state;
    RngCursor dice = {rng_make(5, 0, 0), 0};
    for (size_t keys = 2; keys <= 16; keys += keys < 5 ? 1 : 5)
        for (double sigma = 0.1; sigma < 12; sigma *= 2.2) {
            double bound = entropy_bound(keys, sigma), lowest = INFINITY;
            for (int start = 0; start < 4; start++)
                lowest = fmin(lowest, descend_row(&dice, keys, sigma));
            assert_true(lowest >= bound - EXACT);
            assert_true(lowest - bound < 1e-6);
        }
}

static void nudge(RngCursor *dice, double *to, const double *from, size_t count,
                  double step) {
    for (size_t i = 0; i < count; i++)
        to[i] =
            from[i] * (1 + step * rng_next_normal(dice)) + step * rng_next_normal(dice);
}

/* The same over X and W of whole heads; sigma is what they make of it. */
static void descent_over_heads_finds_no_violation(void **state) {
    (void)state;
    RngCursor dice = {rng_make(6, 0, 0), 0};
    double closest = INFINITY;
    for (int start = 0; start < 12; start++) {
        Head best = draw_head(&dice, 5, 5), next;
        head_scale(&best, rng_next_between(&dice, 0.5, 6));
        double lowest = gap(&best), first = lowest, step = 0.3;
        for (int trial = 0; trial < 1500 && step > 1e-7; trial++) {
            next = best;
            nudge(&dice, next.x, best.x, best.tokens * best.width, step);
            nudge(&dice, next.w, best.w, best.width * best.width, step);
            head_scale(&next, best.sigma);
            double found = gap(&next);
            assert_true(found >= -EXACT);
            step *= found < lowest ? 1.5 : 0.97;
            if (found < lowest) lowest = found, best = next;
        }
        assert_true(lowest < first);
        closest = fmin(closest, lowest);
    }
    assert_true(closest < 1e-3); /* the search does reach the bound */
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(random_heads_stay_above_the_bound),
        cmocka_unit_test(structured_heads_stay_above_the_bound),
        cmocka_unit_test(the_tight_construction_meets_the_bound),
        cmocka_unit_test(the_mean_over_rows_nears_the_bound_as_tokens_grow),
        cmocka_unit_test(causal_rows_stay_above_the_bounds_of_their_own_keys),
        cmocka_unit_test(the_last_causal_row_can_meet_its_bound),
        cmocka_unit_test(biases_need_a_column_of_ones),
        cmocka_unit_test(reported_entropies_stay_above_the_bound),
        cmocka_unit_test(descent_over_rows_ends_at_the_bound),
        cmocka_unit_test(descent_over_heads_finds_no_violation),
    };
    return cmocka_run_group_tests_name("theorem", cases, NULL, NULL);
}

/* Properties of attention and of its entropy. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/kern/bound.h"
#include "engine/kern/rows.h"
#include "engine/op/op.h"
#include "levels.h"

enum { HEADS = 2, HEAD_WIDTH = 4, WIDTH = HEADS * HEAD_WIDTH };

typedef struct Setup {
    Tape *tape;
    Tensor *qkv;
    AttentionArgs args;
    AttentionStats stats;
    double entropy[HEADS], largest[HEADS];
} Setup;

static void begin(Setup *s, size_t batch, size_t tokens, double scale) {
    *s = (Setup){.tape = tape_new()};
    tape_begin(s->tape, (TapeMode){0});
    s->qkv = tape_tensor(s->tape, 3, (size_t[]){batch, tokens, 3 * WIDTH});
    Rng rng = rng_make(1, 2, 3);
    for (size_t i = 0; i < s->qkv->size; i++)
        s->qkv->value[i] = (real)(scale * rng_normal(rng, i));
    s->args = (AttentionArgs){.q = {s->qkv, 0},
                              .k = {s->qkv, WIDTH},
                              .v = {s->qkv, 2 * WIDTH},
                              .heads = HEADS,
                              .head_width = HEAD_WIDTH,
                              .temperature = 1};
}

static Tensor *run(Setup *s) {
    s->stats = (AttentionStats){.entropy = s->entropy, .largest = s->largest};
    s->args.stats = &s->stats;
    return op_attention(s->tape, &s->args);
}

static void set_columns(Tensor *x, size_t first, size_t count, double value) {
    size_t n = tensor_last(x);
    for (size_t r = 0; r < tensor_rows(x); r++)
        for (size_t j = first; j < first + count; j++) x->value[r * n + j] = (real)value;
}

static void entropy_of_equal_keys_is_ln_of_their_number(void **state) {
    (void)state;
    static const size_t SIZES[] = {1, 2, 17, 50, 197, 1000};
    for (size_t i = 0; i < COUNT(SIZES); i++) {
        Setup s;
        begin(&s, 2, SIZES[i], 1);
        set_columns(s.qkv, WIDTH, WIDTH, 0.3);
        run(&s);
        for (size_t h = 0; h < HEADS; h++)
            assert_true(fabs(s.entropy[h] - log((double)SIZES[i])) < 1e-6);
        assert_int_equal(s.stats.keys, SIZES[i]);
        tape_free(s.tape);
    }
}

static void entropy_of_one_loud_key_is_zero(void **state) {
    (void)state;
    Setup s;
    begin(&s, 1, 9, 0);
    set_columns(s.qkv, 0, WIDTH, 1);
    for (size_t j = 0; j < WIDTH; j++) s.qkv->value[WIDTH + j] = 1000; /* key 0 */
    run(&s);
    for (size_t h = 0; h < HEADS; h++) {
        assert_true(s.entropy[h] == 0);
        assert_true(fabs(s.largest[h] - 2000) < 1e-2); /* 4 * 1000 / sqrt(4) */
    }
    tape_free(s.tape);
}

static void causal_entropy_of_equal_keys_is_the_mean_of_ln_i(void **state) {
    (void)state;
    Setup s;
    begin(&s, 1, 6, 1);
    set_columns(s.qkv, WIDTH, WIDTH, 0);
    s.args.causal = true;
    run(&s);
    assert_true(fabs(s.entropy[0] - log(720.0) / 6) < 1e-6); /* ln 6! / 6 */
    tape_free(s.tape);
}

static void a_query_without_an_open_key_gives_zero_not_nan(void **state) {
    (void)state;
    static const size_t keys[2] = {0, 3};
    Setup s;
    begin(&s, 2, 5, 1);
    s.args.key_count = keys;
    Tensor *y = run(&s);
    for (size_t i = 0; i < 5 * WIDTH; i++) assert_true(y->value[i] == 0);
    for (size_t i = 0; i < y->size; i++) assert_true(isfinite(y->value[i]));
    for (size_t h = 0; h < HEADS; h++)
        assert_true(s.entropy[h] < log(3.0) && s.entropy[h] > 0);
    tape_free(s.tape);
}

static void padded_keys_change_nothing(void **state) {
    (void)state;
    static const size_t keys[1] = {4}, queries[1] = {4};
    Setup a, b;
    begin(&a, 1, 7, 1);
    a.args.key_count = keys, a.args.query_count = queries;
    Tensor *ya = run(&a);
    begin(&b, 1, 4, 1);
    memcpy(b.qkv->value, a.qkv->value, b.qkv->size * sizeof(real));
    Tensor *yb = run(&b);
    for (size_t i = 0; i < yb->size; i++)
        assert_true(fabs(ya->value[i] - yb->value[i]) < 1e-6);
    for (size_t h = 0; h < HEADS; h++)
        assert_true(fabs(a.entropy[h] - b.entropy[h]) < 1e-6);
    tape_free(a.tape);
    tape_free(b.tape);
}

static void temperature_divides_the_logits(void **state) {
    (void)state;
    Setup a, b;
    begin(&a, 2, 8, 1);
    a.args.temperature = 0.25;
    Tensor *ya = run(&a);
    begin(&b, 2, 8, 1);
    for (size_t r = 0; r < tensor_rows(b.qkv); r++)
        for (size_t j = 0; j < WIDTH; j++) b.qkv->value[r * 3 * WIDTH + j] *= 4;
    Tensor *yb = run(&b);
    for (size_t i = 0; i < ya->size; i++)
        assert_true(fabs(ya->value[i] - yb->value[i]) < 1e-6);
    assert_true(fabs(a.largest[0] - b.largest[0]) < 1e-4);
    tape_free(a.tape);
    tape_free(b.tape);
}

/* A plain softmax in double, without blocks or vectors: 3000 keys take several blocks. */
static void blocks_of_queries_equal_the_plain_formula(void **state) {
    (void)state;
    enum { T = 3000 };
    Setup s;
    begin(&s, 1, T, 1);
    Tensor *y = run(&s);
    double *p = mem_alloc(T * sizeof *p), mean = 0;
    for (size_t i = 0; i < T; i++) {
        double top = -1e30, total = 0, entropy = 0, out[HEAD_WIDTH] = {0};
        for (size_t j = 0; j < T; j++) {
            p[j] = 0;
            for (size_t c = 0; c < HEAD_WIDTH; c++)
                p[j] += (double)s.qkv->value[i * 3 * WIDTH + c] *
                        (double)s.qkv->value[j * 3 * WIDTH + WIDTH + c] /
                        sqrt(HEAD_WIDTH);
            top = fmax(top, p[j]);
        }
        for (size_t j = 0; j < T; j++) total += p[j] = exp(p[j] - top);
        for (size_t j = 0; j < T; j++) {
            p[j] /= total;
            entropy -= p[j] > 0 ? p[j] * log(p[j]) : 0;
            for (size_t c = 0; c < HEAD_WIDTH; c++)
                out[c] += p[j] * (double)s.qkv->value[j * 3 * WIDTH + 2 * WIDTH + c];
        }
        mean += entropy / T;
        for (size_t c = 0; c < HEAD_WIDTH; c++)
            assert_true(fabs((double)y->value[i * WIDTH + c] - out[c]) < 1e-5);
    }
    assert_true(fabs(mean - s.entropy[0]) < 1e-5);
    mem_free(p);
    tape_free(s.tape);
}

static void nan_comes_out_as_nan(void **state) {
    (void)state;
    real row[5] = {1, 2, (real)NAN, 0, 1}, entropy, largest;
    real lse = row_softmax(row, 5, &entropy, &largest);
    assert_true(isnan(lse) && isnan(largest));
    for (size_t i = 0; i < 5; i++) assert_true(isnan(row[i]));
}

/* ---- Theorem 3.1 ---- */

static double entropy_of(const double *logits, size_t n) {
    real row[256], entropy, largest;
    for (size_t i = 0; i < n; i++) row[i] = (real)logits[i];
    row_softmax(row, n, &entropy, &largest);
    return (double)entropy;
}

static void no_row_of_that_norm_falls_under_the_bound(void **state) {
    (void)state;
    RngCursor dice = {rng_make(3, 0, 0), 0};
    for (int trial = 0; trial < 20000; trial++) {
        size_t n = 2 + (size_t)(rng_next(&dice) * 40);
        double sigma = rng_next_between(&dice, 0.1, 12), row[64], squares = 0;
        bool spiked = rng_next(&dice) < 0.5; /* near the worst case, too */
        for (size_t i = 0; i < n; i++) {
            row[i] = rng_next_normal(&dice) * (spiked ? 0.05 : 1);
            if (spiked) row[i] += i ? -1.0 / (double)(n - 1) : 1;
            squares += row[i] * row[i];
        }
        for (size_t i = 0; i < n; i++) row[i] *= sigma / sqrt(squares);
        assert_true(entropy_of(row, n) >= entropy_bound(n, sigma) - 2e-5);
    }
}

static void one_high_logit_and_equal_others_meet_the_bound(void **state) {
    (void)state;
    for (size_t n = 2; n < 200; n += 13)
        for (double sigma = 0.5; sigma < 12; sigma += 1.7) {
            double row[256], t = (double)n;
            for (size_t i = 0; i < n; i++) row[i] = -sigma / sqrt(t * (t - 1));
            row[0] = sigma * sqrt(1 - 1 / t);
            assert_true(fabs(entropy_of(row, n) - entropy_bound(n, sigma)) < 2e-5);
        }
}

/* X = I and a = s (I - 11^T/T): |a| = s, and every row has a gap of s. */
static void the_mean_over_rows_nears_the_bound_as_tokens_grow(void **state) {
    (void)state;
    double apart = 1;
    for (size_t n = 4; n <= 256; n *= 2) {
        double row[256], s = 4;
        for (size_t i = 0; i < n; i++) row[i] = (i == 0 ? s : 0) - s / (double)n;
        apart = entropy_of(row, n) - entropy_bound(n, s);
        assert_true(apart > -1e-6 && apart < 0.2);
    }
    assert_true(apart < 0.01); /* the gaps differ by s/2T */
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(entropy_of_equal_keys_is_ln_of_their_number),
        cmocka_unit_test(entropy_of_one_loud_key_is_zero),
        cmocka_unit_test(causal_entropy_of_equal_keys_is_the_mean_of_ln_i),
        cmocka_unit_test(a_query_without_an_open_key_gives_zero_not_nan),
        cmocka_unit_test(padded_keys_change_nothing),
        cmocka_unit_test(temperature_divides_the_logits),
        cmocka_unit_test(blocks_of_queries_equal_the_plain_formula),
        cmocka_unit_test(nan_comes_out_as_nan),
        cmocka_unit_test(no_row_of_that_norm_falls_under_the_bound),
        cmocka_unit_test(one_high_logit_and_equal_others_meet_the_bound),
        cmocka_unit_test(the_mean_over_rows_nears_the_bound_as_tokens_grow),
    };
    return RUN_AT_LEVELS("attention", cases);
}

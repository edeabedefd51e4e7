/* Drawing the next token. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/sample.h"

enum { VOCAB = 7, DRAWS = 40000 };

static const real LOGITS[VOCAB] = {(real)0.5, -1, 2, (real)0.5, (real)1.5, -3, (real)0.5};

static Rng dice(uint64_t step) { return rng_make(11, RNG_SYNTHETIC, step); }

static void count_draws(const real *logits, double temperature, size_t top_k,
                        size_t count[VOCAB]) {
    memset(count, 0, VOCAB * sizeof *count);
    for (uint64_t i = 0; i < DRAWS; i++)
        count[sample_next(logits, VOCAB, temperature, top_k, dice(top_k), i)]++;
}

/* Among the tokens of which `kept` says 1.  Five standard deviations of a binomial count:
 * one in some 10^6 would be further away by chance, and the draws are always the same. */
static void assert_frequencies(const size_t *count, double temperature,
                               const char *kept) {
    double sum = 0, p[VOCAB];
    for (size_t v = 0; v < VOCAB; v++)
        sum += p[v] = kept[v] == '1' ? exp((double)LOGITS[v] / temperature) : 0;
    for (size_t v = 0; v < VOCAB; v++) {
        double mean = DRAWS * p[v] / sum, deviation = sqrt(mean * (1 - p[v] / sum));
        if (!(fabs((double)count[v] - mean) <= 5 * deviation))
            fail_msg("token %zu: %zu times, not %.1f", v, count[v], mean);
    }
}

static void tokens_come_as_often_as_they_are_likely(void **state) {
    (void)state;
    static const double TEMPERATURES[] = {0.3, 1, 2.5};
    size_t count[VOCAB];
    for (size_t k = 0; k < COUNT(TEMPERATURES); k++) {
        count_draws(LOGITS, TEMPERATURES[k], 0, count);
        assert_frequencies(count, TEMPERATURES[k], "1111111");
        count_draws(LOGITS, TEMPERATURES[k], VOCAB + 5, count);
        assert_frequencies(count, TEMPERATURES[k], "1111111");
    }
}

/* By size: 2, 4, then 0, 3, 6 alike (of which the lower ids are kept), 1, 5. */
static void no_token_comes_that_is_not_among_the_best_k(void **state) {
    (void)state;
    static const char *const KEPT[] = {"0010000", "0010100", "1010100",
                                       "1011100", "1011101", "1111101"};
    size_t count[VOCAB];
    for (size_t k = 1; k <= COUNT(KEPT); k++) {
        count_draws(LOGITS, 1.5, k, count);
        assert_frequencies(count, 1.5, KEPT[k - 1]);
    }
}

static void the_best_k_of_many_are_found(void **state) {
    (void)state;
    enum { MANY = 500 };
    real logits[MANY];
    for (unsigned trial = 0; trial < 200; trial++) {
        size_t k = 1 + trial % 60, better = 0;
        /* trial by trial: all different, few values, sorted both ways, all alike */
        for (size_t v = 0; v < MANY; v++) {
            double x = rng_uniform(dice(trial), v);
            double shapes[] = {x, floor(x * 9), (double)v, -(double)v, 1};
            logits[v] = (real)shapes[trial % 5];
        }
        uint32_t drawn = sample_next(logits, MANY, 1e6, k, dice(trial), 1u << 20);
        for (size_t v = 0; v < MANY; v++)
            better +=
                logits[v] > logits[drawn] || (logits[v] == logits[drawn] && v < drawn);
        if (better >= k) fail_msg("trial %u: %zu are better, top %zu", trial, better, k);
    }
}

static void temperature_0_is_the_likeliest_token(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(sample_next(LOGITS, VOCAB, 0, 0, dice(0), i), 2);
        assert_int_equal(sample_next(LOGITS, VOCAB, 1e-9, 0, dice(0), i), 2);
        assert_int_equal(sample_next(LOGITS, VOCAB, 3, 1, dice(0), i), 2);
    }
    assert_int_equal(sample_next((real[]){1, 1, 1}, 3, 0, 0, dice(0), 0), 0);
}

static void the_impossible_is_never_drawn(void **state) {
    (void)state;
    const real impossible = (real)-INFINITY, none = (real)NAN;
    const real logits[VOCAB] = {none, impossible, 1, none, impossible, 1, impossible};
    size_t count[VOCAB];
    for (size_t top_k = 0; top_k < 6; top_k++) {
        count_draws(logits, 1, top_k, count);
        assert_int_equal(count[2] + count[5], DRAWS);
        assert_true(top_k == 1 ? !count[5] : count[5] > DRAWS / 3);
    }
    assert_int_equal(sample_next(logits, VOCAB, 0, 0, dice(0), 0), 2);
    const real nothing[] = {none, impossible, none};
    for (uint64_t i = 0; i < 10; i++)
        assert_true(sample_next(nothing, 3, 1, 2, dice(0), i) < 3);
    assert_int_equal(sample_next((real[]){0, (real)INFINITY, 5}, 3, 1, 0, dice(0), 0), 1);
}

static void large_logits_do_not_overflow(void **state) {
    (void)state;
    const real logits[] = {1e30f, 1e30f, -1e30f};
    size_t second = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        uint32_t drawn = sample_next(logits, 3, 1, 0, dice(3), i);
        assert_true(drawn < 2);
        second += drawn;
    }
    assert_in_range(second, 400, 600);
}

static void a_draw_is_a_function_of_its_index(void **state) {
    (void)state;
    size_t other = 0;
    for (uint64_t i = 0; i < 100; i++) {
        uint32_t drawn = sample_next(LOGITS, VOCAB, 2, 0, dice(1), i);
        assert_int_equal(drawn, sample_next(LOGITS, VOCAB, 2, 0, dice(1), i));
        other += drawn != sample_next(LOGITS, VOCAB, 2, 0, dice(1), i + 1000);
    }
    assert_true(other > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_come_as_often_as_they_are_likely),
        cmocka_unit_test(no_token_comes_that_is_not_among_the_best_k),
        cmocka_unit_test(the_best_k_of_many_are_found),
        cmocka_unit_test(temperature_0_is_the_likeliest_token),
        cmocka_unit_test(the_impossible_is_never_drawn),
        cmocka_unit_test(large_logits_do_not_overflow),
        cmocka_unit_test(a_draw_is_a_function_of_its_index),
    };
    return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}

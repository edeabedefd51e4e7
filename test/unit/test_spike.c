/* Rises of the loss: what is one, how deep, how long, and what is none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/core/rng.h"
#include "tools/run/spike.h"

enum { N = 400 };
static const double CHANCE = 2.302585;

/* 0.5 + 1.8 exp(-6 i/n), times what a minibatch makes of it: normal noise, or skewed as
 * a log-normal is. */
static void curve(double *loss, size_t count, uint64_t seed, double noise, bool skewed) {
    RngCursor dice = {rng_make(seed, 0, 0), 0};
    for (size_t i = 0; i < count; i++) {
        double mean = 0.5 + 1.8 * exp(-6 * (double)i / (double)count);
        double z = noise * rng_next_normal(&dice);
        loss[i] = skewed ? mean * exp(z) : mean + z;
    }
}

static void raise_loss(double *loss, size_t from, size_t to, double by) {
    for (size_t i = from; i < to; i++) loss[i] += by;
}

static void a_falling_loss_has_no_spike_however_noisy(void **state) {
    (void)state;
    static const size_t COUNTS[] = {30, 50, 100, 400, 2000};
    static double loss[2000];
    for (int skewed = 0; skewed < 2; skewed++) {
        size_t found = 0, curves = 0;
        for (size_t k = 0; k < COUNT(COUNTS); k++)
            for (uint64_t seed = 0; seed < 200; seed++) {
                curve(loss, COUNTS[k], seed, skewed ? 0.5 : 0.25, skewed);
                found += loss_spikes(loss, NULL, COUNTS[k], CHANCE).count > 0;
                curves++;
            }
        assert_true(found * (skewed ? 50 : 500) <= curves);
    }
}

static void depth_and_length_of_a_spike_are_what_was_put_in(void **state) {
    (void)state;
    double loss[N], step[N];
    for (size_t i = 0; i < N; i++) step[i] = 10 * (double)(i + 1);
    for (uint64_t seed = 0; seed < 50; seed++) {
        curve(loss, N, seed, 0.05, false);
        raise_loss(loss, 200, 240, 1);
        LossSpikes found = loss_spikes(loss, step, N, CHANCE);
        const LossSpike *s = &found.worst;
        assert_int_equal(found.count, 1);
        assert_true(!found.open && s->recovered);
        assert_true(fabs(s->depth - 1) < 0.15);
        assert_true(fabs(s->best - 0.55) < 0.1);
        /* of rows 200 ... 239, ten steps apart */
        assert_true(s->from > 1900 && s->from <= 2010);
        assert_true(fabs(s->steps - 400) <= 100);
        assert_true(s->top > 2000 && s->top <= 2400);
    }
}

static void a_spike_that_lasts_to_the_end_is_open(void **state) {
    (void)state;
    double loss[N];
    curve(loss, N, 1, 0.05, false);
    raise_loss(loss, 300, N, 0.6);
    LossSpikes found = loss_spikes(loss, NULL, N, CHANCE);
    assert_true(found.count == 1 && found.open && !found.worst.recovered);
    assert_true(fabs(found.worst.steps - 100) < 15);
    for (size_t i = 300; i < N; i++) /* back by nine tenths */
        loss[i] -= 0.54 * fmin(1, (double)(i - 300) / 50);
    found = loss_spikes(loss, NULL, N, CHANCE);
    assert_true(found.count == 1 && !found.open);
}

/* A slow rise never leaves a mean that follows it; the best level it does. */
static void a_slow_rise_is_seen_too(void **state) {
    (void)state;
    double loss[N];
    curve(loss, N, 2, 0.05, false);
    for (size_t i = 150; i < N; i++) loss[i] += 1.2 * (double)(i - 150) / (N - 150);
    LossSpikes found = loss_spikes(loss, NULL, N, CHANCE);
    assert_true(found.count == 1 && found.open && found.worst.depth > 0.9);
}

static void a_bad_batch_or_three_are_no_spike(void **state) {
    (void)state;
    double loss[N];
    curve(loss, N, 3, 0.05, false);
    raise_loss(loss, 100, 101, 50);
    raise_loss(loss, 250, 253, 50);
    assert_int_equal(loss_spikes(loss, NULL, N, CHANCE).count, 0);
    raise_loss(loss, 250, 265, 50);
    assert_int_equal(loss_spikes(loss, NULL, N, CHANCE).count, 1);
}

static void the_deepest_is_reported_or_the_one_that_is_open(void **state) {
    (void)state;
    double loss[N];
    curve(loss, N, 4, 0.02, false);
    raise_loss(loss, 150, 180, 0.5);
    raise_loss(loss, 220, 250, 1.5);
    raise_loss(loss, 280, 310, 0.5);
    LossSpikes found = loss_spikes(loss, NULL, N, CHANCE);
    assert_true(found.count == 3 && !found.open && fabs(found.worst.depth - 1.5) < 0.1);
    raise_loss(loss, 350, N, 0.5);
    found = loss_spikes(loss, NULL, N, CHANCE);
    assert_true(found.count == 4 && found.open && fabs(found.worst.depth - 0.5) < 0.1);
}

/* A run that has learned nothing yet has nothing to lose. */
static void what_rises_from_chance_is_no_spike(void **state) {
    (void)state;
    double loss[N];
    for (size_t i = 0; i < N; i++) loss[i] = CHANCE;
    raise_loss(loss, 50, 100, 3);
    assert_int_equal(loss_spikes(loss, NULL, N, CHANCE).count, 0);
    raise_loss(loss, 0, N, -0.04 * CHANCE); /* 96 % of chance: something */
    assert_int_equal(loss_spikes(loss, NULL, N, CHANCE).count, 1);
}

/* Without noise the margin is a tenth of the best level, or 2 % of chance. */
static void the_margin_is_ten_per_cent_of_the_best_or_two_of_chance(void **state) {
    (void)state;
    double loss[N];
    static const struct {
        double best, rise;
        size_t count;
    } CASES[] = {{1, 0.099, 0}, {1, 0.101, 1}, {0.01, 0.045, 0}, {0.01, 0.047, 1}};
    for (size_t c = 0; c < COUNT(CASES); c++) {
        for (size_t i = 0; i < N; i++) loss[i] = CASES[c].best;
        raise_loss(loss, 200, 250, CASES[c].rise);
        assert_int_equal(loss_spikes(loss, NULL, N, CHANCE).count, CASES[c].count);
    }
}

static void it_has_recovered_within_half_of_the_margin(void **state) {
    (void)state;
    double loss[N];
    for (int open = 0; open < 2; open++) { /* the margin is 0.1 */
        for (size_t i = 0; i < N; i++) loss[i] = 1;
        raise_loss(loss, 200, 250, 1);
        raise_loss(loss, 250, N, open ? 0.051 : 0.049);
        LossSpikes found = loss_spikes(loss, NULL, N, CHANCE);
        assert_true(found.count == 1 && found.open == open);
    }
}

static void few_rows_and_bad_numbers_say_nothing(void **state) {
    (void)state;
    double loss[N];
    curve(loss, N, 5, 0.02, false);
    raise_loss(loss, 10, 20, 3);
    for (size_t count = 0; count < SPIKE_ROWS_MIN; count++)
        assert_int_equal(loss_spikes(loss, NULL, count, CHANCE).count, 0);
    raise_loss(loss, 200, 240, 3);
    loss[7] = NAN;
    assert_int_equal(loss_spikes(loss, NULL, N, CHANCE).count, 0);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_falling_loss_has_no_spike_however_noisy),
        cmocka_unit_test(depth_and_length_of_a_spike_are_what_was_put_in),
        cmocka_unit_test(a_spike_that_lasts_to_the_end_is_open),
        cmocka_unit_test(a_slow_rise_is_seen_too),
        cmocka_unit_test(a_bad_batch_or_three_are_no_spike),
        cmocka_unit_test(the_deepest_is_reported_or_the_one_that_is_open),
        cmocka_unit_test(what_rises_from_chance_is_no_spike),
        cmocka_unit_test(the_margin_is_ten_per_cent_of_the_best_or_two_of_chance),
        cmocka_unit_test(it_has_recovered_within_half_of_the_margin),
        cmocka_unit_test(few_rows_and_bad_numbers_say_nothing),
    };
    return cmocka_run_group_tests_name("spike", cases, NULL, NULL);
}

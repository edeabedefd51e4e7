/* What became of a contrastive run: features at one point, a probe that falls. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tools/run/verdict.h"

enum { N = 100, WIDTH = 64, EVALS = 20 };

typedef struct Made {
    double loss[N], std[N], top1[EVALS], epoch[EVALS];
    VerdictInput input;
} Made;

/* A loss of 256 pictures that goes to `end`; features that keep half of their spread; a
 * probe that rises from 20 to 58 %. */
static void make(Made *m, double end) {
    double chance = log(511);
    *m = (Made){0};
    for (size_t i = 0; i < N; i++) {
        m->loss[i] = chance + (end - chance) * (double)i / (N - 1);
        m->std[i] = 0.5 / 8;
    }
    for (size_t i = 0; i < EVALS; i++) {
        m->top1[i] = 0.2 + 0.02 * (double)i;
        m->epoch[i] = 2 * (double)(i + 1);
    }
    m->input = (VerdictInput){.loss = m->loss,
                              .count = N,
                              .chance = chance,
                              .low = ENTROPY_LOW_NONE,
                              .feature_std = m->std,
                              .width = WIDTH,
                              .probe = m->top1,
                              .probe_epoch = m->epoch,
                              .probe_count = EVALS};
}

static void features_at_a_point_are_named_at_chance_alone(void **state) {
    (void)state;
    static Made m;
    make(&m, log(511));
    Verdict even = run_verdict(&m.input);
    assert_int_equal(even.kind, VERDICT_AT_CHANCE);
    assert_float_equal(even.spread, 0.5, 1e-12);
    for (size_t i = 80; i < N; i++) m.std[i] = 0.019 / 8;
    Verdict point = run_verdict(&m.input);
    assert_int_equal(point.kind, VERDICT_AT_CHANCE_POINT);
    assert_true(point.diverged);
    assert_non_null(strstr(point.summary, "all features are nearly equal"));
    for (size_t i = 80; i < N; i++) m.std[i] = 0.021 / 8;
    assert_int_equal(run_verdict(&m.input).kind, VERDICT_AT_CHANCE);
    for (size_t i = 80; i < N; i++) m.std[i] = 0, m.loss[i] = 4;
    assert_int_equal(run_verdict(&m.input).kind, VERDICT_LEARNED);
}

static void a_probe_that_falls_and_recovers_has_its_depth_and_epochs(void **state) {
    (void)state;
    static Made m;
    make(&m, 4);
    assert_int_equal(run_verdict(&m.input).kind, VERDICT_LEARNED);
    m.top1[10] = 0.25, m.top1[11] = 0.2, m.top1[12] = 0.3; /* 38 % before */
    Verdict v = run_verdict(&m.input);
    assert_int_equal(v.kind, VERDICT_PROBE_RECOVERED);
    assert_false(v.diverged);
    assert_float_equal(v.probe.depth, 0.18, 1e-12);
    assert_float_equal(v.probe.from, 20, 0);
    assert_float_equal(v.probe.bottom, 24, 0);
    assert_float_equal(v.probe.until, 28, 0);
    assert_non_null(strstr(v.summary,
                           "After epoch 20.0 the probe's accuracy fell by 18.0 "
                           "points, to its lowest at epoch 24.0, and recovered "
                           "after 4.0 epochs."));
    m.top1[13] = 0.35, m.top1[14] = 0.36; /* half of 5 points below 38 % is near enough */
    assert_float_equal(run_verdict(&m.input).probe.until, 30, 0);
}

static void a_probe_that_stays_down_is_a_verdict_of_its_own(void **state) {
    (void)state;
    static Made m;
    make(&m, 4);
    for (size_t i = 12; i < EVALS; i++) m.top1[i] = 0.3; /* 42 % before */
    Verdict v = run_verdict(&m.input);
    assert_int_equal(v.kind, VERDICT_PROBE_FELL);
    assert_false(v.diverged);
    assert_true(isnan(v.probe.until));
    assert_non_null(strstr(v.summary, "did not recover"));
    m.input.low.fell_step = 5; /* and attention collapsed */
    assert_int_equal(run_verdict(&m.input).kind, VERDICT_PROBE_FELL);
}

static void noise_of_a_few_points_is_no_fall(void **state) {
    (void)state;
    static Made m;
    make(&m, 4);
    for (size_t i = 1; i < EVALS; i += 2) m.top1[i] = m.top1[i - 1] - 0.045;
    Verdict v = run_verdict(&m.input);
    assert_int_equal(v.kind, VERDICT_LEARNED);
    assert_true(isnan(v.probe.depth));
}

/* What 100 pictures scatter is no fall; of 2,500 and more 5 points are what they were. */
static void a_fall_has_to_be_more_than_the_size_of_the_split_scatters(void **state) {
    (void)state;
    static Made m;
    make(&m, 4);
    for (size_t i = 12; i < EVALS; i++) m.top1[i] = 0.34; /* 42 % before */
    m.input.probe_pictures = 100;
    assert_int_equal(run_verdict(&m.input).kind, VERDICT_LEARNED);
    m.input.probe_pictures = 2500;
    assert_int_equal(run_verdict(&m.input).kind, VERDICT_PROBE_FELL);
    for (size_t i = 0; i < EVALS; i++) m.top1[i] = i < 12 ? 0.5 : 0.449; /* 5.1 points */
    m.input.probe_pictures = 2500;
    assert_int_equal(run_verdict(&m.input).kind, VERDICT_PROBE_FELL);
    for (size_t i = 12; i < EVALS; i++) m.top1[i] = 0.451;
    assert_int_equal(run_verdict(&m.input).kind, VERDICT_LEARNED);
}

static void a_run_without_a_probe_is_judged_by_its_loss(void **state) {
    (void)state;
    static Made m;
    make(&m, 4);
    m.input.feature_std = m.input.probe = m.input.probe_epoch = NULL;
    m.input.probe_count = 0;
    Verdict v = run_verdict(&m.input);
    assert_int_equal(v.kind, VERDICT_LEARNED);
    assert_true(isnan(v.spread) && isnan(v.probe.depth));
    assert_null(strstr(v.summary, "spread"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_at_a_point_are_named_at_chance_alone),
        cmocka_unit_test(a_probe_that_falls_and_recovers_has_its_depth_and_epochs),
        cmocka_unit_test(a_probe_that_stays_down_is_a_verdict_of_its_own),
        cmocka_unit_test(noise_of_a_few_points_is_no_fall),
        cmocka_unit_test(a_fall_has_to_be_more_than_the_size_of_the_split_scatters),
        cmocka_unit_test(a_run_without_a_probe_is_judged_by_its_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

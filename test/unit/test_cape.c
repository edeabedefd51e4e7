/* CAPE: the formula, and what the random shift depends on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "models/cape.h"

enum { B = 4, T = 90, D = 30 };
static const size_t FRAMES[B] = {90, 41, 1, 0};
static const double PI = 3.14159265358979323846;

static const CapeArgs PLAIN = {B, T, D, FRAMES, 0.03, 30, 0};

/* Positions of `a` in y. */
static void positions(real *y, const CapeArgs *a, bool training, uint64_t step) {
    Tape *tape = tape_new();
    tape_begin(tape, (TapeMode){.training = training, .seed = 3, .step = step});
    Tensor *found = cape_positions(tape, a);
    assert_true(found->dims == 3 && found->size == a->batch * a->length * a->width);
    assert_false(found->needs_grad);
    memcpy(y, found->value, found->size * sizeof *y);
    tape_free(tape);
}

/* The formula, with a shift g of utterance b. */
static double formula(const CapeArgs *a, size_t b, size_t t, size_t c, double g) {
    double mean = 0;
    for (size_t i = 0; i < FRAMES[b]; i++)
        mean += a->seconds * (double)i / (double)FRAMES[b];
    double position = a->seconds * (double)t - mean + g;
    double slow = pow(10000, -2 * floor((double)c / 2) / (double)a->width);
    return t < FRAMES[b] ? sin(30 * position * slow + (double)(c % 2) * PI / 2) : 0;
}

static void evaluation_is_the_formula_without_a_shift(void **state) {
    (void)state;
    static real y[B * T * D];
    for (size_t width = D - 1; width <= D; width++) {
        CapeArgs a = PLAIN;
        a.width = width;
        positions(y, &a, false, 1);
        for (size_t i = 0; i < B * T * width; i++) {
            double want = formula(&a, i / (T * width), i / width % T, i % width, 0);
            assert_true(fabs((double)y[i] - want) < 1e-6);
        }
    }
}

static void a_middle_frame_stands_at_zero_whatever_the_length(void **state) {
    (void)state;
    static real y[B * T * D];
    positions(y, &PLAIN, false, 1);
    for (size_t c = 0; c < D; c++)
        assert_true(fabs((double)y[(1 * T + 20) * D + c] - (double)(c % 2)) < 1e-6);
}

/* The shift of utterance b, from the slowest sine and cosine: less than a turn in 60
 * s. */
static double shift_of(const real *y, size_t b) {
    const real *row = y + b * T * D;
    double slow = 30 * pow(10000, -28. / 30);
    double middle = PLAIN.seconds * (double)(FRAMES[b] - 1) / 2;
    return atan2((double)row[D - 2], (double)row[D - 1]) / slow + middle;
}

static void training_is_the_formula_with_one_shift_an_utterance(void **state) {
    (void)state;
    static real y[B * T * D];
    double low = 30, high = -30;
    for (uint64_t step = 0; step < 40; step++) {
        positions(y, &PLAIN, true, step);
        for (size_t b = 0; b < B - 1; b++) {
            double g = shift_of(y, b);
            assert_true(fabs(g) < 30);
            low = MIN(low, g), high = MAX(high, g);
            for (size_t i = 0; i < T * D; i++) /* g is known to some 1e-5 s */
                assert_true(fabs((double)y[b * T * D + i] -
                                 formula(&PLAIN, b, i / D, i % D, g)) < 2e-3);
        }
        assert_true(fabs(shift_of(y, 0) - shift_of(y, 1)) > 1e-3);
    }
    assert_true(low < -25 && high > 25);
}

static void shifts_follow_seed_step_and_example_alone(void **state) {
    (void)state;
    static real whole[B * T * D], part[B * T * D];
    positions(whole, &PLAIN, true, 5);
    CapeArgs a = PLAIN;
    a.batch = 2, a.first_example = 1, a.frame_count = FRAMES + 1;
    positions(part, &a, true, 5);
    assert_memory_equal(part, whole + T * D, 2 * T * D * sizeof(real));
    positions(part, &PLAIN, true, 6);
    assert_true(fabs(shift_of(part, 0) - shift_of(whole, 0)) > 1e-3);
}

static void without_counts_all_frames_are_valid(void **state) {
    (void)state;
    static real all[B * T * D], some[B * T * D];
    CapeArgs a = PLAIN;
    a.frame_count = NULL;
    positions(all, &a, false, 0);
    positions(some, &PLAIN, false, 0);
    for (size_t b = 0; b < B; b++)
        assert_memory_equal(all + b * T * D, some, T * D * sizeof(real));
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(evaluation_is_the_formula_without_a_shift),
        cmocka_unit_test(a_middle_frame_stands_at_zero_whatever_the_length),
        cmocka_unit_test(training_is_the_formula_with_one_shift_an_utterance),
        cmocka_unit_test(shifts_follow_seed_step_and_example_alone),
        cmocka_unit_test(without_counts_all_frames_are_valid),
    };
    return cmocka_run_group_tests_name("cape", cases, NULL, NULL);
}

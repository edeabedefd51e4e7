/* The ops of speech models but CTC: masked norm, frames and convolution, GLU, the scalar
 * of attention, layer drop. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/op/op.h"

enum { B = 3, T = 23, C = 5 };
static const size_t FRAMES[B] = {23, 10, 0};

static Tape *begin(TapeMode mode) {
    Tape *tape = tape_new();
    tape_begin(tape, mode);
    return tape;
}

static Tensor *random_tensor(Tape *tape, uint64_t seed, int dims, const size_t *shape) {
    Tensor *x = tape_tensor(tape, dims, shape);
    Rng rng = rng_make(seed, 0, 0);
    for (size_t i = 0; i < x->size; i++) x->value[i] = (real)(1 + 2 * rng_normal(rng, i));
    return x;
}

static Tensor *one_number(Tape *tape, double value) {
    Tensor *x = tape_tensor(tape, 1, (size_t[]){1});
    x->value[0] = (real)value;
    return x;
}

/* An input whose padding is NaN: it must not be read. */
static Tensor *utterances(Tape *tape) {
    Tensor *x = random_tensor(tape, 1, 3, (size_t[]){B, T, C});
    for (size_t i = 0; i < x->size; i++)
        if (i / C % T >= FRAMES[i / (T * C)]) x->value[i] = NAN;
    return x;
}

/* ---- masked norm ---- */

static Tensor *masked_norm(Tape *tape, Tensor *x, const size_t *frames, double scale,
                           double bias, double eps) {
    return op_masked_norm(tape, x, frames, one_number(tape, scale),
                          one_number(tape, bias), eps);
}

static void valid_frames_get_mean_bias_and_deviation_scale(void **state) {
    (void)state;
    Tape *tape = begin((TapeMode){0});
    Tensor *y = masked_norm(tape, utterances(tape), FRAMES, 1.5, -0.25, 1e-7);
    for (size_t b = 0; b < B; b++) {
        double sum = 0, squares = 0, n = (double)(FRAMES[b] * C);
        const real *row = y->value + b * T * C;
        for (size_t i = 0; i < T * C; i++) {
            if (i >= FRAMES[b] * C) assert_true(row[i] == 0);
            sum += (double)row[i];
        }
        if (!FRAMES[b]) continue;
        for (size_t i = 0; i < FRAMES[b] * C; i++)
            squares += pow((double)row[i] - sum / n, 2);
        assert_true(fabs(sum / n + 0.25) < 1e-6);
        assert_true(fabs(sqrt(squares / n) - 1.5) < 1e-6);
    }
    tape_free(tape);
}

/* eps is added to the deviation, not under the root: 1/(1 + 1) and not 1/sqrt(1 + 1). */
static void eps_is_added_to_the_deviation(void **state) {
    (void)state;
    Tape *tape = begin((TapeMode){0});
    Tensor *x = tape_tensor(tape, 3, (size_t[]){1, 2, 1});
    x->value[0] = 6, x->value[1] = 4;
    Tensor *y = masked_norm(tape, x, NULL, 1, 0, 1);
    assert_true(y->value[0] == (real)0.5 && y->value[1] == (real)-0.5);
    tape_free(tape);
}

static void silence_of_any_level_becomes_the_bias(void **state) {
    (void)state;
    Tape *tape = begin((TapeMode){0});
    Tensor *x = tape_tensor(tape, 3, (size_t[]){1, T, C});
    for (size_t i = 0; i < x->size; i++) x->value[i] = (real)1234.567;
    Tensor *y = masked_norm(tape, x, NULL, 3, 0.5, 1e-7);
    for (size_t i = 0; i < x->size; i++) assert_true(y->value[i] == (real)0.5);
    tape_free(tape);
}

/* ---- frames and convolution ---- */

static void before_is_that_of_same_padding(void **state) {
    (void)state;
    /* T, kernel, stride, and what TensorFlow's rule gives */
    static const size_t rows[][4] = {{9, 7, 3, 2},  {10, 7, 3, 3}, {11, 7, 3, 2},
                                     {1, 7, 3, 3},  {8, 3, 1, 1},  {8, 4, 1, 1},
                                     {12, 2, 5, 0}, {8, 5, 2, 1},  {0, 7, 3, 0}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(frames_before_same(rows[i][0], rows[i][1], rows[i][2]),
                         rows[i][3]);
}

/* The sum that defines it; numbers outside of the utterance are 0. */
static double convolved(const Tensor *x, const Tensor *w, const FramesArgs *a, size_t b,
                        size_t t, size_t o) {
    double sum = 0;
    for (size_t k = 0; k < a->kernel; k++) {
        size_t f = t * a->stride + k;
        if (f < a->before || f - a->before >= FRAMES[b]) continue;
        for (size_t c = 0; c < C; c++)
            sum += (double)w->value[(o * C + c) * a->kernel + k] *
                   (double)x->value[(b * T + f - a->before) * C + c];
    }
    return sum;
}

static void convolution_is_its_sum_and_never_reads_padding(void **state) {
    (void)state;
    static const size_t shapes[][2] = {{7, 3}, {3, 1}, {4, 2}, {1, 1}, {2, 5}};
    enum { OUT = 6 };
    for (size_t i = 0; i < COUNT(shapes); i++) {
        Tape *tape = begin((TapeMode){0});
        Tensor *x = utterances(tape);
        FramesArgs a = {x, shapes[i][0], shapes[i][1], 0, NULL, FRAMES};
        a.before = frames_before_same(T, a.kernel, a.stride);
        Tensor *w = random_tensor(tape, 2, 3, (size_t[]){OUT, C, a.kernel});
        Tensor *bias = random_tensor(tape, 3, 1, (size_t[]){OUT});
        Tensor *y = op_conv1d(tape, &a, w, bias, NULL);
        size_t count = (T + a.stride - 1) / a.stride;
        assert_true(y->dims == 3 && y->shape[0] == B && y->shape[1] == count &&
                    y->shape[2] == OUT);
        for (size_t j = 0; j < y->size; j++) {
            size_t o = j % OUT, t = j / OUT % count, b = j / OUT / count;
            double want = convolved(x, w, &a, b, t, o) + (double)bias->value[o];
            assert_true(fabs((double)y->value[j] - want) < 1e-4);
        }
        tape_free(tape);
    }
}

/* With a fixed `before` an utterance is worth the same alone and beside a longer one. */
static void neighbours_do_not_change_an_utterance(void **state) {
    (void)state;
    Tape *tape = begin((TapeMode){0});
    Tensor *x = utterances(tape);
    Tensor *alone = tape_tensor(tape, 3, (size_t[]){1, FRAMES[1], C});
    memcpy(alone->value, x->value + T * C, alone->size * sizeof(real));
    Tensor *many = op_frames(tape, &(FramesArgs){x, 7, 3, 3, NULL, FRAMES});
    Tensor *one = op_frames(tape, &(FramesArgs){alone, 7, 3, 3, NULL, NULL});
    assert_memory_equal(one->value, many->value + many->size / B,
                        one->size * sizeof(real));
    static const size_t EACH[B] = {1, 3, 2}; /* the second as above */
    Tensor *each = op_frames(tape, &(FramesArgs){x, 7, 3, 0, EACH, FRAMES});
    assert_memory_equal(one->value, each->value + each->size / B,
                        one->size * sizeof(real));
    assert_memory_not_equal(many->value, each->value, one->size * sizeof(real));
    tape_free(tape);
}

/* ---- GLU, scalar ---- */

static void glu_gates_the_first_half_by_the_second(void **state) {
    (void)state;
    Tape *tape = begin((TapeMode){0});
    Tensor *x = random_tensor(tape, 4, 3, (size_t[]){2, 3, 14}), *y = op_glu(tape, x);
    assert_true(y->dims == 3 && y->shape[1] == 3 && y->shape[2] == 7);
    for (size_t i = 0; i < y->size; i++) {
        const real *row = x->value + i / 7 * 14;
        double want = (double)row[i % 7] / (1 + exp(-(double)row[7 + i % 7]));
        assert_true(fabs((double)y->value[i] - want) < 1e-6);
    }
    tape_free(tape);
}

static void the_scalar_is_added_to_every_number(void **state) {
    (void)state;
    Tape *tape = begin((TapeMode){0});
    Tensor *x = random_tensor(tape, 5, 2, (size_t[]){9, 11});
    Tensor *y = op_add_scalar(tape, x, one_number(tape, 0.75));
    for (size_t i = 0; i < x->size; i++)
        assert_true(y->value[i] == x->value[i] + (real)0.75);
    tape_free(tape);
}

/* ---- layer drop ---- */

static size_t drops(double p, uint32_t site, bool training, size_t steps, bool *dropped) {
    size_t count = 0;
    for (size_t step = 0; step < steps; step++) {
        Tape *tape = begin((TapeMode){.training = training, .seed = 9, .step = step});
        bool drop = layer_dropped(tape, p, site);
        if (dropped) dropped[step] = drop;
        count += drop;
        tape_free(tape);
    }
    return count;
}

/* Four forward passes a step: each draws for itself, and again the same. */
static void passes_of_a_step_draw_apart(void **state) {
    (void)state;
    size_t first = 0, both = 0, differ = 0;
    for (size_t step = 0; step < 500; step++) {
        bool drop[4];
        for (size_t pass = 0; pass < 8; pass++) {
            Tape *tape = begin(
                (TapeMode){.training = true, .seed = 9, .step = step, .pass = pass % 4});
            bool now = layer_dropped(tape, 0.5, 1);
            if (pass >= 4) assert_int_equal(now, drop[pass % 4]);
            drop[pass % 4] = now;
            tape_free(tape);
        }
        first += drop[0];
        both += drop[0] && drop[3];
        differ += drop[0] != drop[1] || drop[1] != drop[2] || drop[2] != drop[3];
    }
    assert_in_range(first, 200, 300);
    assert_in_range(both, 85, 165);    /* 125, deviation 10 */
    assert_in_range(differ, 400, 475); /* 7/8 of 500 */
}

/* 2000 draws: the count has a deviation of 20. */
static void a_layer_is_dropped_for_all_examples_at_the_rate_given(void **state) {
    (void)state;
    enum { STEPS = 2000 };
    static bool first[STEPS], second[STEPS];
    size_t a = drops(0.3, 1, true, STEPS, first), b = drops(0.3, 2, true, STEPS, second);
    size_t both = 0;
    for (size_t i = 0; i < STEPS; i++) both += first[i] && second[i];
    assert_in_range(a, 520, 680);
    assert_in_range(b, 520, 680);
    assert_in_range(both, 130, 230); /* sites are independent: 0.09 */
    assert_int_equal(drops(0.3, 1, false, 50, NULL), 0);
    assert_int_equal(drops(0, 1, true, 50, NULL), 0);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(valid_frames_get_mean_bias_and_deviation_scale),
        cmocka_unit_test(eps_is_added_to_the_deviation),
        cmocka_unit_test(silence_of_any_level_becomes_the_bias),
        cmocka_unit_test(before_is_that_of_same_padding),
        cmocka_unit_test(convolution_is_its_sum_and_never_reads_padding),
        cmocka_unit_test(neighbours_do_not_change_an_utterance),
        cmocka_unit_test(glu_gates_the_first_half_by_the_second),
        cmocka_unit_test(the_scalar_is_added_to_every_number),
        cmocka_unit_test(a_layer_is_dropped_for_all_examples_at_the_rate_given),
        cmocka_unit_test(passes_of_a_step_draw_apart),
    };
    return cmocka_run_group_tests_name("ops of speech", cases, NULL, NULL);
}

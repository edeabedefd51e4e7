/* CTC in float: PyTorch's losses and gradients (test/golden/make_ctc.py), and
 * properties. */
#include <jansson.h>
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/kern/ctc.h"
#include "engine/op/op.h"
#include "levels.h"

/* ---- a batch, and what op_ctc says of it ---- */

typedef struct Case {
    size_t batch, length, classes;
    CtcTarget target;
    Tensor logits;
    double each[8];
} Case;

static size_t number(const json_t *golden, const char *key) {
    return (size_t)json_integer_value(json_object_get(golden, key));
}

/* The generator of make_ctc.py. */
static void fill_logits(Case *c, const json_t *golden) {
    double spread = json_number_value(json_object_get(golden, "spread"));
    double lift = json_number_value(json_object_get(golden, "lift"));
    uint64_t x = number(golden, "seed");
    for (size_t i = 0; i < c->logits.size; i++) {
        x = (1103515245 * x + 12345) % (1ull << 31);
        double z = ((double)x / 2147483648. - 0.5) * spread;
        c->logits.value[i] = (real)(i % c->classes == c->target.blank ? z + lift : z);
    }
}

static void new_case(Case *c, size_t batch, size_t length, size_t classes,
                     size_t labels) {
    *c = (Case){.batch = batch, .length = length, .classes = classes};
    tensor_set_shape(&c->logits, 3, (size_t[]){batch, length, classes});
    c->logits.value = mem_zalloc(c->logits.size * sizeof(real));
    c->logits.needs_grad = true;
    c->target.label = mem_zalloc((batch * labels + 1) * sizeof(uint32_t));
    c->target.label_count = mem_zalloc(2 * batch * sizeof(size_t));
    c->target.frame_count = c->target.label_count + batch;
    c->target.length = labels, c->target.divisor = 1, c->target.each = c->each;
}

static void free_case(Case *c) {
    mem_free(c->logits.value);
    mem_free((void *)(uintptr_t)c->target.label);
    mem_free((void *)(uintptr_t)c->target.label_count);
}

static uint32_t *labels_of(Case *c) { return (uint32_t *)(uintptr_t)c->target.label; }
static size_t *counts_of(Case *c) { return (size_t *)(uintptr_t)c->target.label_count; }

static void load_case(Case *c, const json_t *golden) {
    const json_t *labels = json_object_get(golden, "labels"),
                 *frames = json_object_get(golden, "frames");
    size_t batch = json_array_size(labels), longest = 0;
    for (size_t b = 0; b < batch; b++)
        longest = MAX(longest, json_array_size(json_array_get(labels, b)));
    new_case(c, batch, number(golden, "length"), number(golden, "classes"), longest);
    c->target.blank = (uint32_t)number(golden, "blank");
    for (size_t b = 0; b < batch; b++) {
        const json_t *row = json_array_get(labels, b);
        counts_of(c)[b] = json_array_size(row);
        counts_of(c)[batch + b] = (size_t)json_integer_value(json_array_get(frames, b));
        for (size_t i = 0; i < json_array_size(row); i++)
            labels_of(c)[b * longest + i] =
                (uint32_t)json_integer_value(json_array_get(row, i));
    }
    fill_logits(c, golden);
}

/* Fills c->each and grad; returns the loss. */
static double run_case(Case *c, real *grad) {
    Tape *tape = tape_new();
    tape_begin(tape, (TapeMode){.gradients = grad});
    c->logits.grad = NULL, c->logits.grad_written = false;
    Tensor *loss = op_ctc(tape, &c->logits, &c->target);
    double value = (double)loss->value[0];
    if (grad) {
        tape_backward(tape, loss);
        memcpy(grad, c->logits.grad, c->logits.size * sizeof *grad);
    }
    tape_free(tape);
    return value;
}

/* ---- PyTorch ---- */

static void expect(const json_t *golden, const char *key, size_t i, double found,
                   double tolerance) {
    double want = json_number_value(json_array_get(json_object_get(golden, key), i));
    if (!(fabs(found - want) <= tolerance))
        fail_msg("%s: %s %zu is %.9g instead of %.9g",
                 json_string_value(json_object_get(golden, "name")), key, i, found, want);
}

/* Logits are rounded to float, so a loss of n frames moves by some n 1e-7. */
static void compare_case(const json_t *golden) {
    Case c;
    load_case(&c, golden);
    real *grad = mem_alloc(c.logits.size * sizeof *grad);
    run_case(&c, grad);
    for (size_t b = 0; b < c.batch; b++)
        expect(golden, "loss", b, c.each[b], 1e-6 * (1 + c.each[b]));
    size_t every = number(golden, "every"), kept = 0;
    for (size_t row = 0; row < c.batch * c.length; row++) {
        double moment = 0;
        for (size_t k = 0; k < c.classes; k++) {
            double g = (double)grad[row * c.classes + k];
            moment += g * (double)(k + 1);
            if (row % c.length % every == 0) expect(golden, "rows", kept++, g, 1e-5);
        }
        expect(golden, "moments", row, moment, 1e-5 * (double)c.classes);
    }
    assert_int_equal(kept, json_array_size(json_object_get(golden, "rows")));
    mem_free(grad);
    free_case(&c);
}

static void losses_and_gradients_are_pytorchs(void **state) {
    (void)state;
    json_error_t error;
    json_t *cases = json_load_file("test/golden/ctc.json", 0, &error);
    if (!cases) fail_msg("test/golden/ctc.json:%d: %s", error.line, error.text);
    assert_int_equal(json_array_size(cases), 6);
    for (size_t i = 0; i < json_array_size(cases); i++)
        compare_case(json_array_get(cases, i));
    json_decref(cases);
}

/* ---- properties ---- */

enum { B = 3, T = 90, V = 7, L = 12 };

/* Labels with repeats, as many frames as utterances can have and fewer. */
static void make_case(Case *c) {
    new_case(c, B, T, V, L);
    Rng rng = rng_make(7, 0, 0);
    c->target.blank = 2, c->target.divisor = 3;
    for (size_t i = 0; i < c->logits.size; i++)
        c->logits.value[i] = (real)(3 * rng_normal(rng, i));
    for (size_t i = 0; i < B * L; i++) labels_of(c)[i] = i % 3 ? 5 : (uint32_t)(i % 2);
    for (size_t b = 0; b < B; b++)
        counts_of(c)[b] = L - 5 * b, counts_of(c)[B + b] = T - 31 * b;
}

static void padding_is_not_read_and_has_no_gradient(void **state) {
    (void)state;
    Case c;
    static real first[B * T * V], second[B * T * V];
    make_case(&c);
    double loss = run_case(&c, first);
    for (size_t b = 0; b < B; b++) {
        size_t used = c.target.frame_count[b] * V;
        for (size_t i = used; i < T * V; i++) {
            assert_true(first[b * T * V + i] == 0);
            c.logits.value[b * T * V + i] = NAN;
        }
        for (size_t i = c.target.label_count[b]; i < L; i++)
            labels_of(&c)[b * L + i] = 99;
    }
    assert_true(run_case(&c, second) == loss);
    assert_memory_equal(first, second, sizeof first);
    free_case(&c);
}

static void the_loss_is_the_sum_of_each_over_the_divisor(void **state) {
    (void)state;
    Case c;
    make_case(&c);
    static real grad[B * T * V];
    double with = run_case(&c, grad), each[B];
    memcpy(each, c.each, sizeof each);
    assert_true(fabs(with / ((each[0] + each[1] + each[2]) / 3) - 1) < 1e-6);
    c.target.divisor = 1;
    assert_true(fabs(run_case(&c, NULL) / (3 * with) - 1) < 1e-6);
    assert_memory_equal(each, c.each, sizeof each); /* nothing is kept, nothing differs */
    c.target.each = NULL;
    assert_true(fabs(run_case(&c, NULL) / (3 * with) - 1) < 1e-6);
    free_case(&c);
}

static void threads_do_not_matter(void **state) {
    (void)state;
    Case c;
    make_case(&c);
    static real one[B * T * V], many[B * T * V];
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    double loss = run_case(&c, one);
    omp_set_num_threads(3);
    assert_true(run_case(&c, many) == loss);
    assert_memory_equal(one, many, sizeof one);
    omp_set_num_threads(threads);
    free_case(&c);
}

/* A constant added to a frame's logits is no change. */
static void shifted_logits_of_any_size_are_the_same_logits(void **state) {
    (void)state;
    Case c;
    make_case(&c);
    static real plain[B * T * V], shifted[B * T * V];
    for (size_t i = 0; i < c.logits.size; i++)
        c.logits.value[i] = (real)(round((double)c.logits.value[i] * 64) / 64);
    double loss = run_case(&c, plain);
    for (size_t i = 0; i < c.logits.size; i++)
        c.logits.value[i] += (real)(4096. * (double)(i / V % 5) - 9000);
    assert_true(fabs(run_case(&c, shifted) / loss - 1) < 1e-6);
    for (size_t i = 0; i < c.logits.size; i++)
        assert_true(fabs((double)(plain[i] - shifted[i])) < 1e-6);
    free_case(&c);
}

/* A network that is sure of the blank: P is below the smallest double. */
static void hopeless_labels_have_a_finite_loss_and_gradient(void **state) {
    (void)state;
    Case c;
    static real grad[B * T * V];
    make_case(&c);
    for (size_t i = 0; i < c.logits.size; i++)
        c.logits.value[i] = i % V == c.target.blank ? 1000 : 0;
    assert_true(isfinite(run_case(&c, grad)));
    for (size_t b = 0; b < B; b++)
        assert_true(fabs(c.each[b] / (1000. * (double)c.target.label_count[b]) - 1) <
                    0.02);
    for (size_t i = 0; i < c.logits.size; i++) assert_true(isfinite(grad[i]));
    free_case(&c);
}

static void nan_in_one_frame_makes_that_utterance_nan(void **state) {
    (void)state;
    Case c;
    make_case(&c);
    for (size_t k = 0; k < V; k++) {
        real old = c.logits.value[(T + 4) * V + k];
        c.logits.value[(T + 4) * V + k] = NAN;
        assert_true(isnan(run_case(&c, NULL)));
        assert_true(isfinite(c.each[0]) && isnan(c.each[1]) && isfinite(c.each[2]));
        c.logits.value[(T + 4) * V + k] = old;
    }
    free_case(&c);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(losses_and_gradients_are_pytorchs),
        cmocka_unit_test(padding_is_not_read_and_has_no_gradient),
        cmocka_unit_test(the_loss_is_the_sum_of_each_over_the_divisor),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(shifted_logits_of_any_size_are_the_same_logits),
        cmocka_unit_test(hopeless_labels_have_a_finite_loss_and_gradient),
        cmocka_unit_test(nan_in_one_frame_makes_that_utterance_nan),
    };
    return RUN_AT_LEVELS("ctc", cases);
}

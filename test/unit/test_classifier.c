/* The linear classifier of linear probes, and the scale of its features. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "engine/core/rng.h"
#include "tools/probe/classifier.h"
#include "tools/probe/features.h"

/* Products large enough to be shared out among threads. */
enum { ROWS = 603, WIDTH = 101, CLASSES = 17 };

/* Rows around a centre a class, so far apart that planes separate them, or not. */
static void draw(double distance, real x[ROWS * WIDTH], size_t label[ROWS]) {
    Rng noise = rng_make(1, RNG_SYNTHETIC, 0), centre = rng_make(2, RNG_SYNTHETIC, 0);
    for (size_t i = 0; i < ROWS; i++) {
        label[i] = i % CLASSES;
        for (size_t d = 0; d < WIDTH; d++)
            x[i * WIDTH + d] =
                (real)(rng_normal(noise, i * WIDTH + d) +
                       distance * rng_normal(centre, label[i] * WIDTH + d));
    }
}

/* What training leaves: weights, then biases. */
static void train(const ClassifierPlan *plan, double distance,
                  real trained[CLASSES * (WIDTH + 1)], ClassifierScore *score) {
    static real x[ROWS * WIDTH];
    size_t label[ROWS];
    Err err = ERR_NONE;
    draw(distance, x, label);
    Classifier *c = classifier_new(WIDTH, CLASSES, plan->seed);
    if (classifier_train(c, x, label, ROWS, plan, &err)) fail_msg("%s", err.text);
    memcpy(trained, classifier_weight(c)->tensor.value, CLASSES * WIDTH * sizeof(real));
    memcpy(trained + CLASSES * WIDTH, classifier_bias(c)->tensor.value,
           CLASSES * sizeof(real));
    if (score) *score = classifier_score(c, x, label, ROWS);
    classifier_free(c);
}

static void separable_features_are_learned_to_the_last(void **state) {
    (void)state;
    real trained[CLASSES * (WIDTH + 1)];
    ClassifierScore s;
    ClassifierPlan plan = {.epochs = 30, .batch = 100, .base = 0.3};
    train(&plan, 1.5, trained, &s);
    assert_true(s.top1 == 1 && s.top5 == 1);
    assert_true(s.loss < 0.01);
    train(&plan, 0, trained, &s); /* nothing to learn but by heart */
    assert_true(s.top1 < 0.7);
}

static void the_same_seed_gives_the_same_bits_whatever_the_threads(void **state) {
    (void)state;
    real one[CLASSES * (WIDTH + 1)], other[CLASSES * (WIDTH + 1)];
    ClassifierPlan plan = {.epochs = 5, .batch = ROWS, .base = 3};
    int before = omp_get_max_threads();
    omp_set_num_threads(1);
    train(&plan, 0.5, one, NULL);
    omp_set_num_threads(3);
    train(&plan, 0.5, other, NULL);
    assert_int_equal(omp_get_max_threads(), 3);
    assert_memory_equal(one, other, sizeof one);
    plan.seed = 1;
    train(&plan, 0.5, other, NULL);
    assert_memory_not_equal(one, other, sizeof one);
    omp_set_num_threads(before);
}

static void weights_begin_small_and_biases_at_zero(void **state) {
    (void)state;
    Classifier *c = classifier_new(500, 20, 3);
    const Tensor *w = &classifier_weight(c)->tensor;
    double squares = 0;
    for (size_t i = 0; i < w->size; i++)
        squares += (double)w->value[i] * (double)w->value[i];
    assert_true(fabs(sqrt(squares / (double)w->size) / 0.01 - 1) < 0.05);
    for (size_t k = 0; k < 20; k++) assert_true(classifier_bias(c)->tensor.value[k] == 0);
    Classifier *other = classifier_new(500, 20, 4);
    assert_memory_not_equal(w->value, classifier_weight(other)->tensor.value,
                            w->size * sizeof(real));
    classifier_free(other);
    classifier_free(c);
}

/* ---- PyTorch ---- */

static size_t numbers(const json_t *golden, const char *key, real *to) {
    const json_t *list = json_object_get(golden, key);
    for (size_t i = 0; i < json_array_size(list); i++)
        to[i] = (real)json_number_value(json_array_get(list, i));
    return json_array_size(list);
}

static void expect(const json_t *golden, const char *key, const Param *param) {
    real wanted[200];
    assert_int_equal(numbers(golden, key, wanted), param->tensor.size);
    for (size_t i = 0; i < param->tensor.size; i++)
        if (!(fabs((double)(param->tensor.value[i] - wanted[i])) < 1e-5))
            fail_msg("%s[%zu] is %.9g, PyTorch's %.9g", key, i,
                     (double)param->tensor.value[i], (double)wanted[i]);
}

static void eight_steps_are_pytorchs(void **state) {
    (void)state;
    json_t *golden = json_load_file("test/golden/linear_probe.json", 0, NULL);
    assert_non_null(golden);
    real x[400], labels[100];
    size_t label[100];
    json_int_t width, classes, steps;
    double base, loss;
    Err err = ERR_NONE;
    json_unpack(golden, "{s:I, s:I, s:I, s:f, s:f}", "width", &width, "classes", &classes,
                "steps", &steps, "base", &base, "loss", &loss);
    size_t count = numbers(golden, "label", labels);
    for (size_t i = 0; i < count; i++) label[i] = (size_t)labels[i];
    numbers(golden, "x", x);
    Classifier *c = classifier_new((size_t)width, (size_t)classes, 0);
    numbers(golden, "weight", classifier_weight(c)->tensor.value);
    ClassifierPlan plan = {.batch = count, .base = base};
    for (size_t n = 1; n <= (size_t)steps; n++)
        assert_int_equal(classifier_step(c, x, label, count,
                                         classifier_rate(&plan, n, (size_t)steps), &err),
                         OK);
    expect(golden, "trained_weight", classifier_weight(c));
    expect(golden, "trained_bias", classifier_bias(c));
    assert_true(fabs(classifier_score(c, x, label, count).loss - loss) < 1e-5);
    classifier_free(c);
    json_decref(golden);
}

static void a_loss_that_is_not_finite_ends_the_training(void **state) {
    (void)state;
    real x[2] = {INFINITY, -1};
    size_t label[2] = {0, 1};
    Err err = ERR_NONE;
    Classifier *c = classifier_new(1, 2, 0);
    ClassifierPlan plan = {.epochs = 50, .batch = 2, .base = 1e6};
    assert_int_equal(classifier_train(c, x, label, 2, &plan, &err), FAIL_DIVERGED);
    assert_non_null(strstr(err.text, "step 1; choose a lower --lr"));
    classifier_free(c);
}

/* ---- scale ---- */

static void standardised_features_have_mean_0_and_variance_1(void **state) {
    (void)state;
    real x[ROWS * WIDTH];
    size_t label[ROWS];
    draw(0.5, x, label);
    for (size_t i = 0; i < ROWS * WIDTH; i++) /* of sizes 1e-3 to 1e3; one constant */
        x[i] = i % WIDTH == 5
                   ? 7
                   : (real)((double)x[i] * pow(10, (double)(i % WIDTH % 7) - 3));
    Features f = {.count = ROWS, .width = WIDTH, .x = x};
    FeatureScale scale = feature_scale_of(&f);
    feature_scale_apply(&scale, x, ROWS);
    for (size_t d = 0; d < WIDTH; d++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < ROWS; i++) {
            sum += (double)x[i * WIDTH + d];
            squares += (double)x[i * WIDTH + d] * (double)x[i * WIDTH + d];
        }
        assert_true(fabs(sum / ROWS) < 1e-4);
        assert_true(d == 5 ? squares == 0 : squares / ROWS > 0 && squares / ROWS < 1.001);
        if (d != 5 && d % 7 > 3) assert_true(squares / ROWS > 0.99);
    }
    feature_scale_free(&scale);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(separable_features_are_learned_to_the_last),
        cmocka_unit_test(the_same_seed_gives_the_same_bits_whatever_the_threads),
        cmocka_unit_test(weights_begin_small_and_biases_at_zero),
        cmocka_unit_test(eight_steps_are_pytorchs),
        cmocka_unit_test(a_loss_that_is_not_finite_ends_the_training),
        cmocka_unit_test(standardised_features_have_mean_0_and_variance_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

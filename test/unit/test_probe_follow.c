/* The norm of one weight that moves, probed at every step: within 1e-3 of LAPACK's at
 * each of up to 300 steps, whatever moves it. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/rng.h"
#include "engine/reparam/spectral.h"
#include "tools/run/probe.h"

static const ProbeConfig probe = {.every = 1, .spectral = true};

typedef struct Weight {
    ParamSet *params;
    LinearLayer layer, *layers[1];
    Model model;
    Prober *prober;
    size_t out, in, step;
    real *value, *u, *v;
} Weight;

static void weight_begin(Weight *w, size_t out, size_t in) {
    *w = (Weight){.out = out, .in = in, .params = params_new(), .layer.name = "x"};
    w->layer.weight =
        params_add(w->params, PARAM_MATRIX, 2, (size_t[]){out, in}, "x.weight");
    params_finish(w->params);
    w->layers[0] = &w->layer;
    w->model = (Model){.params = w->params, .layers = w->layers, .layer_count = 1};
    w->prober = prober_new(&w->model);
    w->value = w->layer.weight->tensor.value;
    w->u = mem_zalloc((in + out) * sizeof(real));
    w->v = w->u + in;
}

static void weight_end(Weight *w) {
    prober_free(w->prober);
    params_free(w->params);
    mem_free(w->u);
}

static double look(Prober *prober, size_t step) {
    prober_look(prober, &probe, step);
    json_t *row = prober_row(prober, &probe, step, NULL);
    const json_t *item = json_array_get(json_object_get(row, "weights"), 0);
    double sigma = json_number_value(json_object_get(item, "sigma"));
    json_decref(row);
    return sigma;
}

/* Returns how far the next row is below. */
static double expect_followed(Weight *w, const char *what) {
    double sigma = look(w->prober, ++w->step);
    double wanted = (double)spectral_norm(w->value, w->out, w->in, w->u, w->v);
    double below = 1 - sigma / wanted;
    if (!(below < 1e-3 && below > -1e-5))
        fail_msg("%s, step %zu: %.7g, the norm is %.7g", what, w->step, sigma, wanted);
    return below;
}

static void add_noise(Weight *w, double size, uint64_t seed) {
    Rng rng = rng_make(seed, 0, 0);
    for (size_t i = 0; i < w->out * w->in; i++)
        w->value[i] += (real)(size * rng_normal(rng, i));
}

/* + size a b^T, a and b of signs: what an optimizer's first steps add. */
static void add_signs(Weight *w, double size, uint64_t seed) {
    Rng rng = rng_make(seed, 1, 0);
    for (size_t r = 0; r < w->out; r++)
        for (size_t c = 0; c < w->in; c++)
            w->value[r * w->in + c] +=
                (real)copysign(size, rng_normal(rng, r) * rng_normal(rng, w->out + c));
}

static const size_t SHAPES[][2] = {{96, 80}, {70, 150}, {40, 7}, {5, 90}, {33, 33}};

/* The largest singular values of noise are close, and change places all the time. */
static void noise_that_drifts(void **state) {
    (void)state;
    for (size_t s = 0; s < COUNT(SHAPES); s++)
        for (int fast = 0; fast < 3; fast++) {
            Weight w;
            weight_begin(&w, SHAPES[s][0], SHAPES[s][1]);
            add_noise(&w, 1, 1);
            for (uint64_t n = 0; n < 100; n++) {
                expect_followed(&w, "noise");
                add_noise(&w, (double[]){0.003, 0.03, 0.3}[fast], 2 + n);
            }
            weight_end(&w);
        }
}

/* From inside the noise one direction grows until it is the largest, then another. */
static void directions_that_grow_out_of_noise(void **state) {
    (void)state;
    for (size_t s = 0; s < COUNT(SHAPES); s++)
        for (int fast = 0; fast < 2; fast++) {
            Weight w;
            weight_begin(&w, SHAPES[s][0], SHAPES[s][1]);
            add_noise(&w, 1, 1);
            for (uint64_t n = 0; n < 240; n++) {
                expect_followed(&w, "growth");
                add_signs(&w, fast ? 0.05 : 0.01, 3 + n / 60);
            }
            weight_end(&w);
        }
}

/* The largest falls back into the noise, where any may be next. */
static void a_direction_that_sinks_into_noise(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 24; seed++) {
        double speed = (double[]){0.003, 0.006, 0.012, 0.024}[seed % 4];
        Weight w;
        weight_begin(&w, 96, 80);
        add_noise(&w, 1, seed);
        add_signs(&w, 0.19 + 8 * speed, 50 + seed);
        for (size_t n = 0; n < 24; n++) {
            expect_followed(&w, "sinking");
            add_signs(&w, -speed, 50 + seed);
        }
        weight_end(&w);
    }
}

/* Two that swing, nearly equal, above noise: they change places 20 times. */
static void two_singular_values_that_swing(void **state) {
    (void)state;
    Weight w;
    weight_begin(&w, 96, 80);
    for (size_t n = 0; n < 300; n++) {
        double swing = 0.02 * sin((double)n * 0.2);
        memset(w.value, 0, w.out * w.in * sizeof(real));
        add_noise(&w, 1, 1);
        add_signs(&w, 0.5 * (1 + swing), 4);
        add_signs(&w, 0.5 * (1 - swing), 5);
        expect_followed(&w, "swing");
    }
    weight_end(&w);
}

/* A weight loaded, rolled back or set to zero is another at once. */
static void another_weight_in_its_place(void **state) {
    (void)state;
    Weight w;
    weight_begin(&w, 96, 80);
    for (uint64_t n = 0; n < 100; n++) {
        memset(w.value, 0, w.out * w.in * sizeof(real));
        if (n % 7 == 3) {
            assert_true(look(w.prober, ++w.step) == 0);
            continue;
        }
        add_noise(&w, n % 5 ? 1e-12 : 1e12, n / 3);
        expect_followed(&w, "another");
    }
    w.value[5] = (real)NAN;
    prober_look(w.prober, &probe, ++w.step);
    assert_true(isnan(prober_sigma(w.prober, 0)));
    w.value[5] = 1;
    expect_followed(&w, "repaired");
    weight_end(&w);
}

/* b e2 e2' beside a e1 e1' is tracked from the first on: seen at once.  Not so c e3 e3',
 * which comes from nothing, mixed with neither: a layer's turn comes every 32nd probe. */
static void what_comes_from_outside_is_seen_within_32_probes(void **state) {
    (void)state;
    Weight w;
    weight_begin(&w, 80, 80);
    size_t behind = 0;
    for (size_t step = 1; step <= 140; step++) {
        w.value[0] = 1, w.value[81] = (real)(step < 20 ? 0.9 : 1.1);
        w.value[162] = (real)(step < 60 ? 0 : 1.2);
        double sigma = look(w.prober, step), wanted = step < 20 ? 1 : 1.1;
        if (step >= 60 && fabs(sigma - 1.2) < 1e-4) behind = 0, wanted = 1.2;
        else if (step >= 60 && ++behind >= 32) fail_msg("step %zu: %g", step, sigma);
        if (fabs(sigma - wanted) > 1e-4)
            fail_msg("step %zu: %g, not %g", step, sigma, wanted);
    }
    assert_int_equal(behind, 0);
    weight_end(&w);
}

/* ---- what a checkpoint keeps ---- */

static void copy_vectors(Prober *to, Prober *from, size_t count) {
    size_t size;
    bool *known, *was;
    real *vectors = prober_vectors(to, 0, &size, &known);
    memcpy(vectors, prober_vectors(from, 0, &size, &was), count * size * sizeof(real));
    *known = *was;
}

/* `count` vectors go to another prober at step 20; returns the rows of 60 that differ. */
static size_t rows_that_differ(size_t count) {
    size_t differ = 0;
    Weight w;
    weight_begin(&w, 96, 80);
    Prober *other = prober_new(&w.model);
    add_noise(&w, 1, 1);
    for (uint64_t n = 0; n < 60; n++) {
        if (n == 20) copy_vectors(other, w.prober, count);
        double wanted = (double)spectral_norm(w.value, w.out, w.in, w.u, w.v);
        double sigma = look(w.prober, ++w.step);
        double second = n < 20 ? sigma : look(other, w.step);
        if (!(fabs(second / wanted - 1) < 1e-3)) fail_msg("step %zu: %g", w.step, second);
        differ += second != sigma;
        add_noise(&w, 0.03, 2 + n);
    }
    prober_free(other);
    weight_end(&w);
    return differ;
}

static void another_prober_takes_over(void **state) {
    (void)state;
    assert_int_equal(rows_that_differ(PROBER_VECTORS), 0);
}

static void an_older_checkpoint_has_the_first_vector_alone(void **state) {
    (void)state;
    assert_true(rows_that_differ(1) > 0);
}

/* u belongs to the second singular value, so its residual is 0; the vector beside it is
 * not settled, and what its residual allows is above. */
static void the_second_singular_vector_is_not_taken_for_the_first(void **state) {
    (void)state;
    enum { SIDE = 80 };
    real *w = mem_zalloc(SIDE * SIDE * sizeof(real));
    real *space = mem_zalloc(TRACK_SPACE * SIDE * sizeof(real));
    for (size_t i = 0; i < SIDE; i++) {
        w[i * SIDE + i] = (real)(i < 2 ? 1 - 0.02 * (double)i : 0.9 - 0.01 * (double)i);
        space[SIDE + i] = (real)(i ? 0.05 : 1);
    }
    space[1] = 1;
    track_fill(space, SIDE);
    Track t = track_look(w, SIDE, SIDE, space);
    assert_true(fabs(t.sigma - 0.98) < 1e-3 && t.off > 1e-3);
    for (size_t looks = 0; t.off > 5e-4; looks++) {
        assert_true(looks < 40);
        t = track_look(w, SIDE, SIDE, space);
    }
    assert_true(fabs(t.sigma - 1) < 1e-3);
    mem_free(space);
    mem_free(w);
}

static void threads_do_not_matter(void **state) {
    (void)state;
    enum { OUT = 300, IN = 200, LOOKS = 5 };
    int most = omp_get_max_threads();
    double wanted[LOOKS] = {0};
    for (int threads = 1; threads <= 4; threads++) {
        Weight w;
        weight_begin(&w, OUT, IN);
        add_noise(&w, 1, 1);
        real *space = mem_zalloc(TRACK_SPACE * IN * sizeof(real));
        space[0] = 1;
        track_fill(space, IN);
        omp_set_num_threads(threads);
        for (size_t i = 0; i < LOOKS; i++) {
            double sigma = track_look(w.value, OUT, IN, space).sigma;
            if (threads == 1) wanted[i] = sigma;
            if (sigma != wanted[i]) fail_msg("%d threads, look %zu", threads, i);
        }
        mem_free(space);
        weight_end(&w);
    }
    omp_set_num_threads(most);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(noise_that_drifts),
        cmocka_unit_test(directions_that_grow_out_of_noise),
        cmocka_unit_test(a_direction_that_sinks_into_noise),
        cmocka_unit_test(two_singular_values_that_swing),
        cmocka_unit_test(another_weight_in_its_place),
        cmocka_unit_test(what_comes_from_outside_is_seen_within_32_probes),
        cmocka_unit_test(another_prober_takes_over),
        cmocka_unit_test(an_older_checkpoint_has_the_first_vector_alone),
        cmocka_unit_test(the_second_singular_vector_is_not_taken_for_the_first),
        cmocka_unit_test(threads_do_not_matter),
    };
    return cmocka_run_group_tests_name("probe_follow", cases, NULL, NULL);
}

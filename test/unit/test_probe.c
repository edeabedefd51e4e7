/* Probes: the spectral norm that they follow is the true one, step after step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/rng.h"
#include "engine/reparam/spectral.h"
#include "tools/run/probe.h"

enum { ROWS = 48, COLUMNS = 32 };

static double exact_norm(const real *w) {
    real u[COLUMNS], v[ROWS];
    return (double)spectral_norm(w, ROWS, COLUMNS, u, v);
}

static void expect_followed(const real *w, real *u, real *v) {
    double wanted = exact_norm(w);
    double found = (double)spectral_follow(w, ROWS, COLUMNS, u, v, 1e-3, 4);
    if (fabs(found - wanted) > 2e-4 * wanted)
        fail_msg("followed to %.7g, the norm is %.7g", found, wanted);
}

/* a e1 e1' + b e2 e2' while a falls and b rises: the largest two change places. */
static void two_singular_values_that_change_places_are_noticed(void **state) {
    (void)state;
    real w[ROWS * COLUMNS] = {0}, u[COLUMNS] = {0}, v[ROWS];
    for (int step = 0; step <= 20; step++) {
        w[0] = (real)(1.1 - 0.01 * step);
        w[COLUMNS + 1] = (real)(0.9 + 0.01 * step);
        expect_followed(w, u, v);
    }
}

static void a_weight_that_drifts_is_followed(void **state) {
    (void)state;
    real w[ROWS * COLUMNS], u[COLUMNS] = {0}, v[ROWS];
    Rng start = rng_make(2, 0, 0);
    for (size_t i = 0; i < ROWS * COLUMNS; i++) w[i] = (real)rng_normal(start, i);
    for (uint64_t step = 1; step <= 40; step++) {
        Rng change = rng_make(3, 0, step);
        for (size_t i = 0; i < ROWS * COLUMNS; i++)
            w[i] += (real)(0.1 * rng_normal(change, i));
        expect_followed(w, u, v);
    }
}

static void a_weight_of_any_size_has_its_norm(void **state) {
    (void)state;
    for (double size = 1e-25; size < 1e26; size *= 1e10) {
        real w[ROWS * COLUMNS], u[COLUMNS] = {0}, v[ROWS] = {0};
        for (size_t j = 0; j < COLUMNS; j++) w[j] = u[j] = 0;
        memset(w, 0, sizeof w);
        w[0] = (real)size, u[0] = 1;
        double sigma = (double)spectral_step(w, ROWS, COLUMNS, u, v);
        if (!(fabs(sigma / size - 1) < 1e-5))
            fail_msg("size %g has norm %g", size, sigma);
    }
}

static void a_bad_number_in_a_weight_is_not_taken_for_zero(void **state) {
    (void)state;
    static const double BAD[] = {(double)NAN, (double)INFINITY};
    for (size_t i = 0; i < COUNT(BAD); i++) {
        real w[ROWS * COLUMNS], u[COLUMNS], v[ROWS] = {0};
        for (size_t j = 0; j < ROWS * COLUMNS; j++) w[j] = 1;
        for (size_t j = 0; j < COLUMNS; j++) u[j] = (real)0.2;
        w[77] = (real)BAD[i];
        assert_false(isfinite(spectral_step(w, ROWS, COLUMNS, u, v)));
    }
}

/* A site of two heads under a causal mask: 8 keys, and 1.5 nats that they allow. */
static void a_row_says_what_uniform_attention_would_have(void **state) {
    (void)state;
    double entropy[] = {1.25, 0.5}, largest[] = {2, 3};
    Site site = {.name = "blocks.0.attn",
                 .heads = 2,
                 .keys = 8,
                 .entropy = entropy,
                 .largest = largest,
                 .uniform = 1.5,
                 .weight = 1};
    Site *sites[] = {&site};
    ParamSet params = {0};
    Model model = {.sites = sites, .site_count = 1, .params = &params};
    Prober *prober = prober_new(&model);
    json_t *row =
        prober_row(prober, &(ProbeConfig){.every = 1, .entropy = true}, 7, NULL);
    const json_t *item = json_array_get(json_object_get(row, "attention"), 0);
    assert_true(json_number_value(json_object_get(item, "uniform")) == 1.5);
    assert_int_equal(json_integer_value(json_object_get(item, "keys")), 8);
    assert_true(json_number_value(json_object_get(item, "max_logit")) == 3);
    json_decref(row);
    prober_free(prober);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(two_singular_values_that_change_places_are_noticed),
        cmocka_unit_test(a_weight_that_drifts_is_followed),
        cmocka_unit_test(a_weight_of_any_size_has_its_norm),
        cmocka_unit_test(a_bad_number_in_a_weight_is_not_taken_for_zero),
        cmocka_unit_test(a_row_says_what_uniform_attention_would_have),
    };
    return cmocka_run_group_tests_name("probe", cases, NULL, NULL);
}

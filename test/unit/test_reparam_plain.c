/* Plain weights in a reparametrised layer: they act as they are. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/reparam/reparam.h"
#include "engine/reparam/spectral.h"

enum { ROWS = 9, COLUMNS = 7 };

typedef struct Layer {
    ParamSet *params;
    Param *w;
    Reparam *r;
} Layer;

/* Where another recipe would make gamma 1. */
static Layer plain_layer(ReparamMethod method) {
    Layer l = {.params = params_new()};
    l.w =
        params_add(l.params, PARAM_MATRIX, 2, (size_t[]){ROWS, COLUMNS}, "layer.weight");
    l.r = reparam_new(l.params, l.w, method);
    params_finish(l.params);
    for (size_t i = 0; i < l.w->tensor.size; i++)
        l.w->tensor.value[i] = (real)(0.8 * rng_normal(rng_make(7, 0, 0), i));
    reparam_start(l.r, false, (ReparamHave){0});
    reparam_plain(l.r);
    return l;
}

static void layer_free(Layer *l) {
    reparam_free(l->r);
    params_free(l->params);
}

static double norm_of(const Layer *l) {
    real room[ROWS + COLUMNS];
    return (double)spectral_norm(l->w->tensor.value, ROWS, COLUMNS, room, room + COLUMNS);
}

static double relative(double a, double b) { return fabs(a / b - 1); }

static const ReparamMethod REPARAMETRISED[] = {REPARAM_SIGMA, REPARAM_SPECTRAL,
                                               REPARAM_WEIGHT};

static void a_plain_weight_is_what_acts_until_the_next_step(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(REPARAMETRISED); k++) {
        Layer l = plain_layer(REPARAMETRISED[k]);
        Reparam *r = l.r;
        reparam_freeze(r);
        reparam_settle(r);
        for (size_t i = 0; i < r->scale.count; i++) assert_true(r->scale.value[i] == 1);
        if (r->gamma)
            assert_true(relative((double)r->gamma->tensor.value[0], norm_of(&l)) < 1e-4);
        reparam_refresh(r);
        double wanted = r->gamma || r->g ? 1 : 1 / norm_of(&l);
        for (size_t i = 0; i < r->scale.count; i++)
            assert_true(relative((double)r->scale.value[i], wanted) < 1e-4);
        layer_free(&l);
    }
}

static void the_gradient_of_a_plain_weight_is_that_of_what_acts(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(REPARAMETRISED); k++) {
        Layer l = plain_layer(REPARAMETRISED[k]);
        const Param *gain = l.r->gamma ? l.r->gamma : l.r->g;
        params_clear_grads(l.params);
        for (size_t i = 0; i < l.w->tensor.size; i++)
            l.w->tensor.grad[i] = (real)rng_normal(rng_make(3, 1, 0), i);
        l.w->tensor.grad_written = true;
        params_settle_grads(l.params);
        reparam_fold(l.r);
        for (size_t i = 0; i < l.w->tensor.size; i++)
            assert_true(l.w->tensor.grad[i] == (real)rng_normal(rng_make(3, 1, 0), i));
        for (size_t i = 0; gain && i < gain->tensor.size; i++)
            assert_true(gain->tensor.grad[i] == 0);
        layer_free(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_weight_is_what_acts_until_the_next_step),
        cmocka_unit_test(the_gradient_of_a_plain_weight_is_that_of_what_acts),
    };
    return cmocka_run_group_tests_name("reparam_plain", tests, NULL, NULL);
}

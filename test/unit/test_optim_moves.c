/* What the optimizer measures of a step (optim_watch): the true move of each tensor, for
 * every optimizer, and no other step than without. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/optim/optim.h"

#define KIND(KIND_, name) OPTIM_##KIND_,
static const OptimKind kinds[] = {OPTIM_LIST(KIND)};

/* Several spans a tensor, a last one that is not full, and a buffer between. */
static ParamSet *make_params(void) {
    ParamSet *set = params_new();
    params_add(set, PARAM_MATRIX, 2, (size_t[]){301, 211}, "w");
    params_add(set, PARAM_BUFFER, 1, (size_t[]){40}, "u");
    params_add(set, PARAM_VECTOR, 1, (size_t[]){12345}, "b");
    params_add(set, PARAM_GAIN, 1, (size_t[]){1}, "g");
    params_finish(set);
    for (size_t i = 0; i < set->trained; i++) set->values[i] = (real)sin(0.1 * (double)i);
    return set;
}

static void set_grads(ParamSet *set, int step) {
    for (size_t i = 0; i < set->trained; i++)
        set->grads[i] = (real)cos(0.3 * (double)i + step);
}

static OptimConfig config_of(OptimKind kind) {
    OptimConfig config = optim_config_default();
    config.name = kind;
    config.weight_decay = 0.1;
    config.momentum = 0.9;
    config.gamma_lr_scale = 0.5;
    return config;
}

static void expect_close(const char *optim, const char *what, double seen, double want) {
    if (!(fabs(seen - want) <= 1e-12 * want))
        fail_msg("%s: %s is %.17g, not %.17g", optim, what, seen, want);
}

/* By the values before and after, one number at a time. */
static void expect_move(const Optimizer *o, const Param *p, const real *before,
                        const char *optim) {
    double value = 0, update = 0, grad = 0, largest = 0;
    for (size_t i = 0; i < p->tensor.size; i++) {
        double old = (double)before[p->offset + i], g = (double)p->tensor.grad[i];
        value += old * old;
        update += pow((double)p->tensor.value[i] - old, 2);
        grad += g * g;
        largest = fmax(largest, fabs(g));
    }
    OptimMove move;
    assert_true(optim_move(o, p, &move));
    assert_true(update > 0);
    expect_close(optim, "|p|", move.value, sqrt(value));
    expect_close(optim, "|dp|", move.update, sqrt(update));
    expect_close(optim, "|g|", move.grad, sqrt(grad));
    assert_true(move.largest_grad == largest);
}

static void the_move_is_the_difference_that_the_step_made(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = config_of(kinds[k]);
        ParamSet *set = make_params();
        Optimizer *o = optim_new(&config, set);
        real *before = mem_alloc(set->trained * sizeof *before);
        optim_watch(o, OPTIM_WATCH_GRADS);
        for (int n = 0; n < 3; n++) {
            memcpy(before, set->values, set->trained * sizeof *before);
            set_grads(set, n);
            optim_step(o, (real)0.01, (real)0.5);
            for (size_t i = 0; i < set->count; i++)
                if (param_is_trained(set->list[i]))
                    expect_move(o, set->list[i], before, optim_name(kinds[k]));
        }
        mem_free(before);
        optim_free(o);
        params_free(set);
    }
}

static void watching_changes_no_step(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = config_of(kinds[k]);
        ParamSet *sets[2] = {make_params(), make_params()};
        for (int s = 0; s < 2; s++) {
            Optimizer *o = optim_new(&config, sets[s]);
            if (s) optim_watch(o, OPTIM_WATCH_GRADS);
            for (int n = 0; n < 3; n++) {
                set_grads(sets[s], n);
                optim_step(o, (real)0.01, 1);
            }
            optim_free(o);
        }
        assert_memory_equal(sets[0]->values, sets[1]->values,
                            sets[0]->trained * sizeof(real));
        params_free(sets[0]);
        params_free(sets[1]);
    }
}

static void moves_do_not_depend_on_the_number_of_threads(void **state) {
    (void)state;
    int threads = omp_get_max_threads();
    OptimConfig config = config_of(OPTIM_ADAMW);
    OptimMove moves[2];
    for (int s = 0; s < 2; s++) {
        ParamSet *set = make_params();
        Optimizer *o = optim_new(&config, set);
        omp_set_num_threads(s ? 3 : 1);
        optim_watch(o, OPTIM_WATCH_GRADS);
        set_grads(set, 0);
        optim_step(o, (real)0.01, 1);
        assert_true(optim_move(o, set->list[0], &moves[s]));
        optim_free(o);
        params_free(set);
    }
    omp_set_num_threads(threads);
    assert_memory_equal(&moves[0], &moves[1], sizeof moves[0]);
}

static void a_step_that_was_not_watched_has_no_move(void **state) {
    (void)state;
    ParamSet *set = make_params();
    OptimConfig config = config_of(OPTIM_SGD);
    Optimizer *o = optim_new(&config, set);
    OptimMove move;
    assert_false(optim_move(o, set->list[0], &move));
    optim_watch(o, OPTIM_WATCH_MOVES);
    set_grads(set, 0);
    optim_step(o, (real)0.01, 1);
    assert_true(optim_move(o, set->list[0], &move));
    assert_true(isnan(move.grad) && isnan(move.largest_grad) && move.update > 0);
    optim_watch(o, OPTIM_WATCH_NONE);
    optim_step(o, (real)0.01, 1);
    assert_false(optim_move(o, set->list[0], &move));
    optim_free(o);
    params_free(set);
}

static void a_gradient_that_is_no_number_stays_one(void **state) {
    (void)state;
    ParamSet *set = make_params();
    OptimConfig config = config_of(OPTIM_SGD);
    Optimizer *o = optim_new(&config, set);
    OptimMove move;
    optim_watch(o, OPTIM_WATCH_GRADS);
    set_grads(set, 0);
    set->list[0]->tensor.grad[5] = (real)NAN;
    optim_step(o, (real)0.01, 1);
    assert_true(optim_move(o, set->list[0], &move));
    assert_true(isnan(move.grad) && isnan(move.largest_grad) && isnan(move.update));
    optim_free(o);
    params_free(set);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_move_is_the_difference_that_the_step_made),
        cmocka_unit_test(watching_changes_no_step),
        cmocka_unit_test(moves_do_not_depend_on_the_number_of_threads),
        cmocka_unit_test(a_step_that_was_not_watched_has_no_move),
        cmocka_unit_test(a_gradient_that_is_no_number_stays_one),
    };
    return cmocka_run_group_tests_name("optim_moves", cases, NULL, NULL);
}

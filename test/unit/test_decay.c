/* weight decay: how it acts (optim.decay), on what (decay_scope), how much
 * (weight_decay_end). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"

/* Float arithmetic over a few steps: some units of the last place of 3. */
#ifdef STEADY_DOUBLE
#define TOLERANCE 1e-11
#else
#define TOLERANCE 1.5e-6
#endif

static const double start[4] = {1, -2, 0.5, 3};
static const double grads[3][4] = {{0.1, -0.2, 0.3, 0},
                                   {-0.4, 0.1, 0.2, 0.5},
                                   {0.3, 0.3, -0.1, 0.2}};
static const double rates[3] = {0.1, 0.4, 0.05};

#define KIND(KIND_, name) OPTIM_##KIND_,
static const OptimKind kinds[] = {OPTIM_LIST(KIND)};

enum { MATRIX, VECTOR, GAIN, TENSORS };

static ParamSet *make_params(void) {
    ParamSet *set = params_new();
    params_add(set, PARAM_MATRIX, 2, (size_t[]){2, 2}, "w");
    params_add(set, PARAM_VECTOR, 1, (size_t[]){4}, "b");
    params_add(set, PARAM_GAIN, 1, (size_t[]){4}, "g");
    params_finish(set);
    for (size_t t = 0; t < TENSORS; t++)
        for (size_t i = 0; i < 4; i++) set->list[t]->tensor.value[i] = (real)start[i];
    return set;
}

static OptimConfig config_of(OptimKind kind, DecayKind decay, double weight_decay) {
    OptimConfig config = optim_config_default();
    config.name = kind;
    config.decay = decay;
    config.weight_decay = weight_decay;
    return config;
}

/* Three steps at learning rates that change; the parameters are the caller's. */
static ParamSet *run_steps(const OptimConfig *config) {
    ParamSet *set = make_params();
    Optimizer *o = optim_new(config, set);
    for (size_t n = 0; n < 3; n++) {
        for (size_t t = 0; t < TENSORS; t++)
            for (size_t i = 0; i < 4; i++)
                set->list[t]->tensor.grad[i] = (real)grads[n][i];
        optim_step(o, (real)rates[n], 1);
    }
    optim_free(o);
    return set;
}

static void assert_tensor(const ParamSet *set, size_t t, const double *want) {
    for (size_t i = 0; i < 4; i++) {
        double seen = (double)set->list[t]->tensor.value[i];
        if (!(fabs(seen - want[i]) <= TOLERANCE))
            fail_msg("%s[%zu]: %.9g, wanted %.9g", set->list[t]->name, i, seen, want[i]);
    }
}

static bool same_tensor(const ParamSet *a, const ParamSet *b, size_t t) {
    return !memcmp(a->list[t]->tensor.value, b->list[t]->tensor.value, 4 * sizeof(real));
}

static bool same_configs(const OptimConfig *a, const OptimConfig *b) {
    ParamSet *first = run_steps(a), *second = run_steps(b);
    bool same = same_tensor(first, second, MATRIX);
    params_free(first);
    params_free(second);
    return same;
}

/* ---- fairseq ---- */

/* fairseq/optim/nag.py: v' = m (lr'/lr) v - lr' g;  p = p (1 - lr' d) + m v' - lr' g. */
static void nag_reference(double *p, double decay) {
    double v[4] = {0};
    memcpy(p, start, sizeof start);
    for (int n = 0; n < 3; n++)
        for (int i = 0; i < 4; i++) {
            double change = n ? rates[n] / rates[n - 1] : 1;
            v[i] = 0.9 * change * v[i] - rates[n] * grads[n][i];
            p[i] = p[i] * (1 - rates[n] * decay) + 0.9 * v[i] - rates[n] * grads[n][i];
        }
}

static void nesterov_is_fairseqs_at_any_sequence_of_rates(void **state) {
    (void)state;
    OptimConfig config = config_of(OPTIM_SGD, DECAY_DECOUPLED, 0.3);
    config.momentum = 0.9;
    config.nesterov = true;
    double with[4], without[4];
    nag_reference(with, 0.3);
    nag_reference(without, 0);
    ParamSet *set = run_steps(&config);
    assert_tensor(set, MATRIX, with);
    assert_tensor(set, VECTOR, without);
    params_free(set);
    config.decay_scope = DECAY_ALL;
    set = run_steps(&config);
    for (size_t t = 0; t < TENSORS; t++) assert_tensor(set, t, with);
    params_free(set);
}

/* Where a weight of 1 is after 50 steps at rate 2 with decay 1e-3 and no gradient. */
static double left_after_50_steps(DecayKind decay) {
    OptimConfig config = config_of(OPTIM_SGD, decay, 1e-3);
    config.momentum = 0.99;
    config.nesterov = true;
    ParamSet *set = make_params();
    Optimizer *o = optim_new(&config, set);
    for (int n = 0; n < 50; n++) optim_step(o, 2, 1);
    double left = (double)set->list[MATRIX]->tensor.value[0];
    optim_free(o);
    params_free(set);
    return left;
}

static void coupled_decay_goes_through_the_momentum_and_decoupled_does_not(void **state) {
    (void)state;
    assert_true(fabs(left_after_50_steps(DECAY_DECOUPLED) - 0.904746818) < 1e-5);
    assert_true(fabs(left_after_50_steps(DECAY_COUPLED) + 0.408769866) < 1e-5);
    assert_true(left_after_50_steps(DECAY_AUTO) == left_after_50_steps(DECAY_COUPLED));
}

/* ---- which kind ---- */

static void adam_and_adamw_differ_in_their_kind_of_decay_alone(void **state) {
    (void)state;
    for (int kind = DECAY_COUPLED; kind <= DECAY_DECOUPLED; kind++) {
        OptimConfig adam = config_of(OPTIM_ADAM, kind, 0.3);
        OptimConfig adamw = config_of(OPTIM_ADAMW, kind, 0.3);
        assert_true(same_configs(&adam, &adamw));
    }
}

static void auto_is_decoupled_for_adamw_and_coupled_elsewhere(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig automatic = config_of(kinds[k], DECAY_AUTO, 0.3);
        OptimConfig coupled = config_of(kinds[k], DECAY_COUPLED, 0.3);
        OptimConfig decoupled = config_of(kinds[k], DECAY_DECOUPLED, 0.3);
        bool fixed = kinds[k] == OPTIM_LARS || kinds[k] == OPTIM_LAMB;
        assert_int_equal(same_configs(&automatic, &coupled), kinds[k] != OPTIM_ADAMW);
        assert_int_equal(same_configs(&automatic, &decoupled),
                         fixed || kinds[k] == OPTIM_ADAMW);
    }
}

static void decoupled_decay_is_a_shrink_before_the_update(void **state) {
    (void)state;
    const OptimKind separable[] = {OPTIM_SGD, OPTIM_ADAM, OPTIM_ADAMW, OPTIM_ADAGRAD};
    for (size_t k = 0; k < COUNT(separable); k++) {
        OptimConfig config = config_of(separable[k], DECAY_DECOUPLED, 0.3);
        ParamSet *with = make_params(), *without = make_params();
        Optimizer *a = optim_new(&config, with);
        config.weight_decay = 0;
        Optimizer *b = optim_new(&config, without);
        for (size_t i = 0; i < 4; i++) {
            with->grads[i] = without->grads[i] = (real)grads[0][i];
            without->values[i] *= (real)(1 - 0.1 * 0.3);
        }
        optim_step(a, (real)0.1, 1);
        optim_step(b, (real)0.1, 1);
        for (size_t i = 0; i < 4; i++)
            assert_true(fabs((double)(with->values[i] - without->values[i])) < TOLERANCE);
        optim_free(a);
        optim_free(b);
        params_free(with);
        params_free(without);
    }
}

/* ---- on what ---- */

static void
scope_all_reaches_what_is_no_matrix_and_leaves_matrices_as_they_were(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = config_of(kinds[k], DECAY_AUTO, 0.3);
        ParamSet *matrices = run_steps(&config);
        config.decay_scope = DECAY_ALL;
        ParamSet *all = run_steps(&config);
        for (size_t t = 0; t < TENSORS; t++)
            assert_int_equal(same_tensor(matrices, all, t), t == MATRIX);
        params_free(matrices);
        params_free(all);
    }
}

/* LARS and LAMB: decay everywhere, the ratio still on matrices alone. */
static void scope_all_brings_no_trust_ratio(void **state) {
    (void)state;
    OptimConfig config = config_of(OPTIM_LARS, DECAY_AUTO, 0.3);
    config.decay_scope = DECAY_ALL;
    config.trust = 0.02;
    ParamSet *lars = run_steps(&config);
    config.name = OPTIM_SGD;
    config.momentum = 0.9;
    ParamSet *sgd = run_steps(&config);
    assert_false(same_tensor(lars, sgd, MATRIX));
    assert_true(same_tensor(lars, sgd, VECTOR) && same_tensor(lars, sgd, GAIN));
    params_free(lars);
    params_free(sgd);
}

/* ---- how much ---- */

static void assert_near(double seen, double want) {
    if (!(fabs(seen - want) <= 1e-15)) fail_msg("%.17g, wanted %.17g", seen, want);
}

static void the_decay_follows_a_cosine_to_its_end(void **state) {
    (void)state;
    OptimConfig config = config_of(OPTIM_ADAMW, DECAY_AUTO, 0);
    config.weight_decay_end = 1e-5;
    assert_near(schedule_weight_decay(&config, 25, 100), 1e-5 * (1 - sqrt(0.5)) / 2);
    assert_near(schedule_weight_decay(&config, 50, 100), 0.5e-5);
    assert_near(schedule_weight_decay(&config, 100, 100), 1e-5);
    assert_near(schedule_weight_decay(&config, 120, 100), 1e-5);
    config.weight_decay = 0.4;
    config.weight_decay_end = 0;
    assert_near(schedule_weight_decay(&config, 50, 100), 0.2);
    config.weight_decay_end = -1;
    assert_near(schedule_weight_decay(&config, 50, 100), 0.4);
}

static void a_step_uses_the_decay_that_was_set(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = config_of(kinds[k], DECAY_AUTO, 0.3);
        ParamSet *whole = run_steps(&config), *set = make_params();
        config.weight_decay = 5;
        Optimizer *o = optim_new(&config, set);
        optim_set_decay(o, 0.3);
        for (size_t n = 0; n < 3; n++) {
            for (size_t i = 0; i < 4; i++) set->grads[i] = (real)grads[n][i];
            optim_step(o, (real)rates[n], 1);
        }
        assert_true(same_tensor(whole, set, MATRIX));
        optim_free(o);
        params_free(set);
        params_free(whole);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesterov_is_fairseqs_at_any_sequence_of_rates),
        cmocka_unit_test(coupled_decay_goes_through_the_momentum_and_decoupled_does_not),
        cmocka_unit_test(adam_and_adamw_differ_in_their_kind_of_decay_alone),
        cmocka_unit_test(auto_is_decoupled_for_adamw_and_coupled_elsewhere),
        cmocka_unit_test(decoupled_decay_is_a_shrink_before_the_update),
        cmocka_unit_test(
            scope_all_reaches_what_is_no_matrix_and_leaves_matrices_as_they_were),
        cmocka_unit_test(scope_all_brings_no_trust_ratio),
        cmocka_unit_test(the_decay_follows_a_cosine_to_its_end),
        cmocka_unit_test(a_step_uses_the_decay_that_was_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

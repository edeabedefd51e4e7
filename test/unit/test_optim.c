/* optim and ema: PyTorch's numbers, closed forms of single steps, who has decay and
 * ratio. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/optim/ema.h"
#include "engine/optim/optim.h"

/* Float arithmetic over three steps: a few units of the last place of 3. */
#ifdef STEADY_DOUBLE
#define TOLERANCE 1e-11
#else
#define TOLERANCE 1.5e-6
#endif

static const double start[4] = {1, -2, 0.5, 3};
static const double grads[3][4] = {{0.1, -0.2, 0.3, 0},
                                   {-0.4, 0.1, 0.2, 0.5},
                                   {0.3, 0.3, -0.1, 0.2}};

enum { MATRIX, VECTOR, GAIN, TENSORS };

/* The same four numbers as a matrix, a vector and a gain. */
static ParamSet *make_params(void) {
    ParamSet *set = params_new();
    params_add(set, PARAM_MATRIX, 2, (size_t[]){2, 2}, "w");
    params_add(set, PARAM_VECTOR, 1, (size_t[]){4}, "b");
    params_add(set, PARAM_GAIN, 1, (size_t[]){4}, "g");
    params_add(set, PARAM_BUFFER, 1, (size_t[]){4}, "u");
    params_finish(set);
    for (size_t t = 0; t <= TENSORS; t++)
        for (size_t i = 0; i < 4; i++) set->list[t]->tensor.value[i] = (real)start[i];
    return set;
}

static void set_grads(ParamSet *set, size_t step) {
    for (size_t t = 0; t < TENSORS; t++)
        for (size_t i = 0; i < 4; i++)
            set->list[t]->tensor.grad[i] = (real)grads[step][i];
}

static void run_steps(const OptimConfig *config, ParamSet *set, size_t steps,
                      real grad_scale) {
    Optimizer *o = optim_new(config, set);
    for (size_t n = 0; n < steps; n++) {
        set_grads(set, n);
        optim_step(o, (real)config->lr, grad_scale);
    }
    assert_int_equal(optim_steps(o), steps);
    optim_free(o);
}

static void assert_tensor(const ParamSet *set, size_t t, const double *want) {
    for (size_t i = 0; i < 4; i++) {
        double seen = (double)set->list[t]->tensor.value[i];
        if (!(fabs(seen - want[i]) <= TOLERANCE))
            fail_msg("%s[%zu]: %.9g, wanted %.9g", set->list[t]->name, i, seen, want[i]);
    }
}

static OptimConfig config_of(OptimKind kind, double lr, double decay) {
    OptimConfig config = optim_config_default();
    config.name = kind;
    config.lr = lr;
    config.weight_decay = decay;
    return config;
}

/* ---- three steps of PyTorch 1.13; test/golden/optim_steps.py ---- */

static void check_matrix(const OptimConfig *config, const double *want) {
    ParamSet *set = make_params();
    run_steps(config, set, 3, 1);
    assert_tensor(set, MATRIX, want);
    params_free(set);
}

static void sgd_agrees_with_pytorch(void **state) {
    (void)state;
    OptimConfig config = config_of(OPTIM_SGD, 0.1, 0);
    check_matrix(&config, (double[]){1, -2.02, 0.46, 2.93});
    config.weight_decay = 0.01;
    config.momentum = 0.9;
    check_matrix(&config, (double[]){1.013292789000, -1.983655578000, 0.388031369500,
                                     2.868234397000});
    config.nesterov = true;
    check_matrix(&config, (double[]){1.008933412551, -1.999419525102, 0.357993384801,
                                     2.802575203423});
}

static void adam_agrees_with_pytorch(void **state) {
    (void)state;
    OptimConfig config = config_of(OPTIM_ADAM, 0.1, 0.1);
    config.beta2 = 0.95;
    check_matrix(&config, (double[]){0.893719128929, -1.773493583909, 0.237279635218,
                                     2.713536294489});
    config.name = OPTIM_ADAMW;
    check_matrix(&config, (double[]){0.924463596221, -1.854607097874, 0.234608676719,
                                     2.761236130930});
}

static void adagrad_agrees_with_pytorch(void **state) {
    (void)state;
    OptimConfig config = config_of(OPTIM_ADAGRAD, 0.1, 0.1);
    check_matrix(&config, (double[]){0.910655960959, -1.904443050986, 0.358736085089,
                                     2.757073001113});
}

/* ---- closed forms ---- */

static double norm4(const double *x) {
    return sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2] + x[3] * x[3]);
}

/* Two LARS steps: momentum holds the scaled gradient, lr stays outside. */
static void lars_reference(double *p, double lr, double decay, double trust,
                           double momentum) {
    double b[4] = {0};
    memcpy(p, start, sizeof start);
    for (int n = 0; n < 2; n++) {
        double g[4];
        for (int i = 0; i < 4; i++) g[i] = grads[n][i] + decay * p[i];
        double ratio = trust > 0 ? trust * norm4(p) / norm4(g) : 1;
        for (int i = 0; i < 4; i++) {
            b[i] = momentum * b[i] + ratio * g[i];
            p[i] -= lr * b[i];
        }
    }
}

static void lars_scales_matrices_and_leaves_the_others(void **state) {
    (void)state;
    OptimConfig config = config_of(OPTIM_LARS, 2, 0.1);
    config.trust = 0.02;
    ParamSet *set = make_params();
    run_steps(&config, set, 2, 1);
    double want[4];
    lars_reference(want, 2, 0.1, 0.02, 0.9);
    assert_tensor(set, MATRIX, want);
    lars_reference(want, 2, 0, 0, 0.9);
    assert_tensor(set, VECTOR, want);
    assert_tensor(set, GAIN, want);
    params_free(set);
}

static void lars_with_adapt_1d_treats_all_tensors_alike(void **state) {
    (void)state;
    OptimConfig config = config_of(OPTIM_LARS, 2, 0.1);
    config.trust = 0.02;
    config.adapt_1d = true;
    ParamSet *set = make_params();
    run_steps(&config, set, 2, 1);
    double want[4];
    lars_reference(want, 2, 0.1, 0.02, 0.9);
    for (size_t t = 0; t < TENSORS; t++) assert_tensor(set, t, want);
    params_free(set);
}

static void lamb_reference(double *p, double lr, double decay, bool adapted) {
    double m[4] = {0}, v[4] = {0};
    memcpy(p, start, sizeof start);
    for (int n = 0; n < 2; n++) {
        double r[4], b1 = 1 - pow(0.9, n + 1), b2 = 1 - pow(0.999, n + 1);
        for (int i = 0; i < 4; i++) {
            m[i] = 0.9 * m[i] + 0.1 * grads[n][i];
            v[i] = 0.999 * v[i] + 0.001 * grads[n][i] * grads[n][i];
            r[i] = m[i] / b1 / (sqrt(v[i] / b2) + 1e-6) + decay * p[i];
        }
        double ratio = adapted ? norm4(p) / norm4(r) : 1;
        for (int i = 0; i < 4; i++) p[i] -= lr * ratio * r[i];
    }
}

static void lamb_takes_the_ratio_of_weight_and_update(void **state) {
    (void)state;
    OptimConfig config = config_of(OPTIM_LAMB, 0.01, 0.1);
    ParamSet *set = make_params();
    run_steps(&config, set, 2, 1);
    double want[4];
    lamb_reference(want, 0.01, 0.1, true);
    assert_tensor(set, MATRIX, want);
    lamb_reference(want, 0.01, 0, false);
    assert_tensor(set, VECTOR, want);
    params_free(set);
    config.adapt_1d = true;
    set = make_params();
    run_steps(&config, set, 2, 1);
    lamb_reference(want, 0.01, 0.1, true);
    for (size_t t = 0; t < TENSORS; t++) assert_tensor(set, t, want);
    params_free(set);
}

/* ---- properties that hold for all ---- */

#define KIND(KIND_, name) OPTIM_##KIND_,
static const OptimKind kinds[] = {OPTIM_LIST(KIND)};

static void decay_acts_on_matrices_alone(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = config_of(kinds[k], 0.1, 0.3);
        ParamSet *with = make_params(), *without = make_params();
        run_steps(&config, with, 3, 1);
        config.weight_decay = 0;
        run_steps(&config, without, 3, 1);
        for (size_t t = 0; t < TENSORS; t++) {
            const real *a = with->list[t]->tensor.value,
                       *b = without->list[t]->tensor.value;
            bool same = !memcmp(a, b, 4 * sizeof(real));
            if (same != (t != MATRIX))
                fail_msg("%s: tensor %zu", optim_name(kinds[k]), t);
        }
        params_free(with);
        params_free(without);
    }
}

static void gains_learn_at_their_own_rate(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = config_of(kinds[k], 0.1, 0);
        config.gamma_lr_scale = 0.25;
        ParamSet *set = make_params();
        run_steps(&config, set, 1, 1);
        for (size_t i = 0; i < 4; i++) {
            double vector = (double)set->list[VECTOR]->tensor.value[i] - start[i];
            double gain = (double)set->list[GAIN]->tensor.value[i] - start[i];
            assert_true(fabs(gain - 0.25 * vector) < TOLERANCE);
        }
        params_free(set);
    }
}

static void buffers_and_padding_are_left_alone(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = config_of(kinds[k], 0.1, 0.3);
        ParamSet *set = make_params();
        run_steps(&config, set, 3, 1);
        assert_tensor(set, TENSORS, start);
        for (size_t i = 4; i < 16; i++) assert_true(set->values[i] == 0);
        params_free(set);
    }
}

static void grad_scale_acts_as_smaller_gradients_do(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = config_of(kinds[k], 0.1, 0.3);
        ParamSet *scaled = make_params(), *small = make_params();
        run_steps(&config, scaled, 1, (real)0.25);
        Optimizer *o = optim_new(&config, small);
        set_grads(small, 0);
        for (size_t i = 0; i < small->trained; i++) small->grads[i] *= (real)0.25;
        optim_step(o, (real)config.lr, 1);
        assert_memory_equal(scaled->values, small->values, small->trained * sizeof(real));
        optim_free(o);
        params_free(scaled);
        params_free(small);
    }
}

static void a_zero_norm_makes_a_ratio_of_one(void **state) {
    (void)state;
    const OptimKind adaptive[] = {OPTIM_LARS, OPTIM_LAMB};
    for (size_t k = 0; k < 2; k++) {
        OptimConfig config = config_of(adaptive[k], 0.5, 0);
        ParamSet *set = make_params();
        memset(set->values, 0, set->trained * sizeof(real));
        run_steps(&config, set, 1, 1);
        for (size_t i = 0; i < 4; i++) {
            double g = grads[0][i];
            double update = adaptive[k] == OPTIM_LARS ? g : g / (fabs(g) + 1e-6);
            assert_true(fabs((double)set->list[MATRIX]->tensor.value[i] + 0.5 * update) <
                        2e-6);
        }
        params_free(set);
        set = make_params();
        Optimizer *o = optim_new(&config, set);
        optim_step(o, (real)0.5, 1); /* all gradients are zero */
        for (size_t t = 0; t < TENSORS; t++) assert_tensor(set, t, start);
        optim_free(o);
        params_free(set);
    }
}

static void slots_have_the_names_that_checkpoints_use(void **state) {
    (void)state;
    static const char *const names[COUNT(kinds)][2] = {
        [OPTIM_ADAMW] = {"m", "v"},  [OPTIM_ADAM] = {"m", "v"},
        [OPTIM_LARS] = {"momentum"}, [OPTIM_LAMB] = {"m", "v"},
        [OPTIM_ADAGRAD] = {"sum"},
    };
    ParamSet *set = make_params();
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = config_of(kinds[k], 0.1, 0);
        Optimizer *o = optim_new(&config, set);
        size_t count = 0;
        while (count < 2 && names[k][count]) count++;
        assert_int_equal(optim_slot_count(o), count);
        for (size_t i = 0; i < count; i++)
            assert_string_equal(optim_slot_name(o, i), names[k][i]);
        optim_free(o);
    }
    params_free(set);
}

static void one_step_and_two_after_a_reload_are_three_steps(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = config_of(kinds[k], 0.1, 0.1);
        config.momentum = 0.9;
        ParamSet *whole = make_params(), *parts = make_params();
        run_steps(&config, whole, 3, 1);
        Optimizer *a = optim_new(&config, parts), *b = optim_new(&config, parts);
        set_grads(parts, 0);
        optim_step(a, (real)0.1, 1);
        for (size_t i = 0; i < optim_slot_count(a); i++)
            memcpy(optim_slot(b, i), optim_slot(a, i), parts->trained * sizeof(real));
        optim_set_steps(b, optim_steps(a));
        for (size_t n = 1; n < 3; n++) {
            set_grads(parts, n);
            optim_step(b, (real)0.1, 1);
        }
        assert_memory_equal(whole->values, parts->values, whole->trained * sizeof(real));
        optim_free(a);
        optim_free(b);
        params_free(whole);
        params_free(parts);
    }
}

/* Several spans a tensor, and a last one that is not full. */
static ParamSet *make_large(void) {
    ParamSet *set = params_new();
    params_add(set, PARAM_MATRIX, 2, (size_t[]){301, 211}, "w");
    params_add(set, PARAM_VECTOR, 1, (size_t[]){12345}, "b");
    params_finish(set);
    for (size_t i = 0; i < set->trained; i++) {
        set->values[i] = (real)sin(0.1 * (double)i);
        set->grads[i] = (real)cos(0.3 * (double)i);
    }
    return set;
}

static void results_do_not_depend_on_the_number_of_threads(void **state) {
    (void)state;
    int threads = omp_get_max_threads();
    for (size_t k = 0; k < COUNT(kinds); k++) {
        OptimConfig config = config_of(kinds[k], 0.1, 0.1);
        ParamSet *sets[2] = {make_large(), make_large()};
        for (int s = 0; s < 2; s++) {
            omp_set_num_threads(s ? 3 : 1);
            Optimizer *o = optim_new(&config, sets[s]);
            optim_step(o, (real)0.1, (real)0.5);
            optim_step(o, (real)0.1, (real)0.5);
            optim_free(o);
        }
        assert_memory_equal(sets[0]->values, sets[1]->values,
                            sets[0]->trained * sizeof(real));
        params_free(sets[0]);
        params_free(sets[1]);
    }
    omp_set_num_threads(threads);
}

static void the_ratio_is_that_of_the_whole_tensor(void **state) {
    (void)state;
    ParamSet *set = make_large();
    const Tensor *w = &set->list[0]->tensor;
    double value = 0, grad = 0, before = (double)w->value[w->size - 1];
    for (size_t i = 0; i < w->size; i++) {
        value += (double)w->value[i] * (double)w->value[i];
        grad += (double)w->grad[i] * (double)w->grad[i];
    }
    OptimConfig config = config_of(OPTIM_LARS, 1, 0);
    Optimizer *o = optim_new(&config, set);
    optim_step(o, 1, 1);
    double want = before - 0.001 * sqrt(value / grad) * (double)w->grad[w->size - 1];
    assert_true(fabs((double)w->value[w->size - 1] - want) < 1e-7);
    optim_free(o);
    params_free(set);
}

/* ---- ema ---- */

static void the_average_moves_by_its_share(void **state) {
    (void)state;
    ParamSet *set = make_params();
    Ema *ema = ema_new(set, 0.75);
    for (size_t i = 0; i < 4; i++) set->values[i] = (real)(start[i] + 4);
    ema_update(ema);
    ema_update(ema);
    for (size_t i = 0; i < 4; i++)
        assert_true(fabs((double)ema_values(ema)[i] - (start[i] + 4 * (1 - 0.5625))) <
                    1e-6);
    ema_free(ema);
    params_free(set);
}

static void an_average_of_equal_values_stays_exactly(void **state) {
    (void)state;
    ParamSet *set = make_large();
    Ema *ema = ema_new(set, 0.99996);
    for (int n = 0; n < 50; n++) ema_update(ema);
    assert_memory_equal(ema_values(ema), set->values, set->trained * sizeof(real));
    ema_free(ema);
    params_free(set);
}

static void swapping_twice_restores_the_parameters(void **state) {
    (void)state;
    ParamSet *set = make_params();
    Ema *ema = ema_new(set, 0.5);
    set->values[1] = 7;
    ema_swap(ema);
    assert_true(ema_is_swapped(ema) && set->values[1] == -2);
    ema_swap(ema);
    assert_true(!ema_is_swapped(ema) && set->values[1] == 7 && ema_values(ema)[1] == -2);
    ema_free(ema);
    params_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_agrees_with_pytorch),
        cmocka_unit_test(adam_agrees_with_pytorch),
        cmocka_unit_test(adagrad_agrees_with_pytorch),
        cmocka_unit_test(lars_scales_matrices_and_leaves_the_others),
        cmocka_unit_test(lars_with_adapt_1d_treats_all_tensors_alike),
        cmocka_unit_test(lamb_takes_the_ratio_of_weight_and_update),
        cmocka_unit_test(decay_acts_on_matrices_alone),
        cmocka_unit_test(gains_learn_at_their_own_rate),
        cmocka_unit_test(buffers_and_padding_are_left_alone),
        cmocka_unit_test(grad_scale_acts_as_smaller_gradients_do),
        cmocka_unit_test(a_zero_norm_makes_a_ratio_of_one),
        cmocka_unit_test(slots_have_the_names_that_checkpoints_use),
        cmocka_unit_test(one_step_and_two_after_a_reload_are_three_steps),
        cmocka_unit_test(results_do_not_depend_on_the_number_of_threads),
        cmocka_unit_test(the_ratio_is_that_of_the_whole_tensor),
        cmocka_unit_test(the_average_moves_by_its_share),
        cmocka_unit_test(an_average_of_equal_values_stays_exactly),
        cmocka_unit_test(swapping_twice_restores_the_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Sharpness: against PyTorch's double backward, and by its properties.  In double.
 * test/golden/make_sharpness.py made the values; models, data and starting points are
 * those of the golden cases. */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/hessian.h"
#include "tools/probe/eigen.h"
#include "tools/probe/sharpness.h"

enum { STEPS_TAKEN = 3 };

/* ---- a golden case ---- */

typedef struct Opened {
    Recipe recipe;
    Task *task;
    Step step;
} Opened;

static void open_case(Opened *o, const char *suite, const char *name) {
    Err err = ERR_NONE;
    char path[200];
    snprintf(path, sizeof path, "test/golden/%s/cases/%s.ini", suite, name);
    o->recipe = recipe_default();
    if (recipe_load(&o->recipe, path, &err) || recipe_check(&o->recipe, &err))
        fail_msg("%s", err.text);
    o->recipe.optim = optim_config_default(); /* the oracle's: adamw */
    o->task = task_open(&o->recipe, NULL, &err);
    if (!o->task) fail_msg("%s: %s", name, err.text);
    task_initialize(o->task);
    if (weights_load(o->recipe.train.init, NULL, o->task->model, &err))
        fail_msg("%s", err.text);
    model_freeze(o->task->model);
    task_step_begin(o->task, 1, &o->step);
}

static void close_case(Opened *o) {
    step_end(&o->step);
    task_free(o->task);
}

/* The made-up state of Adam. */
static void fill_moments(Opened *o) {
    const ParamSet *params = o->task->model->params;
    real *v = optim_slot(o->step.optim, 1);
    for (size_t i = 0; i < params->count; i++) {
        const Param *p = params->list[i];
        size_t offset = 11 * strlen(p->name);
        for (size_t k = 0; param_is_trained(p) && k < p->tensor.size; k++) {
            double root = 1 + (double)((37 * k + offset) % 101);
            v[p->offset + k] = (real)(1e-6 * root * root);
        }
    }
    optim_set_steps(o->step.optim, STEPS_TAKEN);
}

static SharpnessTask job_of(Opened *o, size_t sample) {
    return (SharpnessTask){.task = o->task,
                           .step = &o->step,
                           .mode = {.temperature = o->recipe.model.temperature},
                           .sample = sample,
                           .lr = 1e-3};
}

static Sharpness measure(Opened *o, size_t sample) {
    Err err = ERR_NONE;
    Sharpness s;
    SharpnessTask job = job_of(o, sample);
    if (sharpness_measure(&job, &s, &err)) fail_msg("%s", err.text);
    return s;
}

/* ---- the oracle ---- */

/* Far below what is promised, 1e-4: central differences leave 1e-8 or so. */
static const double AGREEMENT = 1e-6;

static void compare(const Spectrum *seen, const json_t *wanted, const char *name) {
    assert_int_equal(seen->count, SHARPNESS_COUNT);
    for (size_t i = 0; i < SHARPNESS_COUNT; i++) {
        double value = json_number_value(json_array_get(wanted, i));
        double apart = fabs(seen->value[i] / value - 1);
        if (!(apart <= AGREEMENT))
            fail_msg("%s: eigenvalue %zu is %.12g, wanted %.12g, apart %.1e", name, i,
                     seen->value[i], value, apart);
    }
    assert_true(seen->error < AGREEMENT);
}

static void check_case(const json_t *row) {
    const char *suite = json_string_value(json_object_get(row, "suite"));
    const char *name = json_string_value(json_object_get(row, "case"));
    Opened o;
    open_case(&o, suite, name);
    fill_moments(&o);
    Sharpness s = measure(&o, (size_t)json_integer_value(json_object_get(row, "sample")));
    double loss = json_number_value(json_object_get(row, "loss"));
    if (!(fabs(s.loss - loss) <= 1e-8 * loss))
        fail_msg("%s: loss %.15g, wanted %.15g", name, s.loss, loss);
    assert_int_equal(s.parameters,
                     json_integer_value(json_object_get(row, "parameters")));
    compare(&s.raw, json_object_get(row, "raw"), name);
    compare(&s.preconditioned, json_object_get(row, "preconditioned"), name);
    print_message("%-16s error %.1e %.1e\n", name, s.raw.error, s.preconditioned.error);
    close_case(&o);
}

static bool has_data_reader(const char *suite) {
#ifdef HAVE_SNDFILE
    return suite != NULL;
#else
    return strcmp(suite, "speech") != 0;
#endif
}

static void five_eigenvalues_of_every_kind_are_those_of_double_backward(void **state) {
    (void)state;
    json_error_t error;
    json_t *rows = json_load_file("test/golden/sharpness.json", 0, &error), *row;
    if (!rows) fail_msg("%s", error.text);
    size_t i;
    assert_true(json_array_size(rows) >= 10);
    json_array_foreach(rows, i, row) if (has_data_reader(json_string_value(
                                             json_object_get(row, "suite"))))
        check_case(row);
    json_decref(rows);
}

/* ---- properties ---- */

typedef struct Products {
    Opened o;
    StepBatch batch;
    Hessian *h;
    double *x, *y, *hx, *hy; /* [h->size] */
} Products;

static double dot(const double *a, const double *b, size_t size) {
    double sum = 0;
    for (size_t i = 0; i < size; i++) sum += a[i] * b[i];
    return sum;
}

/* Zero in the padding, as a vector of parameters is. */
static void fill_random(const Products *p, double *x, uint64_t stream) {
    const ParamSet *params = p->o.task->model->params;
    memset(x, 0, p->h->size * sizeof *x);
    for (size_t i = 0; i < params->count; i++) {
        const Param *q = params->list[i];
        for (size_t k = 0; param_is_trained(q) && k < q->tensor.size; k++)
            x[q->offset + k] = rng_normal(rng_make(7, RNG_PROBE, stream), q->offset + k);
    }
}

static void begin_products(Products *p, const char *suite, const char *name,
                           size_t sample, size_t pieces) {
    Err err = ERR_NONE;
    open_case(&p->o, suite, name);
    p->o.step.still = true;
    p->o.step.accumulate = pieces;
    if (p->o.task->ops->sample(p->o.task, SPLIT_TRAIN, sample, &err))
        fail_msg("%s", err.text);
    p->batch = task_step_batch(p->o.task, 1, (ForwardMode){.temperature = 1});
    p->h = hessian_new(&p->o.step, &p->batch);
    p->x = mem_zarray(4 * p->h->size, sizeof *p->x);
    p->y = p->x + p->h->size, p->hx = p->y + p->h->size, p->hy = p->hx + p->h->size;
    fill_random(p, p->x, 1);
    fill_random(p, p->y, 2);
    hessian_calibrate(p->h, p->x);
}

static void end_products(Products *p) {
    mem_free(p->x);
    hessian_free(p->h);
    close_case(&p->o);
}

static void products_are_symmetric_and_leave_the_model_as_it_was(void **state) {
    (void)state;
    Products p;
    begin_products(&p, "vit", "none-sigma", 8, 1);
    ParamSet *params = p.o.task->model->params;
    size_t bytes = params->buffered * sizeof(real);
    real *vectors = mem_alloc(bytes);
    memcpy(vectors, params->buffers, bytes);
    hessian_product(p.h, p.x, p.hx);
    hessian_product(p.h, p.y, p.hy);
    double a = dot(p.x, p.hy, p.h->size), b = dot(p.y, p.hx, p.h->size);
    assert_true(fabs(a - b) < 1e-7 * fabs(a));
    assert_memory_equal(params->values, p.h->weights, p.h->size * sizeof(real));
    assert_memory_equal(params->buffers, vectors, bytes); /* u and v are frozen */
    assert_true(p.h->accuracy < 1e-6);
    mem_free(vectors);
    end_products(&p);
}

static void micro_batches_change_no_product(void **state) {
    (void)state;
    Products whole, cut;
    begin_products(&whole, "vit", "none-sigma", 9, 1);
    begin_products(&cut, "vit", "none-sigma", 9, 4);
    cut.h->reach = whole.h->reach;
    hessian_product(whole.h, whole.x, whole.hx);
    hessian_product(cut.h, cut.x, cut.hx);
    double worst = 0, norm = sqrt(dot(whole.hx, whole.hx, whole.h->size));
    for (size_t i = 0; i < whole.h->size; i++)
        worst = fmax(worst, fabs(whole.hx[i] - cut.hx[i]));
    assert_true(worst < 1e-8 * norm);
    end_products(&whole);
    end_products(&cut);
}

/* The loss is a function of W / sigma(W), so <g, W> = 0 at W and everywhere along it:
 * W.H W = 0 and H W = -g, layer by layer. */
static void along_w_of_a_sigma_layer_the_hessian_gives_minus_the_gradient(void **state) {
    (void)state;
    Products p;
    begin_products(&p, "vit", "none-sigma", 8, 1);
    const Param *w = params_find(p.o.task->model->params, "blocks.0.attn.qkv.weight");
    size_t size = w->tensor.size;
    step_gradients(&p.o.step, &p.batch);
    double *g = mem_array(size, sizeof *g), apart = 0, norm = 0, along = 0;
    for (size_t i = 0; i < size; i++) {
        g[i] = (double)w->tensor.grad[i];
        norm += g[i] * g[i];
        along += g[i] * (double)w->tensor.value[i];
    }
    assert_true(fabs(along) < 1e-12 && norm > 1e-8);
    memset(p.x, 0, p.h->size * sizeof *p.x);
    for (size_t i = 0; i < size; i++) p.x[w->offset + i] = (double)w->tensor.value[i];
    hessian_product(p.h, p.x, p.hx);
    for (size_t i = 0; i < size; i++) apart += pow(p.hx[w->offset + i] + g[i], 2);
    assert_true(apart < 1e-12 * norm);
    assert_true(fabs(dot(p.x, p.hx, p.h->size)) < 1e-7 * norm);
    mem_free(g);
    end_products(&p);
}

/* A model whose every matrix is under sigmaReparam: with all W ten times as large the
 * function is the same, and the block of H over W a hundredth. */
static void the_hessian_over_w_goes_as_one_over_its_square(void **state) {
    (void)state;
    double along[2];
    for (int scaled = 0; scaled < 2; scaled++) {
        Products p;
        begin_products(&p, "vit", "none-sigma", 8, 1);
        double factor = scaled ? 10 : 1;
        const Param *w = params_find(p.o.task->model->params, "blocks.1.mlp.fc1.weight");
        memset(p.x, 0, p.h->size * sizeof *p.x);
        for (size_t i = 0; i < w->tensor.size; i++) {
            p.x[w->offset + i] = rng_normal(rng_make(1, RNG_PROBE, 3), i);
            p.h->weights[w->offset + i] *= (real)factor;
        }
        p.h->reach *= factor;
        hessian_product(p.h, p.x, p.hx);
        along[scaled] = factor * factor * dot(p.x, p.hx, p.h->size);
        end_products(&p);
    }
    assert_true(fabs(along[1] / along[0] - 1) < 1e-5);
}

/* ---- eigenvalues ---- */

/* diag(...) seen through a reflection, so that no eigenvector is an axis. */
typedef struct Known {
    double value[60], axis[60];
    size_t size, products;
} Known;

static Status reflected(void *context, const double *x, double *y, Err *err) {
    Known *k = context;
    if (k->products++ == 1000) return err_set(err, FAIL_INTERRUPTED, "enough");
    double a = 2 * dot(k->axis, x, k->size);
    for (size_t i = 0; i < k->size; i++) y[i] = k->value[i] * (x[i] - a * k->axis[i]);
    double b = 2 * dot(k->axis, y, k->size);
    for (size_t i = 0; i < k->size; i++) y[i] -= b * k->axis[i];
    return OK;
}

static void known_eigenvalues_come_by_magnitude_with_their_signs(void **state) {
    (void)state;
    for (size_t size = 7; size <= 60; size += 53) {
        Known k = {.size = size};
        double start[60], value[5], vector[5 * 60];
        Err err = ERR_NONE;
        for (size_t i = 0; i < size; i++) {
            k.value[i] = (i % 2 ? -1.0 : 1.0) * (double)(i + 1) * 1e3;
            k.axis[i] = 1 / sqrt((double)size);
            start[i] = 1 + (double)(i * i % 11);
        }
        EigenTask task = {.size = size,
                          .count = 5,
                          .product = reflected,
                          .context = &k,
                          .start = start,
                          .tolerance = 1e-10};
        assert_int_equal(eigen_largest(&task, value, vector, &err), OK);
        for (size_t i = 0; i < 5; i++)
            assert_true(fabs(value[i] / k.value[size - 1 - i] - 1) < 1e-9);
        k.products = 1000;
        assert_int_equal(eigen_largest(&task, value, vector, &err), FAIL_INTERRUPTED);
    }
    assert_int_equal(eigen_kept(100000, 5), 37);
    assert_int_equal(eigen_kept(20, 5), 19);
}

/* ---- the optimizer ---- */

static void thresholds_are_those_of_the_optimizer(void **state) {
    (void)state;
    static const struct {
        OptimKind kind;
        double momentum;
        bool nesterov;
        double edge;
    } EDGES[] = {{OPTIM_ADAMW, -1, false, 38},  {OPTIM_ADAM, -1, false, 38},
                 {OPTIM_SGD, 0, false, 2},      {OPTIM_SGD, 0.5, false, 3},
                 {OPTIM_SGD, 0.5, true, 1.5},   {OPTIM_LARS, -1, false, 3.8},
                 {OPTIM_ADAGRAD, -1, false, 2}, {OPTIM_LAMB, -1, false, NAN}};
    for (size_t i = 0; i < COUNT(EDGES); i++) {
        Opened o;
        open_case(&o, "vit", "none-sigma");
        OptimConfig config = optim_config_default();
        config.name = EDGES[i].kind;
        config.momentum = EDGES[i].momentum, config.nesterov = EDGES[i].nesterov;
        config.gamma_lr_scale = 4;
        Optimizer *optim = optim_new(&config, o.task->model->params);
        double edge = optim_edge(optim), wanted = EDGES[i].edge;
        assert_true(isnan(wanted) ? isnan(edge) : fabs(edge - wanted) < 1e-12);
        bool ratio = config.name == OPTIM_LARS || config.name == OPTIM_LAMB;
        assert_int_equal(optim_has_ratio(optim), ratio);
        double *p = mem_array(o.task->model->params->trained, sizeof *p);
        assert_false(optim_preconditioner(optim, p)); /* no step yet */
        optim_set_steps(optim, 5);
        assert_int_equal(optim_preconditioner(optim, p), !isnan(wanted));
        if (config.name == OPTIM_SGD) {
            const Param *gamma = params_find(o.task->model->params, "head.gamma");
            assert_true(p[gamma->offset] == 0.25 && p[0] == 1);
        }
        mem_free(p);
        optim_free(optim);
        close_case(&o);
    }
}

/* D H D of the other parameters: by Cauchy's interlacing no eigenvalue is larger. */
static void a_front_end_that_stays_is_not_part_of_the_preconditioned(void **state) {
    (void)state;
    Sharpness s[2];
    for (int kept = 0; kept < 2; kept++) {
        Opened o;
        open_case(&o, "vit", "none-sigma");
        OptimConfig config = o.recipe.optim;
        config.front_lr_scale = kept ? 0 : 1;
        step_set_optim(&o.step, &config);
        fill_moments(&o);
        s[kept] = measure(&o, 4);
        close_case(&o);
    }
    assert_true(s[0].raw.value[0] == s[1].raw.value[0]);
    for (size_t i = 0; i < SHARPNESS_COUNT; i++) {
        double all = fabs(s[0].preconditioned.value[i]);
        double rest = fabs(s[1].preconditioned.value[i]);
        assert_true(rest > 0.01 * all && rest <= all * (1 + 1e-6));
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(products_are_symmetric_and_leave_the_model_as_it_was),
        cmocka_unit_test(micro_batches_change_no_product),
        cmocka_unit_test(along_w_of_a_sigma_layer_the_hessian_gives_minus_the_gradient),
        cmocka_unit_test(the_hessian_over_w_goes_as_one_over_its_square),
        cmocka_unit_test(known_eigenvalues_come_by_magnitude_with_their_signs),
        cmocka_unit_test(thresholds_are_those_of_the_optimizer),
        cmocka_unit_test(a_front_end_that_stays_is_not_part_of_the_preconditioned),
        cmocka_unit_test(five_eigenvalues_of_every_kind_are_those_of_double_backward),
    };
    Err err = ERR_NONE;
    if (eigen_check(&err)) {
        print_message("skipped: %s\n", err.text);
        return 0;
    }
    return cmocka_run_group_tests_name("sharpness", cases, NULL, NULL);
}

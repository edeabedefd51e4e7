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

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(five_eigenvalues_of_every_kind_are_those_of_double_backward),
    };
    Err err = ERR_NONE;
    if (eigen_check(&err)) {
        print_message("skipped: %s\n", err.text);
        return 0;
    }
    return cmocka_run_group_tests_name("sharpness", cases, NULL, NULL);
}

#include "models/hessian.h"

#include <math.h>
#include <string.h>

Hessian *hessian_new(Step *step, const StepBatch *batch) {
    CHECK(step->still, "products with the Hessian while u and v move");
    const ParamSet *params = step->model->params;
    Hessian *h = mem_zalloc(sizeof *h);
    *h = (Hessian){.step = step,
                   .batch = batch,
                   .size = params->trained,
                   .reach = 1e-5,
                   .accuracy = NAN,
                   .weights = mem_array(params->trained, sizeof(real)),
                   .spare = mem_array(params->trained, sizeof(double))};
    memcpy(h->weights, params->values, h->size * sizeof(real));
    step_gradients(step, batch);
    h->gradients = 1;
    return h;
}

void hessian_free(Hessian *h) {
    if (!h) return;
    mem_free(h->weights);
    mem_free(h->spare);
    mem_free(h);
}

static double norm_of(const double *x, size_t size) {
    double sum = 0;
    for (size_t i = 0; i < size; i++) sum += x[i] * x[i];
    return sqrt(sum);
}

/* The gradient at theta + t x. */
static const real *gradient_at(Hessian *h, const double *x, double t) {
    ParamSet *params = h->step->model->params;
    for (size_t i = 0; i < h->size; i++)
        params->values[i] = (real)((double)h->weights[i] + t * x[i]);
    for (size_t i = 0; i < params->count; i++) { /* not part of what H is taken by */
        const Param *p = params->list[i];
        if (p->frozen)
            memcpy(p->tensor.value, h->weights + p->offset,
                   p->tensor.size * sizeof(real));
    }
    step_gradients(h->step, h->batch);
    h->gradients++;
    return params->grads;
}

/* Weights, and what the model has made of them. */
static void restore(Hessian *h) {
    memcpy(h->step->model->params->values, h->weights, h->size * sizeof(real));
    model_freeze(h->step->model);
}

void hessian_product(Hessian *h, const double *x, double *y) {
    double norm = norm_of(x, h->size);
    memset(y, 0, h->size * sizeof *y);
    if (norm == 0) return;
    double t = h->reach / norm;
    const real *g = gradient_at(h, x, t);
    for (size_t i = 0; i < h->size; i++) y[i] = (double)g[i];
    g = gradient_at(h, x, -t);
    for (size_t i = 0; i < h->size; i++) y[i] = (y[i] - (double)g[i]) / (2 * t);
    restore(h);
}

/* |a - b| / |b| */
static double apart(const double *a, const double *b, size_t size) {
    double sum = 0;
    for (size_t i = 0; i < size; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    double norm = norm_of(b, size);
    return norm > 0 ? sqrt(sum) / norm : 0;
}

void hessian_calibrate(Hessian *h, const double *x) {
    static const double REACHES[] = {1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8};
    double *coarse = h->spare, *fine = mem_array(h->size, sizeof *fine),
           best = REACHES[0];
    h->accuracy = INFINITY;
    h->reach = REACHES[0];
    hessian_product(h, x, coarse);
    for (size_t i = 1; i < COUNT(REACHES); i++) {
        h->reach = REACHES[i];
        hessian_product(h, x, fine);
        double difference = apart(coarse, fine, h->size);
        if (difference < h->accuracy) h->accuracy = difference, best = REACHES[i];
        memcpy(coarse, fine, h->size * sizeof *fine);
    }
    h->reach = best;
    mem_free(fine);
}

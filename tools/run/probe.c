#include "tools/run/probe.h"

#include <math.h>
#include <string.h>

#include "engine/kern/reduce.h"
#include "engine/reparam/spectral.h"
#include "tools/run/probe_sites.h"
#include "tools/run/rundir.h"

/* Probes that come as often as every FREQUENT steps find W hardly moved: one power
 * iteration tells.  What it tells is a lower bound: u lags where W moves fast, which its
 * turn shows, and a u that belongs to the second singular value would never be noticed.
 * So one layer in THOROUGH is followed thoroughly at each such probe, in turn: what a
 * probe costs is spread evenly.  That turn goes by the step, so a resumed run has it. */
enum { FREQUENT = 4, THOROUGH = 8 };
static const double TURNED_MAX = 1e-3; /* radians between u before and after */

struct Prober {
    const Model *model;
    real *before;  /* u before a power iteration, of the widest layer */
    bool frequent; /* the probe that is being taken */
    size_t number; /* of it */
    real **u, **v; /* [layer_count] */
    bool *known;   /* [layer_count] u and v follow the weight */
    double *sigma; /* [layer_count] of the last look, as is gamma; NaN: it has none */
    double *gamma;
    const Param **others; /* [other_count] weight matrices that are no layers */
    size_t other_count;
};

static bool is_layer(const Model *model, const Param *param) {
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layers[i]->weight == param) return true;
    return false;
}

static void find_others(Prober *p) {
    const ParamSet *params = p->model->params;
    p->others = mem_zalloc(params->count * sizeof *p->others);
    for (size_t i = 0; i < params->count; i++)
        if (params->list[i]->role == PARAM_MATRIX && !is_layer(p->model, params->list[i]))
            p->others[p->other_count++] = params->list[i];
}

Prober *prober_new(const Model *model) {
    Prober *p = mem_zalloc(sizeof *p);
    size_t count = model->layer_count;
    p->model = model;
    p->u = mem_zalloc(count * sizeof *p->u);
    p->v = mem_zalloc(count * sizeof *p->v);
    p->known = mem_zalloc(count * sizeof *p->known);
    p->sigma = mem_zalloc(2 * count * sizeof *p->sigma);
    p->gamma = p->sigma + count;
    for (size_t i = 0; i < 2 * count; i++) p->sigma[i] = NAN;
    find_others(p);
    size_t widest = 0;
    for (size_t i = 0; i < count; i++) {
        const Tensor *w = &model->layers[i]->weight->tensor;
        p->u[i] = mem_zalloc(w->size / w->shape[0] * sizeof(real));
        p->v[i] = mem_zalloc(w->shape[0] * sizeof(real));
        widest = MAX(widest, w->size / w->shape[0]);
    }
    p->before = mem_alloc(widest * sizeof(real));
    return p;
}

void prober_free(Prober *p) {
    if (!p) return;
    for (size_t i = 0; i < p->model->layer_count; i++) {
        mem_free(p->u[i]);
        mem_free(p->v[i]);
    }
    mem_free(p->before);
    mem_free(p->sigma);
    mem_free(p->others);
    mem_free(p->u);
    mem_free(p->v);
    mem_free(p->known);
    mem_free(p);
}

real *prober_vector(Prober *p, size_t layer, size_t *size, bool **known) {
    const Tensor *w = &p->model->layers[layer]->weight->tensor;
    *size = w->size / w->shape[0];
    *known = &p->known[layer];
    return p->u[layer];
}

/* One power iteration; false where u turned too far, or where W or W u has
 * no numbers to go by. */
static bool still_there(Prober *p, size_t i, const real *w, size_t rows, size_t columns,
                        double *sigma) {
    real *u = p->u[i];
    memcpy(p->before, u, columns * sizeof(real));
    *sigma = (double)spectral_step(w, rows, columns, u, p->v[i]);
    if (!isfinite(*sigma)) memcpy(u, p->before, columns * sizeof(real));
    return *sigma > 0 && isfinite(*sigma) &&
           2 * (1 - reduce_dot(p->before, u, columns)) < TURNED_MAX * TURNED_MAX;
}

static bool is_quick(const Prober *p, size_t i) {
    return p->frequent && (p->number + i) % THOROUGH != 0;
}

/* Exact the first time; then followed from the vectors of the last probe. */
static double norm_of(Prober *p, size_t i, const real *w, size_t rows, size_t columns) {
    if (!p->known[i]) {
        p->known[i] = true;
        return (double)spectral_norm(w, rows, columns, p->u[i], p->v[i]);
    }
    double sigma;
    if (is_quick(p, i) && still_there(p, i, w, rows, columns, &sigma)) return sigma;
    return (double)spectral_follow(w, rows, columns, p->u[i], p->v[i], 1e-3, 4);
}

double prober_sigma(Prober *p, size_t i) {
    const LinearLayer *layer = p->model->layers[i];
    const Tensor *w = &layer->weight->tensor;
    size_t rows = w->shape[0], columns = w->size / rows;
    const Reparam *r = layer->reparam;
    if (!r) return norm_of(p, i, w->value, rows, columns);
    if (r->scale.count == 1)
        return fabs((double)r->scale.value[0]) * norm_of(p, i, w->value, rows, columns);
    real *effective = mem_alloc(w->size * sizeof(real));
    reparam_effective(r, effective);
    double sigma = norm_of(p, i, effective, rows, columns);
    mem_free(effective);
    return sigma;
}

MeasureLevel probe_level(const ProbeConfig *config, size_t step) {
    size_t every = config->heads_every;
    if (!config->entropy) return MEASURE_NOTHING;
    return every && (step % every == 0 || step == 1) ? MEASURE_HEADS : MEASURE_INPUTS;
}

void prober_look(Prober *p, const ProbeConfig *config, size_t step) {
    p->frequent = config->every <= FREQUENT;
    p->number = step / config->every;
    for (size_t i = 0; i < p->model->layer_count; i++) {
        const Reparam *r = p->model->layers[i]->reparam;
        bool gains = config->spectral && r && r->gamma;
        p->sigma[i] = config->spectral ? prober_sigma(p, i) : (double)NAN;
        p->gamma[i] = gains ? (double)r->gamma->tensor.value[0] : (double)NAN;
    }
}

/* ---- rows ---- */

static const OptimMove UNMOVED = {NAN, NAN, NAN, NAN};

/* Without an update gradients are read where they are.  What is not trained has none. */
static OptimMove move_of(const Optimizer *optim, const Param *param) {
    const Tensor *w = &param->tensor;
    OptimMove move;
    if (!param_moves(param)) return UNMOVED;
    if (optim && optim_move(optim, param, &move) && !isnan(move.grad)) return move;
    return (OptimMove){.value = NAN,
                       .update = NAN,
                       .grad = sqrt(reduce_sum_squares(w->grad, w->size)),
                       .largest_grad = (double)reduce_max_abs(w->grad, w->size)};
}

static void add_numbers(json_t *row, const Optimizer *optim, const Param *param) {
    OptimMove move = move_of(optim, param);
    json_object_set_new(row, "grad_inf", json_number(move.largest_grad));
    json_object_set_new(row, "grad_norm", json_number(move.grad));
    json_object_set_new(row, "update", json_number(move.update));
    json_object_set_new(row, "update_ratio", json_number(move.update / move.value));
}

static json_t *layer_row(const Prober *p, const ProbeConfig *config, size_t i,
                         const Optimizer *optim) {
    const LinearLayer *layer = p->model->layers[i];
    json_t *row = json_pack("{s:s}", "name", layer->name);
    if (config->spectral) {
        json_object_set_new(row, "sigma", json_number(p->sigma[i]));
        json_object_set_new(row, "gamma", json_number(p->gamma[i]));
    }
    if (config->gradients) add_numbers(row, optim, layer->weight);
    return row;
}

/* "conv" of "conv.weight", as layers are named. */
static json_t *other_row(const Param *param, const Optimizer *optim) {
    static const char END[] = ".weight";
    size_t length = strlen(param->name), end = sizeof END - 1;
    bool ends = length > end && !strcmp(param->name + length - end, END);
    json_t *row = json_object();
    json_object_set_new(row, "name",
                        json_stringn(param->name, ends ? length - end : length));
    add_numbers(row, optim, param);
    return row;
}

static json_t *weight_rows(const Prober *p, const ProbeConfig *config,
                           const Optimizer *optim) {
    json_t *rows = json_array();
    for (size_t i = 0; i < p->model->layer_count; i++)
        json_array_append_new(rows, layer_row(p, config, i, optim));
    for (size_t i = 0; config->gradients && i < p->other_count; i++)
        json_array_append_new(rows, other_row(p->others[i], optim));
    return rows;
}

json_t *prober_row(Prober *p, const ProbeConfig *config, size_t step,
                   const Optimizer *optim) {
    json_t *row = json_pack("{s:I}", "step", (json_int_t)step);
    if (config->entropy)
        json_object_set_new(row, "attention", probe_sites(p->model, p->sigma));
    if (config->spectral || config->gradients)
        json_object_set_new(row, "weights", weight_rows(p, config, optim));
    return row;
}

#include "tools/run/probe.h"

#include <math.h>
#include <string.h>

#include "engine/kern/reduce.h"
#include "engine/reparam/spectral.h"
#include "engine/reparam/track.h"
#include "tools/run/probe_sites.h"
#include "tools/run/rundir.h"

/* Probes that come as often as every FREQUENT steps find W hardly moved: one look at each
 * tells, or a few until the norm is off by less than OFF_MAX.  What they track does not
 * know of a singular value outside its space, so one layer in THOROUGH is followed
 * without it at each such probe, in turn: what a probe costs is spread evenly.  That turn
 * goes by the step, so a resumed run has it. */
enum { FREQUENT = 4, THOROUGH = 32, LOOKS_MAX = 8, SETTLING = 32 };
static const double OFF_MAX = 5e-4; /* estimated; golden trajectories ask for 1e-3 */

struct Prober {
    const Model *model;
    bool frequent; /* the probe that is being taken */
    size_t number; /* of it */
    real **space;  /* [layer_count] of engine/reparam/track.h; u first, then zeros until
                    * frequent probes need it */
    real *v;       /* of the widest layer; not kept */
    bool *known;   /* [layer_count] u follows the weight */
    double *sigma; /* [layer_count] of the last look, as is gamma; NaN: it has none */
    double *gamma;
    const Param **others; /* [other_count] weight matrices that are no layers */
    size_t other_count;
};

static size_t columns_of(const Tensor *w) { return w->size / w->shape[0]; }

/* Nothing but u is known. */
static bool is_fresh(const real *space, size_t columns) {
    for (size_t j = columns; j < TRACK_SPACE * columns; j++)
        if (space[j] != 0) return false;
    return true;
}

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
    p->space = mem_zalloc(count * sizeof *p->space);
    p->known = mem_zalloc(count * sizeof *p->known);
    p->sigma = mem_zalloc(2 * count * sizeof *p->sigma);
    p->gamma = p->sigma + count;
    for (size_t i = 0; i < 2 * count; i++) p->sigma[i] = NAN;
    find_others(p);
    size_t widest = 0;
    for (size_t i = 0; i < count; i++) {
        const Tensor *w = &model->layers[i]->weight->tensor;
        p->space[i] = mem_zalloc(TRACK_SPACE * columns_of(w) * sizeof(real));
        widest = MAX(widest, w->shape[0]);
    }
    p->v = mem_alloc(widest * sizeof(real));
    return p;
}

void prober_free(Prober *p) {
    if (!p) return;
    for (size_t i = 0; i < p->model->layer_count; i++) mem_free(p->space[i]);
    mem_free(p->sigma);
    mem_free(p->others);
    mem_free(p->space);
    mem_free(p->v);
    mem_free(p->known);
    mem_free(p);
}

real *prober_vectors(Prober *p, size_t layer, size_t *size, bool **known) {
    *size = columns_of(&p->model->layers[layer]->weight->tensor);
    *known = &p->known[layer];
    return p->space[layer];
}

/* From u alone: exact the first time, then rounds of Lanczos iteration. */
static double follow(Prober *p, size_t i, const real *w, size_t rows, size_t columns) {
    real *u = p->space[i];
    if (p->known[i]) return (double)spectral_follow(w, rows, columns, u, p->v, 1e-3, 4);
    p->known[i] = true;
    return (double)spectral_norm(w, rows, columns, u, p->v);
}

/* One look, or a few until the norm is close; NaN: it is not after LOOKS_MAX, or W has no
 * numbers to go by. */
static double look(Prober *p, size_t i, const real *w, size_t rows, size_t columns) {
    for (size_t looks = 0; looks < LOOKS_MAX; looks++) {
        Track t = track_look(w, rows, columns, p->space[i]);
        if (t.off <= OFF_MAX) return t.sigma;
    }
    return (double)NAN;
}

/* Follows u, and brings what is tracked beside it into line. */
static double look_around(Prober *p, size_t i, const real *w, size_t rows,
                          size_t columns) {
    real *space = p->space[i];
    bool fresh = is_fresh(space, columns);
    double sigma = follow(p, i, w, rows, columns);
    track_fill(space, columns);
    for (size_t looks = 0; fresh && looks < SETTLING; looks++)
        track_look(w, rows, columns, space);
    return isfinite(sigma) ? fmax(sigma, look(p, i, w, rows, columns)) : sigma;
}

static double norm_of(Prober *p, size_t i, const real *w, size_t rows, size_t columns) {
    real *space = p->space[i];
    if (!p->frequent) {
        memset(space + columns, 0, (TRACK_SPACE - 1) * columns * sizeof(real));
        return follow(p, i, w, rows, columns);
    }
    double sigma = (double)NAN;
    bool turn = (p->number + i) % THOROUGH == 0;
    if (p->known[i] && !turn && !is_fresh(space, columns))
        sigma = look(p, i, w, rows, columns);
    return isfinite(sigma) ? sigma : look_around(p, i, w, rows, columns);
}

double prober_sigma(Prober *p, size_t i) {
    const LinearLayer *layer = p->model->layers[i];
    const Tensor *w = &layer->weight->tensor;
    size_t rows = w->shape[0], columns = columns_of(w);
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

/* Copies what layer i is followed with, out or back: its numbers. */
static size_t keep_space(Prober *p, size_t i, real *kept, bool out) {
    size_t size = TRACK_SPACE * columns_of(&p->model->layers[i]->weight->tensor);
    memcpy(out ? kept : p->space[i], out ? p->space[i] : kept, size * sizeof *kept);
    return size;
}

void prober_glance(Prober *p, const ProbeConfig *config, size_t step) {
    size_t count = p->model->layer_count, total = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        total += TRACK_SPACE * columns_of(&p->model->layers[i]->weight->tensor);
    real *space = mem_alloc(MAX(total, (size_t)1) * sizeof *space);
    bool *known = mem_alloc(MAX(count, (size_t)1) * sizeof *known);
    for (size_t i = 0; i < count; i++) at += keep_space(p, i, space + at, true);
    memcpy(known, p->known, count * sizeof *known);
    prober_look(p, config, step);
    at = 0;
    for (size_t i = 0; i < count; i++) at += keep_space(p, i, space + at, false);
    memcpy(p->known, known, count * sizeof *known);
    mem_free(space);
    mem_free(known);
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

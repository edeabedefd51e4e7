#include "engine/reparam/reparam.h"

#include <math.h>
#include <string.h>

#include "engine/kern/reduce.h"
#include "engine/reparam/spectral.h"

/* One row a method; `none` has no Reparam at all. */
typedef struct Method {
    bool has_gamma, has_vectors, has_rows; /* gamma; u and v; g */
    bool by_row;                           /* a number of `scale` for each row */
    void (*rescale)(Reparam *r);           /* fills scale from companions */
    void (*fold)(Reparam *r);
    const char *keys; /* that act for it and not for all methods */
} Method;

static size_t rows_of(const Reparam *r) { return r->w->tensor.shape[0]; }

static size_t columns_of(const Reparam *r) { return r->w->tensor.size / rows_of(r); }

/* ---- sigma and spectral ---- */

/* gamma / sigma, with gamma = 1 under `spectral`; 0 when sigma is 0. */
static void rescale_sigma(Reparam *r) {
    real gamma = r->gamma ? r->gamma->tensor.value[0] : 1;
    r->factors[0] = r->sigma != 0 ? gamma / r->sigma : 0;
}

/* dW = s (G - a v u^T) with a = <G,W>/sigma and s the scale; d gamma += a. */
static void fold_sigma(Reparam *r) {
    size_t rows = rows_of(r), columns = columns_of(r);
    real *g = r->w->tensor.grad, s = r->scale.value[0];
    const real *u = r->u->tensor.value, *v = r->v->tensor.value;
    double inner = reduce_dot(g, r->w->tensor.value, rows * columns);
    real along = r->sigma != 0 ? (real)(inner / (double)r->sigma) : 0;
#pragma omp parallel for schedule(static) if (rows * columns > 16384)
    for (size_t i = 0; i < rows; i++) {
        real *row = g + i * columns, t = along * v[i];
#pragma omp simd
        for (size_t j = 0; j < columns; j++) row[j] = s * (row[j] - t * u[j]);
    }
    if (!r->gamma) return;
    Tensor *gamma = &r->gamma->tensor;
    gamma->grad[0] = (gamma->grad_written ? gamma->grad[0] : 0) + along;
    gamma->grad_written = true;
}

/* ---- weight norm ---- */

static void rescale_weight(Reparam *r) {
    size_t columns = columns_of(r);
    const real *w = r->w->tensor.value, *g = r->g->tensor.value;
#pragma omp parallel for schedule(static) if (r->w->tensor.size > 16384)
    for (size_t i = 0; i < rows_of(r); i++) {
        double norm = sqrt(reduce_sum_squares(w + i * columns, columns));
        r->factors[i] = norm == 0 ? 0 : (real)((double)g[i] / norm);
    }
}

static void fold_weight(Reparam *r) {
    size_t rows = rows_of(r), columns = columns_of(r);
    Tensor *gain = &r->g->tensor;
    bool add = gain->grad_written;
#pragma omp parallel for schedule(static) if (rows * columns > 16384)
    for (size_t i = 0; i < rows; i++) {
        const real *w = r->w->tensor.value + i * columns;
        real *g = r->w->tensor.grad + i * columns, s = r->scale.value[i];
        double squares = reduce_sum_squares(w, columns),
               inner = reduce_dot(g, w, columns);
        real along = squares == 0 ? 0 : (real)(inner / squares);
        real d = squares == 0 ? 0 : (real)(inner / sqrt(squares));
        gain->grad[i] = (add ? gain->grad[i] : 0) + d;
#pragma omp simd
        for (size_t j = 0; j < columns; j++) g[j] = s * (g[j] - along * w[j]);
    }
    gain->grad_written = true;
}

static const Method METHODS[] = {
    [REPARAM_NONE] = {false, false, false, false, NULL, NULL, ""},
    [REPARAM_SIGMA] = {true, true, false, false, rescale_sigma, fold_sigma,
                       "gamma_init|uv_init|power_steps|gamma_lr_scale"},
    [REPARAM_SPECTRAL] = {false, true, false, false, rescale_sigma, fold_sigma,
                          "uv_init|power_steps"},
    [REPARAM_WEIGHT] = {false, false, true, true, rescale_weight, fold_weight,
                        "gamma_lr_scale"},
};

const char *reparam_name(ReparamMethod method) {
#define NAME(METHOD, name) #name,
    static const char *const NAMES[] = {REPARAM_LIST(NAME)};
#undef NAME
    return NAMES[method];
}

const char *reparam_keys(ReparamMethod method) { return METHODS[method].keys; }

bool reparam_sets_norm(ReparamMethod method) { return METHODS[method].has_vectors; }

/* ---- life ---- */

/* "X" of "X.weight". */
static int stem_length(const Param *w) {
    const char *dot = strrchr(w->name, '.');
    CHECK(dot && !strcmp(dot, ".weight"), "reparametrisation of %s", w->name);
    return (int)(dot - w->name);
}

Reparam *reparam_new(ParamSet *params, Param *w, ReparamMethod method) {
    const Method *m = &METHODS[method];
    CHECK(m->fold, "reparam_new with method none");
    Reparam *r = mem_zalloc(sizeof *r);
    r->method = method;
    r->w = w;
    r->power_steps = 1;
    size_t rows = rows_of(r), columns = columns_of(r), one = 1;
    int stem = stem_length(w);
    if (m->has_gamma)
        r->gamma = params_add(params, PARAM_GAIN, 1, &one, "%.*s.gamma", stem, w->name);
    if (m->has_rows)
        r->g = params_add(params, PARAM_GAIN, 1, &rows, "%.*s.g", stem, w->name);
    if (m->has_vectors) {
        r->u = params_add(params, PARAM_BUFFER, 1, &columns, "%.*s.u", stem, w->name);
        r->v = params_add(params, PARAM_BUFFER, 1, &rows, "%.*s.v", stem, w->name);
    }
    size_t count = m->by_row ? rows : 1;
    r->factors = mem_zalloc(count * sizeof(real));
    r->scale = (Scale){r->factors, count};
    return r;
}

void reparam_free(Reparam *r) {
    if (!r) return;
    mem_free(r->factors);
    mem_free(r);
}

static void start_vectors(Reparam *r, ReparamHave have) {
    const real *w = r->w->tensor.value;
    real *u = r->u->tensor.value, *v = r->v->tensor.value;
    size_t rows = rows_of(r), columns = columns_of(r);
    if (!have.u) {
        r->sigma = spectral_norm(w, rows, columns, u, v);
    } else if (!have.v) {
        real *ahead = mem_alloc(columns * sizeof(real));
        memcpy(ahead, u, columns * sizeof(real));
        spectral_step(w, rows, columns, ahead, v);
        mem_free(ahead);
    }
    r->sigma = spectral_form(w, rows, columns, u, v);
}

static void start_rows(Reparam *r) {
    size_t columns = columns_of(r);
    const real *w = r->w->tensor.value;
    for (size_t i = 0; i < rows_of(r); i++)
        r->g->tensor.value[i] = (real)sqrt(reduce_sum_squares(w + i * columns, columns));
}

/* gamma = the spectral norm of W itself, also where u came from a file and
 * is not its vector. */
static real spectral_gamma(const Reparam *r, bool exact_vectors) {
    if (exact_vectors) return r->sigma;
    size_t rows = rows_of(r), columns = columns_of(r);
    real *u = mem_alloc((rows + columns) * sizeof(real));
    real sigma = spectral_norm(r->w->tensor.value, rows, columns, u, u + columns);
    mem_free(u);
    return sigma;
}

static void rescale(Reparam *r) {
    METHODS[r->method].rescale(r);
    for (size_t i = 0; r->plain && i < r->scale.count; i++) r->factors[i] = 1;
}

void reparam_start(Reparam *r, bool gamma_spectral, ReparamHave have) {
    r->plain = false;
    if (r->u) start_vectors(r, have);
    if (r->gamma && !have.gain)
        r->gamma->tensor.value[0] =
            gamma_spectral ? spectral_gamma(r, r->u && !have.u) : 1;
    if (r->g && !have.gain) start_rows(r);
    rescale(r);
}

void reparam_plain(Reparam *r) {
    if (r->gamma) r->gamma->tensor.value[0] = spectral_gamma(r, false);
    if (r->g) start_rows(r);
    r->plain = true;
    rescale(r);
}

void reparam_draw(Reparam *r, Rng rng) {
    if (!r->u) return;
    real *u = r->u->tensor.value;
    size_t columns = columns_of(r);
    for (size_t j = 0; j < columns; j++) u[j] = (real)rng_normal(rng, j);
    real norm = (real)sqrt(reduce_sum_squares(u, columns));
    for (size_t j = 0; j < columns; j++) u[j] /= norm;
}

/* ---- a step ---- */

static void iterate(Reparam *r) {
    const real *w = r->w->tensor.value;
    real *u = r->u->tensor.value, *v = r->v->tensor.value;
    size_t rows = rows_of(r), columns = columns_of(r);
    if (r->power_steps == POWER_STEPS_AUTO)
        r->sigma = spectral_settle(w, rows, columns, u, v, POWER_GAIN, POWER_STEPS_MOST);
    for (size_t i = 0; i < r->power_steps; i++)
        r->sigma = spectral_step(w, rows, columns, u, v);
}

void reparam_refresh(Reparam *r) {
    if (r->u && !r->w->frozen) iterate(r);
    r->plain = false;
    rescale(r);
}

void reparam_settle(Reparam *r) {
    if (r->u)
        r->sigma = spectral_follow(r->w->tensor.value, rows_of(r), columns_of(r),
                                   r->u->tensor.value, r->v->tensor.value,
                                   SPECTRAL_RESIDUAL, SPECTRAL_ROUNDS);
    rescale(r);
}

void reparam_freeze(Reparam *r) {
    if (r->u)
        r->sigma = spectral_form(r->w->tensor.value, rows_of(r), columns_of(r),
                                 r->u->tensor.value, r->v->tensor.value);
    rescale(r);
}

static void drop_frozen(const Param *param) {
    if (param && param->frozen)
        memset(param->tensor.grad, 0, param->tensor.size * sizeof(real));
}

/* Without a scale nothing depends on the gains. */
static void fold_plain(Reparam *r) {
    Param *gain = r->gamma ? r->gamma : r->g;
    if (!gain || gain->tensor.grad_written) return;
    memset(gain->tensor.grad, 0, gain->tensor.size * sizeof(real));
    gain->tensor.grad_written = true;
}

void reparam_fold(Reparam *r) {
    if (!r->w->tensor.needs_grad) return;
    if (r->plain) fold_plain(r);
    else METHODS[r->method].fold(r);
    drop_frozen(r->w);
    drop_frozen(r->gamma);
    drop_frozen(r->g);
}

void reparam_see_frozen(Reparam *r) {
    const Param *gain = r->gamma ? r->gamma : r->g;
    r->w->tensor.needs_grad = !r->w->frozen || (gain && !gain->frozen);
}

void reparam_effective(const Reparam *r, real *w_hat) {
    size_t columns = columns_of(r);
    for (size_t i = 0; i < rows_of(r); i++) {
        real s = r->scale.value[r->scale.count == 1 ? 0 : i];
        for (size_t j = 0; j < columns; j++)
            w_hat[i * columns + j] = s * r->w->tensor.value[i * columns + j];
    }
}

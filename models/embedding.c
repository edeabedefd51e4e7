#include "models/embedding.h"

#include <math.h>
#include <string.h>

/* Band i has tokens [first, first + rows) of vectors d_i = D / factor^i. */
static void build_bands(Model *model, Embedding *e, const char *prefix, size_t vocab) {
    const ModelConfig *c = &model->config;
    e->band_count = c->cutoff_count + 1;
    for (size_t i = 0, first = 0; i < e->band_count; i++) {
        size_t end = i < c->cutoff_count ? (size_t)c->cutoffs[i] : vocab;
        double share = pow(c->adaptive_factor, (double)i);
        size_t width = MAX((size_t)((double)c->width / share), (size_t)1);
        e->bands[i] =
            params_add(model->params, PARAM_MATRIX, 2, (size_t[]){end - first, width},
                       "%sembed.%zu.weight", prefix, i);
        e->projs[i] =
            params_add(model->params, PARAM_MATRIX, 2, (size_t[]){c->width, width},
                       "%sembed.%zu.proj.weight", prefix, i);
        first = end;
    }
}

size_t embedding_bands(const Embedding *e, Band bands[BANDS_MAX]) {
    for (size_t i = 0; i < e->band_count; i++)
        bands[i] = (Band){&e->bands[i]->tensor, &e->projs[i]->tensor, NULL};
    return e->band_count;
}

void embedding_build(Model *model, Embedding *e, const char *prefix, size_t vocab,
                     size_t rows, Param *shared) {
    const ModelConfig *c = &model->config;
    bool sinusoidal = c->position == POSITION_SINUSOIDAL;
    *e = (Embedding){.table = shared,
                     .owns_table = !shared,
                     .sinusoidal = sinusoidal,
                     .scale = c->embed_scale,
                     .config = c};
    if (e->scale < 0) e->scale = sinusoidal ? sqrt((double)c->width) : 1;
    params_begin_front(model->params);
    if (c->cutoff_count) build_bands(model, e, prefix, vocab);
    else if (!shared)
        e->table = params_add(model->params, PARAM_MATRIX, 2, (size_t[]){vocab, c->width},
                              "%sembed.weight", prefix);
    if (c->position == POSITION_LEARNED)
        e->position = params_add(model->params, PARAM_VECTOR, 2,
                                 (size_t[]){rows, c->width}, "%spos_embed", prefix);
    params_end_front(model->params);
}

void embedding_release(Embedding *e) { mem_free(e->sines); }

void embedding_initialize(const Model *model, Embedding *e, uint64_t seed, bool unit,
                          size_t pad) {
    const ModelConfig *c = &model->config;
    size_t width = c->width;
    double std = unit || e->sinusoidal ? 1 / sqrt((double)width) : c->init_std;
    for (size_t i = 0; i < e->band_count; i++) {
        double columns = (double)tensor_last(&e->bands[i]->tensor);
        param_normal(e->bands[i], seed, 1 / sqrt(columns));
        param_uniform(e->projs[i], seed, sqrt(6 / (columns + (double)width)));
    }
    if (e->owns_table && e->table) {
        param_normal(e->table, seed, std);
        if (pad != SIZE_MAX) param_scale_rows(e->table, pad, 1, 0);
    }
    if (e->position) param_normal(e->position, seed, c->init_std);
}

/* ---- positions ---- */

enum { POSITION_FIRST = 2 }; /* fairseq's padding index + 1 */

static void fill_sines(real *row, size_t position, size_t width) {
    size_t half = width / 2;
    for (size_t k = 0; k < half; k++) {
        double step = half > 1 ? (double)k / (double)(half - 1) : 0;
        double angle = (double)position * pow(10000, -step);
        row[k] = (real)sin(angle);
        row[half + k] = (real)cos(angle);
    }
    if (width % 2) row[width - 1] = 0;
}

/* The table for `rows` positions: made anew, twice as long, when it is too short. */
static void need_sines(Embedding *e, size_t rows, size_t width) {
    if (rows <= e->sine_rows) return;
    rows = MAX(rows, 2 * e->sine_rows);
    MEM_DROP(e->sines);
    e->sines = mem_alloc(rows * width * sizeof(real));
    e->sine_rows = rows;
#pragma omp parallel for schedule(static)
    for (size_t t = 0; t < rows; t++)
        fill_sines(e->sines + t * width, t + POSITION_FIRST, width);
}

static Tensor *add_positions(Tape *tape, Embedding *e, Tensor *x, size_t first) {
    size_t length = x->shape[1], width = x->shape[2];
    if (e->position && !first) return op_add_position(tape, x, &e->position->tensor);
    real *rows = NULL;
    if (e->position) {
        CHECK(first + length <= e->position->tensor.shape[0], "position %zu of %zu",
              first + length, e->position->tensor.shape[0]);
        CHECK(!tape_mode(tape)->gradients, "positions from %zu on in training", first);
        rows = e->position->tensor.value + first * width;
    } else if (e->sinusoidal) {
        need_sines(e, first + length, width);
        /* The table may move before the step is over: a recomputed block never reads it
         * again, for positions are added outside of blocks. */
        rows = e->sines + first * width;
    }
    if (!rows) return x;
    return op_add_position(tape, x, tape_wrap(tape, rows, 2, (size_t[]){length, width}));
}

Tensor *embedding_forward(Tape *tape, Embedding *e, const ForwardMode *mode,
                          const TokenRows *tokens, size_t first) {
    Band *bands = tape_alloc(tape, BANDS_MAX * sizeof *bands);
    size_t count = embedding_bands(e, bands);
    Tensor *x = count ? op_adaptive_embedding(tape, bands, count, tokens->ids,
                                              tokens->batch, tokens->length, e->scale)
                      : op_embedding(tape, &e->table->tensor, tokens->ids, tokens->batch,
                                     tokens->length, e->scale);
    x = add_positions(tape, e, x, first);
    return op_dropout(tape, x, e->config->dropout, e->site, mode->first_example);
}

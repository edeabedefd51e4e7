#include "models/layer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/core/grow.h"
#include "engine/kern/reduce.h"

ModelConfig model_config_default(void) {
    return (ModelConfig){.width = 192,
                         .depth = 12,
                         .heads = 3,
                         .mlp_ratio = 4,
                         .patch = 4,
                         .power_steps = 1,
                         .final_norm = true,
                         .init_std = 0.02,
                         .temperature = 1,
                         .context = 256,
                         .embed_scale = -1,
                         .adaptive_factor = 4};
}

void model_init(Model *model, const ModelConfig *config) {
    *model = (Model){.config = *config, .params = params_new()};
}

void model_set_config(Model *model, const ModelConfig *config) {
    CHECK(config->width == model->config.width && config->depth == model->config.depth &&
              config->heads == model->config.heads,
          "a model of width %zu becomes one of %zu", model->config.width, config->width);
    model->config = model->own_config ? model->own_config(config) : *config;
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layers[i]->reparam)
            model->layers[i]->reparam->power_steps = config->power_steps;
}

void model_release(Model *model) {
    for (size_t i = 0; i < model->layer_count; i++)
        reparam_free(model->layers[i]->reparam);
    for (size_t i = 0; i < model->site_count; i++) {
        mem_free(model->sites[i]->entropy);
        mem_free(model->sites[i]->measured.sums);
        mem_free(model->sites[i]->measured.weights);
    }
    mem_free(model->layers);
    mem_free(model->sites);
    params_free(model->params);
}

/* ---- building ---- */

static bool in_scope(const ModelConfig *config, LayerPart part) {
    static const LayerPart LAST[] = {[SCOPE_AUTO] = PART_OUTSIDE,
                                     [SCOPE_ALL] = PART_OUTPUT,
                                     [SCOPE_BLOCKS] = PART_MLP,
                                     [SCOPE_ATTENTION] = PART_ATTENTION};
    return config->reparam != REPARAM_NONE && part <= LAST[config->reparam_scope];
}

static void build_plain(Model *model, LinearLayer *layer, bool bias, int dims,
                        const size_t *shape, const char *name) {
    text_format(layer->name, sizeof layer->name, "%s", name);
    layer->weight =
        params_add(model->params, PARAM_MATRIX, dims, shape, "%s.weight", name);
    layer->bias =
        bias ? params_add(model->params, PARAM_VECTOR, 1, shape, "%s.bias", name) : NULL;
    layer->reparam = NULL;
}

static void enlist(Model *model, LinearLayer *layer, bool reparam) {
    if (reparam) {
        layer->reparam = reparam_new(model->params, layer->weight, model->config.reparam);
        layer->reparam->power_steps = model->config.power_steps;
    }
    GROW(model->layers, model->layer_count, model->layer_room, 1);
    model->layers[model->layer_count++] = layer;
}

static void build(Model *model, LinearLayer *layer, LayerPart part, bool bias, int dims,
                  const size_t *shape, const char *name) {
    build_plain(model, layer, bias, dims, shape, name);
    enlist(model, layer, in_scope(&model->config, part));
}

void convolution_build(Model *model, LinearLayer *layer, const size_t shape[3],
                       const char *name) {
    const ModelConfig *c = &model->config;
    build_plain(model, layer, true, 3, shape, name);
    if (c->reparam_front && c->reparam != REPARAM_NONE) enlist(model, layer, true);
}

void linear_build_shaped(Model *model, LinearLayer *layer, LayerPart part, int dims,
                         const size_t *shape, const char *name) {
    build(model, layer, part, true, dims, shape, name);
}

void linear_build(Model *model, LinearLayer *layer, LayerPart part, bool bias, size_t out,
                  size_t in, const char *format, ...) {
    char name[sizeof layer->name];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    build(model, layer, part, bias, 2, (size_t[]){out, in}, name);
}

void output_build(Model *model, LinearLayer *layer, size_t out, size_t in,
                  const char *name) {
    size_t shape[] = {out, in};
    if (in_scope(&model->config, PART_OUTPUT))
        build(model, layer, PART_OUTPUT, false, 2, shape, name);
    else
        layer->weight =
            params_add(model->params, PARAM_MATRIX, 2, shape, "%s.weight", name);
}

void norm_build(Model *model, NormLayer *layer, double eps, const char *format, ...) {
    char name[100];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    const size_t *width = &model->config.width;
    layer->weight = params_add(model->params, PARAM_VECTOR, 1, width, "%s.weight", name);
    layer->bias = params_add(model->params, PARAM_VECTOR, 1, width, "%s.bias", name);
    layer->eps = eps;
}

void site_build(Model *model, Site *site, bool cross, const char *name) {
    size_t heads = model->config.heads;
    Measured *m = &site->measured;
    site->cross = cross;
    text_format(site->name, sizeof site->name, "%s", name);
    site->heads = heads;
    site->width = model->config.width;
    site->entropy = mem_zalloc(4 * heads * sizeof(double));
    site->largest = site->entropy + heads;
    site->stats.entropy = site->entropy + 2 * heads;
    site->stats.largest = site->entropy + 3 * heads;
    site->weight = 0;
    m->level = MEASURE_NOTHING;
    m->count = SUM_FIXED + heads + (cross ? 2 : 1) * site->width;
    m->sums = mem_zalloc(m->count * sizeof(double));
    m->weights = mem_zalloc(heads * sizeof *m->weights);
    GROW(model->sites, model->site_count, model->site_room, 1);
    model->sites[model->site_count++] = site;
}

/* ---- running ---- */

const Scale *linear_scale(const LinearLayer *layer) {
    return layer->reparam ? &layer->reparam->scale : NULL;
}

LinearArgs linear_args(const LinearLayer *layer, Tensor *x) {
    return (LinearArgs){.x = x,
                        .w = &layer->weight->tensor,
                        .b = layer->bias ? &layer->bias->tensor : NULL,
                        .scale = linear_scale(layer)};
}

Tensor *linear_forward(Tape *tape, const LinearLayer *layer, Tensor *x) {
    LinearArgs args = linear_args(layer, x);
    return op_linear_fused(tape, &args);
}

Tensor *model_output(const Model *model, Tape *tape, Tensor *x) {
    const OutputOp *op = &model->output_op;
    return op->run ? op->run(tape, op->context, x) : x;
}

Tensor *norm_forward(Tape *tape, const NormLayer *layer, Tensor *x) {
    if (!layer->weight) return x;
    return op_layer_norm(tape, x, &layer->weight->tensor, &layer->bias->tensor,
                         layer->eps);
}

Tensor *norm_forward_passing(Tape *tape, const NormLayer *layer, Tensor *x) {
    if (!layer->weight) return x;
    return op_layer_norm_passing(tape, x, &layer->weight->tensor, &layer->bias->tensor,
                                 layer->eps);
}

/* ---- initial values ---- */

/* FNV-1a: a parameter's stream depends on its name, not on its place in the model. */
static uint32_t name_hash(const char *name) {
    uint32_t hash = 2166136261u;
    for (; *name; name++) hash = (hash ^ (uint8_t)*name) * 16777619u;
    return hash;
}

void param_fill(Param *param, double value) {
    for (size_t i = 0; i < param->tensor.size; i++) param->tensor.value[i] = (real)value;
}

void norm_initialize(NormLayer *layer) {
    if (!layer->weight) return;
    param_fill(layer->weight, 1);
    param_fill(layer->bias, 0);
}

void param_normal(Param *param, uint64_t seed, double std) {
    Rng rng = rng_make(seed, RNG_INIT + name_hash(param->name), 0);
#pragma omp parallel for schedule(static) if (param->tensor.size > 8192)
    for (size_t i = 0; i < param->tensor.size; i++)
        param->tensor.value[i] = (real)(std * rng_normal(rng, i));
}

void param_uniform(Param *param, uint64_t seed, double bound) {
    Rng rng = rng_make(seed, RNG_INIT + name_hash(param->name), 0);
#pragma omp parallel for schedule(static) if (param->tensor.size > 8192)
    for (size_t i = 0; i < param->tensor.size; i++)
        param->tensor.value[i] = (real)(bound * (2 * rng_uniform(rng, i) - 1));
}

void param_scale_rows(Param *param, size_t first, size_t rows, double factor) {
    size_t columns = param->tensor.size / param->tensor.shape[0];
    CHECK(first + rows <= param->tensor.shape[0], "rows %zu+%zu of %s", first, rows,
          param->name);
    for (size_t i = first * columns; i < (first + rows) * columns; i++)
        param->tensor.value[i] *= (real)factor;
}

/* ---- what is not trained ---- */

static void each_reparam(Model *model, void (*visit)(Reparam *r)) {
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layers[i]->reparam) visit(model->layers[i]->reparam);
}

size_t model_freeze_params(Model *model, const char *name, size_t length) {
    size_t count = params_freeze(model->params, name, length);
    each_reparam(model, reparam_see_frozen);
    return count;
}

/* ---- the life of a step ---- */

/* GELU's gradient, the widest op, reads and writes four arrays of tokens x hidden.
 * Each further micro-batch reads the weights again, which stays small beside 8
 * tokens for each column. */
size_t model_parts(const ModelConfig *config, double tokens, size_t examples,
                   size_t cache) {
    enum { STREAMS = 4, TOKENS_A_COLUMN = 8 };
    double hidden = config->mlp_ratio * (double)config->width;
    double rows = tokens * (double)examples;
    double wanted =
        STREAMS * rows * hidden * sizeof(real) / (double)MAX(cache, (size_t)1);
    double most = rows / (double)(TOKENS_A_COLUMN * config->width);
    if (!cache || wanted <= 1 || most < 2) return 1;
    return MIN(MIN((size_t)ceil(wanted), (size_t)most), examples);
}

static bool brought(const Model *model, const bool *loaded, const Param *param) {
    if (!loaded || !param) return false;
    for (size_t i = 0; i < model->params->count; i++)
        if (model->params->list[i] == param) return loaded[i];
    return false;
}

void model_draw_vectors(Model *model, uint64_t seed) {
    if (model->config.uv_init != UV_RANDOM) return;
    for (size_t i = 0; i < model->layer_count; i++) {
        Reparam *r = model->layers[i]->reparam;
        if (r && r->u && !r->w->frozen)
            reparam_draw(r, rng_make(seed, RNG_INIT + name_hash(r->u->name), 0));
    }
}

static bool drawn(const Param *u) {
    return u && reduce_sum_squares(u->tensor.value, u->tensor.size) > 0;
}

void model_start(Model *model, const bool *loaded) {
    bool random = model->config.uv_init == UV_RANDOM;
    for (size_t i = 0; i < model->layer_count; i++) {
        Reparam *r = model->layers[i]->reparam;
        if (!r) continue;
        ReparamHave have = {brought(model, loaded, r->u) || (random && drawn(r->u)),
                            brought(model, loaded, r->v),
                            brought(model, loaded, r->gamma ? r->gamma : r->g)};
        reparam_start(r, model->config.gamma_init == GAMMA_SPECTRAL, have);
    }
}

void model_start_plain(Model *model, const bool *loaded) {
    model_start(model, loaded);
    for (size_t i = 0; i < model->layer_count; i++) {
        Reparam *r = model->layers[i]->reparam;
        if (!r || !brought(model, loaded, r->w)) continue;
        const Param *gain = r->gamma ? r->gamma : r->g;
        if (!brought(model, loaded, gain ? gain : r->u)) reparam_plain(r);
    }
}

void model_refresh(Model *model) { each_reparam(model, reparam_refresh); }

void model_settle(Model *model) { each_reparam(model, reparam_settle); }

void model_freeze(Model *model) { each_reparam(model, reparam_freeze); }

void model_fold(Model *model) { each_reparam(model, reparam_fold); }

void model_stats_reset(Model *model) {
    for (size_t i = 0; i < model->site_count; i++) model->sites[i]->weight = 0;
}

static void gather(Site *site) {
    double before = site->weight, weight = (double)site->stats.queries;
    double total = before + weight;
    if (weight == 0) return;
    for (size_t h = 0; h < site->heads; h++) {
        double old = before > 0 ? site->entropy[h] * before : 0;
        site->entropy[h] = (old + site->stats.entropy[h] * weight) / total;
        if (before == 0 || !(site->largest[h] >= site->stats.largest[h]))
            site->largest[h] = site->stats.largest[h];
    }
    double keys = (double)site->stats.keys;
    site->keys = before > 0 ? MAX(site->keys, keys) : keys;
    double old = before > 0 ? site->uniform * before : 0;
    site->uniform = (old + site->stats.uniform * weight) / total;
    site->weight = total;
}

void model_stats_gather(Model *model) {
    for (size_t i = 0; i < model->site_count; i++) gather(model->sites[i]);
}

double model_lowest_entropy(const Model *model, const char **site) {
    double lowest = 1;
    *site = "";
    for (size_t i = 0; i < model->site_count; i++) {
        const Site *s = model->sites[i];
        if (s->weight == 0 || !(s->uniform > 0)) continue;
        double sum = 0;
        for (size_t h = 0; h < s->heads; h++) sum += s->entropy[h];
        double share = sum / (double)s->heads / s->uniform;
        if (!(share < lowest)) continue;
        lowest = share;
        *site = s->name;
    }
    return lowest;
}

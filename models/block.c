#include "models/block.h"

#include <math.h>

double deepnorm_alpha(size_t depth) { return pow(2 * (double)depth, 0.25); }

double deepnorm_beta(size_t depth) { return pow(8 * (double)depth, -0.25); }

/* ---- building ---- */

/* Names and heights (in widths) of the query, key and value matrices of each grouping. */
static const struct {
    const char *name[3];
    size_t height[3], count;
} GROUPS[] = {
    [QKV_JOINT] = {{"qkv"}, {3}, 1},
    [QKV_QK_V] = {{"qk", "v"}, {2, 1}, 2},
    [QKV_SEPARATE] = {{"q", "k", "v"}, {1, 1, 1}, 3},
};

void block_build(Model *model, Block *block, size_t index, double eps) {
    const ModelConfig *c = &model->config;
    size_t width = c->width, hidden = (size_t)llround(c->mlp_ratio * (double)width);
    bool normed = c->norm != NORM_NONE;
    *block = (Block){.index = index,
                     .dropout = c->dropout,
                     .activation = c->activation,
                     .norm = c->norm,
                     .grouping = c->qkv};
    block->alpha = c->norm == NORM_DEEPNORM ? deepnorm_alpha(c->depth) : 1;
    block->drop_path =
        c->depth > 1 ? c->drop_path * (double)index / (double)(c->depth - 1) : 0;
    text_format(block->attn_scope, sizeof block->attn_scope, "blocks.%zu.attn", index);
    text_format(block->mlp_scope, sizeof block->mlp_scope, "blocks.%zu.mlp", index);
    if (normed) norm_build(model, &block->norm1, eps, "blocks.%zu.norm1", index);
    for (size_t i = 0; i < GROUPS[c->qkv].count; i++)
        linear_build(model, &block->qkv[i], PART_ATTENTION,
                     GROUPS[c->qkv].height[i] * width, width, "%s.%s", block->attn_scope,
                     GROUPS[c->qkv].name[i]);
    linear_build(model, &block->proj, PART_ATTENTION, width, width, "%s.proj",
                 block->attn_scope);
    if (normed) norm_build(model, &block->norm2, eps, "blocks.%zu.norm2", index);
    linear_build(model, &block->fc1, PART_MLP, hidden, width, "%s.fc1", block->mlp_scope);
    linear_build(model, &block->fc2, PART_MLP, width, hidden, "%s.fc2", block->mlp_scope);
    site_build(model, &block->site, c->heads, block->attn_scope);
}

static void initialize_norm(NormLayer *norm) {
    if (!norm->weight) return;
    param_fill(norm->weight, 1);
    param_fill(norm->bias, 0);
}

static void initialize_linear(LinearLayer *layer, uint64_t seed, double std) {
    param_normal(layer->weight, seed, std);
    param_fill(layer->bias, 0);
}

void block_initialize(const Model *model, Block *block, uint64_t seed) {
    const ModelConfig *c = &model->config;
    double std = c->init_std;
    double beta = c->norm == NORM_DEEPNORM ? deepnorm_beta(c->depth) : 1;
    size_t groups = GROUPS[c->qkv].count;
    initialize_norm(&block->norm1);
    initialize_norm(&block->norm2);
    for (size_t i = 0; i < groups; i++) initialize_linear(&block->qkv[i], seed, std);
    Param *values =
        block->qkv[groups - 1].weight; /* the value rows are the last D of it */
    param_scale_rows(values, values->tensor.shape[0] - c->width, c->width, beta);
    initialize_linear(&block->proj, seed, std * beta);
    initialize_linear(&block->fc1, seed, std * beta);
    initialize_linear(&block->fc2, seed, std * beta);
}

/* ---- running ---- */

static const NormLayer IDENTITY = {0};

static const NormLayer *norm_before(const Block *block, const NormLayer *norm) {
    return block->norm == NORM_PRE ? norm : &IDENTITY;
}

/* The first product of a branch, with the norm that may stand before it. */
static Tensor *enter(Tape *tape, const LinearLayer *layer, const NormLayer *norm,
                     Tensor *x) {
    LinearArgs args = linear_args(layer, x);
    if (norm->weight) {
        args.intake = INTAKE_NORM;
        args.gain = &norm->weight->tensor;
        args.bias = &norm->bias->tensor;
        args.eps = norm->eps;
    }
    return op_linear_fused(tape, &args);
}

/* Queries, keys and values out of one, two or three products. */
static void project(Tape *tape, const Block *block, Tensor *x, AttentionArgs *args) {
    size_t width = tensor_last(x), count = GROUPS[block->grouping].count;
    const NormLayer *norm = norm_before(block, &block->norm1);
    Tensor *y[3];
    if (count > 1) x = norm_forward(tape, norm, x), norm = &IDENTITY;
    for (size_t i = 0; i < count; i++) y[i] = enter(tape, &block->qkv[i], norm, x);
    switch (block->grouping) {
    case QKV_JOINT:
        args->q = (Slice){y[0], 0}, args->k = (Slice){y[0], width};
        args->v = (Slice){y[0], 2 * width};
        break;
    case QKV_QK_V:
        args->q = (Slice){y[0], 0}, args->k = (Slice){y[0], width},
        args->v = (Slice){y[1], 0};
        break;
    case QKV_SEPARATE:
        args->q = (Slice){y[0], 0}, args->k = (Slice){y[1], 0},
        args->v = (Slice){y[2], 0};
        break;
    }
}

static Tensor *attend(Tape *tape, Block *block, const ForwardMode *mode, Tensor *x,
                      size_t outputs) {
    size_t heads = block->site.heads;
    AttentionArgs args = {.heads = heads,
                          .head_width = tensor_last(x) / heads,
                          .outputs = outputs,
                          .temperature = mode->temperature,
                          .stats = &block->site.stats};
    project(tape, block, x, &args);
    return op_attention(tape, &args);
}

/* The end of a residual step: the last product of the branch, what is random about it, the sum
 * with x, the norm that may stand behind it.  `site` numbers the random masks. */
static Tensor *leave(Tape *tape, const Block *block, const ForwardMode *mode,
                     LinearArgs args, const NormLayer *norm, uint32_t site, Tensor *x) {
    size_t first = mode->first_example;
    bool dropout = block->dropout > 0 && tape_mode(tape)->training;
    if (block->norm == NORM_PRE) norm = &IDENTITY;
    args.last = args.last && !norm->weight && !dropout;
    if (dropout) {
        Tensor *y = op_linear_fused(tape, &args);
        y = op_dropout(tape, y, block->dropout, site, first);
        y = op_drop_path(tape, y, block->drop_path, site, first);
        return norm_forward(tape, norm, op_add(tape, x, y, block->alpha));
    }
    args.residual = x;
    args.alpha = block->alpha;
    args.keep = drop_path_factors(tape, x->shape[0], block->drop_path, site, first);
    return norm_forward(tape, norm, op_linear_fused(tape, &args));
}

static Tensor *forward(Tape *tape, Block *block, const ForwardMode *mode, Tensor *x,
                       bool first) {
    uint32_t site = 2 * (uint32_t)block->index + 1; /* 0 is the embedding's */
    tape_scope(tape, block->attn_scope);
    Tensor *y = attend(tape, block, mode, x, first);
    if (first) x = op_take_token(tape, x, 0), y = op_take_token(tape, y, 0);
    LinearArgs proj = linear_args(&block->proj, y);
    x = leave(tape, block, mode, proj, &block->norm1, site, x);
    tape_scope(tape, block->mlp_scope);
    const NormLayer *norm = norm_before(block, &block->norm2);
    LinearArgs fc2 = linear_args(&block->fc2, enter(tape, &block->fc1, norm, x));
    fc2.intake = block->activation == ACTIVATION_RELU ? INTAKE_RELU : INTAKE_GELU;
    fc2.last = true;
    return leave(tape, block, mode, fc2, &block->norm2, site + 1, x);
}

Tensor *block_forward(Tape *tape, Block *block, const ForwardMode *mode, Tensor *x) {
    return forward(tape, block, mode, x, false);
}

Tensor *block_forward_first(Tape *tape, Block *block, const ForwardMode *mode,
                            Tensor *x) {
    return forward(tape, block, mode, x, true);
}

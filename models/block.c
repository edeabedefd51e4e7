#include "models/block.h"

#include <math.h>

#include "models/look.h"
#include "models/temperature.h"

double deepnorm_alpha(size_t depth) { return pow(2 * (double)depth, 0.25); }

double deepnorm_beta(size_t depth) { return pow(8 * (double)depth, -0.25); }

BlockSpec block_spec_alone(const ModelConfig *config, bool causal, double eps) {
    bool deep = config->norm == NORM_DEEPNORM;
    return (BlockSpec){.prefix = "",
                       .depth = config->depth,
                       .causal = causal,
                       .alpha = deep ? deepnorm_alpha(config->depth) : 1,
                       .beta = deep ? deepnorm_beta(config->depth) : 1,
                       .eps = eps};
}

/* ---- building ---- */

/* Names and heights (in widths) of the input matrices of each grouping; the last of them
 * ends with the values. */
typedef struct Grouping {
    const char *name[3];
    size_t height[3], count;
} Grouping;

static const Grouping SELF[] = {
    [QKV_JOINT] = {{"qkv"}, {3}, 1},
    [QKV_QK_V] = {{"qk", "v"}, {2, 1}, 2},
    [QKV_SEPARATE] = {{"q", "k", "v"}, {1, 1, 1}, 3},
};
static const Grouping CROSS[] = {
    [QKV_JOINT] = {{"q", "kv"}, {1, 2}, 2},
    [QKV_QK_V] = {{"q", "k", "v"}, {1, 1, 1}, 3},
    [QKV_SEPARATE] = {{"q", "k", "v"}, {1, 1, 1}, 3},
};

static void attention_build(Model *model, AttentionPart *part, bool cross, bool bare,
                            const char *scope) {
    size_t width = model->config.width;
    const Grouping *grouping = &(cross ? CROSS : SELF)[model->config.qkv];
    part->in_count = grouping->count;
    if (bare)
        part->shift =
            params_add(model->params, PARAM_VECTOR, 1, (size_t[]){1}, "%s.shift", scope);
    for (size_t i = 0; i < grouping->count; i++)
        linear_build(model, &part->in[i], PART_ATTENTION, !bare,
                     grouping->height[i] * width, width, "%s.%s", scope,
                     grouping->name[i]);
    linear_build(model, &part->proj, PART_ATTENTION, !bare, width, width, "%s.proj",
                 scope);
    site_build(model, &part->site, cross, scope);
    bool shared = grouping->height[0] > 1; /* keys stand below the queries */
    part->site.query = &part->in[0];
    part->site.key = &part->in[!shared];
    part->site.key_row = shared ? width : 0;
}

static void take_config(Block *block, const ModelConfig *c, const BlockSpec *spec) {
    block->config = c;
    block->depth = spec->depth;
    block->activation = c->activation;
    block->place = c->norm;
    block->causal = spec->causal;
    block->droppable = spec->droppable;
    block->has_cross = spec->cross;
    block->alpha = spec->alpha;
    block->first_site = spec->site + SITES_A_BLOCK * (uint32_t)block->index;
}

void block_build(Model *model, Block *block, const BlockSpec *spec, size_t index) {
    const ModelConfig *c = &model->config;
    size_t width = c->width, hidden = (size_t)llround(c->mlp_ratio * (double)width);
    char name[90];
    text_format(name, sizeof name, "%sblocks.%zu", spec->prefix, index);
    *block = (Block){.index = index};
    take_config(block, c, spec);
    char scope[100];
    bool normed = c->norm != NORM_NONE;
    if (normed) norm_build(model, &block->self.norm, spec->eps, "%s.norm1", name);
    text_format(scope, sizeof scope, "%s.attn", name);
    attention_build(model, &block->self, false, spec->bare, scope);
    if (spec->cross) {
        if (normed) norm_build(model, &block->cross.norm, spec->eps, "%s.norm2", name);
        text_format(scope, sizeof scope, "%s.cross", name);
        attention_build(model, &block->cross, true, spec->bare, scope);
    }
    if (normed)
        norm_build(model, &block->norm, spec->eps, "%s.norm%d", name,
                   spec->cross ? 3 : 2);
    text_format(block->mlp_scope, sizeof block->mlp_scope, "%s.mlp", name);
    bool bias = !spec->bare;
    linear_build(model, &block->fc1, PART_MLP, bias, hidden, width, "%s.fc1",
                 block->mlp_scope);
    linear_build(model, &block->fc2, PART_MLP, bias, width, hidden, "%s.fc2",
                 block->mlp_scope);
}

/* ---- initial values ---- */

/* Where a matrix stands in its block. */
typedef enum { QUERY_KEY, VALUE, PROJ, MLP } Place;

/* Rows [first, first + rows) of a matrix get the deviation or bound that their
 * place asks for: each of query, key and value is a matrix of its own here,
 * however they are grouped. */
static void fill_rows(const Model *model, const BlockSpec *spec, LinearLayer *layer,
                      size_t first, size_t rows, Place place) {
    const ModelConfig *c = &model->config;
    bool deep = c->norm == NORM_DEEPNORM;
    size_t columns = tensor_last(&layer->weight->tensor);
    double beta = deep && place != QUERY_KEY ? spec->beta : 1, factor = beta;
    if (c->init == INIT_MOCOV3) factor = beta * sqrt(6 / (double)(rows + columns));
    if (c->init == INIT_FAIRSEQ) {
        double fans = (double)(rows + columns);
        factor = deep            ? beta * sqrt(2 / fans)
                 : place == PROJ ? sqrt(6 / fans)
                 : place == MLP  ? 1 / sqrt((double)columns)
                                 : sqrt(3 / fans);
    }
    param_scale_rows(layer->weight, first, rows, factor);
}

/* Weights drawn with a deviation or bound (INIT_FAIRSEQ, INIT_MOCOV3: of 1) that
 * fill_rows scales. */
static void draw(const Model *model, LinearLayer *layer, uint64_t seed, bool bias) {
    const ModelConfig *c = &model->config;
    bool fairseq = c->init == INIT_FAIRSEQ && c->norm != NORM_DEEPNORM;
    bool uniform = fairseq || c->init == INIT_UNIFORM || c->init == INIT_MOCOV3;
    double columns = (double)tensor_last(&layer->weight->tensor);
    double unit = c->init == INIT_NORMAL    ? c->init_std
                  : c->init == INIT_UNIFORM ? 1 / sqrt(columns)
                                            : 1;
    (uniform ? param_uniform : param_normal)(layer->weight, seed, unit);
    if (!layer->bias) return;
    if (bias && fairseq) param_uniform(layer->bias, seed, 1 / sqrt(columns));
    else param_fill(layer->bias, 0);
}

static void initialize_attention(const Model *model, const BlockSpec *spec,
                                 AttentionPart *part, uint64_t seed) {
    size_t width = model->config.width;
    norm_initialize(&part->norm);
    if (part->shift) param_fill(part->shift, 0);
    for (size_t i = 0; i < part->in_count; i++) {
        LinearLayer *layer = &part->in[i];
        size_t rows = layer->weight->tensor.shape[0];
        bool has_values = i + 1 == part->in_count;
        draw(model, layer, seed, true);
        for (size_t row = 0; row < rows; row += width)
            fill_rows(model, spec, layer, row, width,
                      has_values && row + width == rows ? VALUE : QUERY_KEY);
    }
    draw(model, &part->proj, seed, false);
    fill_rows(model, spec, &part->proj, 0, width, PROJ);
}

void block_initialize(const Model *model, Block *block, const BlockSpec *spec,
                      uint64_t seed) {
    initialize_attention(model, spec, &block->self, seed);
    if (block->has_cross) initialize_attention(model, spec, &block->cross, seed);
    norm_initialize(&block->norm);
    draw(model, &block->fc1, seed, true);
    fill_rows(model, spec, &block->fc1, 0, block->fc1.weight->tensor.shape[0], MLP);
    draw(model, &block->fc2, seed, true);
    fill_rows(model, spec, &block->fc2, 0, block->fc2.weight->tensor.shape[0], MLP);
}

/* ---- running ---- */

static const NormLayer IDENTITY = {0};

/* A norm before a branch, as tensors: gain NULL is the identity. */
typedef struct Before {
    Tensor *gain, *bias;
    double eps;
} Before;

/* Numbers of a block's random masks. */
enum { SITE_SELF = 1, SITE_CROSS, SITE_MLP, SITE_SELF_P, SITE_CROSS_P, SITE_HIDDEN };

static Before norm_before(const Block *block, const NormLayer *norm) {
    if (block->place != NORM_PRE) return (Before){0};
    return (Before){&norm->weight->tensor, &norm->bias->tensor, norm->eps};
}

/* Do all products of the layers read x's rows in bf16? */
static bool all_read_bf16(const Tape *tape, const LinearLayer *layers, size_t count,
                          const Tensor *x) {
    for (size_t i = 0; i < count; i++)
        if (!product_in_bf16(tape, linear_scale(&layers[i]), tensor_rows(x)))
            return false;
    return true;
}

static bool reads_bf16(const Tape *tape, const LinearLayer *layer, const Tensor *x) {
    return all_read_bf16(tape, layer, 1, x);
}

/* The first product of a branch, with the norm that may stand before it. */
static Tensor *enter(Tape *tape, const LinearLayer *layer, Before norm, Tensor *x,
                     const Viewer *viewer, bool narrow) {
    LinearArgs args = linear_args(layer, x);
    args.viewer = viewer;
    args.narrow = narrow;
    if (norm.gain) {
        args.intake = INTAKE_NORM;
        args.gain = norm.gain;
        args.bias = norm.bias;
        args.eps = norm.eps;
    }
    return op_linear_fused(tape, &args);
}

/* Are what attention reads, and its output, narrow where their products are in bf16?  Not
 * where a cache collects them. */
static bool attends_narrow(const Tape *tape, const KeyCache *cache) {
    return !cache && !tape_mode(tape)->precision.keep_attention;
}

/* The norm that several products read. */
static Tensor *norm_apart(Tape *tape, const AttentionPart *part, Before norm, Tensor *x) {
    bool passing = all_read_bf16(tape, part->in, part->in_count, x);
    return (passing ? op_layer_norm_passing : op_layer_norm)(tape, x, norm.gain,
                                                             norm.bias, norm.eps);
}

/* Queries, keys and values of self-attention out of one, two or three products. */
static void project_self(Tape *tape, const Block *block, Tensor *x, const Viewer *viewer,
                         bool narrow, AttentionArgs *args) {
    const AttentionPart *part = &block->self;
    size_t width = tensor_last(x), count = part->in_count;
    Before norm = norm_before(block, &part->norm);
    Tensor *y[3] = {NULL}, *given;
    if (part->shift) { /* the norm's bias takes it, where there is one */
        Tensor **shifted = norm.gain ? &norm.bias : &x;
        *shifted = op_add_scalar(tape, *shifted, &part->shift->tensor);
    }
    given = x;
    if (count > 1 && norm.gain) {
        x = norm_apart(tape, part, norm, x);
        norm = (Before){0};
    }
    for (size_t i = 0; i < count; i++)
        y[i] = enter(tape, &part->in[i], norm, x, i ? NULL : viewer, narrow);
    if (x != given) tape_let_go(tape, x);
    Tensor *second = y[count == 3], *last = y[count - 1];
    args->q = (Slice){y[0], 0};
    args->k = (Slice){second, count == 3 ? 0 : width};
    args->v = (Slice){last, count == 1 ? 2 * width : 0};
}

/* Keys and values of the memory, out of one or two products. */
static void project_memory(Tape *tape, const AttentionPart *part, Tensor *memory,
                           bool narrow, AttentionArgs *args) {
    size_t width = tensor_last(memory);
    Before none = {0};
    Tensor *keys = enter(tape, &part->in[1], none, memory, NULL, narrow);
    args->k = (Slice){keys, 0};
    args->v = part->in_count == 2
                  ? (Slice){keys, width}
                  : (Slice){enter(tape, &part->in[2], none, memory, NULL, narrow), 0};
}

/* What the block has made before, with this step's keys and values behind it. */
static void through_cache(Tape *tape, KeyCache *cache, size_t tokens,
                          AttentionArgs *args) {
    size_t width = args->heads * args->head_width;
    if (args->k.x) key_cache_append(cache, args->k, args->v, tokens);
    size_t shape[] = {cache->rows, cache->room, width};
    args->k = (Slice){tape_wrap(tape, cache->keys, 3, shape), 0};
    args->v = (Slice){tape_wrap(tape, cache->values, 3, shape), 0};
    args->keys = cache->used;
}

/* Grows from 0 over the stack. */
static double drop_path_of(const Block *block) {
    if (block->depth <= 1) return 0;
    return block->config->drop_path * (double)block->index / (double)(block->depth - 1);
}

static double layer_drop_of(const Block *block) {
    return block->droppable ? block->config->layer_drop : 0;
}

static AttentionArgs attention_args(const Block *block, AttentionPart *part,
                                    const ForwardMode *mode, uint32_t site) {
    size_t heads = part->site.heads;
    return (AttentionArgs){.heads = heads,
                           .head_width = part->proj.weight->tensor.shape[0] / heads,
                           .temperature = site_temperature(&part->site, mode),
                           .dropout = block->config->attention_dropout,
                           .site = block->first_site + site,
                           .first_example = mode->first_example,
                           .stats = &part->site.stats};
}

/* Where only some queries have an output the others are made as well to be measured. */
static void show_output(Tape *tape, const Look *look, const AttentionArgs *args,
                        Tensor *y) {
    AttentionArgs all = *args;
    all.outputs = 0;
    all.stats = NULL;
    if (look->level < MEASURE_HEADS) return;
    look_output(look, args->outputs ? op_attention(tape, &all) : y);
}

static Tensor *attend_self(Tape *tape, Block *block, const ForwardMode *mode,
                           const BlockInput *input, Tensor *x, size_t outputs) {
    AttentionArgs args = attention_args(block, &block->self, mode, SITE_SELF_P);
    args.outputs = outputs;
    args.causal = block->causal;
    args.key_count = args.query_count = input->count;
    Look look;
    const Viewer *viewer =
        look_begin(&look, tape, &block->self.site, mode, &args, x, NULL);
    bool narrow = attends_narrow(tape, input->self);
    args.narrow = narrow && !outputs && reads_bf16(tape, &block->self.proj, x);
    project_self(tape, block, x, viewer, narrow, &args);
    if (input->self) through_cache(tape, input->self, x->shape[1], &args);
    Tensor *y = op_attention(tape, &args);
    show_output(tape, &look, &args, y);
    return y;
}

static Tensor *attend_cross(Tape *tape, Block *block, const ForwardMode *mode,
                            const BlockInput *input, Tensor *x) {
    AttentionPart *part = &block->cross;
    AttentionArgs args = attention_args(block, part, mode, SITE_CROSS_P);
    args.key_count = input->memory_count;
    args.query_count = input->count;
    Before norm = norm_before(block, &part->norm);
    bool narrow = attends_narrow(tape, input->cross);
    args.narrow = narrow && reads_bf16(tape, &part->proj, x);
    Look look;
    const Viewer *viewer =
        look_begin(&look, tape, &part->site, mode, &args, x, input->memory);
    args.q = (Slice){enter(tape, &part->in[0], norm, x, viewer, narrow), 0};
    bool known = input->cross && input->cross->used;
    if (!known) project_memory(tape, part, input->memory, narrow, &args);
    if (input->cross)
        through_cache(tape, input->cross, known ? 0 : input->memory->shape[1], &args);
    Tensor *y = op_attention(tape, &args);
    show_output(tape, &look, &args, y);
    return y;
}

/* The end of a residual step: the last product of the branch, what is random about it,
 * the sum with x, the norm that may stand behind it. */
static Tensor *leave(Tape *tape, const Block *block, const ForwardMode *mode,
                     LinearArgs args, const NormLayer *norm, uint32_t site, Tensor *x) {
    size_t first = mode->first_example;
    if (block->place == NORM_PRE) norm = &IDENTITY;
    site += block->first_site;
    args.last = args.last && !norm->weight;
    args.passing = true;
    args.dropout = block->config->dropout;
    args.site = site;
    args.first_example = first;
    args.residual = x;
    args.alpha = block->alpha;
    args.keep = drop_path_factors(tape, x->shape[0], drop_path_of(block), site, first);
    Tensor *sum = op_linear_fused(tape, &args);
    if (!sum->passing || !norm->weight) return norm_forward(tape, norm, sum);
    Tensor *normed = norm_forward_passing(tape, norm, sum);
    tape_let_go(tape, sum);
    return normed;
}

static bool hidden_dropped(const Tape *tape, const Block *block) {
    return block->config->activation_dropout != 0 && tape_mode(tape)->training;
}

/* The product of hidden units, narrow where fc2 reads nothing else of them. */
static Tensor *mlp_begin(Tape *tape, const Block *block, Tensor *x) {
    bool narrow = !hidden_dropped(tape, block) && reads_bf16(tape, &block->fc2, x);
    return enter(tape, &block->fc1, norm_before(block, &block->norm), x, NULL, narrow);
}

/* fc2 with its activation on the way in, but for hidden units that are dropped. */
static LinearArgs mlp_end(Tape *tape, const Block *block, const ForwardMode *mode,
                          Tensor *hidden) {
    bool relu = block->activation == ACTIVATION_RELU;
    LinearArgs args = linear_args(&block->fc2, hidden);
    args.last = true;
    args.intake = relu ? INTAKE_RELU : INTAKE_GELU;
    if (!hidden_dropped(tape, block)) return args;
    hidden = relu ? op_relu(tape, hidden) : op_gelu(tape, hidden);
    args.x = op_dropout(tape, hidden, block->config->activation_dropout,
                        block->first_site + SITE_HIDDEN, mode->first_example);
    args.intake = INTAKE_NONE;
    return args;
}

/* What a block that layer drop leaves out makes of x: the norms behind its branches.  Its
 * attention is measured all the same. */
static Tensor *pass_over(Tape *tape, Block *block, const ForwardMode *mode,
                         const BlockInput *input, Tensor *x) {
    attend_self(tape, block, mode, input, x, 0);
    if (block->place == NORM_PRE || block->place == NORM_NONE) return x;
    CHECK(block->alpha == 1 && !block->has_cross, "%s: no layer drop here",
          block->mlp_scope);
    return norm_forward(tape, &block->norm, norm_forward(tape, &block->self.norm, x));
}

/* A branch that began with products in bf16 keeps what it needs of x. */
static void let_go(Tape *tape, const LinearLayer *layers, size_t count, Tensor *x) {
    if (all_read_bf16(tape, layers, count, x)) tape_let_go(tape, x);
}

static Tensor *through_self(Tape *tape, Block *block, const ForwardMode *mode,
                            const BlockInput *input, Tensor *x, bool first) {
    const AttentionPart *part = &block->self;
    Tensor *whole = x, *y = attend_self(tape, block, mode, input, x, first);
    if (first) x = op_take_token(tape, x, 0), y = op_take_token(tape, y, 0);
    LinearArgs proj = linear_args(&part->proj, y);
    x = leave(tape, block, mode, proj, &part->norm, SITE_SELF, x);
    let_go(tape, part->in, part->in_count, whole);
    return x;
}

static Tensor *through_cross(Tape *tape, Block *block, const ForwardMode *mode,
                             const BlockInput *input, Tensor *x) {
    AttentionPart *part = &block->cross;
    tape_scope(tape, part->site.name);
    LinearArgs proj = linear_args(&part->proj, attend_cross(tape, block, mode, input, x));
    Tensor *y = leave(tape, block, mode, proj, &part->norm, SITE_CROSS, x);
    let_go(tape, part->in, 1, x);
    return y;
}

static Tensor *through_mlp(Tape *tape, Block *block, const ForwardMode *mode, Tensor *x) {
    tape_scope(tape, block->mlp_scope);
    LinearArgs fc2 = mlp_end(tape, block, mode, mlp_begin(tape, block, x));
    Tensor *y = leave(tape, block, mode, fc2, &block->norm, SITE_MLP, x);
    let_go(tape, &block->fc1, 1, x);
    return y;
}

static Tensor *forward(Tape *tape, Block *block, const ForwardMode *mode,
                       const BlockInput *input, Tensor *x, bool first) {
    tape_scope(tape, block->self.site.name);
    if (layer_dropped(tape, layer_drop_of(block), block->first_site))
        return pass_over(tape, block, mode, input, x);
    x = through_self(tape, block, mode, input, x, first);
    if (block->has_cross) x = through_cross(tape, block, mode, input, x);
    return through_mlp(tape, block, mode, x);
}

Tensor *block_forward(Tape *tape, Block *block, const ForwardMode *mode,
                      const BlockInput *input, Tensor *x) {
    return forward(tape, block, mode, input, x, false);
}

Tensor *block_forward_first(Tape *tape, Block *block, const ForwardMode *mode,
                            Tensor *x) {
    return forward(tape, block, mode, &(BlockInput){0}, x, true);
}

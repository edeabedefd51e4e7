#include "models/vit.h"

#include <math.h>

static const double EPS = 1e-6;

Status vit_check(const ModelConfig *c, PictureShape picture, Err *err) {
    unsigned positions =
        1u << POSITION_LEARNED | 1u << POSITION_SINCOS | 1u << POSITION_NONE;
    if (model_config_check(c, positions, err)) return FAIL_USAGE;
    if (!c->patch || !picture.height || !picture.width || !picture.channels)
        return err_set(
            err, FAIL_USAGE,
            "model.patch = %zu, pictures of %zu x %zu with %zu channels: expected "
            "numbers > 0",
            c->patch, picture.height, picture.width, picture.channels);
    if (picture.height % c->patch || picture.width % c->patch)
        return err_set(
            err, FAIL_USAGE,
            "pictures of %zu x %zu cannot be split into patches of %zu; choose a "
            "model.patch that divides both sides, or set data.image_size",
            picture.height, picture.width, c->patch);
    if (c->position == POSITION_SINCOS && c->width % 4)
        return err_set(
            err, FAIL_USAGE,
            "model.position = sincos needs a model.width that is a multiple of 4, "
            "not %zu",
            c->width);
    return OK;
}

void vit_build(Vit *vit, const ModelConfig *config, PictureShape picture,
               size_t classes) {
    CHECK(!vit_check(config, picture, NULL), "a vit that does not fit its pictures");
    Model *model = &vit->model;
    size_t width = config->width, patch = config->patch;
    vit->picture = picture;
    vit->classes = classes;
    vit->tokens = (picture.height / patch) * (picture.width / patch) + 1;
    model_init(model, config);
    PositionKind position = config->position;
    params_begin_front(model->params);
    vit->cls_token =
        params_add(model->params, PARAM_VECTOR, 3, (size_t[]){1, 1, width}, "cls_token");
    if (position != POSITION_NONE)
        vit->pos_embed =
            params_add(model->params,
                       position == POSITION_LEARNED ? PARAM_VECTOR : PARAM_BUFFER, 3,
                       (size_t[]){1, vit->tokens, width}, "pos_embed");
    linear_build_shaped(model, &vit->patch, PART_OUTSIDE, 4,
                        (size_t[]){width, picture.channels, patch, patch},
                        "patch_embed.proj");
    params_end_front(model->params);
    BlockSpec spec = block_spec_alone(config, false, EPS);
    stack_build(model, &vit->stack, &spec);
    if (classes)
        linear_build(model, &vit->head, PART_OUTSIDE, true, classes, width, "head");
    vit->layer_count = model->layer_count;
}

Vit *vit_new(const ModelConfig *config, PictureShape picture, size_t classes) {
    Vit *vit = mem_zalloc(sizeof *vit);
    vit_build(vit, config, picture, classes);
    params_finish(vit->model.params);
    return vit;
}

void vit_release(Vit *vit) {
    model_release(&vit->model);
    stack_release(&vit->stack);
}

void vit_free(Vit *vit) {
    if (!vit) return;
    vit_release(vit);
    mem_free(vit);
}

/* ---- initial values ---- */

static void initialize_patch(Vit *vit, uint64_t seed) {
    const ModelConfig *c = &vit->model.config;
    double fan_in = (double)(vit->patch.weight->tensor.size / c->width);
    param_fill(vit->patch.bias, 0);
    if (c->init == INIT_MOCOV3) {
        double fans = fan_in + (double)c->width;
        param_uniform(vit->patch.weight, seed, sqrt(6 / fans));
    } else if (c->patch_init_std > 0 || reparam_sets_norm(c->reparam)) {
        double std = c->patch_init_std > 0 ? c->patch_init_std : c->init_std;
        param_normal(vit->patch.weight, seed, std);
    } else {
        param_uniform(vit->patch.weight, seed, 1 / sqrt(fan_in));
        param_uniform(vit->patch.bias, seed, 1 / sqrt(fan_in));
    }
}

/* [sin a w_k, cos a w_k, sin b w_k, cos b w_k] with a the row, b the column of the patch
 * and w_k = 10000^(-4k/D); zeros for the class token (Chen et al. 2021). */
static void fill_sincos(Vit *vit) {
    size_t width = vit->model.config.width, quarter = width / 4;
    size_t across = vit->picture.width / vit->model.config.patch;
    for (size_t n = 0; n + 1 < vit->tokens; n++) {
        real *row = vit->pos_embed->tensor.value + (n + 1) * width;
        double a = (double)(n / across), b = (double)(n % across);
        for (size_t k = 0; k < quarter; k++) {
            double omega = pow(10000, -(double)k / (double)quarter);
            row[k] = (real)sin(a * omega);
            row[quarter + k] = (real)cos(a * omega);
            row[2 * quarter + k] = (real)sin(b * omega);
            row[3 * quarter + k] = (real)cos(b * omega);
        }
    }
}

void vit_initialize(Vit *vit, uint64_t seed) {
    const ModelConfig *c = &vit->model.config;
    param_normal(vit->cls_token, seed, 1e-6);
    if (c->position == POSITION_LEARNED) param_normal(vit->pos_embed, seed, 0.02);
    if (c->position == POSITION_SINCOS) fill_sincos(vit);
    initialize_patch(vit, seed);
    stack_initialize(&vit->model, &vit->stack, seed);
    if (!vit->classes) return;
    if (c->init == INIT_MOCOV3) {
        double fans = (double)(vit->classes + c->width);
        param_uniform(vit->head.weight, seed, sqrt(6 / fans));
    } else {
        param_normal(vit->head.weight, seed, c->init_std);
    }
    param_fill(vit->head.bias, 0);
}

/* ---- running ---- */

/* The class token's model reads one token of the last block, which is
 * cheap enough to keep. */
static bool ends_early(const Vit *vit) { return vit->model.config.pool == POOL_TOKEN; }

static Tensor *run_blocks(Vit *vit, Tape *tape, const ForwardMode *mode, Tensor *x) {
    size_t depth = vit->model.config.depth, whole = depth - ends_early(vit);
    x = stack_run(tape, &vit->stack, whole, mode, &(BlockInput){0}, NULL, x);
    if (whole == depth) return x;
    return block_forward_first(tape, &vit->stack.blocks[whole], mode, x);
}

/* What the blocks leave, as one row for each example. */
static Tensor *pool(Vit *vit, Tape *tape, Tensor *x) {
    if (vit->model.config.pool == POOL_MEAN)
        return norm_forward(tape, &vit->stack.norm, op_mean_tokens(tape, x, 1));
    return norm_forward(tape, &vit->stack.norm, x);
}

Tensor *vit_features(Vit *vit, Tape *tape, const ForwardMode *mode, Tensor *pixels) {
    tape_scope(tape, "patch_embed");
    Tensor *x = op_patchify(tape, pixels, vit->model.config.patch);
    x = linear_forward(tape, &vit->patch, x);
    x = op_prepend_token(tape, x, &vit->cls_token->tensor);
    if (vit->pos_embed) x = op_add_position(tape, x, &vit->pos_embed->tensor);
    x = op_dropout(tape, x, vit->model.config.dropout, 0, mode->first_example);
    x = run_blocks(vit, tape, mode, x);
    tape_scope(tape, "head");
    return pool(vit, tape, x);
}

Tensor *vit_logits(Vit *vit, Tape *tape, const ForwardMode *mode, Tensor *pixels) {
    Tensor *x = vit_features(vit, tape, mode, pixels);
    return linear_forward(tape, &vit->head, model_output(&vit->model, tape, x));
}

/* Rows that a layer multiplies. */
static double layer_rows(const Vit *vit, const LinearLayer *layer) {
    if (layer == &vit->head) return 1;
    if (layer == &vit->patch) return (double)vit->tokens - 1;
    const Block *last = &vit->stack.blocks[vit->model.config.depth - 1];
    bool tail = layer == &last->self.proj || layer == &last->fc1 || layer == &last->fc2;
    return tail && ends_early(vit) ? 1 : (double)vit->tokens;
}

double vit_flops(const Vit *vit) {
    const Model *model = &vit->model;
    double tokens = (double)vit->tokens, width = (double)model->config.width, sum = 0;
    double queries = (double)model->config.depth * tokens;
    if (ends_early(vit)) queries -= tokens - 1;
    for (size_t i = 0; i < vit->layer_count; i++)
        sum += 2 * layer_rows(vit, model->layers[i]) *
               (double)model->layers[i]->weight->tensor.size;
    return sum + 4 * queries * tokens * width;
}

double vit_memory(const Vit *vit, size_t pictures, bool recompute) {
    double tokens = (double)vit->tokens * (double)pictures;
    double pixels =
        (double)(vit->picture.channels * vit->picture.height * vit->picture.width);
    double ends =
        (double)pictures * pixels + 4 * tokens * (double)vit->model.config.width;
    return (stack_memory(&vit->stack, tokens, 0, recompute) + ends) * sizeof(real);
}

#include "models/speech.h"

#include <math.h>

#include "models/cape.h"

static const double EPS = 1e-5, INPUT_EPS = 1e-7;
static const double SECONDS_A_ROW = 0.03; /* SPEECH_STRIDE frames of 10 ms */

/* ---- building ---- */

static void build_front(Speech *s) {
    ParamSet *params = s->model.params;
    size_t width = s->model.config.width, one = 1, channels = 2 * width;
    params_begin_front(params);
    s->norm_scale = params_add(params, PARAM_VECTOR, 1, &one, "input_norm.weight");
    s->norm_shift = params_add(params, PARAM_VECTOR, 1, &one, "input_norm.bias");
    convolution_build(&s->model, &s->conv,
                      (size_t[]){channels, s->filters, SPEECH_KERNEL}, "conv");
    if (s->model.config.position == POSITION_LEARNED)
        s->position = params_add(params, PARAM_VECTOR, 2,
                                 (size_t[]){s->model.config.context, width}, "pos_embed");
    params_end_front(params);
}

Status speech_check(const ModelConfig *c, size_t filters, size_t labels, Err *err) {
    unsigned positions =
        1u << POSITION_LEARNED | 1u << POSITION_NONE | 1u << POSITION_CAPE;
    if (model_config_check(c, positions, err)) return FAIL_USAGE;
    if (!filters || labels < 2)
        return err_set(
            err, FAIL_USAGE,
            "%zu filters and %zu labels: a recogniser needs a filter, the blank and a "
            "letter",
            filters, labels);
    if (c->position != POSITION_LEARNED || c->context) return OK;
    return err_set(err, FAIL_USAGE,
                   "model.context, the number of learned positions, is not set");
}

/* model.dropout acts behind the front end and in attention and MLP, which have its value;
 * not behind the branches of a block. */
static ModelConfig own_config(const ModelConfig *config) {
    ModelConfig own = *config;
    own.attention_dropout = own.activation_dropout = config->dropout;
    own.dropout = 0;
    return own;
}

Speech *speech_new(const ModelConfig *config, size_t filters, size_t labels) {
    CHECK(!speech_check(config, filters, labels, NULL), "a recogniser that cannot be");
    Speech *s = mem_zalloc(sizeof *s);
    ModelConfig own = own_config(config);
    s->filters = filters;
    s->labels = labels;
    model_init(&s->model, &own);
    s->model.own_config = own_config;
    build_front(s);
    BlockSpec spec = block_spec_alone(&own, false, EPS);
    spec.bare = true;
    spec.droppable = true;
    stack_build(&s->model, &s->stack, &spec);
    linear_build(&s->model, &s->head, PART_OUTSIDE, true, labels, own.width, "head");
    params_finish(s->model.params);
    return s;
}

void speech_free(Speech *s) {
    if (!s) return;
    model_release(&s->model);
    stack_release(&s->stack);
    mem_free(s);
}

/* ---- initial values ---- */

static void lecun(const ModelConfig *c, LinearLayer *layer, uint64_t seed) {
    Param *weight = layer->weight;
    double fan_in = (double)(weight->tensor.size / weight->tensor.shape[0]);
    param_uniform(weight, seed, sqrt(3 / fan_in));
    param_uniform(layer->bias, seed, 1 / sqrt(fan_in));
    if (layer->reparam && reparam_sets_norm(c->reparam) && c->init == INIT_NORMAL)
        param_normal(weight, seed, c->init_std);
}

void speech_initialize(Speech *s, uint64_t seed) {
    const ModelConfig *c = &s->model.config;
    param_fill(s->norm_scale, 1);
    param_fill(s->norm_shift, 0);
    lecun(c, &s->conv, seed);
    if (s->position) param_normal(s->position, seed, 0.02);
    stack_initialize(&s->model, &s->stack, seed);
    lecun(c, &s->head, seed);
}

/* ---- running ---- */

static Tensor *add_positions(Speech *s, Tape *tape, const ForwardMode *mode, Tensor *x,
                             const size_t *count) {
    if (s->position) return op_add_position(tape, x, &s->position->tensor);
    if (s->model.config.position != POSITION_CAPE) return x;
    CapeArgs args = {.batch = x->shape[0],
                     .length = x->shape[1],
                     .width = x->shape[2],
                     .frame_count = count,
                     .seconds = SECONDS_A_ROW,
                     .shift = s->model.config.cape_shift,
                     .first_example = mode->first_example};
    return op_add(tape, x, cape_positions(tape, &args), 1);
}

static Tensor *front(Speech *s, Tape *tape, const ForwardMode *mode,
                     const SpeechRows *rows, const size_t *count) {
    tape_scope(tape, "conv");
    Tensor *x = op_masked_norm(tape, rows->x, rows->frames, &s->norm_scale->tensor,
                               &s->norm_shift->tensor, INPUT_EPS);
    FramesArgs frames = {.x = x,
                         .kernel = SPEECH_KERNEL,
                         .stride = SPEECH_STRIDE,
                         .before = rows->before,
                         .each_before = rows->each_before,
                         .frame_count = rows->frames};
    x = op_conv1d(tape, &frames, &s->conv.weight->tensor, &s->conv.bias->tensor,
                  linear_scale(&s->conv));
    double dropout = s->model.config.attention_dropout;
    x = op_dropout(tape, op_glu(tape, x), dropout, 0, mode->first_example);
    return add_positions(s, tape, mode, x, count);
}

Tensor *speech_logits(Speech *s, Tape *tape, const ForwardMode *mode,
                      const SpeechRows *rows) {
    size_t batch = rows->x->shape[0];
    size_t *count = tape_alloc(tape, batch * sizeof *count);
    for (size_t b = 0; b < batch; b++) count[b] = speech_rows(rows->frames[b]);
    BlockInput input = {.count = count};
    Tensor *x = front(s, tape, mode, rows, count);
    x = stack_forward(tape, &s->stack, mode, &input, NULL, x);
    tape_scope(tape, "head");
    return linear_forward(tape, &s->head, model_output(&s->model, tape, x));
}

/* ---- counting ---- */

double speech_flops(const Speech *s, size_t frames) {
    double rows = ceil((double)frames / SPEECH_STRIDE);
    double ends = (double)(s->conv.weight->tensor.size + s->head.weight->tensor.size);
    return 2 * rows * ends + stack_flops(&s->stack, rows, rows, 0, 0);
}

double speech_memory(const Speech *s, double frames, double count, bool recompute) {
    double rows = ceil(frames / SPEECH_STRIDE) * count;
    double front = count * frames * 2 * (double)s->filters +
                   rows * (SPEECH_KERNEL * (double)s->filters +
                           6 * (double)s->model.config.width + 2 * (double)s->labels);
    return (stack_memory(&s->stack, rows, 0, recompute) + front) * sizeof(real);
}

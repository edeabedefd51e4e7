#include "models/translator.h"

#include <math.h>

static const double EPS = 1e-5;

DeepNorm deepnorm_pair(size_t encoder, size_t decoder) {
    double n = (double)encoder, m = (double)decoder;
    double root = pow(n, 0.25) * pow(m, 0.0625);
    return (DeepNorm){.encoder_alpha = 0.81 * root,
                      .encoder_beta = 0.87 / root,
                      .decoder_alpha = pow(3 * m, 0.25),
                      .decoder_beta = pow(12 * m, -0.25)};
}

Status translator_check(const ModelConfig *c, size_t source_vocab, size_t target_vocab,
                        Err *err) {
    if (model_config_check_texts(c, err)) return FAIL_USAGE;
    if (source_vocab < 2 || target_vocab < 2)
        return err_set(
            err, FAIL_DATA,
            "the vocabularies have only %zu and %zu tokens, so there is nothing to "
            "predict",
            source_vocab, target_vocab);
    if (c->tied == TIED_ALL && source_vocab != target_vocab)
        return err_set(err, FAIL_USAGE,
                       "model.tied = all needs one vocabulary for both languages "
                       "(data.joint = true), not %zu and %zu tokens",
                       source_vocab, target_vocab);
    return OK;
}

/* ---- building ---- */

static void build_stacks(Translator *t) {
    Model *model = &t->model;
    const ModelConfig *c = &model->config;
    size_t depth = c->decoder_depth ? c->decoder_depth : c->depth;
    bool deep = c->norm == NORM_DEEPNORM;
    DeepNorm d = deepnorm_pair(c->depth, depth);
    BlockSpec encoder = {.prefix = "encoder.",
                         .depth = c->depth,
                         .alpha = deep ? d.encoder_alpha : 1,
                         .beta = deep ? d.encoder_beta : 1,
                         .eps = EPS};
    BlockSpec decoder = {.prefix = "decoder.",
                         .depth = depth,
                         .causal = true,
                         .cross = true,
                         .alpha = deep ? d.decoder_alpha : 1,
                         .beta = deep ? d.decoder_beta : 1,
                         .eps = EPS,
                         .site = SITES_A_STACK};
    stack_build(model, &t->encoder, &encoder);
    stack_build(model, &t->decoder, &decoder);
}

Translator *translator_new(const ModelConfig *config, size_t source_vocab,
                           size_t target_vocab, size_t positions) {
    CHECK(!translator_check(config, source_vocab, target_vocab, NULL),
          "a translator that cannot be");
    Translator *t = mem_zalloc(sizeof *t);
    Model *model = &t->model;
    bool all = config->tied == TIED_ALL;
    t->source_vocab = source_vocab;
    t->target_vocab = target_vocab;
    model_init(model, config);
    Param *shared = NULL;
    params_begin_front(model->params);
    if (all)
        shared = params_add(model->params, PARAM_MATRIX, 2,
                            (size_t[]){source_vocab, config->width}, "embed.weight");
    params_end_front(model->params);
    embedding_build(model, &t->source, "encoder.", source_vocab, positions, shared);
    embedding_build(model, &t->target, "decoder.", target_vocab, positions, shared);
    t->source.owns_table = true; /* the one that initialises what is shared */
    t->target.site = SITES_A_STACK;
    build_stacks(t);
    if (config->tied == TIED_NONE)
        output_build(model, &t->head, target_vocab, config->width, "decoder.head");
    params_finish(model->params);
    return t;
}

void translator_free(Translator *t) {
    if (!t) return;
    embedding_release(&t->source);
    embedding_release(&t->target);
    model_release(&t->model); /* it looks into the blocks */
    stack_release(&t->encoder);
    stack_release(&t->decoder);
    mem_free(t);
}

void translator_initialize(Translator *t, uint64_t seed, size_t pad) {
    embedding_initialize(&t->model, &t->source, seed, true, pad);
    embedding_initialize(&t->model, &t->target, seed, true, pad);
    stack_initialize(&t->model, &t->encoder, seed);
    stack_initialize(&t->model, &t->decoder, seed);
    if (t->head.weight)
        param_normal(t->head.weight, seed, 1 / sqrt((double)t->model.config.width));
}

/* ---- running ---- */

Tensor *translator_encode(Translator *t, Tape *tape, const ForwardMode *mode,
                          const TokenRows *source) {
    tape_scope(tape, "encoder.embed");
    Tensor *x = embedding_forward(tape, &t->source, mode, source, 0);
    BlockInput input = {.count = source->count};
    return stack_forward(tape, &t->encoder, mode, &input, NULL, x);
}

Tensor *translator_decode(Translator *t, Tape *tape, const ForwardMode *mode,
                          Tensor *memory, const size_t *memory_count,
                          const TokenRows *input, KeyCache *caches) {
    tape_scope(tape, "decoder.embed");
    Tensor *x =
        embedding_forward(tape, &t->target, mode, input, caches ? caches->used : 0);
    BlockInput other = {.count = input->count,
                        .memory = memory,
                        .memory_count = memory_count};
    x = stack_forward(tape, &t->decoder, mode, &other, caches, x);
    tape_scope(tape, "decoder.head");
    return model_output(&t->model, tape, x);
}

static Tensor *output_matrix(Translator *t) {
    return t->head.weight ? &t->head.weight->tensor : &t->target.table->tensor;
}

Tensor *translator_output(Translator *t, Tape *tape, Tensor *x) {
    return op_linear(tape, x, output_matrix(t), NULL, linear_scale(&t->head));
}

Tensor *translator_loss(Translator *t, Tape *tape, const ForwardMode *mode,
                        const TokenRows *source, const TokenRows *input,
                        const VocabTarget *target) {
    Tensor *memory = translator_encode(t, tape, mode, source);
    Tensor *x = translator_decode(t, tape, mode, memory, source->count, input, NULL);
    return op_vocab_loss(tape, x, output_matrix(t), NULL, linear_scale(&t->head), target);
}

double translator_flops(const Translator *t, double source, double target) {
    double output = 2 * target * (double)t->target_vocab * (double)t->model.config.width;
    return stack_flops(&t->encoder, source, source, 0, 0) +
           stack_flops(&t->decoder, target, (target + 1) / 2, source, source) + output;
}

double translator_memory(const Translator *t, double source, double target,
                         bool recompute) {
    double width = (double)t->model.config.width;
    double ends = target * ((double)t->target_vocab + 4 * width) + 4 * source * width;
    return (stack_memory(&t->encoder, source, 0, recompute) +
            stack_memory(&t->decoder, target, source, recompute) + ends) *
           sizeof(real);
}

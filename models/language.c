#include "models/language.h"

#include <math.h>

static const double EPS = 1e-5;

Status language_check(const ModelConfig *c, size_t vocab, Err *err) {
    if (c->width % c->heads)
        return err_set(err, FAIL_USAGE,
                       "model.width = %zu is not a multiple of model.heads = %zu",
                       c->width, c->heads);
    if (vocab < 2)
        return err_set(err, FAIL_DATA,
                       "the vocabulary has %zu tokens: there is nothing to predict",
                       vocab);
    if (!c->context)
        return err_set(err, FAIL_USAGE,
                       "model.context, the tokens of a block of text, is not given");
    return OK;
}

Language *language_new(const ModelConfig *config, size_t vocab) {
    CHECK(!language_check(config, vocab, NULL), "a language model that cannot be");
    Language *lm = mem_zalloc(sizeof *lm);
    Model *model = &lm->model;
    lm->vocab = vocab;
    model_init(model, config);
    embedding_build(model, &lm->embed, "", vocab, config->context, NULL);
    BlockSpec spec = block_spec_alone(config, true, EPS);
    stack_build(model, &lm->stack, &spec);
    if (config->tied == TIED_NONE)
        lm->head = params_add(model->params, PARAM_MATRIX, 2,
                              (size_t[]){vocab, config->width}, "head.weight");
    params_finish(model->params);
    return lm;
}

void language_free(Language *lm) {
    if (!lm) return;
    embedding_release(&lm->embed);
    stack_release(&lm->stack);
    model_release(&lm->model);
    mem_free(lm);
}

void language_initialize(Language *lm, uint64_t seed) {
    embedding_initialize(&lm->model, &lm->embed, seed, false, SIZE_MAX);
    stack_initialize(&lm->model, &lm->stack, seed);
    if (lm->head) param_normal(lm->head, seed, lm->model.config.init_std);
}

/* ---- running ---- */

Tensor *language_features(Language *lm, Tape *tape, const ForwardMode *mode,
                          const TokenRows *tokens, KeyCache *caches) {
    BlockInput input = {.count = tokens->count};
    size_t first = caches ? caches->used : 0;
    tape_scope(tape, "embed");
    Tensor *x = embedding_forward(tape, &lm->embed, mode, tokens, first);
    x = stack_forward(tape, &lm->stack, mode, &input, caches, x);
    tape_scope(tape, "head");
    return x;
}

static Tensor *output_matrix(Language *lm) {
    return lm->head ? &lm->head->tensor : &lm->embed.table->tensor;
}

Tensor *language_loss(Language *lm, Tape *tape, const ForwardMode *mode,
                      const TokenRows *tokens, const VocabTarget *target) {
    Tensor *x = language_features(lm, tape, mode, tokens, NULL);
    return op_vocab_loss(tape, x, output_matrix(lm), NULL, NULL, target);
}

Tensor *language_output(Language *lm, Tape *tape, Tensor *x) {
    return op_linear(tape, x, output_matrix(lm), NULL, NULL);
}

Tensor *language_logits(Language *lm, Tape *tape, const ForwardMode *mode,
                        const TokenRows *tokens) {
    return language_output(lm, tape, language_features(lm, tape, mode, tokens, NULL));
}

/* Causal attention looks at half of the keys. */
double language_flops(const Language *lm, size_t length) {
    double tokens = (double)length;
    double output = 2 * tokens * (double)lm->vocab * (double)lm->model.config.width;
    return stack_flops(&lm->stack, tokens, (tokens + 1) / 2, 0, 0) + output;
}

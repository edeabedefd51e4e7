#include "models/language.h"

#include <math.h>
#include <string.h>

#include "engine/kern/rows.h"

static const double EPS = 1e-5;

Status language_check(const ModelConfig *c, size_t vocab, Err *err) {
    if (model_config_check_texts(c, err)) return FAIL_USAGE;
    if (vocab < 2)
        return err_set(err, FAIL_DATA,
                       "the vocabulary has only %zu tokens, so there is nothing to "
                       "predict",
                       vocab);
    if (!c->context)
        return err_set(err, FAIL_USAGE,
                       "model.context, the number of tokens per block of text, is not "
                       "set");
    if (model_config_check_cutoffs(c, vocab, err)) return FAIL_USAGE;
    if (c->cutoff_count && c->tied == TIED_NONE)
        return err_set(err, FAIL_USAGE,
                       "model.cutoffs needs model.tied = true: the adaptive softmax "
                       "shares the tables of the adaptive input");
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
    if (config->cutoff_count)
        lm->head.weight =
            params_add(model->params, PARAM_MATRIX, 2,
                       (size_t[]){config->cutoff_count, config->width}, "head.weight");
    else if (config->tied == TIED_NONE)
        output_build(model, &lm->head, vocab, config->width, "head");
    params_finish(model->params);
    return lm;
}

void language_free(Language *lm) {
    if (!lm) return;
    embedding_release(&lm->embed);
    model_release(&lm->model); /* it looks into the blocks */
    stack_release(&lm->stack);
    mem_free(lm);
}

void language_initialize(Language *lm, uint64_t seed) {
    embedding_initialize(&lm->model, &lm->embed, seed, false, SIZE_MAX);
    stack_initialize(&lm->model, &lm->stack, seed);
    double width = (double)lm->model.config.width;
    if (lm->head.weight)
        param_normal(lm->head.weight, seed,
                     lm->embed.band_count ? 1 / sqrt(width) : lm->model.config.init_std);
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
    return model_output(&lm->model, tape, x);
}

static Tensor *output_matrix(Language *lm) {
    return lm->head.weight ? &lm->head.weight->tensor : &lm->embed.table->tensor;
}

/* Numbers of the masks of the adaptive softmax's features, beyond those of the blocks. */
enum { SITE_FEATURES = SITES_A_STACK - 16, SITE_TAILS };

static Tensor *adaptive_loss(Language *lm, Tape *tape, const ForwardMode *mode, Tensor *x,
                             const VocabTarget *target) {
    Band *bands = tape_alloc(tape, BANDS_MAX * sizeof *bands);
    double dropout = lm->model.config.adaptive_dropout;
    AdaptiveArgs args = {.bands = bands,
                         .count = embedding_bands(&lm->embed, bands),
                         .clusters = &lm->head.weight->tensor,
                         .dropout = dropout,
                         .site = SITE_TAILS,
                         .first_row = mode->first_example * x->shape[1]};
    x = op_dropout(tape, x, dropout, SITE_FEATURES, mode->first_example);
    return op_adaptive_loss(tape, x, &args, target);
}

Tensor *language_loss(Language *lm, Tape *tape, const ForwardMode *mode,
                      const TokenRows *tokens, const VocabTarget *target) {
    Tensor *x = language_features(lm, tape, mode, tokens, NULL);
    if (lm->embed.band_count) return adaptive_loss(lm, tape, mode, x, target);
    return op_vocab_loss(tape, x, output_matrix(lm), NULL, linear_scale(&lm->head),
                         target);
}

/* to[r, 0 ... n) = ln softmax(z_r)[0 ... n) + plus_r; the rows of z have `columns`, those
 * of `to` V numbers. */
static void put_log_softmax(real *to, size_t vocab, const Tensor *z, size_t n,
                            const real *plus, size_t plus_step) {
    size_t columns = tensor_last(z), rows = tensor_rows(z);
    real *p = mem_alloc(columns * sizeof *p);
    for (size_t r = 0; r < rows; r++) {
        real entropy, largest;
        const real *row = z->value + r * columns;
        memcpy(p, row, columns * sizeof *p);
        real shift = (plus ? plus[r * plus_step] : 0) -
                     row_softmax(p, columns, &entropy, &largest);
        for (size_t k = 0; k < n; k++) to[r * vocab + k] = row[k] + shift;
    }
    mem_free(p);
}

/* ln p of all tokens: the head's, and each tail's added to that of its cluster. */
static Tensor *adaptive_output(Language *lm, Tape *tape, Tensor *x) {
    CHECK(!tape_mode(tape)->gradients, "the adaptive softmax as %s",
          "logits in training");
    const Embedding *e = &lm->embed;
    size_t rows = tensor_rows(x), tails = e->band_count - 1;
    size_t head = e->bands[0]->tensor.shape[0], first = head;
    Tensor *y = tape_tensor(tape, 2, (size_t[]){rows, lm->vocab});
    Tensor *z = tape_tensor(tape, 2, (size_t[]){rows, head + tails});
    Tensor *a = op_linear(tape, x, &e->bands[0]->tensor, NULL, NULL);
    Tensor *b = op_linear(tape, x, &lm->head.weight->tensor, NULL, NULL);
    for (size_t r = 0; r < rows; r++) {
        real *to = z->value + r * (head + tails);
        memcpy(to, a->value + r * head, head * sizeof(real));
        memcpy(to + head, b->value + r * tails, tails * sizeof(real));
    }
    Tensor *p = tape_tensor(tape, 2, (size_t[]){rows, head + tails});
    put_log_softmax(p->value, head + tails, z, head + tails, NULL, 0);
    put_log_softmax(y->value, lm->vocab, z, head, NULL, 0);
    for (size_t i = 1; i <= tails; i++) {
        Tensor *h = op_linear_transposed(tape, x, &e->projs[i]->tensor, NULL);
        Tensor *tail = op_linear(tape, h, &e->bands[i]->tensor, NULL, NULL);
        put_log_softmax(y->value + first, lm->vocab, tail, tensor_last(tail),
                        p->value + head + i - 1, head + tails);
        first += tensor_last(tail);
    }
    return y;
}

Tensor *language_output(Language *lm, Tape *tape, Tensor *x) {
    if (lm->embed.band_count) return adaptive_output(lm, tape, x);
    return op_linear(tape, x, output_matrix(lm), NULL, linear_scale(&lm->head));
}

Tensor *language_logits(Language *lm, Tape *tape, const ForwardMode *mode,
                        const TokenRows *tokens) {
    return language_output(lm, tape, language_features(lm, tape, mode, tokens, NULL));
}

/* Causal attention looks at half of the keys; of bands the first is counted, where
 * nearly all tokens are. */
double language_flops(const Language *lm, size_t length) {
    double tokens = (double)length;
    size_t rows = lm->embed.band_count ? lm->embed.bands[0]->tensor.shape[0] : lm->vocab;
    double output = 2 * tokens * (double)rows * (double)lm->model.config.width;
    return stack_flops(&lm->stack, tokens, (tokens + 1) / 2, 0, 0) + output;
}

double language_memory(const Language *lm, size_t length, size_t rows, bool recompute) {
    double tokens = (double)length * (double)rows, width = (double)lm->model.config.width;
    size_t head = lm->embed.band_count ? lm->embed.bands[0]->tensor.shape[0] : lm->vocab;
    double ends = tokens * ((double)head + 4 * width);
    return (stack_memory(&lm->stack, tokens, 0, recompute) + ends) * sizeof(real);
}

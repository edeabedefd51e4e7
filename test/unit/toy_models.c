#include "toy_models.h"

#include <math.h>

#include "engine/core/rng.h"

ModelConfig toy_config(NormPlace norm) {
    ModelConfig c = model_config_default();
    c.width = 16, c.heads = 2, c.depth = 2, c.mlp_ratio = 2;
    c.norm = norm;
    c.position = POSITION_SINUSOIDAL;
    c.init_std = 0.3;
    c.gamma_init = GAMMA_ONE; /* without norms large weights would blow rounding up */
    c.context = 12;
    return c;
}

/* Vectors start as 0 and 1: an op that forgets one would not be seen. */
static void ready(Model *model, uint64_t seed) {
    for (size_t i = 0; i < model->params->count; i++) {
        Param *p = model->params->list[i];
        Rng dice = rng_make(seed, RNG_SYNTHETIC, i);
        for (size_t k = 0; k < p->tensor.size && p->role == PARAM_VECTOR; k++)
            p->tensor.value[k] += (real)(0.2 * rng_normal(dice, k));
    }
    model_start(model, NULL);
    model_freeze(model);
}

Translator *toy_translator(const ModelConfig *config, size_t source_vocab,
                           size_t target_vocab, size_t positions, uint64_t seed) {
    Translator *t = translator_new(config, source_vocab, target_vocab, positions);
    translator_initialize(t, seed, TOY_PAD);
    ready(&t->model, seed);
    return t;
}

Language *toy_language(const ModelConfig *config, size_t vocab, uint64_t seed) {
    Language *lm = language_new(config, vocab);
    language_initialize(lm, seed);
    ready(&lm->model, seed);
    return lm;
}

void toy_sentence(uint32_t *ids, size_t count, size_t vocab, uint64_t seed) {
    Rng dice = rng_make(seed, RNG_SYNTHETIC, count);
    for (size_t i = 0; i < count; i++)
        ids[i] =
            TOY_FIRST + (uint32_t)(rng_uniform(dice, i) * (double)(vocab - TOY_FIRST));
    ids[count - 1] = TOY_END;
}

double toy_apart(const real *a, const real *b, size_t count) {
    double most = 0, size = 1e-30;
    for (size_t i = 0; i < count; i++) {
        double apart = fabs((double)a[i] - (double)b[i]);
        if (!(apart <= most)) most = apart;
        size = fmax(size, fabs((double)b[i]));
    }
    return most / size;
}

ForwardMode toy_mode(void) { return (ForwardMode){.temperature = 1}; }

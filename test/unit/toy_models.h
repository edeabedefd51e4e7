/* toy_models: small models of texts and sentences for them, for the tests of models/. */
#ifndef STEADY_TEST_TOY_MODELS_H
#define STEADY_TEST_TOY_MODELS_H

#include "models/language.h"
#include "models/translator.h"

/* ids as data/text/tokenizer.h has them */
enum { TOY_PAD = 1, TOY_END = 2, TOY_FIRST = 4 };

/* Width 16, 2 heads, 2 blocks, hidden 32, sinusoidal positions. */
ModelConfig toy_config(NormPlace norm);

/* Ready to run; biases and norms are moved away from 0 and 1, so that each of them
 * counts. */
Translator *toy_translator(const ModelConfig *config, size_t source_vocab,
                           size_t target_vocab, size_t positions, uint64_t seed);
Language *toy_language(const ModelConfig *config, size_t vocab, uint64_t seed);

/* A sentence of `count` tokens in [TOY_FIRST, vocab), the last TOY_END. */
void toy_sentence(uint32_t *ids, size_t count, size_t vocab, uint64_t seed);

/* Largest |a - b| as a share of the largest |b|. */
double toy_apart(const real *a, const real *b, size_t count);

ForwardMode toy_mode(void);

#endif

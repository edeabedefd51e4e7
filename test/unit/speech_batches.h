/* speech_batches: a set of tones, and loaders of its batches, for tests. */
#ifndef TEST_SPEECH_BATCHES_H
#define TEST_SPEECH_BATCHES_H

#include <stddef.h>

#include "data/speech/batch.h"

enum { UTTERANCES = 60, FILTERS = 20, SECONDS = 12 };

SpeechSet *tones_set(void);

SpeechBatchConfig tones_training(size_t accumulate);

SpeechLoader *tones_start(SpeechSet *set, const SpeechBatchConfig *config, size_t first);

const SpeechBatch *tones_next(SpeechLoader *loader);

/* A micro-batch's utterances stand one after the other in the step: masks of
 * dropout go by that. */
void tones_expect_places(const SpeechBatch *b);

#endif

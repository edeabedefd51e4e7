#include "speech_batches.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

SpeechSet *tones_set(void) {
    SpeechConfig c = speech_config_default();
    c.source = SOURCE_TONES;
    c.synthetic_count = UTTERANCES;
    c.filters = FILTERS;
    SpeechSet *set = speechset_open(&c, SPLIT_TRAIN, NULL);
    assert_non_null(set);
    return set;
}

SpeechBatchConfig tones_training(size_t accumulate) {
    return (SpeechBatchConfig){.batch_seconds = SECONDS,
                               .accumulate = accumulate,
                               .seed = 3,
                               .training = true,
                               .shuffle = true,
                               .augment = specaugment_default()};
}

SpeechLoader *tones_start(SpeechSet *set, const SpeechBatchConfig *config, size_t first) {
    Err err = ERR_NONE;
    SpeechLoader *loader = speechloader_start(set, config, first, &err);
    if (!loader) fail_msg("%s", err.text);
    return loader;
}

const SpeechBatch *tones_next(SpeechLoader *loader) {
    const SpeechBatch *batch;
    Err err = ERR_NONE;
    if (speechloader_next(loader, &batch, &err)) fail_msg("%s", err.text);
    return batch;
}

void tones_expect_places(const SpeechBatch *b) {
    size_t most = MAX(2 * b->count, 2 * b->buckets);
    for (size_t parts = MIN(b->buckets, b->count); parts <= most; parts++) {
        size_t to = 0;
        for (size_t i = 0; i < parts; i++) {
            size_t from = speechbatch_edge(b, i, parts);
            assert_int_equal(from, to);
            to = speechbatch_edge(b, i + 1, parts);
            assert_in_range(to, from, b->count);
            for (size_t k = from; k + 1 < to; k++)
                assert_int_equal(b->place[k + 1], b->place[k] + 1);
        }
        if (parts) assert_int_equal(to, b->count);
    }
}

/* sources: what a source of speech defines (data/sources.h); for
 * data/speech/ and nobody else.
 *
 *     const SpeechSource manifest_source = {.read_list = read_manifest, .val = {"dev*", "val*"}};
 */
#ifndef STEADY_SPEECH_SOURCES_H
#define STEADY_SPEECH_SOURCES_H

#include "data/speech/parts.h"
#include "data/where.h"

enum { SPLIT_NAMES = 2 };

typedef struct SpeechSource {
    /* Of files: all utterances of a folder, or of a manifest. */
    Status (*read_list)(SpeechFill *fill, const char *path, Err *err);
    Wanted wanted; /* of data.path */
    bool folders;  /* lists are folders of data.path, not files */
    /* Names of these splits where the recipe has none: the first that is
     * there, or the last. */
    const char *val[SPLIT_NAMES], *test[SPLIT_NAMES];
    /* Of the program (TRAIT_SYNTHETIC): all utterances of a split, and the sound of
     * one. */
    Status (*make)(SpeechFill *fill, Split split, Err *err);
    void (*read_item)(const SpeechSet *set, const SpeechItem *item, Audio *audio);
} SpeechSource;

#define SPEECH_SOURCE(NAME, name, examples, traits)                                      \
    extern const SpeechSource name##_source;
SPEECH_SOURCES(SPEECH_SOURCE)
#undef SPEECH_SOURCE

const SpeechSource *speech_source(Source source); /* one of speech */

#endif

/* transcribe_parts: what the files of the task `transcribe` share.  What the recipe says of the data,
 * and the sets themselves, are in transcribe_data.c. */
#ifndef STEADY_TRANSCRIBE_PARTS_H
#define STEADY_TRANSCRIBE_PARTS_H

#include "tools/speech.h"

typedef struct Transcribe {
    Task task; /* first: a Task * is a Transcribe * */
    Speech *speech;
    SpeechSet *sets[3];
    SpeechLoader *loader;
    Place place; /* in the training data */
    const SpeechBatch *batch;
    size_t rate[SPEECH_RATES_MOST], rates; /* training's, then others that were noted */
    size_t heard;                          /* of them training's; 0: unknown */
} Transcribe;

/* The recipe's data as speechset opens them. */
SpeechConfig transcribe_config(const Recipe *recipe);

/* Is the split (val or test) named, or there? */
bool transcribe_wants(const Recipe *recipe, const SpeechConfig *config, Split split);

#endif

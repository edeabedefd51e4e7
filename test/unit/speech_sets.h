/* speech_sets: sets of recordings for tests: folders, manifests, what must be there. */
#ifndef TEST_SPEECH_SETS_H
#define TEST_SPEECH_SETS_H

#include <stddef.h>

#include "data/speech/set.h"

void speech_put(const char *root, const char *name, const char *text);

SpeechConfig speech_config_of(const char *root, Source source);

SpeechSet *speech_must_open(const SpeechConfig *config, Split split);

void speech_refuse(const SpeechConfig *config, Split split, const char *part);

/* Must be refused for `part`, and with `skip` leave out one utterance of that kind. */
void speech_refuse_or_skip(SpeechConfig config, SpeechFault fault, size_t left,
                           const char *part);

#define CHAPTER "train-clean/7/2/7-2"

SpeechConfig speech_folders(const char *root);

/* The note that begins so. */
const char *speech_note_of(const SpeechSet *set, const char *start);

void speech_expect_note(const SpeechSet *set, const char *start, const char *part);

SpeechConfig speech_manifest(const char *root, const char *text);

#endif

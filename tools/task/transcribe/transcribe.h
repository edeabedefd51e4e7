/* transcribe: what `predict` needs of the task of speech
 * (tools/task/transcribe/task.c). */
#ifndef STEADY_TRANSCRIBE_H
#define STEADY_TRANSCRIBE_H

#include "tools/task/task.h"
#include "tools/task/transcribe/transcription.h"

Speech *transcribe_model(Task *task);

/* [data] of a recipe for the reader, splits named. */
SpeechConfig transcribe_config(const Recipe *recipe);
/* Is the split named, or there? */
bool transcribe_wants(const Recipe *recipe, const SpeechConfig *config, Split split);

/* A split, opened now if it was not; NULL: err says why. */
SpeechSet *transcribe_set(Task *task, Split split, Err *err);

/* The rate that a recording is to be heard at (logmel_new_played): training's, if it had
 * but one.  Tells on stderr, once a rate, of one that training has not heard. */
size_t transcribe_hear(Task *task, size_t rate, const char *where);

#endif

/* transcribe: what the files of the task share; the splits are in data.c. */
#ifndef STEADY_TRANSCRIBE_H
#define STEADY_TRANSCRIBE_H

#include "tools/task/task.h"
#include "tools/task/transcribe/transcription.h"

typedef struct Transcribe {
    Task task; /* first: a Task * is a Transcribe * */
    Speech *speech;
    SpeechSet *sets[3];
    SpeechLoader *loader, *sampler; /* of training batches; of the present sample */
    Place place;                    /* in the training data */
    const SpeechBatch *batch;
    size_t rate[SPEECH_RATES_MOST], rates; /* training's, and behind them those told of */
    size_t heard;                          /* of them training's; 0: unknown */
} Transcribe;

Speech *transcribe_model(Task *task);

/* ---- the splits (data.c) ---- */

/* [data] of a recipe for the reader, splits named. */
SpeechConfig transcribe_config(const Recipe *recipe);
/* Speeds cannot come or go while a run goes on (TaskOps.check_change). */
Status transcribe_check_change(const Task *task, const Recipe *now, Err *err);
/* Is the split named, or there? */
bool transcribe_wants(const Recipe *recipe, const SpeechConfig *config, Split split);

/* A split, opened now if it was not; NULL: err says why. */
SpeechSet *transcribe_set(Task *task, Split split, Err *err);

/* The rate that a recording is to be heard at (logmel_new_played): training's, if it had
 * but one.  Tells on stderr, once a rate, of one that training has not heard. */
size_t transcribe_hear(Task *task, size_t rate, const char *where);

/* The rates that training had, from the run's task.json: all that a task without
 * data knows of them. */
void transcribe_read_rates(Transcribe *t, const char *run_dir);

/* All splits that there are, looked at before the first step; sets counts and chance. */
Status transcribe_open_sets(Transcribe *t, Err *err);
/* What is in them, on stderr; `padding`: share of a batch. */
void transcribe_tell(Transcribe *t, double padding);
/* Bytes that their features will take, as far as data.cache lets them. */
double transcribe_cache(const Transcribe *t);

#endif

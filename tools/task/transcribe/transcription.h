/* transcription: what a speech recogniser writes down, and how well
 * (tools/task/transcribe/task.c, tools/task/transcribe/predict.c). */
#ifndef STEADY_TRANSCRIPTION_H
#define STEADY_TRANSCRIPTION_H

#include <jansson.h>

#include "data/speech/batch.h"
#include "data/speech/wer.h"
#include "engine/dist/ranks.h"
#include "models/speech.h"

enum { SPEECH_FILTERS = 80 };

/* Greedy decoding: the likeliest label of each of `rows` rows [rows, SPEECH_LABELS],
 * repeats drawn together, blanks dropped. */
void transcript_greedy(const real *logits, size_t rows, TextBuffer *text);

/* The text of one recording from its features [frames, SPEECH_FILTERS], and its logits
 * [speech_rows(frames), SPEECH_LABELS] in the tape's memory.  NULL: too short for a
 * row, which is no words; or FAIL_DATA, more rows than learned positions.  `name`
 * is the recording's. */
const real *transcript_of(Speech *speech, Tape *tape, const ForwardMode *mode,
                          const char *name, const real *features, size_t frames,
                          TextBuffer *text, Err *err);

/* Utterances [from, to) of a batch as input of the model, in the tape's memory;
 * each stands as if it were alone with `alone`, else as in a batch whose longest
 * has `longest` frames. */
SpeechRows transcript_rows(Tape *tape, const SpeechBatch *batch, size_t from, size_t to,
                           size_t longest, bool alone);

/* Their labels as CTC takes them; `divisor` and `each` are the caller's. */
CtcTarget transcript_target(Tape *tape, const SpeechBatch *batch, size_t from, size_t to);

/* The mean loss of the best guess that hears nothing: every row has the same
 * distribution over blank and labels, these as frequent as in the set; nats an
 * utterance.  Of at most 64 utterances. */
double transcript_guess(const SpeechSet *set);

/* The transcripts with the most wrong words so far, worst first. */
typedef struct Worst {
    json_t *rows; /* [{"id", "reference", "hypothesis", "errors"}] */
    size_t most;
} Worst;
void worst_see(Worst *worst, const char *id, const char *reference,
               const char *hypothesis);
void worst_add(Worst *worst, const json_t *rows); /* of another such list */

/* From each rank's to those of all ranks, on every rank. */
void worst_share(Worst *worst, Ranks *ranks);

#endif

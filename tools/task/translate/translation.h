/* translation: sentences through a translator, by beam search; for scores and
 * `predict`. */
#ifndef STEADY_TRANSLATION_H
#define STEADY_TRANSLATION_H

#include "models/beam.h"
#include "models/translator.h"
#include "tools/task/texts.h"

Translator *translate_model(Task *task);

/* The ids of a source sentence and </s>, added to `ids`.  FAIL_DATA: more
 * than the model takes. */
Status sentence_encode(const Task *task, const Translator *t, const char *line,
                       size_t length, IdList *ids, Err *err);

/* A source sentence: ids, </s> at its end. */
typedef struct Sentence {
    const uint32_t *ids;
    size_t count;
} Sentence;

typedef struct SearchOptions {
    size_t beam;
    double length_penalty;
    size_t max_decode;
} SearchOptions;

SearchOptions search_options(const Recipe *recipe); /* train.beam and its companions */

/* The translations of `count` sentences, in their order: results[i].best[0] is the best
 * of sentence i.  Sentences of like length go through together.
 * beam_results_free(results, count).  NULL: a signal came (stop_requested). */
BeamResult *translate_sentences(Translator *t, Tape *tape, const ForwardMode *mode,
                                const Sentence *sentences, size_t count,
                                const SearchOptions *options);

#endif

/* beam: beam search over any model that can say how likely each next token is.
 *
 *     BeamModel model = {.vocab = 8000, .step = advance_decoder, .context = decoder};
 *     BeamConfig config = beam_config_default();
 *     config.sentences = 32;
 *     BeamResult *results = beam_search(&model, &config);
 *     use(results[0].best[0].tokens, results[0].best[0].length);
 *     beam_results_free(results, config.sentences);
 *
 * The search is fairseq's.  A hypothesis is worth the sum of its ln p.  Of all hypotheses
 * of a sentence and their next tokens the best 2 beam are candidates; an end counts if it
 * is among the best beam of them; the best beam candidates that do not end go on.  A
 * sentence is done with beam finished hypotheses, or at its greatest length, where all
 * that is left must end.  Finished ones are compared by
 *     score = (sum of ln p, that of the end included) / (tokens, the end included)^length_penalty
 *
 * Equal sums keep the order of rows, then of token ids: results do not depend on threads.
 *
 * Not for: sampling (sample.h). */
#ifndef STEADY_BEAM_H
#define STEADY_BEAM_H

#include "engine/core/base.h"

typedef struct BeamModel {
    size_t vocab;
    /* Advances `rows` hypotheses by one token each: row r takes the state of row
     * from[r] of the call before, then reads token[r], and log_prob [rows, vocab]
     * becomes ln p of what follows.  In the first call row r is sentence r: from[r] =
     * r, token[r] = start.  Rows of a sentence stand together, in the order of the
     * sentences, at most sentences * beam in all; a row may be continued by several
     * rows (copied) or by none (dropped, as all are of a sentence that is done).
     * -infinity and NaN are never chosen. */
    void (*step)(void *context, size_t rows, const uint32_t *token, const size_t *from,
                 real *log_prob);
    void *context;
} BeamModel;

typedef struct BeamConfig {
    size_t beam;           /* 5; from 1 */
    double length_penalty; /* 1; 0: sums are compared */
    size_t max_length;     /* 200 tokens without the end */
    size_t min_length; /* 1: no end before so many tokens, unless max_length forces it */
    uint32_t start;    /* 2: what the model reads first (fairseq: the end) */
    uint32_t end;      /* 2 */
    uint32_t pad; /* 1: never chosen; a number outside the vocabulary: there is none */
    size_t sentences;          /* 1 */
    const size_t *max_lengths; /* NULL, or [sentences] in place of max_length */
} BeamConfig;

BeamConfig beam_config_default(void);

typedef struct BeamHypothesis {
    uint32_t *tokens; /* without start and end */
    size_t length;
    double log_prob; /* sum, that of the end included */
    double score;
} BeamHypothesis;

/* The finished hypotheses of a sentence, best score first: `beam` or fewer, none only
 * where the model gave no end a probability. */
typedef struct BeamResult {
    BeamHypothesis *best;
    size_t count;
} BeamResult;

/* [sentences] results, freed by beam_results_free. */
BeamResult *beam_search(const BeamModel *model, const BeamConfig *config);
void beam_results_free(BeamResult *results, size_t sentences);

#endif

/* bleu: how much of a translation is in the reference (Papineni et al. 2002), over a
 * corpus with one reference per sentence.
 *
 *     BleuCounts counts = {0};
 *     for each sentence
 *         bleu_add(&counts, BLEU_13A, hypothesis, length, reference, reference_length);
 *     BleuScore score = bleu_score(&counts, BLEU_13A);
 *     char line[BLEU_LINE];
 *     puts(bleu_line(&score, line));
 *         BLEU = 34.12 65.1/41.0/27.2/18.3 (BP = 0.987 ratio = 0.987 hyp_len = 1234 ref_len = 1250)
 *
 *     score = 100 BP exp(mean over n = 1 ... 4 of ln p_n),   BP = min(1, exp(1 - r/c))
 *
 * p_n: share of the n-grams of the hypotheses that their references contain, each at most
 * as often as in the reference; c, r: tokens of the hypotheses and of the references.
 *
 * A score says little without its method: bleu_signature goes with it. */
#ifndef STEADY_BLEU_H
#define STEADY_BLEU_H

#include "engine/core/base.h"

#define BLEU_ORDER 4
#define BLEU_LINE 300

typedef enum {
    /* Tokens are separated by white space; 0 where an order has no match.
     * multi-bleu.perl and fairseq (there an unknown word of the reference matches
     * nothing: write it otherwise than in hypotheses). */
    BLEU_TOKENS,
    /* sacreBLEU's default: tokenizer 13a; with the k-th order without a match p_n = 1 /
     * (2^k total), unless no order has any; 0 where an order has no n-grams at all. */
    BLEU_13A,
    /* The same of lower-cased text, but for the final form of a Greek sigma in words of
     * capitals: lower case is taken letter by letter. */
    BLEU_13A_LOWER,
} BleuMethod;

/* {0} is the empty corpus; counts of parts of a corpus add up to the counts of all of
 * it. */
typedef struct BleuCounts {
    size_t match[BLEU_ORDER]; /* clipped, by order */
    size_t total[BLEU_ORDER];
    size_t hypothesis_length, reference_length; /* tokens */
} BleuCounts;

typedef struct BleuScore {
    double score;                 /* 0 ... 100 */
    double precision[BLEU_ORDER]; /* per cent, smoothed where the method does */
    /* 1 at most; 0 where there are no hypotheses but references */
    double brevity_penalty;
    size_t hypothesis_length, reference_length;
} BleuScore;

/* Counts one sentence.  The texts are lines without a terminator; white space at their
 * ends does not matter, nor does invalid UTF-8 (whose bytes are compared). */
void bleu_add(BleuCounts *counts, BleuMethod method, const char *hypothesis,
              size_t hypothesis_length, const char *reference, size_t reference_length);

void bleu_join(BleuCounts *counts, const BleuCounts *part);

BleuScore bleu_score(const BleuCounts *counts, BleuMethod method);

/* Of one sentence alone, 0 ... 100, to sort sentences by: over the orders that it is long
 * enough for, smoothed (sacreBLEU's sentence_bleu).  Two empty lines agree: 100. */
double bleu_sentence(const BleuCounts *counts);

/* The score as sacreBLEU prints it; returns `line`. */
char *bleu_line(const BleuScore *score, char line[BLEU_LINE]);

/* "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:steady-0.1.0" */
const char *bleu_signature(BleuMethod method);

#endif

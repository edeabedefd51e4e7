/* score: what an evaluation of a split measured, as a row of eval.jsonl, as a line for people,
 * and as the number that a checkpoint or a schedule is judged by.
 *
 *     Score score;
 *     task->ops->evaluate(task, tape, &mode, SPLIT_VAL, true, &score, &err);
 *     json_t *row = score_row(&score, step);
 *     score_clear(&score); */
#ifndef STEADY_SCORE_H
#define STEADY_SCORE_H

#include <jansson.h>

#include "data/speech/wer.h"
#include "tools/recipe/recipe.h"

/* One evaluation over a split; NAN marks what the task does not measure. */
typedef struct Score {
    Split split;
    size_t count;      /* examples, or target tokens of a text; 0: the split is empty */
    size_t skipped;    /* broken examples left out */
    double loss;       /* the objective, label smoothing included: mean in nats */
    double nll;        /* the same without smoothing */
    double top1, top5; /* shares, 0 ... 1 */
    double ppl;        /* texts: e^nll */
    double unknown;    /* texts: share of <unk> among the tokens that are scored, */
    double unknown_source; /* and, of pairs, in the source */
    /* translations, 0 ... 100: sacreBLEU's 13a on the lines as they are */
    double bleu;
    double bleu_tokens;  /* on tokens between blanks, without smoothing */
    char signature[120]; /* of bleu; "" */
    double wer, cer;     /* transcripts: errors a word, a character of the references */
    EditCount words;     /* of wer */
    /* transcripts with the most errors (tools/task/transcribe/transcription.h), or NULL; owned */
    json_t *worst;
} Score;

Score score_none(Split split);  /* nothing measured yet */
void score_clear(Score *score); /* lets go of what it owns */

/* A row of eval.jsonl; `nll` is in it where smoothing makes it another number than `loss`. */
json_t *score_row(const Score *score, size_t step);

/* What the best checkpoint has the most of; `best` is not BEST_AUTO (task_best). */
double score_goodness(const Score *score, BestScore best);

/* What schedule.watch names, turned so that less is better; NaN: not measured. */
double score_watched(const Score *score, WatchedScore watch);

/* "val loss 1.2345  top-1 61.20%", for people. */
void score_text(const Score *score, char *text, size_t size);

#endif

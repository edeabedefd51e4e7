/* score: what an evaluation of a split measured - summed over the ranks, as a row of
 * eval.jsonl, as a line for people, and as the number that a checkpoint or a
 * schedule is judged by.
 *
 *     Score score = score_begin(split, task->recipe->task);
 *     for each example of this rank's part:
 *         score.count++, score.value[METRIC_TOP1] += right;
 *     score_reduce(&score, task->ranks);                           now it is the whole split's
 *     json_t *row = score_row(&score, step);
 *     score_clear(&score);
 *
 * What can be measured, and how it becomes one number, is the list in
 * tools/recipe/metric.h. */
#ifndef STEADY_SCORE_H
#define STEADY_SCORE_H

#include <jansson.h>

#include "data/config.h"
#include "data/speech/wer.h"
#include "engine/dist/ranks.h"
#include "tools/recipe/metric.h"
#include "tools/run/verdict.h"

typedef struct Score {
    Split split;
    size_t count;   /* examples, or target tokens of a text; 0: an empty split */
    size_t skipped; /* broken examples left out */
    double value
        [METRIC_COUNT]; /* NaN: not measured; METRIC_LOSS is the objective, in nats */
    double
        whole[METRIC_COUNT]; /* until score_reduce: what a REDUCE_RATIO is divided by */
    double nll;              /* the loss without label smoothing */
    EditCount words;         /* of transcripts: the errors of WER by kind */
    /* of translations, how many are different, and how many of their references are; 0:
     * not counted */
    size_t different[2];
    Grade grade;         /* TaskOps.grade, by who has had the split evaluated */
    char signature[120]; /* of BLEU; "" */
    /* transcripts with the most errors
     * (tools/task/transcribe/transcription.h), or NULL; owned */
    json_t *worst;
} Score;

/* Before the first example: sums of what the task measures are 0,
 * REDUCE_NONE and all else NaN. */
Score score_begin(Split split, TaskKind task);

/* From each rank's sums to the numbers of the whole split, on all ranks; a mean over no
 * examples is 0, a ratio to nothing NaN. */
void score_reduce(Score *score, Ranks *ranks);

/* The same in two halves: this rank's sums, and the score of the sums of all ranks. */
enum { SCORE_COUNTS = 7, SCORE_SUMS = SCORE_COUNTS + 2 * METRIC_COUNT };
void score_sums(const Score *score, double sum[SCORE_SUMS]);
void score_of_sums(Score *score, const double sum[SCORE_SUMS]);

/* Classes with a larger logit than the right one, of one example; ties go against the
 * model, NaN too. */
size_t score_rank(const real *logits, size_t classes, size_t label);

void score_clear(Score *score); /* lets go of what it owns */

/* A row of eval.jsonl; `nll` is in it where smoothing makes it another
 * number than `loss`. */
json_t *score_row(const Score *score, size_t step);

/* Adds "ema_loss", ... of the averaged weights to the row of the weights. */
void score_add_average(json_t *row, const Score *averaged);

/* What the best checkpoint has the most of. */
double score_goodness(const Score *score, Metric best);

/* The metric, turned so that less is better; NaN: not measured. */
double score_watched(const Score *score, Metric metric);

/* What the best checkpoint is chosen by, as eval.jsonl names it: "top1", or with averaged
 * weights, of which the better score counts, "top1 or ema_top1"; of a loss that is
 * `smoothed`, "loss without label smoothing" (score_goodness). */
enum { SCORE_NAMES = 80 };
void score_names(Metric metric, bool averaged, bool smoothed, char text[SCORE_NAMES]);

/* "val loss 1.2345  top-1 61.20%", for people: SCORE_TEXT bytes hold it. */
enum { SCORE_METRIC_TEXT = 60, SCORE_TEXT = 16 + METRIC_COUNT * SCORE_METRIC_TEXT };
void score_text(const Score *score, char *text, size_t size);

#endif

/* metric: what an evaluation can measure, one a line.
 *
 *     X(NAME, key, best, watch, ...)   METRIC_NAME, its key in eval.jsonl, its places among
 *                                      the choices of train.best and schedule.watch, and
 *                                      members of MetricFacts by name
 *
 *     for (size_t m = 0; m < METRIC_COUNT; m++)
 *         if (!isnan(score.value[m])) printf("%s %g\n", metrics[m].key, score.value[m]);
 *
 * Rows of eval.jsonl, the line of an evaluation, the averages of train.ema, runlog,
 * tables of sweeps, figures, reports and the choice of the best checkpoint read this
 * list: a new metric is a line here, and the task that fills in score->value[METRIC_NAME]
 * (tools/task/score.h).  The order of the lines is that of rows and tables.  The list is
 * in this room because the key table has names of it. */
#ifndef STEADY_METRIC_H
#define STEADY_METRIC_H

#include <stddef.h>

#include "tools/recipe/tasks.h"

/* AT(place) among the choices, from 0 and without gaps (train.best has auto at 0), or
 * NO. */
/* clang-format off */
#define METRIC_LIST(X)                                                                   \
    X(LOSS, "loss", AT(1), AT(0), .tasks = FOR_ALL, .factor = 1, .average = true,        \
      .line = "loss %.4f")                                                               \
    X(TOP1, "top1", AT(2), AT(3), .tasks = FOR_CLASSIFY, .better = BETTER_HIGH,          \
      .rank = RANK_FIRST, .label = "top-1 %", .factor = 100, .guess = GUESS_SHARE,       \
      .line = "top-1 %.2f%%", .brief = "top-1 %.1f %%", .average = true)                 \
    X(TOP5, "top5", NO, NO, .tasks = FOR_CLASSIFY, .better = BETTER_HIGH)                \
    X(PROBE_TOP1, "probe_top1", AT(5), AT(5), .tasks = FOR_CONTRASTIVE,                  \
      .better = BETTER_HIGH, .rank = RANK_FIRST, .label = "probe top-1 %",               \
      .factor = 100, .line = "probe top-1 %.2f%%", .brief = "probe top-1 %.1f %%",       \
      .average = true)                                                                   \
    X(FEATURE_STD, "feature_std", NO, NO, .tasks = FOR_CONTRASTIVE,                      \
      .better = BETTER_HIGH, .reduce = REDUCE_NONE, .rank = RANK_SECOND,                 \
      .label = "feature std %", .factor = 100, .line = "feature std %.2f%%",              \
      .average = true,                                                                   \
      .sweep = true, .axis = AXIS_FROM_ZERO)                                             \
    X(PPL, "ppl", NO, AT(4), .tasks = FOR_LANGUAGE | FOR_TRANSLATE,                      \
      .reduce = REDUCE_EXP, .rank = RANK_SECOND, .label = "perplexity", .factor = 1,     \
      .line = "ppl %.4g", .average = true, .sweep = true, .axis = AXIS_LOG,              \
      .guess = GUESS_EXP, .of_tokens = true)                                             \
    X(BPC, "bpc", NO, NO, .tasks = FOR_LANGUAGE, .reduce = REDUCE_NONE,                  \
      .rank = RANK_SECOND, .label = "bits per character", .factor = 1,                   \
      .line = "bpc %.4f", .average = true, .alone = true)                                \
    X(UNKNOWN, "unknown", NO, NO, .tasks = FOR_LANGUAGE | FOR_TRANSLATE,                 \
      .reduce = REDUCE_NONE)                                                             \
    X(UNKNOWN_SOURCE, "unknown_source", NO, NO, .tasks = FOR_TRANSLATE,                  \
      .reduce = REDUCE_NONE)                                                             \
    X(BLEU, "bleu", AT(3), AT(2), .tasks = FOR_TRANSLATE, .better = BETTER_HIGH,         \
      .reduce = REDUCE_NONE, .rank = RANK_FIRST, .label = "BLEU", .factor = 1,           \
      .line = "BLEU %.2f", .average = true, .sweep = true, .axis = AXIS_FROM_ZERO,       \
      .translated = true)                                                                \
    X(BLEU_TOKENS, "bleu_tokens", NO, NO, .tasks = FOR_TRANSLATE, .better = BETTER_HIGH, \
      .reduce = REDUCE_NONE, .rank = RANK_FIRST, .label = "BLEU of tokens", .factor = 1, \
      .sweep = true, .alone = true, .translated = true)                                  \
    X(WER, "wer", AT(4), AT(1), .tasks = FOR_TRANSCRIBE, .reduce = REDUCE_RATIO,         \
      .rank = RANK_FIRST, .label = "WER %", .factor = 100, .line = "WER %.2f%%",         \
      .average = true, .sweep = true)                                                    \
    X(CER, "cer", NO, NO, .tasks = FOR_TRANSCRIBE, .reduce = REDUCE_RATIO,               \
      .rank = RANK_SECOND, .label = "CER %", .factor = 100, .line = "CER %.2f%%",        \
      .sweep = true)
/* clang-format on */

#define METRIC_ENUM(NAME, key, best, watch, ...) METRIC_##NAME,
typedef enum { METRIC_LIST(METRIC_ENUM) METRIC_COUNT } Metric;
#undef METRIC_ENUM

typedef enum { BETTER_LOW, BETTER_HIGH } MetricBetter;

/* From the sums of the ranks' parts of a split to the number of the whole. */
typedef enum {
    REDUCE_MEAN,  /* a sum over examples (tokens of a text): divided by their count */
    REDUCE_RATIO, /* a sum over another sum, score->whole: WER over the words */
    REDUCE_EXP,   /* e to the mean loss without smoothing */
    REDUCE_NONE,  /* every rank has the number of the whole split: nothing is summed */
} MetricReduction;

/* Of those that a row of eval.jsonl has, which one stands for it. */
typedef enum {
    RANK_NONE,   /* in eval.jsonl alone: no report, figure or sweep has it */
    RANK_FIRST,  /* what its tasks are judged by; first in reports and figures */
    RANK_SECOND, /* stands for a row without one of the first rank */
} MetricRank;

typedef enum { AXIS_LINEAR, AXIS_LOG, AXIS_FROM_ZERO } MetricAxis;

/* What guessing scores, by its loss: not known, e^-loss (a share of right answers),
 * e^loss. */
typedef enum { GUESS_NONE, GUESS_SHARE, GUESS_EXP } MetricGuess;

typedef struct MetricFacts {
    const char *key;     /* in eval.jsonl, keys and tables: "top1" */
    const char *label;   /* for people, "top-1 %"; NULL: of rank none */
    unsigned tasks;      /* FOR_...: what measures it */
    double factor;       /* from the number of eval.jsonl to the one that people read */
    const char *line;    /* in the line of an evaluation, times factor; NULL: not there */
    const char *brief;   /* in the line of a sweep's cell; NULL: label and %.4g */
    MetricBetter better; /* which way */
    MetricReduction reduce;
    MetricRank rank;
    MetricAxis axis;   /* of its figure */
    MetricGuess guess; /* drawn in a sweep's figure */
    bool average;      /* "ema_KEY" of the averaged weights beside it */
    bool sweep;        /* a column of its own in tables of sweeps and sweep.csv */
    bool alone;        /* a figure has it where there is no other score alone */
    bool translated;   /* needs translations: train.beam > 0, and the last evaluation */
    bool of_tokens;    /* items of a second are tokens */
} MetricFacts;

extern const MetricFacts metrics[METRIC_COUNT];

/* By key; METRIC_COUNT: none of them, NULL included. */
Metric metric_find(const char *key);

/* The i-th of those that are shown, the first rank before the second;
 * METRIC_COUNT: past the last. */
Metric metric_shown(size_t i);

/* The number turned so that less is better: with a minus sign where more is. */
double metric_turned(Metric metric, double value);

/* What guessing scores, as people read it, by its loss without label smoothing; NaN: not
 * known. */
double metric_guess(Metric metric, double nll);

/* Names of the choices of train.best and schedule.watch, ending with NULL: a
 * recipe has the place. */
extern const char *const metric_best_names[METRIC_COUNT + 2];
extern const char *const metric_watch_names[METRIC_COUNT + 2];

/* What such a place means. */
Metric metric_best(int place); /* METRIC_COUNT: auto, which is the task's */
Metric metric_watch(int place);
int metric_watch_place(const char *name); /* of another name: that of the loss */

#endif

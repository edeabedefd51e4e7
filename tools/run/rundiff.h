/* rundiff: in what two runs differ, and from which step on (`steady diff`).
 *
 *     RunDiff diff;
 *     rundiff(a, b, &(RunDiffOptions){.parts = RUNDIFF_ALL}, &diff);
 *     if (!diff.equal) rundiff_print(&diff, stdout);
 *     rundiff_free(&diff);
 *
 * Rows of logs are compared step by step, but for what a clock has measured.  Numbers are
 * equal where they differ by at most tolerance x the larger magnitude (default 0: to the
 * last digit that is logged); null equals null. */
#ifndef STEADY_RUNDIFF_H
#define STEADY_RUNDIFF_H

#include <stdio.h>

#include "tools/run/runlog.h"

/* X(PART, name): what is compared. */
#define RUNDIFF_LIST(X)                                                                  \
    X(RECIPE, "recipe")                                                                  \
    X(VERSION, "version")                                                                \
    X(DATA, "data")                                                                      \
    X(TRAIN, "train")                                                                    \
    X(EVENTS, "events")                                                                  \
    X(EVAL, "eval")                                                                      \
    X(PROBE, "probe")

#define RUNDIFF_PART(PART, name) RUNDIFF_##PART,
typedef enum { RUNDIFF_LIST(RUNDIFF_PART) RUNDIFF_PARTS } RunDiffPart;
#undef RUNDIFF_PART
enum {
    RUNDIFF_ALL = (1 << RUNDIFF_PARTS) - 1,
    RUNDIFF_LOGS = 1 << RUNDIFF_TRAIN | 1 << RUNDIFF_EVAL | 1 << RUNDIFF_PROBE
};

extern const char *const rundiff_names[RUNDIFF_PARTS + 1]; /* NULL at the end */

typedef struct RunDiffOptions {
    unsigned parts; /* a bit for each */
    double tolerance;
} RunDiffOptions;

/* A text that is not the same: a key of the recipe, the version, a fact of a split. */
typedef struct TextDiff {
    RunDiffPart part;
    char *name, *a, *b; /* "" where a run does not say */
} TextDiff;

/* A column of a log: "loss", "val top1", "blocks.0.attn entropy". */
typedef struct NumberDiff {
    char *name;
    double first_step, first_a, first_b; /* where it first differs */
    double step, a, b;                   /* where the relative difference is largest */
} NumberDiff;

typedef struct LogDiff {
    size_t rows[2];     /* that each run has */
    size_t compared;    /* of steps that both have */
    size_t alone[2];    /* of steps that only one has; a log that ends earlier counts */
    double first_alone; /* the first such step */
    double first;       /* first step with a difference; NaN: all are equal */
    NumberDiff *columns;
    size_t count, room; /* those that differ */
    StringMap names;    /* of columns, by number */
} LogDiff;

typedef struct RunDiff {
    const RunLog *run[2]; /* borrowed */
    RunDiffOptions options;
    bool differ;
    bool equal;          /* neither this nor that: too little could be compared */
    unsigned unknown;    /* parts that were asked for and could not be compared */
    unsigned missing[2]; /* parts that a run has nothing of */
    TextDiff *texts;
    size_t text_count, text_room;
    LogDiff log[RUNDIFF_PARTS]; /* train, eval, probe */
    size_t events[2];
    const RunEvent *event[2]; /* the first that differs; NULL: the run has no more */
} RunDiff;

void rundiff(const RunLog *a, const RunLog *b, const RunDiffOptions *options,
             RunDiff *diff);
void rundiff_print(const RunDiff *diff, FILE *out);
void rundiff_print_json(const RunDiff *diff); /* one object, on stdout */
void rundiff_free(RunDiff *diff);

/* Have both runs something of the part?  Of train.jsonl one is enough: a run of no step
 * differs from one of some. */
bool rundiff_can(const RunDiff *diff, RunDiffPart part);

/* Fails with FAIL_DATA where no difference was found but too little was compared to say
 * that there is none: a part that was asked for by name, or all three logs. */
Status rundiff_check(const RunDiff *diff, Err *err);

/* |a - b| over the larger magnitude; infinite where only one is a number. */
double rundiff_relative(double a, double b);

/* ---- rundiff_rows.c, for rundiff.c ---- */

void rundiff_train(RunDiff *diff);
void rundiff_eval(RunDiff *diff);
void rundiff_probe(RunDiff *diff);

#endif

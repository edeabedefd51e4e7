/* runlog: what a run folder holds, as plain arrays.  For figures, reports and tests; it
 * reads folders of runs that are still being written, and changes nothing in them.
 *
 *     RunLog *run = runlog_open("runs/mnist", &err);         NULL: err says why
 *     for (size_t i = 0; i < run->train.count; i++) ... run->train.loss[i] ...
 *     runlog_free(run);
 *
 * A number that is null or missing in the file is NaN here.  A last line without its
 * newline that does not parse is a row being written and is left out; any other line that
 * is no row is left out too, and counted.  Where steps go back (a log that was not cut at
 * a resume) the later rows win.  Rows of train.jsonl with an "event" and rows of
 * probe.jsonl about sharpness, which come when it is known, are kept apart. */
#ifndef STEADY_RUNLOG_H
#define STEADY_RUNLOG_H

#include <jansson.h>

#include "data/file/stringmap.h"
#include "tools/recipe/metric.h"
#include "tools/run/datafacts.h"
#include "tools/run/session.h"
#include "tools/run/site_numbers.h"
#include "tools/run/verdict.h"

typedef struct TrainLog {
    size_t count;
    double *step, *epoch, *loss, *lr, *grad_norm, *items_per_s; /* [count] each */
    double *feature_std; /* [count] of a contrastive run; else NaN */
    double *bf16;        /* [count] 1: its products were in bf16; 0: not; NULL: no row */
} TrainLog;

/* A row of train.jsonl that is no step: what happened in the run. */
typedef struct RunEvent {
    double step;
    char *kind, *text; /* "resume", "skip", "rollback", "alarm", ...; a sentence, or "" */
    double count;      /* of what it is about; NaN: it does not say */
    char *tensor;      /* of "moved": which moved most; else NULL */
    double ratio;      /* by how many times itself */
    char *site;        /* of "alarm": what the collapse guard warned of; else NULL */
    double share;      /* of uniform attention's entropy that it had */
    double uniform;    /* nats; NaN: an older log */
} RunEvent;

typedef struct SiteLog {
    char name[96];     /* "blocks.0.attn" */
    size_t heads;      /* as in the site's first row */
    double *entropy;   /* [probes, heads] nats */
    double *mean;      /* [probes] over the heads */
    double *max_logit; /* [probes] */
    double *keys;      /* [probes] */
    double *uniform;   /* [probes] nats that uniform attention has; old logs: ln(keys) */
    double *value[SITE_NUMBERS]; /* [probes] each; NULL: no row has it */
    double *head[HEAD_NUMBERS];  /* [probes, heads] each; NULL: no row has it */
} SiteLog;

/* X(NUMBER, key, label): WEIGHT_NUMBER, what probe.jsonl calls it, and its row in the
 * figure of weights; NULL: none. */
#define WEIGHT_LIST(X)                                                                   \
    X(SIGMA, "sigma", "spectral norm σ")                                                 \
    X(GAMMA, "gamma", "gain γ")                                                          \
    X(GRAD_INF, "grad_inf", "largest |gradient|")                                        \
    X(GRAD_NORM, "grad_norm", NULL)                                                      \
    X(UPDATE, "update", NULL)                                                            \
    X(UPDATE_RATIO, "update_ratio", "update ‖ΔW‖/‖W‖")

#define WEIGHT_NUMBER(NUMBER, key, label) WEIGHT_##NUMBER,
typedef enum { WEIGHT_LIST(WEIGHT_NUMBER) WEIGHT_NUMBERS } WeightNumber;
#undef WEIGHT_NUMBER

typedef struct WeightLog {
    char name[120];                /* "blocks.0.attn.qkv" */
    double *value[WEIGHT_NUMBERS]; /* [probes] each */
} WeightLog;

enum { SHARPNESS_MOST = 5 };

/* Hessian eigenvalues at the weights behind a step; NaN: not measured. */
typedef struct SharpnessRow {
    double step;
    size_t line; /* its place among the rows of the file */
    double raw[SHARPNESS_MOST], preconditioned[SHARPNESS_MOST]; /* by falling magnitude */
    double threshold; /* of the preconditioned ones */
} SharpnessRow;

typedef struct ProbeLog {
    size_t count;   /* probes */
    double *step;   /* [count] */
    SiteLog *sites; /* by depth, as the file lists them */
    size_t site_count, site_room;
    WeightLog *weights;
    size_t weight_count, weight_room;
    SharpnessRow *sharpness; /* by step, one a step: of rows of its own, wherever in the
                              * file they are, or of probes */
    size_t sharpness_count;
} ProbeLog;

typedef struct EvalRow {
    double step;
    char split[16];
    const char
        *metric;  /* the first of metric_shown in the row; NULL: it has none of them */
    double score; /* of that */
    double count; /* of examples, or tokens; NaN: it does not say */
    Grade grade;
    double scores[METRIC_COUNT]; /* METRIC_LOSS among them */
} EvalRow;

typedef struct Setting {
    char *key, *value; /* "optim.lr", "0.02" */
} Setting;

typedef struct RunLog {
    char *path;     /* as given */
    char name[256]; /* last part of the path */
    char *recipe;   /* text of recipe.ini; "" when there is none */
    Setting *settings;
    size_t setting_count, setting_room;
    double chance; /* of task.json, else ln(classes); NaN: unknown */
    /* the same without label smoothing: what metric_guess takes; of an older run of texts
     * the chance, which is larger with smoothing */
    double guess_nll;
    TrainLog train;
    ProbeLog probe;
    RunEvent *events; /* in the order of the file */
    size_t event_count;
    EvalRow *evals;
    size_t eval_count;
    /* of the last row that has it: the transcripts with the most errors; or NULL */
    json_t *worst;
    char worst_split[16];
    double worst_of; /* how many were evaluated; NaN: it does not say */
    /* lines that are no rows, in all three logs, and names too many */
    size_t bad_rows;
    StringMap site_names, weight_names; /* those of probe, by number */
    StringMap site_kinds, weight_kinds; /* the same without the numbers of their blocks */
    size_t cells, room;  /* numbers that the present log's names take, and may take */
    char bad_first[500]; /* file, line and fault of the first */
    DataRecord data;     /* of data.json; empty where it is not there or not readable */
    Sessions sessions;   /* of run.json; none where it is not there */
    bool brief, sampled; /* of runlog_open_brief */
} RunLog;

/* A path that is no folder is FAIL_USAGE; a folder without any row of train.jsonl is a
 * run that has just begun: its arrays are empty. */
RunLog *runlog_open(const char *dir, Err *err);
/* The same in little time, however long the logs are: of a log of more than a megabyte
 * head and tail; rows between and probes only where the last process left no verdict
 * (sessions_judged).  `sampled`: such rows are what there is of them. */
RunLog *runlog_open_brief(const char *dir, Err *err);
/* The same without the rows of its logs: name, recipe, chance. */
RunLog *runlog_open_recipe(const char *dir, Err *err);
/* One row of probe.jsonl: `probe` of it, and nothing else. */
RunLog *runlog_of_probe(const json_t *row);
void runlog_free(RunLog *run);

/* "3 lines of the logs are not used (runs/x/train.jsonl:5: ...)"; "" where all are. */
void runlog_note(const RunLog *run, char *text, size_t size);
/* The same as a note on stderr. */
void runlog_say(const RunLog *run);

/* FAIL_DATA unless there is at least one row of train.jsonl. */
Status runlog_check_rows(const RunLog *run, Err *err);

/* Value of a "section.key" of the recipe, or NULL. */
const char *runlog_setting(const RunLog *run, const char *key);

/* Are the items of items_per_s tokens, not examples?  By the task of its recipe; without
 * one, by the scores of its evaluations. */
bool runlog_counts_tokens(const RunLog *run);

/* The most that a key such as probe.every was in the run: recipe.ini has it as it was at
 * the start, and what interventions make of it.  Rows may be that many steps apart.
 * *off: it was 0 at a time, or is not known. */
double runlog_every(const RunLog *run, const char *key, bool *off);

/* Epoch at a step, on a straight line through the rows around it; NaN: the log has
 * none. */
double runlog_epoch(const RunLog *run, double step);

/* What the products of its steps were in: "" (fp32), "bf16", or "bf16 in 40 of 100
 * logged steps". */
enum { RUNLOG_PRECISION = 80 };
void runlog_precision(const RunLog *run, char text[RUNLOG_PRECISION]);

/* Has any evaluation this score? */
bool runlog_scored(const RunLog *run, Metric metric);

/* The kind of event that ends a run whose loss or gradient was not finite. */
#define RUNLOG_NONFINITE "non-finite"
/* That of a run that began with a checkpoint of another one. */
#define RUNLOG_BRANCH "branch"

/* At its probes, and where the collapse guard, which looks at every step, warned
 * (runlog_verdict.c). */
EntropyLow runlog_lowest(const RunLog *run);
/* The guard's warning of that event into `low`, behind all probes; nothing of an event
 * that is none. */
void runlog_see_alarm(const RunLog *run, const RunEvent *event, EntropyLow *low);
/* Did the guard warn of the site, below what the verdict calls a collapse? */
bool runlog_alarmed(const RunLog *run, const char *site);
/* "8 of 16 training examples could not be read and were left out."; "": none. */
void runlog_skips_text(const RunLog *run, char *text, size_t size);
/* nonfinite: what the caller knows besides, from the process's exit code.  Without it the
 * log's own event counts. */
Verdict runlog_verdict(const RunLog *run, bool nonfinite);

#endif

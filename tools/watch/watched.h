/* watched: a run as far as it has come, from the logs that it writes.
 *
 *     Watched *run = watched_open("runs/x", &err);      NULL: there is no such folder
 *     watched_poll(run);                                reads what is new
 *     puts(watched_state(run, now) == STATE_RUNNING ? "running" : "...");
 *     watched_close(run);
 *
 * A run is a folder with train.jsonl; probe.jsonl, eval.jsonl and recipe.ini may be
 * missing, and so may train.jsonl as long as nothing is logged.  Nothing is written, no
 * lock is taken: the run does not notice. */
#ifndef STEADY_WATCH_WATCHED_H
#define STEADY_WATCH_WATCHED_H

#include "tools/run/runlog.h"
#include "tools/watch/history.h"
#include "tools/watch/rows.h"

typedef enum {
    STATE_WAITING, /* no row yet */
    STATE_RUNNING,
    STATE_FINISHED,    /* it has the steps of its recipe */
    STATE_BROKEN,      /* its loss or gradient was not finite */
    STATE_INTERRUPTED, /* so its last process says, run.json (tools/run/session.h) */
    STATE_FAILED,      /* the same */
    STATE_QUIET,       /* no new row for a long time: killed, stopped or ended */
    STATE_GONE         /* its folder is not there any more */
} WatchedState;

enum { EVENTS_MOST = 400, EVALS_MOST = 2000 };

typedef struct WatchedEvent {
    double step;
    char kind[24], text[200];
} WatchedEvent;

typedef struct WatchedEval {
    double step;
    char split[16];
    double scores[METRIC_COUNT]; /* NaN: the row has it not */
} WatchedEval;

typedef struct Watched {
    char *dir;
    char name[256];
    double chance; /* loss of guessing; NaN: unknown */
    double steps;  /* that it will have; NaN: unknown */
    double epochs; /* of the recipe; NaN */
    double batch;  /* items of items_per_s in a step; NaN: it is not fixed, or unknown */
    RowFile train, probe, eval;
    History history; /* of steps */
    History probes;  /* of probes: POINT_ENTROPY, and the places of their rows */
    WatchedEvent *events;
    size_t event_count, event_room;
    WatchedEval *evals;
    size_t eval_count, eval_room;
    double pace;      /* steps a second, as seen here; NaN: not seen yet */
    double seen_step; /* where that is counted from: a step and a time */
    double seen_clock;
    RunLog *row;   /* of watched_probe */
    double row_at; /* the step of its point */
    RunLog *recipe;
    double recipe_changed, session_changed; /* times of recipe.ini, of run.json */
} Watched;

Watched *watched_open(const char *dir, Err *err);
void watched_close(Watched *run);

/* Reads what is new.  False: nothing is. */
bool watched_poll(Watched *run);

/* The state at a time (seconds of the clock on the wall). */
WatchedState watched_state(const Watched *run, double now);

/* What is wrong with its logs: "train.jsonl, eval.jsonl: unreadable lines", and, where
 * run.json says that they were taken, "rows of steps 9 to 20 are missing".  False with
 * "": nothing that is known. */
enum { WATCHED_FAULT = 100 };
bool watched_unreadable(const Watched *run, char text[WATCHED_FAULT]);
bool watched_missing(const Watched *run, char text[WATCHED_FAULT]);

double watched_step(const Watched *run); /* the last; 0: none */
/* Seconds since its last row at that time. */
double watched_age(const Watched *run, double now);
/* Seconds to its end; NaN: not known. */
double watched_left(const Watched *run);

/* Is POINT_RATE of tokens, not examples? */
bool watched_counts_tokens(const Watched *run);

/* The newest probe at or before a step; NULL: there is none.  It is the run's, until the
 * next call. */
const RunLog *watched_probe(Watched *run, double step);

/* The newest evaluation at or before a step on this split, or on any ("") that has a
 * score besides the loss; NULL. */
const WatchedEval *watched_eval(const Watched *run, double step, const char *split);

/* What it is judged by: the first metric of the row that is shown, or the loss. */
Metric watched_metric(const WatchedEval *eval);

/* The lowest head of a probe: share of uniform attention's entropy, NaN without one.  Not
 * the lowest site (mean over its heads), which POINT_ENTROPY and verdicts are about. */
typedef struct LowestHead {
    double share;
    const char *site;
    size_t head;
} LowestHead;
LowestHead watched_lowest_head(const RunLog *probe);

#endif

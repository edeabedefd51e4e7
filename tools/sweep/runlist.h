/* runlist: the runs and sweeps in a folder, a row each (`steady runs`).
 *
 *     RunList list = {0};
 *     runlist_of("runs", false, &list, &err);          the newest first
 *     runlist_print(&list, stdout);                    a table, or
 *     runlist_print_json(&list);                       an object a line
 *     runlist_free(&list);
 *
 * A run is a folder with recipe.ini or train.jsonl, a sweep one with sweep.json.  Nothing
 * is written.  What cannot be read is a row with the reason. */
#ifndef STEADY_RUNLIST_H
#define STEADY_RUNLIST_H

#include <stdio.h>

#include "tools/run/runstate.h"

typedef struct Listed {
    char *path;
    bool sweep;
    RunState state;     /* steps of a sweep: its runs, those that have ended */
    char task[24];      /* "classify"; "" where the run does not say */
    double age;         /* seconds since it logged anything; NaN: it has not */
    char split[16];     /* of the score */
    Metric metric;      /* METRIC_COUNT: there is none */
    double score, best; /* the last, and the best on its split; of a sweep: of its runs */
    char verdict[64];   /* of a sweep "2 of 8 diverged"; "" */
    double loss, seconds; /* of the last fifth of the steps; of training; NaN: unknown */
    char started[32];     /* of the first session, or "" */
    bool sampled;         /* verdict and loss are by a sample of the rows of long logs */
    char fault[600];      /* why it cannot be read, or "" */
    char note[600];       /* which lines of its logs cannot be, or "" */
} Listed;

typedef struct RunList {
    Listed *rows;
    size_t count, room;
} RunList;

/* Those in the folder, or the folder itself; with `deep` also the runs of sweeps and what
 * is in other folders below.  A sweep's own folder lists its runs.  FAIL_USAGE: there is
 * no such folder. */
Status runlist_of(const char *dir, bool deep, RunList *list, Err *err);
void runlist_print(const RunList *list, FILE *out);
void runlist_print_json(const RunList *list);
/* Faults, unreadable lines and missing rows as notes on stderr. */
void runlist_say(const RunList *list);
void runlist_free(RunList *list);

/* "45 s", "12 min", "3 h", "5 d"; "-" for NaN. */
void age_text(double seconds, char text[24]);

#endif

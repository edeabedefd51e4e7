/* show: how a sweep is getting on, on stderr.  A line for each finished cell; while runs
 * go on, one live line on a terminal, and elsewhere a plain one each half minute. */
#ifndef STEADY_SWEEP_SHOW_H
#define STEADY_SWEEP_SHOW_H

#include "tools/sweep/sweep.h"

enum { SHOW_RUNNING = 64 }; /* more runs than that at a time are not all looked at */

typedef struct SweepShow {
    const Sweep *sweep;
    size_t ended_before;                 /* cells that had ended when this call began */
    size_t finished;                     /* cells that ended or failed in this call */
    size_t running[SHOW_RUNNING], count; /* cells that run now, */
    double begun[SHOW_RUNNING];          /* and shares of them that were done before */
    double spared;                       /* those of cells that have finished */
    double started, shown;
    bool terminal, open_line;
} SweepShow;

void show_start(SweepShow *show, const Sweep *sweep);
void show_begun(SweepShow *show, size_t cell);                    /* it runs now, */
void show_cell(SweepShow *show, size_t cell);                     /* has ended, */
void show_failure(SweepShow *show, size_t cell, const char *log); /* or failed */
void show_running(SweepShow *show);                               /* call it often */
void show_say(SweepShow *show, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void show_end(SweepShow *show);

#endif

/* progress: how a run is getting on, on stderr; a bar on a terminal, plain lines
 * elsewhere. */
#ifndef STEADY_PROGRESS_H
#define STEADY_PROGRESS_H

#include "engine/core/base.h"

typedef struct Progress {
    size_t first, last;    /* the run goes from step first + 1 to step last */
    double started, shown; /* clock of the start, and of the last line */
    size_t shown_step;
    bool terminal, colour, open_line;
    bool silent; /* says nothing at all: another rank does */
} Progress;

/* What one line shows. */
typedef struct ProgressNow {
    size_t step;
    double epoch, loss, rate; /* rate: examples a second */
    double entropy;           /* lowest head entropy, share of uniform's */
    const char *site;         /* where that is */
    size_t head;
} ProgressNow;

void progress_start(Progress *progress, size_t first, size_t last, bool silent);
void progress_show(Progress *progress, const ProgressNow *now);

/* A whole line of its own, whatever the bar is doing. */
void progress_say(Progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void progress_end(Progress *progress);

/* "1:05:09", "12:07", "8 s" */
void duration_text(double seconds, char *text, size_t size);

#endif

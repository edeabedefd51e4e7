/* progress: how a run is getting on, on stderr; a bar on a terminal, plain lines
 * elsewhere, which are of the same steps whatever the time. */
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
    double epoch, loss, rate;
    const char *unit; /* of the rate, which is a second's: "examples" */
    double left;      /* seconds to the end */
    bool more;        /* and what could not be foreseen */
    double entropy;   /* lowest of a site, mean over its heads, share of uniform's */
    const char *site; /* where that is */
} ProgressNow;

/* Steps between two lines of a log: 1, 2 or 5 times a power of ten, such that a run has
 * 20 to 50 lines, or one each 1000 steps. */
size_t progress_beat(size_t steps);

void progress_start(Progress *progress, size_t first, size_t last, bool silent);
void progress_show(Progress *progress, const ProgressNow *now);

/* A whole line of its own, whatever the bar is doing. */
void progress_say(Progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void progress_end(Progress *progress);

/* "1:05:09", "12:07", "8 s" */
void duration_text(double seconds, char *text, size_t size);

#endif

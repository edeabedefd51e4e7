/* log: the logs of a run, one JSON object a line: flushed as written, synced before a
 * checkpoint is saved.
 *
 *     log_open(&log, dir, "train.jsonl", 1, step, &err);   cut back to the step of a checkpoint
 *     if (*log.note) fprintf(stderr, "steady: note: %s\n", log.note);
 *     log_row(&log, row, &err);
 *     log_sync(&log, &err);
 *
 * Not for: reading what a run has logged (tools/run/runlog.h). */
#ifndef STEADY_LOG_H
#define STEADY_LOG_H

#include "tools/run/rundir.h"

typedef struct Log {
    FILE *file;
    char path[PATH_SIZE];
    char note[900]; /* what log_open found amiss, one sentence; "": nothing */
} Log;

/* Opens for appending; rows whose "step" is greater than `last_step` are removed, for the
 * run takes these steps again.
 *
 * No other row is.  What is none (no JSON object with a whole "step", such as a line that
 * was cut short, or the zeros of a power cut) and a row that a later one of the same step
 * replaces (the same "split", both with "attention" or both without) are moved to
 * NAME.bad, NAME.bad.2 ...; rows that stand out of order are sorted.  A row with an
 * "event" stays behind the row that it stands behind, and counts neither as out of order
 * nor as one that comes twice.  Steps without a row, where there is one each `every`
 * steps (0: not known), are said.  A row about "sharpness" alone is as an event is: it
 * comes when it is known.
 *
 * Of a log of more than 64 MB only the last 64 MB are read, or as much more as it takes
 * to come to a row of `last_step` or before it.  After a failure (FAIL_RUN where it
 * cannot be read or written; FAIL_DATA where it is no regular file) the log is as it
 * was. */
Status log_open(Log *log, const char *dir, const char *name, size_t every,
                size_t last_step, Err *err);

/* The same for a run that takes steps behind `last_step`: a row that is only there as the
 * run ended with it, {"step":last_step,"end":true, ..., is removed as well, and the log
 * becomes that of a run that never ended there. */
Status log_open_further(Log *log, const char *dir, const char *name, size_t every,
                        size_t last_step, Err *err);

Status log_row(Log *log, json_t *row /* taken over */, Err *err);
/* What was written has arrived on the disk. */
Status log_sync(Log *log, Err *err);
void log_close(Log *log);

#endif

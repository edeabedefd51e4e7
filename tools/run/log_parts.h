/* log_parts: cutting a log back to the step of a checkpoint (tools/run/log.h). */
#ifndef STEADY_LOG_PARTS_H
#define STEADY_LOG_PARTS_H

#include "tools/run/log.h"

typedef enum {
    LINE_ROW,
    LINE_EVENT, /* or a row about sharpness alone */
    LINE_BLANK,
    LINE_BAD,
    LINE_REPLACED,
} LineKind;

/* A line with its line end, which the last one may lack. */
typedef struct LogLine {
    const char *text; /* in LogCut.text */
    size_t length;
    size_t step, order; /* order: what it is sorted by */
    LineKind kind;
} LogLine;

typedef struct LogCut {
    size_t every, last_step;
    bool further;  /* the run takes steps behind last_step */
    size_t before; /* bytes of the file that were not read; whole lines */
    char *text;
    size_t size;
    LogLine *lines;
    size_t count, room;
    bool sorted;     /* it had to be */
    const char *bad; /* the first line that does not fit, of `bad_count` */
    char why[200];   /* it does not */
    size_t bad_count;
} LogCut;

/* Takes the lines apart and judges them: lines[], sorted; bad lines whose step is known
 * to be greater than last_step are as good as rows. */
void log_take_apart(LogCut *cut);

/* Cuts the file, which may be missing, and writes `note`. */
Status log_cut(LogCut *cut, const char *path, const char *dir, char *note,
               size_t note_size, Err *err);

#endif

/* rows: follows a log - one JSON object a line - that another process writes.
 *
 *     RowFile file = rows_file("runs/x", "train.jsonl");
 *     RowTaker taker = {.context = &mine, .forget = ..., .take = ..., .samples = 2000};
 *     while (...) rows_poll(&file, &taker);              twice a second, for instance
 *
 * A poll reads what is new and nothing else; of a file that has not changed it asks for
 * size and time alone.  A log that was cut back (a resume), replaced or removed is
 * forgotten and read anew.  Of a log of more than `whole` bytes that is met for the first
 * time, rows at `samples` places, evenly spread, and the last `tail` bytes are read:
 * opening takes as long for 10^6 rows as for 10^4.  rows_backfill comes back for the
 * events in what was passed over, some megabytes at a call.
 *
 * A last line without its newline is taken once it is a whole object.  Lines that `take`
 * refuses, and a log that is no regular file or cannot be opened, make the log `bad`. */
#ifndef STEADY_WATCH_ROWS_H
#define STEADY_WATCH_ROWS_H

#include <jansson.h>

#include "tools/run/rundir.h"

enum { ROWS_MARK = 64 };

typedef struct RowFile {
    char path[PATH_SIZE], dir[PATH_SIZE];
    bool there;             /* at the last poll */
    uint64_t device, inode; /* of the file that was read */
    size_t size, read;      /* bytes that it had; read up to here */
    bool bad;               /* it cannot be read, or lines of it that were are no rows */
    double changed;         /* its time of change, seconds of the clock on the wall */
    char mark[ROWS_MARK];   /* the bytes before `read`: others mean another log */
    size_t marked;          /* how many */
    size_t fill_at, fill_end; /* what rows_backfill has still to look at */
    size_t line;              /* bytes of the longest line of a sample so far */
} RowFile;

typedef struct RowTaker {
    void *context;
    void (*forget)(void *context);
    /* One line without its newline, and its place in the file.  False: it is no row. */
    bool (*take)(void *context, const char *line, size_t length, size_t at);
    size_t samples, whole, tail; /* as above */
    /* Lines of one poll that are taken, at most: others are evenly left out, but for
     * those with an "event" and the last. */
    size_t most;
} RowTaker;

RowFile rows_file(const char *dir, const char *name);

/* False: nothing has changed. */
bool rows_poll(RowFile *file, const RowTaker *taker);

/* Takes lines with an "event" from up to `bytes` of what was passed over; false: all has
 * been looked at. */
bool rows_backfill(RowFile *file, const RowTaker *taker, size_t bytes);

/* The line that begins at `at`, read again (mem_free); NULL: it is not there any more. */
char *rows_line(const RowFile *file, size_t at, size_t *length);

/* A line as an object (json_decref): NaN and Infinity, which Python writes, are "".
 * NULL: it is none. */
json_t *rows_parse(const char *line, size_t length);

#endif

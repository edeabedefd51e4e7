/* watch: follows runs until the user ends it, or says once how they are.
 *
 *     WatchList list = {0};
 *     watchlist_add(&list, "runs/x", &err);
 *     watch_once(&list, stdout);                                   or
 *     watch_follow(&list, &(WatchOptions){.interval = 1}, &code, &err); */
#ifndef STEADY_WATCH_WATCH_H
#define STEADY_WATCH_WATCH_H

#include <stdio.h>

#include "tools/watch/list.h"

typedef struct WatchOptions {
    double interval; /* seconds between two looks at the logs */
    bool ascii, play;
} WatchOptions;

/* A summary in plain text, 80 columns wide. */
void watch_once(WatchList *list, bool utf8, FILE *out);

/* In the terminal; FAIL_RUN: there is none that it can use.  *code: exit code, 128 +
 * signal where one ended it. */
Status watch_follow(WatchList *list, const WatchOptions *options, int *code, Err *err);

#endif

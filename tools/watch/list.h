/* list: the runs that are watched, from words of a command line.
 *
 *     WatchList list = {0};
 *     watchlist_add(&list, "runs/a", &err);            a run,
 *     watchlist_add(&list, "runs/sweep-demo", &err);   the cells of a sweep that have begun,
 *     watchlist_add(&list, "runs", &err);              or the runs in a folder
 *     while (...) watchlist_poll(&list);               cells that begin later are added
 *     watchlist_free(&list); */
#ifndef STEADY_WATCH_LIST_H
#define STEADY_WATCH_LIST_H

#include "tools/watch/watched.h"

enum { WATCH_RUNS_MOST = 256, WATCH_FOLDERS_MOST = 64 };

typedef struct WatchFolder {
    char *dir;       /* that holds the runs: "runs/sweep-demo/cells" */
    double changed;  /* its time of change when it was last looked into; then, */
    size_t runs;     /* runs that have begun in it, */
    size_t left_out; /* those of them for which there was no room, */
    bool waits;      /* and whether another folder in it may become a run */
} WatchFolder;

typedef struct WatchList {
    Watched *runs[WATCH_RUNS_MOST];
    size_t count, left_out; /* runs; those of folders for which there was no room */
    WatchFolder folders[WATCH_FOLDERS_MOST];
    size_t folder_count;
} WatchList;

/* FAIL_USAGE: there is no such folder, or it holds no run.  An empty folder is a run that
 * has still to begin. */
Status watchlist_add(WatchList *list, const char *word, Err *err);
void watchlist_free(WatchList *list);

/* False: nothing is new. */
bool watchlist_poll(WatchList *list);

#endif

/* spawn: another process of a program of ours, which is asked to stop when this one dies.
 *
 *     Spawn spawn = {.program = path, .argv = argv, .out = file, .error = log, .nice = 10};
 *     if (spawn_start(&spawn, &pid, &err)) return err.status;     then waitpid(pid, ...)
 *
 * Not for: work in a child that stays this program (tools/program/apart.h). */
#ifndef STEADY_SPAWN_H
#define STEADY_SPAWN_H

#include <sys/types.h>

#include "engine/core/base.h"

typedef struct Spawn {
    const char *program; /* path; NULL: this program */
    char **argv;         /* ends with NULL */
    int out, error;      /* open files, which stay the caller's */
    int nice;            /* added to this process's; 0: the same priority */
    bool alone;          /* not one of a launcher's processes, whatever this one is */
} Spawn;

/* FAIL_RUN: no process could be made.  What cannot be run exits with FAIL_RUN and a line
 * in `error`. */
Status spawn_start(const Spawn *spawn, pid_t *pid, Err *err);

#endif

/* session: the processes that trained a run, RUN/run.json: when they began, where, with
 * which words, and how they ended.
 *
 *     {"sessions": [{"started": "2026-05-30T09:14:00Z", "version": "0.2.0",
 *                    "commit": "1a2b3c4", "real": "float", "command": ["steady", "train", "demo"],
 *                    "cwd": "/home/me",
 *                    "machine": "AMD EPYC 9R14", "threads": 2, "ranks": 1, "parameters": 412362,
 *                    "from": 0, "steps": 400, "step": 400, "seconds": 61.5, "exit": 0,
 *                    "verdict": "learned", "loss": 0.41}]}
 *
 *     session_begin("runs/demo", &session, &err);     exit is null until
 *     session_end("runs/demo", &ending, &err);        the process ends by itself
 *
 * A process that was killed leaves null for step, seconds and exit.  "message" says why
 * a session did not come to its end.  Nothing that is trained depends on this file: a
 * run without it, or with one that is no such file, has no sessions.  Times are UTC. */
#ifndef STEADY_SESSION_H
#define STEADY_SESSION_H

#include "engine/core/base.h"

enum { SESSIONS_KEPT = 1000, SESSION_OPEN = -1 };

typedef struct Session {
    char *started, *version, *machine, *command, *message; /* NULL: not known */
    char *commit;          /* that the program was built from; NULL: not known */
    char *cwd;             /* that relative paths were from; NULL: not known */
    char *real;            /* its numbers: "float" or "double"; NULL: not known */
    char *verdict;         /* of the run, at the end of this session; NULL: not known */
    char *init_crc;        /* CRC-32 of the weights that it read by train.init; NULL: it
                            * began from none, or nobody wrote it down */
    double loss;           /* of the same: mean of the last fifth of its rows; NaN */
    size_t threads, ranks; /* 0: not known */
    size_t parameters;     /* that are trained; 0: not known */
    size_t from;           /* step that it began behind */
    size_t steps;          /* of the whole run, as its recipe was then */
    size_t step;           /* last one that it took; 0: not known */
    double seconds;        /* NaN: not known */
    int exit;              /* Status; SESSION_OPEN: it runs, or was killed */
} Session;

typedef struct Sessions {
    Session *list; /* [count], the first one first */
    size_t count;
} Sessions;

/* What a process knows of itself when it starts. */
typedef struct SessionStart {
    int argc;
    char **argv; /* argv[0] is the command's name: "train" */
    size_t threads, ranks, parameters, from, steps;
    const char *init_crc; /* NULL: none */
} SessionStart;

typedef struct SessionEnd {
    size_t step;
    double seconds;
    int exit;
    const char *message; /* NULL: none */
    const char *verdict; /* NULL: it was not judged */
    double loss;         /* Verdict.tail */
} SessionEnd;

/* Adds a session; of more than SESSIONS_KEPT the second one goes. */
Status session_begin(const char *dir, const SessionStart *start, Err *err);
/* Completes the last one. */
Status session_end(const char *dir, const SessionEnd *end, Err *err);

Sessions sessions_load(const char *dir); /* sessions_free */
void sessions_free(Sessions *sessions);

/* The last one, if it ended with a verdict; else NULL. */
const Session *sessions_judged(const Sessions *sessions);

/* CRC-32 of the weights that the run began from: of the last session that began at its
 * start; NULL: of no file, or not known. */
const char *sessions_init_crc(const Sessions *sessions);

/* Seconds of all sessions; NaN where that of any is not known. */
double sessions_seconds(const Sessions *sessions);

#endif

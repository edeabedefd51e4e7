#include "tools/program/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/core/base.h"

static volatile sig_atomic_t asked, patient_until; /* tenths of a second */
static char farewell[200], answer[200]; /* each is written before its handler is set */

static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU};

/* ---- handlers: only what is safe in one (signal-safety(7)) ---- */

static void say(const char *text) {
    if (write(STDERR_FILENO, text, strlen(text)) < 0) return; /* nobody listens */
}

static void end_process(int number) {
    (void)number;
    say(farewell);
    _exit(FAIL_INTERRUPTED);
}

static sig_atomic_t tenths(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (sig_atomic_t)(now.tv_sec * 10 + now.tv_nsec / 100000000);
}

static void note(int number) {
    int kept = errno;
    if (!asked) {
        patient_until = tenths() + 10 * STOP_PATIENCE;
        asked = 1;
        say(answer);
    } else if (number == SIGINT && tenths() >= patient_until) {
        signal(SIGINT, SIG_DFL);
        raise(SIGINT);
    }
    errno = kept;
}

/* ---- setting them ---- */

/* nohup ignores SIGHUP, and that is respected.  A shell ignores SIGINT for what it runs
 * in the background, and that is not: a signal that is sent all the same is meant. */
static void handle(void (*handler)(int)) {
    struct sigaction action, now;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = (int)SA_RESTART;
    for (size_t i = 0; i < COUNT(SIGNALS); i++) {
        sigaction(SIGNALS[i], NULL, &now);
        if (SIGNALS[i] != SIGHUP || now.sa_handler != SIG_IGN)
            sigaction(SIGNALS[i], &action, NULL);
    }
}

void stop_hold(bool on) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < COUNT(SIGNALS); i++) sigaddset(&set, SIGNALS[i]);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGPIPE);
    sigprocmask(on ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

void stop_forget_inherited(void) {
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_IGN);
    stop_hold(false);
}

/* What is said breaks off the line of progress that a terminal shows. */
static const char *line_break(void) { return isatty(STDERR_FILENO) ? "\n" : ""; }

void stop_at_once(const char *command) {
    snprintf(farewell, sizeof farewell,
             "%ssteady %s: interrupted before the first step; nothing was written\n",
             line_break(), command);
    handle(end_process);
}

void stop_listen(const char *promise) {
    if (promise)
        snprintf(answer, sizeof answer,
                 "%sstopping: %s; Ctrl-C again after %d s stops without waiting\n",
                 line_break(), promise, STOP_PATIENCE);
    handle(note);
    signal(SIGPIPE, SIG_IGN);
}

void stop_unlisten(void) { handle(SIG_DFL); }

bool stop_requested(void) { return asked; }

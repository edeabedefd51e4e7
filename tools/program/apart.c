#include "tools/program/apart.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void do_work(int answer, Status (*work)(void *, Err *), void *input) {
    Err err = ERR_NONE;
    err.status = work(input, &err);
    bool flushed = !fflush(stdout);
    bool sent = write(answer, &err, sizeof err) == (ssize_t)sizeof err;
    _exit(flushed && sent ? 0 : FAIL_RUN);
}

/* The whole answer, or false: the child ended before it. */
static bool read_answer(int from, Err *answer) {
    char *to = (char *)answer;
    size_t got = 0;
    while (got < sizeof *answer) {
        ssize_t part = read(from, to + got, sizeof *answer - got);
        if (part < 0 && errno == EINTR) continue;
        if (part <= 0) return false;
        got += (size_t)part;
    }
    return true;
}

/* How the child ended; -1: nobody knows (a parent that ignores SIGCHLD has no
 * children to wait for). */
static int wait_for(pid_t child) {
    int how;
    pid_t ended;
    do ended = waitpid(child, &how, 0);
    while (ended < 0 && errno == EINTR);
    return ended == child ? how : -1;
}

static Status judge(bool answered, const Err *answer, int how, Err *err) {
    if (answered && (how == -1 || (WIFEXITED(how) && !WEXITSTATUS(how))))
        return answer->status ? err_set(err, answer->status, "%s", answer->text) : OK;
    if (how != -1 && WIFSIGNALED(how))
        return err_set(err, FAIL_RUN,
                       "a library crashed (%s), probably because memory ran out",
                       strsignal(WTERMSIG(how)));
    return err_set(err, FAIL_RUN, "its process ended early");
}

Status apart_run(Status (*work)(void *input, Err *err), void *input, Err *err) {
    int ends[2];
    fflush(NULL);
    if (pipe(ends)) return work(input, err);
    pid_t child = fork();
    if (!child) {
        close(ends[0]);
        do_work(ends[1], work, input);
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return work(input, err);
    }
    Err answer = ERR_NONE;
    bool answered = read_answer(ends[0], &answer);
    close(ends[0]);
    return judge(answered, &answer, wait_for(child), err);
}

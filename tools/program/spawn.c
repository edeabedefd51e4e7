#include "tools/program/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tools/program/launch.h"
#include "tools/program/stop.h"

/* In the child; does not return.  It is asked to stop when the parent dies, whatever of.
 * A signal that comes before it is another program ends it: caught by the parent's
 * handler it would be lost. */
static _Noreturn void become(const Spawn *s, pid_t parent, const sigset_t *before) {
    stop_unlisten();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigprocmask(SIG_SETMASK, before, NULL);
    if (getppid() != parent) _exit(FAIL_INTERRUPTED);
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(s->out, STDOUT_FILENO);
    dup2(s->error, STDERR_FILENO);
    if (s->alone) launch_forget();
    if (s->nice && nice(s->nice) < 0) errno = 0; /* it runs all the same */
    execv(s->program ? s->program : "/proc/self/exe", s->argv);
    if (!s->program) execvp(s->argv[0], s->argv);
    dprintf(STDERR_FILENO, "steady: %s cannot be run: %s\n",
            s->program ? s->program : s->argv[0], strerror(errno));
    _exit(FAIL_RUN);
}

Status spawn_start(const Spawn *s, pid_t *pid, Err *err) {
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    *pid = fork();
    if (*pid == 0) become(s, parent, &before);
    int reason = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (*pid > 0) return OK;
    *pid = 0;
    return err_set(err, FAIL_RUN, "cannot start a process for %s: %s", s->argv[0],
                   strerror(reason));
}

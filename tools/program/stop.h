/* stop: what SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGXCPU (ulimit -t, qsub) do.
 *
 *     stop_at_once("train");                  while there is nothing to save: exit 75
 *     stop_listen("the run is saved first");  from here on a signal asks
 *     while (!stop_requested()) ...
 *
 * A signal that asks can come as often as it likes: timeout(1), Slurm and shells send
 * two, and none may end a process that is saving.  Only SIGINT (Ctrl-C), and
 * STOP_PATIENCE seconds or more after the first signal, ends it without waiting. */
#ifndef STEADY_STOP_H
#define STEADY_STOP_H

#include <stdbool.h>

enum { STOP_PATIENCE = 3 };

/* What the process inherited may be in the way: SIGCHLD ignored (no child can be waited
 * for), SIGPIPE ignored (`steady recipes | head -1` would complain), signals blocked.
 * Those that wait come now.  First in main, behind stop_at_once. */
void stop_forget_inherited(void);

/* A signal ends the process with FAIL_INTERRUPTED and a line that says that nothing was
 * written. */
void stop_at_once(const char *command);

/* A signal is noted; the first is answered on stderr with `promise`, what is done before
 * the end (NULL: nothing is said).  A pipe that is closed and a limit on file sizes are
 * errors of write from here on. */
void stop_listen(const char *promise);
void stop_unlisten(void); /* in a child that becomes another program */
bool stop_requested(void);

/* Signals wait, or come again. */
void stop_hold(bool on);

#endif

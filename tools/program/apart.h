/* apart: work in a child process, for libraries that crash where memory ends.
 *
 *     Status draw(void *input, Err *err);
 *     status = apart_run(draw, &input, &err);
 *
 * The text library behind cairo (fontconfig) follows NULL where an allocation fails;
 * figures are made apart so that this costs the figure and a line, not the command.  What
 * `work` writes to files and terminal stays, its changes to memory do not.  Not for: work
 * that uses OpenMP or MPI. */
#ifndef STEADY_APART_H
#define STEADY_APART_H

#include "engine/core/base.h"

/* work's Status and text; FAIL_RUN with the signal's name where a signal ended it.  Where
 * no process can be made, `work` is done in this one. */
Status apart_run(Status (*work)(void *input, Err *err), void *input, Err *err);

#endif

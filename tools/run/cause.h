/* cause: why attention collapsed, from what probes and warnings say; in the warning of
 * the collapse guard and in the verdict of a finished run alike.
 *
 * |logit| <= sigma^2 |x|^2 / sqrt(K), up to a factor: either the input x grew, or the
 * weights that make queries and keys did.  And what grew, grew because something moved.
 *
 *     "From step 1 to step 10 its input |x|^2 changed by a factor of 960, sigma^2 of its
 *      queries and keys by 1.4; conv.weight moved by 2.4 times itself at step 1."
 *
 * Not for: runs without such probes, of which it says nothing, or as much as is there. */
#ifndef STEADY_CAUSE_H
#define STEADY_CAUSE_H

#include "tools/run/runlog.h"

/* The mover is named from this ratio on; below it steps are ordinary. */
#define CAUSE_MOVED 0.3

enum { CAUSE_TEXT = 400 };

/* Why `site` has fallen at `step`: from the first probe to that of the step, or the last
 * before it, which the text names.  A weight is named that moved before the step: by then
 * its forward pass is over.  "": nothing is known, or the site is "". */
void cause_text(const RunLog *run, const char *site, size_t step, char text[CAUSE_TEXT]);

#endif

/* cause: why attention collapsed, from what probes say.
 *
 * |logit| <= sigma^2 |x|^2 / sqrt(K), up to a factor: either the input x grew, or the
 * weights that make queries and keys did.  And what grew, grew because something moved.
 *
 *     "Since the first probe its input |x|^2 changed by a factor of 960, sigma^2 of
 *      its queries and keys by 1.4; conv moved by 2.4 times itself at step 1."
 *
 * Not for: runs without such probes, of which it says nothing, or as much as is there. */
#ifndef STEADY_CAUSE_H
#define STEADY_CAUSE_H

#include "tools/run/runlog.h"

/* The mover is named from this ratio on; below it steps are ordinary. */
#define CAUSE_MOVED 0.3

enum { CAUSE_TEXT = 400 };

/* Of the site that fell first, between the first probe and that of low->fell_step, by
 * which time the weight that moved most is named.  "": it did not fall, or nothing is
 * known. */
void cause_text(const RunLog *run, const EntropyLow *low, char text[CAUSE_TEXT]);

#endif

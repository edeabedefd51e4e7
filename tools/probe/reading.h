/* reading: what the numbers of a probe mean, a sentence a line. */
#ifndef STEADY_READING_H
#define STEADY_READING_H

#include "data/file/textbuffer.h"
#include "tools/probe/probed.h"

/* Numbers that are not finite; heads and their bounds of Theorem 3.1; sites whose entropy
 * or rank has collapsed; where the gradient is.  Lines end in \n. */
void reading_of(const Probed *p, TextBuffer *text);

/* Attention's output has collapsed in rank where its participation ratio, from 1 (every
 * query gets the same) to the number of queries, is under this. */
#define RANK_COLLAPSE 1.5

/* Bounds are computed to this share of themselves: what is less below is rounding. */
#define BOUND_ROUNDING 1e-4

/* Heads whose bound is known, and those below it; the smallest gap and where. */
typedef struct BoundCheck {
    size_t known, below;
    double gap; /* NaN: none is known */
    const ProbedSite *site;
    size_t head;
} BoundCheck;
BoundCheck bound_check(const Probed *p);

#endif

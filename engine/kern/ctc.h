/* ctc: connectionist temporal classification of one utterance (Graves et al., ICML 2006).
 *
 * An alignment gives each of the T frames a label or the blank.  It spells the labels
 * that are left when runs of one class are drawn together and blanks dropped.  With
 * p_t = softmax(z_t),
 *   P(labels) = sum over the alignments that spell them of prod_t p_t(alignment_t)
 *
 *     double *work = mem_alloc(ctc_work(T, L, true) * sizeof *work);
 *     double loss = ctc_forward(&utterance, work, true);         -ln P
 *     ctc_backward(&utterance, work, 1, dz, 0);
 *
 * Works in log space, on the calling thread.  Sums of two or three numbers are made with
 * vmath: in the float build each may add an error of 4e-7 to ln P (over 500 frames 1e-6
 * was seen, and 1e-7 in the gradient), in the double build there is no such error. */
#ifndef STEADY_CTC_H
#define STEADY_CTC_H

#include "engine/core/base.h"

typedef struct CtcUtterance {
    const real *logits; /* z [frames, classes] */
    size_t frames, classes;
    const uint32_t *labels; /* [count] each < classes, none the blank */
    size_t count;           /* may be 0: P is that of blanks alone */
    uint32_t blank;
} CtcUtterance;

/* Is there an alignment: count labels, and a blank between two that are equal,
 * in `frames` frames? */
bool ctc_fits(size_t frames, const uint32_t *labels, size_t count);

/* Doubles of work that ctc_forward wants; with `keep` for a ctc_backward to follow. */
size_t ctc_work(size_t frames, size_t count, bool keep);

/* -ln P >= 0, finite for finite logits; ctc_fits must hold.  No frames: 0.  A
 * NaN logit gives NaN. */
double ctc_forward(const CtcUtterance *u, double *work, bool keep);

/* dz [frames, classes] = beta dz + scale d(-ln P)/dz, each row of which sums to 0; beta =
 * 0 overwrites.  `work` as ctc_forward left it. */
void ctc_backward(const CtcUtterance *u, double *work, real scale, real *dz, real beta);

#endif

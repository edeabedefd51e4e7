/* vocab_loss: op_vocab_loss over an output matrix in two parts, for op_adaptive_loss.
 *
 * Not for: models (engine/op/op.h). */
#ifndef STEADY_VOCAB_LOSS_H
#define STEADY_VOCAB_LOSS_H

#include "engine/op/op.h"

/* What makes the V logits of x. */
typedef struct VocabOutput {
    Tensor *w;          /* [V, D], or its first rows */
    Tensor *more;       /* the rows behind them; NULL: none */
    Tensor *bias;       /* [V] or NULL; none with `more` */
    const Scale *scale; /* of w, or NULL; one number with `more`, which is not scaled */
} VocabOutput;

/* hit [R] or NULL: set, for each row that counts, to whether the label is right. */
Tensor *vocab_loss(Tape *tape, Tensor *x, const VocabOutput *output,
                   const VocabTarget *target, bool *hit);

#endif

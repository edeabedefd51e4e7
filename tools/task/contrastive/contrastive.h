/* contrastive: what the files of the task share. */
#ifndef STEADY_CONTRASTIVE_H
#define STEADY_CONTRASTIVE_H

#include "tools/task/contrastive/feature_sums.h"
#include "tools/task/pictures.h"

typedef struct Contrastive {
    PictureTask pictures; /* first: a Task * is a Contrastive * */
    Contrast *contrast;
    FeatureSums sums;    /* of the present step */
    FeatureNumbers last; /* of the last one */
    struct Seen *seen;   /* by the evaluation that runs (evaluate.c); NULL: none does */
} Contrastive;

static inline Contrastive *contrastive_of(Task *task) { return (Contrastive *)task; }

/* Pictures that a loss compares: those of a micro-batch of all ranks, in training and in
 * evaluation (task.c). */
size_t contrastive_compared(const Recipe *recipe);
/* FAIL_USAGE: fewer than two. */
Status contrastive_check_compared(const Recipe *recipe, Err *err);

/* Features [B, D] of a batch's `pixels`, one of its views or the pictures themselves,
 * without gradients; the tape begins anew (evaluate.c). */
Tensor *contrastive_features(Contrastive *c, Tape *tape, const ForwardMode *mode,
                             const Batch *batch, real *pixels);

/* Loss, probe and spread of a split (evaluate.c). */
Status contrastive_evaluate(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                            bool thorough, Score *score, Err *err);

#endif

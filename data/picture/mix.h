/* mix: Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019) of one batch, in timm's
 * batch mode: one lambda a batch, the partner of slot s is slot B-1-s. */
#ifndef STEADY_MIX_H
#define STEADY_MIX_H

#include "data/picture/loader.h"
#include "data/picture/resize.h"
#include "engine/core/rng.h"

typedef struct Mix {
    bool cut;      /* CutMix: pairs swap `box`; else they are blended */
    double lambda; /* share of a picture that stays its own */
    Box box;
} Mix;

/* The mixture of a batch of such pictures; an alpha of 0 means off, both on: one by lot.
 * At least one is on. */
Mix mix_draw(const Batch *batch, double mixup, double cutmix, RngCursor *dice);

/* Mixes two pictures [C, Y, X] with each other. */
void mix_pair(const Mix *mix, const Batch *batch, real *a, real *b);

#endif

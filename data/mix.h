/* mix: Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019) of one batch, in timm's
 * batch mode: one lambda a batch, the partner of slot s is slot B-1-s. */
#ifndef STEADY_MIX_H
#define STEADY_MIX_H

#include "data/loader.h"
#include "engine/core/rng.h"

/* Mixes pixels and sets mixed_label and mix; alphas of 0 mean off, both on: one by lot.
 * The middle slot of an odd batch is its own partner. */
void mix_batch(Batch *batch, double mixup, double cutmix, RngCursor *dice);

#endif

/* ema: an exponential moving average of the trained parameters.
 *
 *     Ema *ema = ema_new(params, 0.9999);
 *     ... optim_step(...); ema_update(ema);            after each step
 *     ema_swap(ema); evaluate(...); ema_swap(ema);     the model holds the average meanwhile
 *
 * The average starts at the parameters of the moment.  Buffers (u, v) are not averaged:
 * after ema_swap the caller recomputes what depends on the weights (reparam_refresh). */
#ifndef STEADY_EMA_H
#define STEADY_EMA_H

#include "engine/core/params.h"

typedef struct Ema Ema;

/* `params` is finished and borrowed; 0 <= decay < 1. */
Ema *ema_new(ParamSet *params, double decay);
void ema_free(Ema *ema);
void ema_set_decay(Ema *ema, double decay); /* from the next update on */

/* e = decay e + (1 - decay) p, computed as e += (1 - decay)(p - e): so e = p is kept
 * exactly, whatever 1 - decay loses in float. */
void ema_update(Ema *ema);

/* Exchanges the average and the parameters. */
void ema_swap(Ema *ema);
bool ema_is_swapped(const Ema *ema);

/* The average, [params->trained] with the offsets of params->values; for checkpoints,
 * while it is not swapped in. */
real *ema_values(Ema *ema);

#endif

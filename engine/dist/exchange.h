/* exchange: sums the gradients of all ranks while the backward pass goes on.
 *
 *     exchange_begin(x);                 before the backward pass of a step's last micro-batch
 *     tape_backward(tape, loss);         buckets leave as they become final
 *     exchange_end(x);                   the rest leaves; then params->grads holds the sums
 *
 * With NULL (one process alone) both do nothing.
 *
 * The sums arrive in a second slab, since MPI libraries choose slower ways for sums in
 * place; exchange_end makes that slab params->grads and the old one the second.  All
 * ranks must build the same parameters and run the same operations on them. */
#ifndef STEADY_EXCHANGE_H
#define STEADY_EXCHANGE_H

#include "engine/core/params.h"
#include "engine/core/tape.h"
#include "engine/dist/ranks.h"

typedef struct Exchange Exchange;

/* Borrows all three.  NULL where ranks is NULL. */
Exchange *exchange_new(Ranks *ranks, ParamSet *params, Tape *tape);
void exchange_free(Exchange *exchange); /* NULL is fine; before the params go */

void exchange_begin(Exchange *exchange);
void exchange_end(Exchange *exchange);

#endif

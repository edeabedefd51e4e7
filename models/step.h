/* step: one training step of any model.  The trainer, the bench and programs of others
 * make their steps here, so all make the same one, to the bit:
 *
 *   refresh   reparametrisation: u, v and the scales of W-hat
 *   forward, backward   of each piece of the batch; gradients add up
 *   (reduce)  loss, statistics and gradients become sums over the ranks
 *   fold      gradients of W out of those of W-hat; then their norm
 *   between   the caller looks: finite? probes, guards
 *   update    clip, optimizer, average of the weights
 *
 *     Step step;
 *     step_begin(&step, model, &optim, NULL);           then the caller's fields:
 *     step.seed = 1, step.loss_of = loss_of, step.context = &data;
 *     StepBatch batch = {.number = n, .examples = 32, .mode = {.temperature = 1}};
 *     step_gradients(&step, &batch);                    step.loss, step.grad_norm
 *     step_update(&step, lr, weight_decay);
 *     step_end(&step);
 *
 * A batch is cut into `accumulate` micro-batches, each a forward and a backward pass;
 * where a piece that fits the cache is smaller, a micro-batch is cut further.  That
 * changes nothing but the order of sums.  (Model.joint: it is not cut, and each rank
 * needs an example for each micro-batch.)
 *
 * Not for: making batches, learning rates (engine/optim/schedule.h), logs and
 * checkpoints. */
#ifndef STEADY_STEP_H
#define STEADY_STEP_H

#include "engine/dist/exchange.h"
#include "engine/optim/ema.h"
#include "engine/optim/optim.h"
#include "models/layer.h"

typedef enum {
    STEP_REFRESH,
    STEP_FORWARD,
    STEP_BACKWARD,
    STEP_FOLD, /* with the wait for the other ranks */
    STEP_BETWEEN,
    STEP_UPDATE, /* with the norm of the gradients */
    STEP_PHASES
} StepPhase;

/* Loss of examples [from, to) of this rank's part of the batch, as a share of
 * the whole batch's mean: the losses of all pieces of all ranks add up to the
 * step's.  mode->first_example is `from`; where the part begins within the
 * batch, only the callee knows. */
typedef Tensor *StepLoss(void *context, Tape *tape, const ForwardMode *mode, size_t from,
                         size_t to);

/* The first example of piece i of `pieces`, 0 <= i <= pieces. */
typedef size_t StepEdge(void *context, size_t i, size_t pieces);

/* A phase, or the piece's share of one, is over. */
typedef void StepLap(void *context, StepPhase phase);

typedef struct Step {
    /* by step_begin */
    Model *model; /* borrowed, as are the ranks */
    Ranks *ranks; /* that train together; NULL: this process alone */
    Tape *tape;
    Exchange *exchange;
    Optimizer *optim; /* NULL: gradients alone */
    double clip;      /* largest norm of the gradients; 0: any */
    /* by the caller, zero being fine but for loss_of */
    Ema *ema; /* from ema_new, then the step's; NULL: no average */
    /* Measuring, not training: u and v stay as they are (model_freeze), no random masks,
     * positions not moved.  Gradients are those of the loss that evaluation has. */
    bool still;
    uint64_t seed;     /* of the random masks */
    size_t accumulate; /* micro-batches; 0: one */
    size_t cache;      /* bytes that pieces fit; 0: not known */
    void *context;     /* the functions' */
    StepLoss *loss_of;
    StepEdge *edge_of; /* NULL: equal shares */
    StepLap *lap;      /* NULL: no clock */
    /* of the last step_gradients: sums over all ranks */
    double loss, grad_norm;
} Step;

typedef struct StepBatch {
    size_t number;    /* of the step, from 1; masks are drawn by it */
    size_t examples;  /* of this rank's part; 0 is fine where other ranks have some */
    double tokens;    /* of an example, padding included; 0 with cache = 0 */
    ForwardMode mode; /* temperature, recomputation, precision */
} StepBatch;

/* Makes tape, exchange and, of `optim` (NULL: none), optimizer; all else is zero. */
void step_begin(Step *step, Model *model, const OptimConfig *optim, Ranks *ranks);
void step_end(Step *step); /* all zero is fine */

/* Another config from the next update on; the optimizer keeps its state. */
void step_set_optim(Step *step, const OptimConfig *optim);

/* Refresh to fold.  params->grads hold the gradients of the whole batch, step->loss its
 * loss; either may be non-finite. */
void step_gradients(Step *step, const StepBatch *batch);

/* The gradients once more, by the scales that there are and without the other ranks:
 * those of this rank's part, up to the first non-finite number.  That number; op =
 * NULL: there is none. */
TapeFault step_watch(Step *step, const StepBatch *batch);

/* New weights from params->grads: those times min(1, clip / norm). */
void step_update(Step *step, double lr, double weight_decay);

/* ---- how a batch is cut ---- */

/* At least `accumulate`, and no more than there are examples: but with layer drop,
 * which a micro-batch draws as a whole, each micro-batch is cut equally, and
 * pieces may be empty. */
size_t step_pieces(const Step *step, const StepBatch *batch);

/* Where piece i begins, 0 <= i <= pieces, in examples of this rank's part. */
size_t step_edge(const Step *step, const StepBatch *batch, size_t i, size_t pieces);

/* The last piece that has an example; `pieces`: none has. */
size_t step_last_piece(const Step *step, const StepBatch *batch, size_t pieces);

/* Which forward pass of the step, all ranks', example `from` belongs to (TapeMode.pass):
 * rank * accumulate + its micro-batch.  The same on every machine: pieces of one
 * micro-batch share a number. */
size_t step_pass(const Step *step, const StepBatch *batch, size_t from);

#endif

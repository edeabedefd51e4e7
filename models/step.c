#include "models/step.h"

#include <math.h>

#include "engine/kern/reduce.h"
#include "models/look.h"
#include "models/together.h"

void step_begin(Step *s, Model *model, const OptimConfig *optim, Ranks *ranks) {
    *s = (Step){.model = model, .ranks = ranks, .tape = tape_new()};
    s->exchange = exchange_new(ranks, model->params, s->tape);
    if (!optim) return;
    s->optim = optim_new(optim, model->params);
    s->clip = optim->clip;
}

void step_set_optim(Step *s, const OptimConfig *optim) {
    optim_set_config(s->optim, optim);
    s->clip = optim->clip;
}

void step_end(Step *s) {
    ema_free(s->ema);
    optim_free(s->optim);
    exchange_free(s->exchange);
    tape_free(s->tape);
    *s = (Step){0};
}

/* ---- how a batch is cut ---- */

static size_t micro_batches(const Step *s) { return MAX(s->accumulate, (size_t)1); }

size_t step_edge(const Step *s, const StepBatch *b, size_t i, size_t pieces) {
    return s->edge_of ? s->edge_of(s->context, i, pieces) : b->examples * i / pieces;
}

size_t step_pieces(const Step *s, const StepBatch *b) {
    const ModelConfig *config = &s->model->config;
    bool joint = s->model->joint;
    size_t fitting = joint ? 1 : model_parts(config, b->tokens, b->examples, s->cache);
    size_t count = micro_batches(s);
    CHECK(!joint || b->examples >= count,
          "%zu examples in %zu micro-batches whose ranks compare them", b->examples,
          count);
    if (config->layer_drop > 0) return (fitting + count - 1) / count * count;
    return MAX(MIN(MAX(count, fitting), b->examples), (size_t)1);
}

size_t step_last_piece(const Step *s, const StepBatch *b, size_t pieces) {
    for (size_t i = pieces; i-- > 0;)
        if (step_edge(s, b, i, pieces) < step_edge(s, b, i + 1, pieces)) return i;
    return pieces;
}

size_t step_pass(const Step *s, const StepBatch *b, size_t from) {
    size_t count = micro_batches(s), k = count - 1;
    while (k && step_edge(s, b, k, count) > from) k--;
    return ranks_number(s->ranks) * count + k;
}

/* ---- gradients ---- */

static void lap(const Step *s, StepPhase phase) {
    if (s->lap) s->lap(s->context, phase);
}

/* Forward and backward over examples [from, to); gradients leave for
 * `exchange`, NULL: stay. */
static double run_piece(Step *s, const StepBatch *b, size_t from, size_t to, bool watch,
                        Exchange *exchange) {
    tape_begin(s->tape, (TapeMode){.gradients = true,
                                   .training = !s->still,
                                   .watch = watch,
                                   .seed = s->seed,
                                   .step = b->number,
                                   .pass = step_pass(s, b, from),
                                   .precision = b->mode.precision});
    ForwardMode mode = b->mode;
    mode.first_example = from;
    Tensor *loss = s->loss_of(s->context, s->tape, &mode, from, to);
    double value = (double)loss->value[0];
    model_stats_gather(s->model);
    lap(s, STEP_FORWARD);
    exchange_begin(exchange);
    tape_backward(s->tape, loss);
    lap(s, STEP_BACKWARD);
    return value;
}

/* All pieces of this rank's part; returns the part's loss.  With `fault`, up to the first
 * non-finite number. */
static double run_pieces(Step *s, const StepBatch *b, Exchange *exchange,
                         TapeFault *fault) {
    size_t pieces = step_pieces(s, b), last = step_last_piece(s, b, pieces);
    double loss = 0;
    params_clear_grads(s->model->params);
    model_stats_reset(s->model);
    look_start(s->model, fault ? &(ForwardMode){0} : &b->mode);
    for (size_t i = 0; i < pieces && !(fault && fault->op); i++) {
        size_t from = step_edge(s, b, i, pieces), to = step_edge(s, b, i + 1, pieces);
        if (from == to) continue;
        loss += run_piece(s, b, from, to, fault != NULL, i == last ? exchange : NULL);
        if (fault) *fault = tape_fault(s->tape);
    }
    if (last == pieces) exchange_begin(exchange); /* what there is to send is zero */
    exchange_end(exchange);
    return loss;
}

static void fold(Model *model) {
    params_settle_grads(model->params);
    model_fold(model);
}

void step_gradients(Step *s, const StepBatch *batch) {
    Model *model = s->model;
    if (s->still) model_freeze(model);
    else model_refresh(model);
    lap(s, STEP_REFRESH);
    s->loss = run_pieces(s, batch, s->exchange, NULL);
    together_measure(s->ranks, model, &s->loss);
    fold(model);
    lap(s, STEP_FOLD);
    s->grad_norm = sqrt(reduce_sum_squares(model->params->grads, model->params->trained));
    lap(s, STEP_UPDATE);
}

TapeFault step_watch(Step *s, const StepBatch *batch) {
    TapeFault fault = {0};
    run_pieces(s, batch, NULL, &fault);
    fold(s->model);
    return fault;
}

/* ---- new weights ---- */

void step_update(Step *s, double lr, double weight_decay) {
    lap(s, STEP_BETWEEN);
    double factor = 1;
    if (s->clip > 0 && s->grad_norm > s->clip) factor = s->clip / (s->grad_norm + 1e-6);
    optim_set_decay(s->optim, weight_decay);
    optim_step(s->optim, (real)lr, (real)factor);
    if (s->ema) ema_update(s->ema);
    lap(s, STEP_UPDATE);
}

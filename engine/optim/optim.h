/* optim: from gradients to new parameters.
 *
 *     Optimizer *o = optim_new(&config, params);
 *     ...
 *     optim_step(o, lr, clip_factor);     p changes, gradients stay as they are
 *     ...
 *     optim_free(o);
 *
 * With g = grad_scale * gradient, decay d (see below) and n the step, from 1:
 *   decoupled decay   p *= 1 - lr d first; everything below is then without d
 *   sgd      g += d p;  b = mu b + g;  p -= lr (nesterov ? g + mu b : b)
 *   adam     g += d p;  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;
 *            p -= lr m^ / (sqrt(v^) + eps),   m^ = m / (1 - b1^n),  v^ = v / (1 - b2^n)
 *   adamw    as adam; they differ in the decay that DECAY_AUTO means
 *   lamb     r = m^ / (sqrt(v^) + eps) + d p;  p -= lr |p| / |r| r
 *   lars     g += d p;  g *= trust |p| / |g|;  b = mu b + g;  p -= lr b
 *   adagrad  g += d p;  s += g^2;  p -= lr g / (sqrt(s) + eps)
 * A ratio of norms is 1 where either norm is 0; norms are of one whole tensor.
 *
 * DECAY_AUTO is decoupled for adamw and coupled elsewhere; lars and lamb are always
 * coupled, for their ratio is of what the decay is part of.
 *
 * PARAM_MATRIX has decay and ratio.  PARAM_VECTOR and PARAM_GAIN have neither, unless
 * lars or lamb run with adapt_1d; with DECAY_ALL they have decay.  PARAM_GAIN learns, and
 * decays where decay is decoupled, with lr * gamma_lr_scale.  PARAM_BUFFER is left alone,
 * and so is a frozen parameter (params_freeze).
 * The rate of the front end (Param.front) is times front_lr_scale, decoupled decay with
 * it; gains there have both factors.  At 0 the front end stays as it is.
 * With layer_decay < 1 the rate of layer n (Param.layer) is times layer_decay^(L + 1 -
 * n), decoupled decay with it: of L blocks the last has one factor, the front end L + 1,
 * the output none (Bao et al. 2022, BEiT; as in MAE).  Gains are like their layer.
 *
 * sgd with nesterov is fairseq's NAG, at any sequence of learning rates: with v = -lr b
 * (lr that of the buffer's last step) PyTorch's b' = mu b + g, p -= lr' (g + mu b') is
 * fairseq's v' = mu (lr'/lr) v - lr' g, p += mu v' - lr' g.  fairseq decays as
 * decoupled, DECAY_ALL does.
 *
 * sgd, adam, adamw, adagrad follow PyTorch 1.13; lamb You et al. 2020 with coupled decay;
 * lars You et al. 2017 as MoCo v3 writes it.
 *
 * Results are bit-identical for any number of threads.  Not for: clipping (the caller
 * finds the norm and passes the factor) and schedules (schedule.h). */
#ifndef STEADY_OPTIM_H
#define STEADY_OPTIM_H

#include "engine/core/params.h"
#include "engine/optim/config.h"

typedef struct Optimizer Optimizer;

/* adamw, lr 1e-3, betas 0.9 and 0.999, eps, momentum and kind of decay automatic, trust
 * 0.001, no decay, no clipping, gamma_lr_scale, front_lr_scale and layer_decay 1. */
OptimConfig optim_config_default(void);

/* "adamw", "lamb", ... */
const char *optim_name(OptimKind kind);

/* "momentum|trust": keys of [optim] that act for it and not for all. */
const char *optim_keys(OptimKind kind);

/* layer_decay^(L + 1 - layer); 1 at the output and without layer_decay. */
double optim_layer_scale(const OptimConfig *config, const ParamSet *params, size_t layer);

/* The state for `params` (finished; borrowed), filled with zeros.  Which of them are
 * frozen is asked here, and must not change later. */
Optimizer *optim_new(const OptimConfig *config, ParamSet *params);
void optim_free(Optimizer *o);

/* Another config from the next step on, with the state there is: the same optimizer, and
 * as many slots (optim_slots_needed). */
void optim_set_config(Optimizer *o, const OptimConfig *config);

/* Weight decay from the next step on; until then it is the config's. */
void optim_set_decay(Optimizer *o, double weight_decay);

/* One step for all trained parameters, from params->grads. */
void optim_step(Optimizer *o, real lr, real grad_scale);

/* What the last optim_step did to one tensor, measured span by span while the optimizer
 * has the numbers in cache; the same to the bit for any number of threads.  Differences
 * are of the stored numbers: decay, trust ratio and rounding are in them. */
typedef struct OptimMove {
    double value;        /* |p| before the step */
    double update;       /* |p after - p before| */
    double grad;         /* |gradient|, before clipping; NaN: not asked for */
    double largest_grad; /* max |gradient_i|; NaN if any is, or not asked for */
} OptimMove;

/* OPTIM_WATCH_NONE is what a new optimizer does.  The numbers of the update are the same
 * with all three. */
typedef enum { OPTIM_WATCH_NONE, OPTIM_WATCH_MOVES, OPTIM_WATCH_GRADS } OptimWatch;

/* From the next step on. */
void optim_watch(Optimizer *o, OptimWatch watch);

/* Of a trained parameter; false: the last step was not watched, or there was none, or the
 * parameter is frozen (all four NaN). */
bool optim_move(const Optimizer *o, const Param *param, OptimMove *move);

/* What a checkpoint keeps: slots of params->trained numbers each, with the offsets of
 * params->values, and the number of steps done.  Names: "m", "v", "momentum", "sum". */
size_t optim_slot_count(const Optimizer *o);
size_t optim_slots_needed(const OptimConfig *config); /* the same before there is one */
const char *optim_slot_name(const Optimizer *o, size_t i);
real *optim_slot(Optimizer *o, size_t i);
uint64_t optim_steps(const Optimizer *o);
void optim_set_steps(Optimizer *o, uint64_t steps);

/* ---- stability ---- */

/* Where the steps of learning rate lr stop shrinking on a quadratic (Cohen et al. 2022,
 * arXiv 2207.14484): the largest eigenvalue of P^-1 H at edge / lr, with
 *   adam, adamw  P = (1 - b1^n) (sqrt(v^) + eps)   edge (2 + 2 b1) / (1 - b1)
 *   adagrad      P = sqrt(s) + eps                 2
 *   sgd, lars    P = 1                             2 + 2 mu; nesterov (2 + 2 mu) / (1 + 2 mu)
 *   lamb         not known: its ratio of norms changes the rate of a tensor at each step
 * and P divided by gamma_lr_scale, front_lr_scale and powers of layer_decay where they
 * act.  The ratios of lars are not part of P. */

/* NaN: not known. */
double optim_edge(const Optimizer *o);
/* Does a ratio of norms, which P does not have, change the rate of tensors? */
bool optim_has_ratio(const Optimizer *o);
/* P of the state after optim_steps(o) steps: p [params->trained], 1 in the padding.
 * False: not known, or no step was taken. */
bool optim_preconditioner(const Optimizer *o, double *p);

#endif

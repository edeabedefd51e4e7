/* rule: what distinguishes one optimizer from another; private to engine/optim.
 *
 * optim.c cuts every tensor into spans and calls `apply` for each, in any order and from
 * many threads.  An optimizer with a ratio of norms has `measure`, which optim.c calls
 * for all spans first and whose sums it adds up for each tensor.
 *
 * To add an optimizer: a file with its Rule, its name in OPTIM_LIST (config.h), and a
 * closed-form case in test/unit/test_optim.c. */
#ifndef STEADY_OPTIM_RULE_H
#define STEADY_OPTIM_RULE_H

#include "engine/optim/config.h"

#define OPTIM_SLOTS_MAX 2

/* What all spans of a step share. */
typedef struct OptimPass {
    const OptimConfig *config; /* eps and momentum resolved */
    real grad_scale;
    real correct_m, correct_v; /* 1 / (1 - beta1^n), 1 / sqrt(1 - beta2^n) */
} OptimPass;

/* Neighbouring numbers of one tensor. */
typedef struct OptimSpan {
    real *value;                 /* [size] */
    const real *grad;            /* [size] */
    real *slot[OPTIM_SLOTS_MAX]; /* [size] each; NULL: no such slot */
    size_t size;
    real lr;    /* of this tensor's role */
    real decay; /* added to the gradient as decay p; 0 where no coupled decay acts */
    /* 1 - lr decay, by which p shrinks first; 1 where no decoupled decay acts */
    real keep;
    real ratio; /* the trust ratio; 1 while measuring and where it does not act */
} OptimSpan;

/* Sums of squares whose roots make the ratio. */
typedef struct OptimNorms {
    double value, update;
} OptimNorms;

typedef struct OptimRule {
    const char
        *keys; /* "momentum|trust": those of [optim] that act for it and not for all */
    size_t slot_count;
    const char *slot_name[OPTIM_SLOTS_MAX];
    DecayKind decay;  /* what DECAY_AUTO means; never DECAY_AUTO itself */
    bool fixed_decay; /* nothing else: the trust ratio is of the update with its decay */
    double eps, momentum; /* where the recipe leaves them out */
    bool nesterov;        /* knows it */
    bool trusting;        /* config.trust is a factor of the ratio */
    OptimNorms (*measure)(const OptimPass *pass,
                          const OptimSpan *span); /* NULL: no ratio */
    void (*apply)(const OptimPass *pass, const OptimSpan *span);
    /* Stability (optim_edge, optim_preconditioner in optim.h): the edge, and P of a
     * span; precondition = NULL: P = I. */
    double (*edge)(const OptimConfig *config); /* NULL: not known */
    void (*precondition)(const OptimPass *pass, const OptimSpan *span, double *p);
} OptimRule;

#define OPTIM_RULE(KIND, name) extern const OptimRule optim_rule_##name;
OPTIM_LIST(OPTIM_RULE)
#undef OPTIM_RULE

/* p = keep p: decoupled decay, before the rest of the update. */
void optim_shrink(const OptimSpan *span);

/* g = ratio (grad_scale grad + decay p), then momentum and step; sgd and lars. */
void optim_momentum_apply(const OptimPass *pass, const OptimSpan *span);
double optim_momentum_edge(const OptimConfig *config);

#endif

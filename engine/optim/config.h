/* config: the recipe's [optim] and [schedule] sections as data. */
#ifndef STEADY_OPTIM_CONFIG_H
#define STEADY_OPTIM_CONFIG_H

#include "engine/core/base.h"

/* X(KIND, name): OPTIM_KIND, the word of optim.name, and optim_rule_NAME of rule.h. */
#define OPTIM_LIST(X)                                                                    \
    X(ADAMW, adamw)                                                                      \
    X(ADAM, adam) X(SGD, sgd) X(LARS, lars) X(LAMB, lamb) X(ADAGRAD, adagrad)

#define OPTIM_KIND(KIND, name) OPTIM_##KIND,
typedef enum { OPTIM_LIST(OPTIM_KIND) OPTIM_KINDS } OptimKind;
#undef OPTIM_KIND

/* How weight decay acts: added to the gradient, or p *= 1 - lr * decay before the
 * update. */
typedef enum { DECAY_AUTO, DECAY_COUPLED, DECAY_DECOUPLED } DecayKind;
typedef enum { DECAY_MATRICES, DECAY_ALL } DecayScope;

/* X(KIND, name, rate, ends, keys): SCHEDULE_KIND, the word of schedule.name, a function
 * of schedule.c, whether the rate goes by how many steps the run has, and the keys of
 * [schedule] that act for it, those of the warm-up aside. */
/* clang-format off */
#define SCHEDULE_LIST(X)                                                                \
    X(CONSTANT,     "constant",     constant_rate,     false, "")                       \
    X(COSINE,       "cosine",       cosine_rate,       true,  "min_lr")                 \
    X(STEP,         "step",         step_rate,         false, "step_at|step_factor")    \
    X(INVERSE_SQRT, "inverse-sqrt", inverse_sqrt_rate, false, "")                       \
    X(LINEAR,       "linear",       linear_rate,       true,  "min_lr")                 \
    X(PLATEAU,      "plateau",      plateau_rate,      false,                           \
      "step_factor|watch|patience|min_lr")
/* clang-format on */

#define SCHEDULE_KIND(KIND, name, rate, ends, keys) SCHEDULE_##KIND,
typedef enum { SCHEDULE_LIST(SCHEDULE_KIND) SCHEDULE_KINDS } ScheduleKind;
#undef SCHEDULE_KIND

typedef struct OptimConfig {
    OptimKind name;
    double lr;           /* absolute; a recipe writes lr * batch / 256 out */
    double beta1, beta2; /* Adam family */
    double eps;          /* outside the root; < 0: 1e-6 for lamb, 1e-8 elsewhere */
    double weight_decay; /* of the first step, see weight_decay_end */
    /* cosine from weight_decay to it over the run; < 0: constant */
    double weight_decay_end;
    DecayKind decay;        /* auto: decoupled for adamw, coupled elsewhere */
    DecayScope decay_scope; /* weight matrices, or every trained tensor */
    double momentum;        /* sgd, lars; < 0: 0.9 for lars, 0 for sgd */
    bool nesterov;          /* sgd */
    double trust;           /* lars: trust coefficient */
    bool adapt_1d;          /* lars, lamb: decay and trust ratio for every tensor */
    double clip;            /* largest global gradient norm; 0: no clipping */
    double gamma_lr_scale;  /* learning rate of gamma (and g) relative to the others */
    double front_lr_scale;  /* of the front end (engine/core/params.h), its gamma too */
    double layer_decay; /* rate of each layer relative to that above it; 1: all alike */
} OptimConfig;

#define SCHEDULE_STEPS_MAX 64

typedef struct ScheduleConfig {
    ScheduleKind name;
    size_t warmup_steps;
    double warmup_epochs; /* used when warmup_steps is 0 */
    double warmup_init;   /* rate before the first step of the warm-up */
    /* `step`: first optimizer steps at the lower rate */
    double step_at[SCHEDULE_STEPS_MAX];
    size_t step_count;
    double step_factor;
    /* plateau: which score of the validation split, or of test where there is none; a
     * number of the caller's (tools/recipe/metric.h), 0: the loss */
    int watch;
    size_t patience; /* plateau: tolerated evaluations without a better loss */
    double min_lr;
} ScheduleConfig;

#endif

/* sharpness: the Hessian eigenvalues of largest magnitude at a run's weights, beside the
 * threshold at which its optimizer's steps stop shrinking.
 *
 *     SharpnessTask job = {.task = task, .step = &step, .mode = mode, .sample = 1024,
 *                          .lr = lr};
 *     Sharpness s;
 *     if (sharpness_measure(&job, &s, &err)) return err.status;
 *     json_t *row = sharpness_row(&s);         {"step":400,"sharpness":{"raw":[...],...}}
 *
 * H is the Hessian of the training loss (its label smoothing included) over all trained
 * parameters, u and v of sigmaReparam frozen, without dropout, drop path, layer drop,
 * augmentation and mixing, on a sample of a split (TaskOps.sample; models/hessian.h).
 * Preconditioned is P^-1/2 H P^-1/2 with the P of engine/optim/optim.h.  Weight decay is
 * not part of the loss.
 *
 * Not for: the float build, whose differences of gradients are too coarse: the command
 * runs steady64 (tools/program/double.h). */
#ifndef STEADY_SHARPNESS_H
#define STEADY_SHARPNESS_H

#include <jansson.h>

#include "tools/task/openrun.h"
#include "tools/task/step.h"

enum { SHARPNESS_COUNT = 5 };

typedef struct Spectrum {
    double value[SHARPNESS_COUNT]; /* by falling magnitude, with signs */
    size_t count;                  /* 0: not measured */
    /* Largest relative error of an eigenvalue as measured: its Rayleigh quotient with
     * differences of another step. */
    double error;
} Spectrum;

typedef struct Sharpness {
    size_t step, sample, parameters;
    Split split;
    size_t gradients; /* computed */
    double loss;      /* of the sample */
    double lr;        /* of `step`; NaN: not known */
    double edge;      /* threshold times lr; NaN: not known */
    double threshold; /* edge / lr; NaN: not known, or lr is 0 */
    OptimKind optimizer;
    bool ratio; /* its ratios of norms are not part of P */
    Spectrum raw, preconditioned;
    char why[300]; /* there is no preconditioned spectrum; "": there is one */
} Sharpness;

typedef struct SharpnessTask {
    Task *task;
    Step *step; /* of task_step_begin, its optimizer's state loaded */
    ForwardMode mode;
    Split split;
    size_t sample;        /* or as many examples as there are */
    double lr;            /* NaN: not known */
    const char *no_state; /* why the optimizer has no state; NULL: it has */
} SharpnessTask;

/* FAIL_USAGE: this program was built without ARPACK. */
Status sharpness_check(Err *err);

/* Bytes of the vectors that the search for eigenvalues of so many numbers keeps. */
double sharpness_memory(size_t size);

/* FAIL_INTERRUPTED where stop_requested. */
Status sharpness_measure(const SharpnessTask *job, Sharpness *s, Err *err);

typedef struct SharpnessWish {
    const char *dir; /* the run folder */
    bool averaged;   /* the weights are not those that the optimizer left */
    Split split;
    size_t sample;
} SharpnessWish;

/* Of the checkpoint that `run` was opened with, without data: loads the optimizer's state
 * and finds the learning rate of its step, in train.jsonl or by the recipe. */
Status sharpness_of_run(OpenRun *run, const SharpnessWish *wish, Sharpness *s, Err *err);

/* {"step":…,"sharpness":{"raw":[5],"preconditioned":[5]|null,"threshold":…,"sample":N}}
 * with "lr", "loss" and the errors. */
json_t *sharpness_row(const Sharpness *s);

/* A table on stdout. */
void sharpness_print(const Sharpness *s);

#endif

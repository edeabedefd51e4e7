#include "tools/probe/sharpness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/core/machine.h"
#include "models/hessian.h"
#include "tools/probe/eigen.h"
#include "tools/program/say.h"
#include "tools/program/stop.h"

/* Residuals of eigenvectors; eigenvalues are better by its square. */
static const double TOLERANCE = 1e-6;

/* ---- one operator ---- */

/* D H D, D diagonal. */
typedef struct Operator {
    Hessian *h;
    const double *scale; /* [size] D; NULL: I */
    double *scaled;      /* [size] */
    const char *name;
    size_t products;
    bool shown; /* a line of progress is open */
} Operator;

static void apply(Operator *o, const double *x, double *y) {
    if (!o->scale) {
        hessian_product(o->h, x, y);
        return;
    }
    for (size_t i = 0; i < o->h->size; i++) o->scaled[i] = o->scale[i] * x[i];
    hessian_product(o->h, o->scaled, y);
    for (size_t i = 0; i < o->h->size; i++) y[i] *= o->scale[i];
}

static void show(Operator *o) {
    if (!isatty(STDERR_FILENO)) return;
    fprintf(stderr, "\rsharpness, %s: %zu products ", o->name, o->products);
    fflush(stderr);
    o->shown = true;
}

static Status product(void *context, const double *x, double *y, Err *err) {
    Operator *o = context;
    apply(o, x, y);
    o->products++;
    show(o);
    for (size_t i = 0; i < o->h->size; i++)
        if (!isfinite(y[i]))
            return err_set(err, FAIL_DIVERGED,
                           "a product with the Hessian is not finite (%s, product %zu)",
                           o->name, o->products);
    if (!stop_requested()) return OK;
    return err_set(err, FAIL_INTERRUPTED,
                   "interrupted after %zu products; nothing was written", o->products);
}

static double dot(const double *x, const double *y, size_t size) {
    double sum = 0;
    for (size_t i = 0; i < size; i++) sum += x[i] * y[i];
    return sum;
}

/* ---- a spectrum ---- */

/* A times a random vector, of length 1: without the directions that A does not see, such
 * as parameters whose gradient is always 0, which would be the largest part of it where P
 * is eps.  Returns its length before: 0 where A is 0. */
static double first_vector(Operator *o, double *start, double *random) {
    size_t size = o->h->size;
    Rng rng = rng_make(0, RNG_PROBE, 0);
    for (size_t i = 0; i < size; i++) {
        random[i] = rng_normal(rng, i);
        if (o->scale) random[i] = o->scale[i] > 0 ? random[i] / o->scale[i] : 0;
    }
    o->h->reach = 1e-5;
    apply(o, random, start);
    double norm = sqrt(dot(start, start, size));
    for (size_t i = 0; norm > 0 && i < size; i++) start[i] /= norm;
    return norm;
}

static void calibrate(Operator *o, const double *start) {
    for (size_t i = 0; i < o->h->size; i++)
        o->scaled[i] = o->scale ? o->scale[i] * start[i] : start[i];
    hessian_calibrate(o->h, o->scaled);
}

/* Rayleigh quotients with differences of a third of the step. */
static double error_of(Operator *o, const Spectrum *s, const double *vectors,
                       double *spare) {
    size_t size = o->h->size;
    double reach = o->h->reach, worst = 0;
    o->h->reach = reach / 3;
    for (size_t i = 0; i < s->count; i++) {
        const double *x = vectors + i * size;
        apply(o, x, spare);
        double error = fabs(dot(x, spare, size) - s->value[i]);
        worst = fmax(worst, error / fabs(s->value[i]));
    }
    o->h->reach = reach;
    return worst;
}

static Status find_spectrum(Operator *o, size_t count, Spectrum *s, Err *err) {
    size_t size = o->h->size;
    double *start = mem_array(size, sizeof *start);
    double *spare = mem_array(size, sizeof *spare);
    double *vectors = mem_array(count * size, sizeof *vectors);
    o->scaled = mem_array(size, sizeof *o->scaled);
    double length = first_vector(o, start, spare);
    *s = (Spectrum){.count = count};
    if (!isfinite(length)) {
        err_set(err, FAIL_DIVERGED, "a product with the Hessian is not finite (%s)",
                o->name);
    } else if (length > 0) {
        calibrate(o, start);
        EigenTask task = {.size = size,
                          .count = count,
                          .product = product,
                          .context = o,
                          .start = start,
                          .tolerance = TOLERANCE};
        if (!eigen_largest(&task, s->value, vectors, err))
            s->error = error_of(o, s, vectors, spare);
    }
    if (o->shown) fputs("\r\033[K", stderr);
    mem_free(start);
    mem_free(spare);
    mem_free(vectors);
    mem_free(o->scaled);
    return err->status;
}

/* ---- the preconditioner ---- */

/* P^-1/2 of the optimizer's state; NULL: s->why.  *is_one: P is 1. */
static double *scale_of(const SharpnessTask *job, Sharpness *s, bool *is_one) {
    const Optimizer *optim = job->step->optim;
    size_t size = job->task->model->params->trained;
    const char *name = optim_name(job->task->recipe->optim.name);
    *is_one = true;
    if (isnan(s->edge))
        text_format(s->why, sizeof s->why,
                    "%s has no known preconditioner: its ratio of norms changes the "
                    "learning rate of each tensor at each step",
                    name);
    else if (job->no_state) text_format(s->why, sizeof s->why, "%s", job->no_state);
    double *p = *s->why ? NULL : mem_array(size, sizeof *p);
    if (!p) return NULL;
    if (!optim_preconditioner(optim, p)) {
        mem_free(p);
        text_format(s->why, sizeof s->why, "%s has taken no step yet", name);
        return NULL;
    }
    for (size_t i = 0; i < size; i++) {
        *is_one &= p[i] == 1;
        p[i] = 1 / sqrt(p[i]);
    }
    return p;
}

static Status find_both(const SharpnessTask *job, Hessian *h, Sharpness *s, Err *err) {
    size_t count = MIN((size_t)SHARPNESS_COUNT, s->parameters);
    bool is_one;
    double *scale = scale_of(job, s, &is_one);
    Operator raw = {.h = h, .name = "raw"};
    Operator own = {.h = h, .scale = scale, .name = "preconditioned"};
    if (!find_spectrum(&raw, count, &s->raw, err)) {
        if (scale && is_one) s->preconditioned = s->raw;
        else if (scale) find_spectrum(&own, count, &s->preconditioned, err);
    }
    mem_free(scale);
    return err->status;
}

/* ---- the whole ---- */

Status sharpness_check(Err *err) { return eigen_check(err); }

/* Pieces of the sample are as large as the run's micro-batches. */
static size_t micro_batches(const Task *task) {
    const TrainConfig *t = &task->recipe->train;
    double examples = (double)t->batch, tokens = MAX(task->tokens, 1);
    if (t->batch_tokens) examples = (double)t->batch_tokens / tokens;
    if (t->batch_seconds > 0) examples = t->batch_seconds / (0.03 * tokens);
    examples = fmax(1, floor(examples / (double)MAX(t->accumulate, (size_t)1)));
    return (size_t)ceil((double)task->part / examples);
}

static size_t moving_count(const ParamSet *params) {
    size_t count = 0;
    for (size_t i = 0; i < params->count; i++)
        if (param_moves(params->list[i])) count += params->list[i]->tensor.size;
    return count;
}

static size_t vectors_of(size_t size) {
    return eigen_kept(size, SHARPNESS_COUNT) + SHARPNESS_COUNT + 9;
}

double sharpness_memory(size_t size) {
    return (double)vectors_of(size) * (double)size * sizeof(double);
}

static void say_memory(const Sharpness *s, size_t size) {
    size_t vectors = vectors_of(size);
    double bytes = sharpness_memory(size);
    mem_expect(bytes, "the search for eigenvalues");
    say("sharpness: %zu parameters, %zu %s examples, %.3g MB for %zu vectors",
        s->parameters, s->sample, split_name(s->split), bytes / 1e6, vectors);
}

Status sharpness_measure(const SharpnessTask *job, Sharpness *s, Err *err) {
    Task *task = job->task;
    Step *step = job->step;
    if (eigen_check(err) || task_sample(task, job->split, job->sample, err))
        return err->status;
    step->still = true;
    step->accumulate = micro_batches(task);
    StepBatch batch = task_step_batch(task, 1, job->mode);
    *s = (Sharpness){.split = job->split,
                     .sample = task->part,
                     .parameters = moving_count(task->model->params),
                     .lr = job->lr,
                     .edge = optim_edge(step->optim),
                     .optimizer = task->recipe->optim.name,
                     .ratio = optim_has_ratio(step->optim)};
    s->threshold = s->lr > 0 ? s->edge / s->lr : (double)NAN;
    say_memory(s, task->model->params->trained);
    Hessian *h = hessian_new(step, &batch);
    s->loss = step->loss;
    if (!isfinite(s->loss))
        err_set(err, FAIL_DIVERGED, "the loss on the sample is not finite");
    else find_both(job, h, s, err);
    s->gradients = h->gradients;
    hessian_free(h);
    return err->status;
}

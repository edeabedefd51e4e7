#include "tools/probe/classifier.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/op/op.h"
#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"
#include "models/layer.h"
#include "tools/program/stop.h"
#include "tools/task/score.h"

struct Classifier {
    size_t width, classes;
    ParamSet *params;
    Param *weight, *bias;
    Optimizer *optim;
    Tape *tape;
};

Classifier *classifier_new(size_t width, size_t classes, uint64_t seed) {
    Classifier *c = mem_zalloc(sizeof *c);
    OptimConfig sgd = optim_config_default();
    sgd.name = OPTIM_SGD, sgd.momentum = 0.9;
    c->width = width, c->classes = classes;
    c->params = params_new();
    c->weight = params_add(c->params, PARAM_MATRIX, 2, (size_t[]){classes, width},
                           "probe.weight");
    c->bias = params_add(c->params, PARAM_VECTOR, 1, (size_t[]){classes}, "probe.bias");
    params_finish(c->params);
    param_normal(c->weight, seed, 0.01);
    c->optim = optim_new(&sgd, c->params);
    c->tape = tape_new();
    return c;
}

void classifier_free(Classifier *c) {
    if (!c) return;
    tape_free(c->tape);
    optim_free(c->optim);
    params_free(c->params);
    mem_free(c);
}

Param *classifier_weight(Classifier *c) { return c->weight; }
Param *classifier_bias(Classifier *c) { return c->bias; }

/* How a product is shared out among threads shows in its last digits, and rates as large
 * as these carry them far. */
static int alone(void) {
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    return threads;
}

static Tensor *logits_of(Classifier *c, bool gradients, real *x, size_t count) {
    tape_begin(c->tape, (TapeMode){.gradients = gradients, .training = gradients});
    Tensor *rows = tape_wrap(c->tape, x, 2, (size_t[]){count, c->width});
    return op_linear(c->tape, rows, &c->weight->tensor, &c->bias->tensor, NULL);
}

/* ---- training ---- */

static void descend(Classifier *c, Tensor *loss, double lr) {
    params_clear_grads(c->params);
    tape_backward(c->tape, loss);
    params_settle_grads(c->params);
    optim_step(c->optim, (real)lr, 1);
}

Status classifier_step(Classifier *c, real *x, const size_t *label, size_t count,
                       double lr, Err *err) {
    Target target = {.label = label};
    int threads = alone();
    Tensor *loss = op_cross_entropy(c->tape, logits_of(c, true, x, count), &target);
    if (isfinite(loss->value[0])) descend(c, loss, lr);
    else
        err_set(err, FAIL_DIVERGED,
                "non-finite loss of the linear classifier before its step %zu; choose "
                "a lower --lr",
                (size_t)optim_steps(c->optim) + 1);
    omp_set_num_threads(threads);
    return err->status;
}

double classifier_rate(const ClassifierPlan *plan, size_t n, size_t steps) {
    static const ScheduleConfig COSINE = {.name = SCHEDULE_COSINE};
    return schedule_rate(&COSINE, plan->base * (double)plan->batch / 256, n, steps, 0, 0);
}

/* Rows of one batch, side by side. */
typedef struct Rows {
    real *x;
    size_t *label;
} Rows;

static void gather(const Rows *to, const real *x, const size_t *label, size_t width,
                   const size_t *order, size_t count) {
    for (size_t i = 0; i < count; i++) {
        memcpy(to->x + i * width, x + order[i] * width, width * sizeof(real));
        to->label[i] = label[order[i]];
    }
}

Status classifier_train(Classifier *c, const real *x, const size_t *label, size_t count,
                        const ClassifierPlan *plan, Err *err) {
    size_t batch = plan->batch, each = count / batch, steps = plan->epochs * each;
    CHECK(each, "a batch of %zu of %zu rows", batch, count);
    size_t *order = mem_array(count, sizeof *order);
    Rows rows = {mem_array(batch * c->width, sizeof(real)),
                 mem_array(batch, sizeof(size_t))};
    for (size_t n = 0; n < steps && !err->status; n++) {
        if (n % each == 0)
            rng_permutation(rng_make(plan->seed, RNG_SHUFFLE, n / each), order, count);
        gather(&rows, x, label, c->width, order + n % each * batch, batch);
        double lr = classifier_rate(plan, n + 1, steps);
        if (!classifier_step(c, rows.x, rows.label, batch, lr, err) && stop_requested())
            err_set(err, FAIL_INTERRUPTED, "interrupted while training the classifier");
    }
    mem_free(order);
    mem_free(rows.x);
    mem_free(rows.label);
    return err->status;
}

/* ---- scores ---- */

ClassifierScore classifier_score(Classifier *c, real *x, const size_t *label,
                                 size_t count) {
    enum { PIECE = 1024 };
    ClassifierScore s = {0};
    int threads = alone();
    for (size_t from = 0; from < count; from += PIECE) {
        size_t rows = MIN(count - from, (size_t)PIECE);
        Tensor *z = logits_of(c, false, x + from * c->width, rows);
        Target target = {.label = label + from, .divisor = (double)count};
        s.loss += (double)op_cross_entropy(c->tape, z, &target)->value[0];
        for (size_t i = 0; i < rows; i++) {
            size_t rank =
                score_rank(z->value + i * c->classes, c->classes, label[from + i]);
            s.top1 += rank < 1;
            s.top5 += rank < 5;
        }
    }
    omp_set_num_threads(threads);
    s.top1 /= (double)count, s.top5 /= (double)count;
    return s;
}

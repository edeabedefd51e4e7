/* batch_norm: column by column, over the R rows of all ranks,
 *   h = (x - mean) r,  r = 1 / sqrt(var + eps),  y = gain h + bias
 *   dgain = sum dy h,  dbias = sum dy
 *   dx = gain r (dy - mean(dy) - h mean(dy h))        training
 *   dx = gain r dy                                    else: mean and var are constants
 * With relu dy counts where y > 0.  dgain and dbias are sums over own rows: the exchange
 * adds up the ranks'. */
#include <math.h>

#include "engine/dist/ranks.h"
#include "engine/kern/rows.h"
#include "engine/op/op.h"

enum { SERIAL_MAX = 8192, STRIP = 64 };

typedef struct BatchNorm {
    Node node;
    BatchNormArgs args;
    double *mean, *rstd; /* [C] what this pass divided by */
    double count;        /* R; 0: by the running ones */
} BatchNorm;

static size_t columns(const BatchNormArgs *a) { return tensor_last(a->x); }

/* ---- forward ---- */

static void move(Tensor *running, size_t j, double momentum, double value) {
    double old = (double)running->value[j];
    running->value[j] = (real)(old + momentum * (value - old));
}

/* Fills mean and 1 / sqrt(var + eps) by the batch; returns R. */
static double measure(Tape *tape, const BatchNormArgs *a, double *mean, double *rstd) {
    size_t n = columns(a), rows = tensor_rows(a->x);
    columns_moments(mean, rstd, a->x->value, rows, n);
    double all = ranks_moments(a->ranks, rows, mean, rstd, n);
    CHECK(all >= 2, "batch_norm: the variance of %zu row in training", rows);
    bool moves = !tape_mode(tape)->watch && !tape_replaying(tape);
    for (size_t j = 0; j < n; j++) {
        double squares = rstd[j];
        if (moves) {
            move(a->mean, j, a->momentum, mean[j]);
            move(a->var, j, a->momentum, squares / (all - 1));
        }
        rstd[j] = 1 / sqrt(squares / all + a->eps);
    }
    return all;
}

static void take_running(const BatchNormArgs *a, double *mean, double *rstd) {
    for (size_t j = 0; j < columns(a); j++) {
        mean[j] = (double)a->mean->value[j];
        rstd[j] = 1 / sqrt((double)a->var->value[j] + a->eps);
    }
}

static void normalise(const BatchNorm *b, real *y, size_t i) {
    const BatchNormArgs *a = &b->args;
    size_t n = columns(a);
    const real *x = a->x->value + i * n, *gain = a->gain->value;
    const real *bias = a->bias ? a->bias->value : NULL;
    y += i * n;
    const double *mean = b->mean, *rstd = b->rstd;
#pragma omp simd
    for (size_t j = 0; j < n; j++)
        y[j] = (real)(((double)x[j] - mean[j]) * rstd[j]) * gain[j];
    if (bias)
        for (size_t j = 0; j < n; j++) y[j] += bias[j];
    if (a->relu)
        for (size_t j = 0; j < n; j++) y[j] = y[j] < 0 ? 0 : y[j];
}

/* ---- backward ---- */

/* Of columns [first, first + width): sum dy and sum dy h over own rows. */
static void strip_sums(const BatchNorm *b, size_t first, size_t width, double *dy,
                       double *dyh) {
    size_t n = columns(&b->args), rows = tensor_rows(b->args.x);
    double sum[STRIP] = {0}, with_h[STRIP] = {0};
    const double *mean = b->mean + first;
    bool relu = b->args.relu;
    for (size_t i = 0; i < rows; i++) {
        size_t at = i * n + first;
        const real *x = b->args.x->value + at, *dy_row = b->node.out->grad + at;
        const real *y = b->node.out->value + at;
#pragma omp simd
        for (size_t j = 0; j < width; j++) {
            double d = relu && !(y[j] > 0) ? 0 : (double)dy_row[j];
            sum[j] += d;
            with_h[j] += d * ((double)x[j] - mean[j]);
        }
    }
    for (size_t j = 0; j < width; j++) {
        dy[first + j] = sum[j];
        dyh[first + j] = with_h[j] * b->rstd[first + j];
    }
}

static void add_sums(Tape *tape, Tensor *x, const double *sums) {
    if (!x || !x->needs_grad) return;
    real beta, *dx = tape_grad(tape, x, &beta);
    for (size_t j = 0; j < x->size; j++) dx[j] = (beta != 0 ? dx[j] : 0) + (real)sums[j];
}

/* mean_dy and mean_dyh are 0 where mean and var are constants. */
static void row_back(const BatchNorm *b, size_t i, const double *mean_dy,
                     const double *mean_dyh, real *dx, real beta) {
    size_t n = columns(&b->args), at = i * n;
    const real *x = b->args.x->value + at, *gain = b->args.gain->value;
    const real *y = b->node.out->value + at, *dy = b->node.out->grad + at;
    const double *mean = b->mean, *rstd = b->rstd;
    bool relu = b->args.relu;
    dx += at;
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        double h = ((double)x[j] - mean[j]) * rstd[j];
        double d = relu && !(y[j] > 0) ? 0 : (double)dy[j];
        d -= mean_dy[j] + h * mean_dyh[j];
        dx[j] = (beta != 0 ? dx[j] : 0) + (real)((double)gain[j] * rstd[j] * d);
    }
}

static void input_back(Tape *tape, const BatchNorm *b, double *sums) {
    size_t n = columns(&b->args), rows = tensor_rows(b->args.x);
    if (b->count > 0) ranks_add(b->args.ranks, sums, 2 * n);
    for (size_t j = 0; j < 2 * n; j++) sums[j] = b->count > 0 ? sums[j] / b->count : 0;
    real beta, *dx = tape_grad(tape, b->args.x, &beta);
#pragma omp parallel for schedule(static) if (rows * n > SERIAL_MAX)
    for (size_t i = 0; i < rows; i++) row_back(b, i, sums, sums + n, dx, beta);
}

static void backward(Tape *tape, Node *node) {
    BatchNorm *b = (BatchNorm *)node;
    size_t n = columns(&b->args), rows = tensor_rows(b->args.x);
    double *sums = tape_alloc(tape, 2 * n * sizeof *sums);
#pragma omp parallel for schedule(static) if (rows * n > SERIAL_MAX)
    for (size_t first = 0; first < n; first += STRIP)
        strip_sums(b, first, MIN((size_t)STRIP, n - first), sums, sums + n);
    add_sums(tape, b->args.gain, sums + n);
    add_sums(tape, b->args.bias, sums);
    if (b->args.x->needs_grad) input_back(tape, b, sums);
}

static void check(const BatchNormArgs *a) {
    size_t n = columns(a);
    CHECK(tensor_rows(a->x) > 0, "batch_norm of no rows");
    CHECK(a->gain->size == n && (!a->bias || a->bias->size == n) && a->mean->size == n &&
              a->var->size == n,
          "batch_norm: gain %zu, bias %zu, mean %zu, var %zu for %zu columns",
          a->gain->size, a->bias ? a->bias->size : n, a->mean->size, a->var->size, n);
    CHECK(a->eps > 0 && a->momentum >= 0 && a->momentum <= 1,
          "batch_norm: eps %g, momentum %g", a->eps, a->momentum);
}

Tensor *op_batch_norm(Tape *tape, const BatchNormArgs *args) {
    check(args);
    size_t n = columns(args), rows = tensor_rows(args->x);
    const TapeMode *mode = tape_mode(tape);
    BatchNorm b = {.args = *args, .mean = tape_alloc(tape, 2 * n * sizeof *b.mean)};
    b.rstd = b.mean + n;
    if (mode->watch) b.args.ranks = NULL;
    if (mode->training) b.count = measure(tape, &b.args, b.mean, b.rstd);
    else take_running(args, b.mean, b.rstd);
    Tensor *y = tape_tensor_like(tape, args->x);
#pragma omp parallel for schedule(static) if (rows * n > SERIAL_MAX)
    for (size_t i = 0; i < rows; i++) normalise(&b, y->value, i);
    bool wanted = args->x->needs_grad || args->gain->needs_grad ||
                  (args->bias && args->bias->needs_grad);
    BatchNorm *node = tape_node(tape, sizeof *node, "batch_norm", y, wanted, backward);
    if (node) b.node = node->node, *node = b;
    return y;
}

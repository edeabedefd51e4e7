/* The online linear probe (models/contrast.h): with g = softmax(f W^T + b) - [label],
 * mean over the rows of all ranks, and x = (f - m) / r, gradient descent on
 * W' = r W and b' = b + W m is, written in W and b,
 *   b += W (m0 - m),   W -= lr g^T (f - m) / r^2,   b -= lr sum g + dW m
 * where m0, the mean of the step before, keeps b' as it was. */
#include <math.h>
#include <string.h>

#include "engine/dist/ranks.h"
#include "engine/kern/gemm.h"
#include "engine/kern/rows.h"
#include "models/contrast.h"

/* Least r^2, as a share of the mean square: features that are nearly equal are not
 * magnified without bound. */
static const double LEAST_SHARE = 0.01;

Tensor *contrast_probe(const Contrast *c, Tape *tape, Tensor *features) {
    CHECK(c->probe_weight, "a model without a probe is asked for classes");
    Tensor *f = tape_wrap(tape, features->value, features->dims, features->shape);
    return op_linear(tape, f, &c->probe_weight->tensor, &c->probe_bias->tensor, NULL);
}

/* g [rows, classes], and the sums that the ranks add up: g^T x [classes, D], g
 * [classes]. */
typedef struct Gradient {
    size_t rows, classes, width, count; /* of sums */
    real *logits, *x, *weight;
    double *sums;
} Gradient;

static void fill_logits(const Contrast *c, Tape *tape, const Tensor *f,
                        const size_t *label, Gradient *g) {
    Tensor copy = *f;
    g->logits = contrast_probe(c, tape, &copy)->value;
    for (size_t i = 0; i < g->rows; i++) {
        real entropy, largest, *row = g->logits + i * g->classes;
        row_softmax(row, g->classes, &entropy, &largest);
        row[label[i % (g->rows / 2)]] -= 1;
    }
}

static void fill_sums(Tape *tape, const Tensor *f, const double *mean, Gradient *g) {
    size_t k = g->classes, d = g->width;
    g->x = tape_alloc(tape, g->rows * d * sizeof *g->x);
    g->weight = tape_alloc(tape, k * d * sizeof *g->weight);
    g->count = k * d + k;
    g->sums = tape_alloc(tape, g->count * sizeof *g->sums);
    for (size_t i = 0; i < g->rows * d; i++)
        g->x[i] = (real)((double)f->value[i] - mean[i % d]);
    gemm_tn(k, d, g->rows, 1, g->logits, k, g->x, d, 0, g->weight, d);
    for (size_t i = 0; i < k * d; i++) g->sums[i] = (double)g->weight[i];
    double *bias = g->sums + k * d;
    memset(bias, 0, k * sizeof *bias);
    for (size_t i = 0; i < g->rows * k; i++) bias[i % k] += (double)g->logits[i];
}

/* r^2. */
static double unit_of(const double *mean, const double *squares, size_t d, double all) {
    double deviation = 0, size = 0;
    for (size_t j = 0; j < d; j++) {
        deviation += squares[j] / all / (double)d;
        size += mean[j] * mean[j] / (double)d;
    }
    return MAX(deviation, LEAST_SHARE * (deviation + size));
}

/* From one step to the next features move together, by as much as they differ: the bias
 * follows, so that their mean keeps its logits. */
static void follow_mean(Contrast *c, const double *mean, size_t d) {
    real *kept = c->probe_mean->tensor.value;
    for (size_t k = 0; k < c->classes; k++) {
        const real *w = c->probe_weight->tensor.value + k * d;
        real *b = c->probe_bias->tensor.value + k;
        double moved = 0;
        for (size_t j = 0; j < d; j++)
            moved += (double)w[j] * ((double)kept[j] - mean[j]);
        *b = (real)((double)*b + moved);
    }
    for (size_t j = 0; j < d; j++) kept[j] = (real)mean[j];
}

/* all: rows of all ranks. */
static void descend(Contrast *c, const Gradient *g, const double *mean, double square,
                    double all) {
    double rate = c->config.probe_lr / all;
    for (size_t k = 0; k < g->classes; k++) {
        real *w = c->probe_weight->tensor.value + k * g->width;
        double moved = 0, slope = g->sums[g->classes * g->width + k];
        for (size_t j = 0; j < g->width; j++) {
            double d = square > 0 ? rate / square * g->sums[k * g->width + j] : 0;
            moved += d * mean[j];
            w[j] = (real)((double)w[j] - d);
        }
        real *b = c->probe_bias->tensor.value + k;
        *b = (real)((double)*b - rate * slope + moved);
    }
}

void contrast_train_probe(Contrast *c, Tape *tape, const Tensor *features,
                          const size_t *label, Ranks *ranks) {
    const TapeMode *mode = tape_mode(tape);
    if (!c->probe_weight || !mode->training || mode->watch) return;
    size_t d = tensor_last(features), rows = tensor_rows(features);
    Gradient g = {.rows = rows, .classes = c->classes, .width = d};
    double *mean = tape_alloc(tape, 2 * d * sizeof *mean), *squares = mean + d;
    bool finite = true;
    columns_moments(mean, squares, features->value, rows, d);
    double all = ranks_moments(ranks, rows, mean, squares, d);
    double square = unit_of(mean, squares, d, all);
    if (!isfinite(square)) return; /* nor is the loss */
    follow_mean(c, mean, d);
    fill_logits(c, tape, features, label, &g);
    fill_sums(tape, features, mean, &g);
    ranks_add(ranks, g.sums, g.count);
    for (size_t i = 0; i < g.count; i++) finite = finite && isfinite(g.sums[i]);
    if (finite) descend(c, &g, mean, square, all);
}

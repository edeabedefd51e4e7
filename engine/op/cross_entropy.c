/* cross_entropy: with top = max_k z_k and rest = sum over the others of e^(z_k - top),
 *   loss = sum_r (ln(1 + rest) - sum_k t_rk (z_rk - top)) / divisor      (sum_k t_rk = 1)
 *   dz_rk = dloss (softmax(z_r)_k - t_rk) / divisor
 * Everything is taken relative to the top logit, and the label's gradient is minus the
 * sum of the others', so that a confident network's small loss keeps its digits. */
#include <math.h>
#include <string.h>

#include "engine/kern/rows.h"
#include "engine/kern/vmath.h"
#include "engine/op/op.h"

typedef struct CrossEntropy {
    Node node;
    Tensor *logits;
    Target target;
    real *top, *share; /* [R] the largest logit, and its probability */
} CrossEntropy;

static double divisor_of(const Target *t, size_t rows) {
    return t->divisor > 0 ? t->divisor : (double)rows;
}

/* The weights of row r's label and of its partner, smoothing apart. */
static void weights_of(const Target *t, size_t r, double *label, double *other) {
    double mix = t->other && t->mix ? (double)t->mix[r] : 1;
    *label = (1 - t->smoothing) * mix;
    *other = (1 - t->smoothing) * (1 - mix);
}

/* sum of e^(z_j - top) over [first, last); their z_j - top are added to *total. */
static real exp_sum(const real *z, size_t first, size_t last, real top, real *total) {
    real sum = 0, offsets = 0;
#pragma omp simd reduction(+ : sum, offsets)
    for (size_t j = first; j < last; j++) {
        sum += vm_exp(z[j] - top);
        offsets += z[j] - top;
    }
    *total += offsets;
    return sum;
}

static double row_loss(const Target *t, const real *z, size_t k, size_t r, real *top,
                       real *share) {
    size_t best = 0;
    for (size_t j = 1; j < k; j++)
        if (!(z[j] <= z[best])) best = j;
    real total = 0, rest = exp_sum(z, 0, best, z[best], &total);
    rest += exp_sum(z, best + 1, k, z[best], &total);
    *top = z[best];
    *share = 1 / (1 + rest);
    double label, other, expected = t->smoothing / (double)k * (double)total;
    weights_of(t, r, &label, &other);
    expected += label * (double)(z[t->label[r]] - *top);
    if (other != 0) expected += other * (double)(z[t->other[r]] - *top);
    return log1p((double)rest) - expected;
}

/* dz = beta dz + scale (p - t), where the entry of the label is what makes the row's sum
 * 0. */
static void row_backward(real *dz, real beta, const Target *t, const real *z, size_t k,
                         size_t r, real top, real share, real scale) {
    real uniform = (real)(t->smoothing / (double)k), sum = 0;
    size_t own = t->label[r];
    real old = beta != 0 ? dz[own] : 0;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < k; j++) {
        real d = j == own ? 0 : share * vm_exp(z[j] - top) - uniform;
        sum += d;
        dz[j] = (beta != 0 ? dz[j] : 0) + scale * d;
    }
    double label, other;
    weights_of(t, r, &label, &other);
    bool apart = other != 0 && t->other[r] != own;
    if (apart) dz[t->other[r]] -= scale * (real)other;
    dz[own] = old - scale * (sum - (apart ? (real)other : 0));
}

static void backward(Tape *tape, Node *node) {
    CrossEntropy *n = (CrossEntropy *)node;
    size_t k = tensor_last(n->logits), rows = tensor_rows(n->logits);
    real scale = node->out->grad[0] / (real)divisor_of(&n->target, rows);
    real beta, *dz = tape_grad(tape, n->logits, &beta);
#pragma omp parallel for schedule(static) if (rows * k > 8192)
    for (size_t r = 0; r < rows; r++)
        row_backward(dz + r * k, beta, &n->target, n->logits->value + r * k, k, r,
                     n->top[r], n->share[r], scale);
}

Tensor *op_cross_entropy(Tape *tape, Tensor *logits, const Target *target) {
    size_t k = tensor_last(logits), rows = tensor_rows(logits);
    for (size_t r = 0; r < rows; r++)
        CHECK(target->label[r] < k && (!target->other || target->other[r] < k),
              "cross_entropy: label %zu of %zu classes", target->label[r], k);
    real *top = tape_alloc(tape, 2 * rows * sizeof *top), *share = top + rows;
    double *losses = tape_alloc(tape, rows * sizeof *losses), sum = 0;
#pragma omp parallel for schedule(static) if (rows * k > 8192)
    for (size_t r = 0; r < rows; r++)
        losses[r] = row_loss(target, logits->value + r * k, k, r, &top[r], &share[r]);
    for (size_t r = 0; r < rows; r++) sum += losses[r];
    Tensor *loss = tape_tensor(tape, 1, (size_t[]){1});
    loss->value[0] = (real)(sum / divisor_of(target, rows));
    CrossEntropy *n =
        tape_node(tape, sizeof *n, "cross_entropy", loss, logits->needs_grad, backward);
    if (n) n->logits = logits, n->target = *target, n->top = top, n->share = share;
    return loss;
}

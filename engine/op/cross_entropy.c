/* cross_entropy: loss = sum_r (lse_r - sum_k t_rk z_rk) / divisor  (sum_k t_rk = 1)
 *   dz_rk = dloss (softmax(z_r)_k - t_rk) / divisor */
#include <math.h>
#include <string.h>

#include "engine/kern/rows.h"
#include "engine/kern/vmath.h"
#include "engine/op/op.h"

typedef struct CrossEntropy {
    Node node;
    Tensor *logits;
    Target target;
    real *lse; /* [R] */
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

static double row_loss(const Target *t, const real *z, size_t k, size_t r, real *lse) {
    real top = z[0], sum = 0, total = 0;
    for (size_t j = 1; j < k; j++) top = z[j] > top ? z[j] : top;
#pragma omp simd reduction(+ : sum, total)
    for (size_t j = 0; j < k; j++) {
        sum += vm_exp(z[j] - top);
        total += z[j];
    }
    *lse = top + (real)log((double)sum);
    double label, other, expected = t->smoothing / (double)k * (double)total;
    weights_of(t, r, &label, &other);
    expected += label * (double)z[t->label[r]];
    if (other != 0) expected += other * (double)z[t->other[r]];
    return (double)*lse - expected;
}

static void row_backward(real *dz, real beta, const Target *t, const real *z, size_t k, size_t r,
                         real lse, real scale) {
    real uniform = (real)(t->smoothing / (double)k);
#pragma omp simd
    for (size_t j = 0; j < k; j++)
        dz[j] = (beta != 0 ? dz[j] : 0) + scale * (vm_exp(z[j] - lse) - uniform);
    double label, other;
    weights_of(t, r, &label, &other);
    dz[t->label[r]] -= scale * (real)label;
    if (other != 0) dz[t->other[r]] -= scale * (real)other;
}

static void backward(Tape *tape, Node *node) {
    CrossEntropy *n = (CrossEntropy *)node;
    size_t k = tensor_last(n->logits), rows = tensor_rows(n->logits);
    real scale = node->out->grad[0] / (real)divisor_of(&n->target, rows);
    real beta, *dz = tape_grad(tape, n->logits, &beta);
#pragma omp parallel for schedule(static) if (rows * k > 8192)
    for (size_t r = 0; r < rows; r++)
        row_backward(dz + r * k, beta, &n->target, n->logits->value + r * k, k, r, n->lse[r],
                     scale);
}

Tensor *op_cross_entropy(Tape *tape, Tensor *logits, const Target *target) {
    size_t k = tensor_last(logits), rows = tensor_rows(logits);
    for (size_t r = 0; r < rows; r++)
        CHECK(target->label[r] < k && (!target->other || target->other[r] < k),
              "cross_entropy: label %zu of %zu classes", target->label[r], k);
    real *lse = tape_alloc(tape, rows * sizeof *lse);
    double *losses = tape_alloc(tape, rows * sizeof *losses), sum = 0;
#pragma omp parallel for schedule(static) if (rows * k > 8192)
    for (size_t r = 0; r < rows; r++)
        losses[r] = row_loss(target, logits->value + r * k, k, r, &lse[r]);
    for (size_t r = 0; r < rows; r++) sum += losses[r];
    Tensor *loss = tape_tensor(tape, 1, (size_t[]){1});
    loss->value[0] = (real)(sum / divisor_of(target, rows));
    CrossEntropy *n =
        tape_node(tape, sizeof *n, "cross_entropy", loss, logits->needs_grad, backward);
    if (n) n->logits = logits, n->target = *target, n->lse = lse;
    return loss;
}

/* masked_norm: over the n valid numbers of an utterance, h = (x - mean) r,  r
 * = 1 / (std + eps),
 *   y = scale h + bias
 *   dscale = sum dy h,  dbias = sum dy,
 * dx = scale (r (dy - mean(dy)) - mean(dy h) h / std),  the last term 0 where std =
 * 0 */
#include <math.h>
#include <string.h>

#include "engine/op/op.h"

typedef struct Moments {
    double mean, std;
} Moments;

typedef struct MaskedNorm {
    Node node;
    Tensor *x, *scale, *bias;
    const size_t *frame_count;
    double eps;
    Moments *moments; /* [B] */
} MaskedNorm;

static size_t valid(const Tensor *x, const size_t *frame_count, size_t b) {
    return (frame_count ? frame_count[b] : x->shape[1]) * x->shape[2];
}

static Moments find_moments(const real *x, size_t n) {
    double sum = 0, squares = 0, first = n ? (double)x[0] : 0;
    if (!n) return (Moments){0, 0};
        /* From the first number: equal ones then have a deviation of exactly 0. */
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += (double)x[i] - first;
    double mean = first + sum / (double)n;
#pragma omp simd reduction(+ : squares)
    for (size_t i = 0; i < n; i++)
        squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    return (Moments){mean, sqrt(squares / (double)n)};
}

/* ---- backward ---- */

typedef struct Sums {
    double dy, dyh; /* over an utterance */
} Sums;

static Sums find_sums(const real *dy, const real *x, size_t n, Moments m, double r) {
    double sum = 0, with_h = 0;
#pragma omp simd reduction(+ : sum, with_h)
    for (size_t i = 0; i < n; i++) {
        sum += (double)dy[i];
        with_h += (double)dy[i] * ((double)x[i] - m.mean);
    }
    return (Sums){sum, with_h * r};
}

static void input_back(const MaskedNorm *l, size_t b, Sums s, real *dx, real beta) {
    size_t row = l->x->size / l->x->shape[0], n = valid(l->x, l->frame_count, b);
    const real *x = l->x->value + b * row, *dy = l->node.out->grad + b * row;
    Moments m = l->moments[b];
    double scale = (double)l->scale->value[0], r = 1 / (m.std + l->eps);
    double pull = m.std > 0 ? s.dyh / (double)n * r / m.std : 0;
    double mean = n ? s.dy / (double)n : 0;
    for (size_t i = 0; i < n; i++) {
        double d = scale * (r * ((double)dy[i] - mean) - pull * ((double)x[i] - m.mean));
        dx[i] = (beta != 0 ? dx[i] : 0) + (real)d;
    }
    if (beta == 0) memset(dx + n, 0, (row - n) * sizeof *dx);
}

static void add_number(Tape *tape, Tensor *x, double value) {
    if (!x->needs_grad) return;
    real beta, *dx = tape_grad(tape, x, &beta);
    dx[0] = (beta != 0 ? dx[0] : 0) + (real)value;
}

static void backward(Tape *tape, Node *node) {
    MaskedNorm *l = (MaskedNorm *)node;
    size_t batch = l->x->shape[0], row = l->x->size / batch;
    Sums *sums = tape_alloc(tape, batch * sizeof *sums), all = {0, 0};
    real beta = 0, *dx = l->x->needs_grad ? tape_grad(tape, l->x, &beta) : NULL;
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < batch; b++) {
        Moments m = l->moments[b];
        sums[b] = find_sums(node->out->grad + b * row, l->x->value + b * row,
                            valid(l->x, l->frame_count, b), m, 1 / (m.std + l->eps));
        if (dx) input_back(l, b, sums[b], dx + b * row, beta);
    }
    for (size_t b = 0; b < batch; b++) all.dy += sums[b].dy, all.dyh += sums[b].dyh;
    add_number(tape, l->scale, all.dyh);
    add_number(tape, l->bias, all.dy);
}

/* ---- forward ---- */

static void check(const Tensor *x, const size_t *frame_count, const Tensor *scale,
                  const Tensor *bias, double eps) {
    CHECK(x->dims == 3, "masked_norm: %d dimensions instead of [B, T, C]", x->dims);
    CHECK(scale->size == 1 && bias->size == 1, "masked_norm: scale of %zu, bias of %zu",
          scale->size, bias->size);
    CHECK(eps > 0, "masked_norm: eps %g", eps);
    for (size_t b = 0; frame_count && b < x->shape[0]; b++)
        CHECK(frame_count[b] <= x->shape[1], "masked_norm: %zu frames of %zu",
              frame_count[b], x->shape[1]);
}

static void normalise(real *y, const real *x, size_t n, size_t row, Moments m, double eps,
                      real scale, real bias) {
    double factor = (double)scale / (m.std + eps);
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = (real)(factor * ((double)x[i] - m.mean) + (double)bias);
    memset(y + n, 0, (row - n) * sizeof *y);
}

Tensor *op_masked_norm(Tape *tape, Tensor *x, const size_t *frame_count, Tensor *scale,
                       Tensor *bias, double eps) {
    check(x, frame_count, scale, bias, eps);
    size_t batch = x->shape[0], row = x->shape[1] * x->shape[2];
    Tensor *y = tape_tensor_like(tape, x);
    Moments *moments = tape_alloc(tape, batch * sizeof *moments);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < batch; b++) {
        size_t n = valid(x, frame_count, b);
        moments[b] = find_moments(x->value + b * row, n);
        normalise(y->value + b * row, x->value + b * row, n, row, moments[b], eps,
                  scale->value[0], bias->value[0]);
    }
    bool wanted = x->needs_grad || scale->needs_grad || bias->needs_grad;
    MaskedNorm *l = tape_node(tape, sizeof *l, "masked_norm", y, wanted, backward);
    if (!l) return y;
    l->x = x, l->scale = scale, l->bias = bias, l->frame_count = frame_count;
    l->eps = eps, l->moments = moments;
    return y;
}

/* frames: y[b, t, c K + k] = x[b, t stride + k - before, c], 0 outside of the utterance
 *   dx[b, f, c] = sum over the windows t that frame f stands in of
 *                 dy[b, t, c K + f + before - t stride]
 * conv1d: frames, and then op_linear: y = scale frames W^T + b, W [O, C, K] seen as
 * [O, C K]. */
#include <string.h>

#include "engine/op/op.h"

typedef struct Frames {
    Node node;
    FramesArgs a;
} Frames;

static size_t valid(const FramesArgs *a, size_t b) {
    return a->frame_count ? a->frame_count[b] : a->x->shape[1];
}

static size_t lead(const FramesArgs *a, size_t b) {
    return a->each_before ? a->each_before[b] : a->before;
}

static size_t windows(size_t length, size_t stride) {
    return (length + stride - 1) / stride;
}

size_t frames_before_same(size_t length, size_t kernel, size_t stride) {
    if (!length) return 0;
    size_t reach = (windows(length, stride) - 1) * stride + kernel;
    return reach > length ? (reach - length) / 2 : 0;
}

/* row [C, K] of the window of utterance b that begins `before` frames
 * before frame `first`. */
static void gather(const FramesArgs *a, real *row, size_t b, size_t first) {
    size_t channels = a->x->shape[2], kernel = a->kernel, before = lead(a, b);
    size_t frames = valid(a, b);
    const real *x = a->x->value + b * a->x->shape[1] * channels;
    for (size_t k = 0; k < kernel; k++) {
        size_t f = first + k - before; /* wraps where it would be negative */
        if (f >= frames)
            for (size_t c = 0; c < channels; c++) row[c * kernel + k] = 0;
        else
            for (size_t c = 0; c < channels; c++)
                row[c * kernel + k] = x[f * channels + c];
    }
}

/* dx [C] += what the windows that hold frame f of utterance b send to it;
 * dy [windows, C K]. */
static void collect(const FramesArgs *a, real *dx, const real *dy, size_t b, size_t f,
                    size_t count) {
    size_t channels = a->x->shape[2], kernel = a->kernel, at = f + lead(a, b);
    size_t first = at < kernel ? 0 : (at - kernel) / a->stride + 1;
    for (size_t t = first; t < count && t * a->stride <= at; t++) {
        const real *from = dy + t * channels * kernel + (at - t * a->stride);
        for (size_t c = 0; c < channels; c++) dx[c] += from[c * kernel];
    }
}

static void backward(Tape *tape, Node *node) {
    const FramesArgs *a = &((Frames *)node)->a;
    size_t length = a->x->shape[1], channels = a->x->shape[2];
    size_t count = node->out->shape[1], row = count * channels * a->kernel;
    real beta, *dx = tape_grad(tape, a->x, &beta);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < a->x->shape[0] * length; i++) {
        size_t b = i / length, f = i % length;
        if (beta == 0) memset(dx + i * channels, 0, channels * sizeof *dx);
        if (f < valid(a, b))
            collect(a, dx + i * channels, node->out->grad + b * row, b, f, count);
    }
}

static void check(const FramesArgs *a) {
    CHECK(a->x->dims == 3, "frames: %d dimensions instead of [B, T, C]", a->x->dims);
    CHECK(a->kernel && a->stride, "frames: kernel %zu, stride %zu", a->kernel, a->stride);
    for (size_t b = 0; b < a->x->shape[0]; b++) {
        CHECK(lead(a, b) < a->kernel, "frames: %zu before a kernel of %zu", lead(a, b),
              a->kernel);
        CHECK(valid(a, b) <= a->x->shape[1], "frames: %zu of %zu", valid(a, b),
              a->x->shape[1]);
    }
}

Tensor *op_frames(Tape *tape, const FramesArgs *a) {
    check(a);
    Tensor *x = a->x;
    size_t batch = x->shape[0], columns = x->shape[2] * a->kernel;
    size_t count = windows(x->shape[1], a->stride);
    Tensor *y = tape_tensor(tape, 3, (size_t[]){batch, count, columns});
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < batch * count; i++) {
        size_t b = i / count, t = i % count;
        gather(a, y->value + i * columns, b, t * a->stride);
    }
    Frames *n = tape_node(tape, sizeof *n, "frames", y, x->needs_grad, backward);
    if (n) n->a = *a;
    return y;
}

Tensor *op_conv1d(Tape *tape, const FramesArgs *a, Tensor *w, Tensor *b,
                  const Scale *scale) {
    CHECK(w->dims == 3 && w->shape[1] == a->x->shape[2] && w->shape[2] == a->kernel,
          "conv1d: weight [%zu, %zu, %zu] for %zu channels, kernel %zu", w->shape[0],
          w->shape[1], w->shape[2], a->x->shape[2], a->kernel);
    return op_linear(tape, op_frames(tape, a), w, b, scale);
}

/* rows: ops that pick rows of a matrix, and put them together.
 *   take_rows   dx[rows[i]] = dy[i], 0 elsewhere
 *   merge_rows  dx_p[i] = dy[rows_p[i]] */
#include <string.h>

#include "engine/op/op.h"

/* ---- take_rows ---- */

typedef struct TakeRows {
    Node node;
    Tensor *x;
    const size_t *rows;
    size_t count;
} TakeRows;

static void take_backward(Tape *tape, Node *node) {
    TakeRows *n = (TakeRows *)node;
    size_t width = tensor_last(n->x);
    real beta, *dx = tape_grad(tape, n->x, &beta);
    if (beta == 0) memset(dx, 0, n->x->size * sizeof(real));
#pragma omp parallel for schedule(static) if (n->count * width > 8192)
    for (size_t i = 0; i < n->count; i++)
        for (size_t j = 0; j < width; j++)
            dx[n->rows[i] * width + j] += node->out->grad[i * width + j];
}

Tensor *op_take_rows(Tape *tape, Tensor *x, const size_t *rows, size_t count) {
    size_t width = tensor_last(x);
    for (size_t i = 0; i < count; i++)
        CHECK(rows[i] < tensor_rows(x) && (!i || rows[i] > rows[i - 1]),
              "take_rows: row %zu of %zu", rows[i], tensor_rows(x));
    Tensor *y = tape_tensor(tape, 3, (size_t[]){1, count, width});
#pragma omp parallel for schedule(static) if (count * width > 8192)
    for (size_t i = 0; i < count; i++)
        memcpy(y->value + i * width, x->value + rows[i] * width, width * sizeof(real));
    TakeRows *n =
        tape_node(tape, sizeof *n, "take_rows", y, x->needs_grad, take_backward);
    if (n) n->x = x, n->rows = rows, n->count = count;
    return y;
}

/* ---- merge_rows ---- */

typedef struct MergeRows {
    Node node;
    RowPart *parts;
    size_t count;
} MergeRows;

static void part_backward(Tape *tape, const RowPart *part, const Tensor *y) {
    size_t width = tensor_last(y);
    if (!part->x->needs_grad) return;
    real beta, *dx = tape_grad(tape, part->x, &beta);
#pragma omp parallel for schedule(static) if (part->count * width > 8192)
    for (size_t i = 0; i < part->count; i++) {
        const real *dy = y->grad + part->rows[i] * width;
        real *to = dx + i * width;
        for (size_t j = 0; j < width; j++) to[j] = (beta != 0 ? to[j] : 0) + dy[j];
    }
}

static void merge_backward(Tape *tape, Node *node) {
    MergeRows *n = (MergeRows *)node;
    for (size_t p = 0; p < n->count; p++) part_backward(tape, &n->parts[p], node->out);
}

static void part_forward(const RowPart *part, Tensor *y) {
    size_t width = tensor_last(y);
    CHECK(part->x->size == part->count * width, "merge_rows: %zu numbers for %zu x %zu",
          part->x->size, part->count, width);
    for (size_t i = 0; i < part->count; i++)
        CHECK(part->rows[i] < tensor_rows(y), "merge_rows: row %zu of %zu", part->rows[i],
              tensor_rows(y));
#pragma omp parallel for schedule(static) if (part->count * width > 8192)
    for (size_t i = 0; i < part->count; i++)
        memcpy(y->value + part->rows[i] * width, part->x->value + i * width,
               width * sizeof(real));
}

Tensor *op_merge_rows(Tape *tape, const RowPart *parts, size_t count, size_t batch,
                      size_t length) {
    size_t rows = 0;
    bool wanted = false;
    Tensor *y = tape_tensor(tape, 3, (size_t[]){batch, length, tensor_last(parts[0].x)});
    for (size_t p = 0; p < count; p++) {
        part_forward(&parts[p], y);
        rows += parts[p].count;
        wanted |= parts[p].x->needs_grad;
    }
    CHECK(rows == batch * length, "merge_rows: %zu rows for %zu", rows, batch * length);
    MergeRows *n = tape_node(tape, sizeof *n, "merge_rows", y, wanted, merge_backward);
    if (!n) return y;
    n->parts = tape_alloc(tape, count * sizeof *parts);
    memcpy(n->parts, parts, count * sizeof *parts);
    n->count = count;
    return y;
}

/* embedding: y[b, t, :] = scale table[id(b, t), :]
 *   dtable[v, :] = scale (sum over the places where v stands of dy)
 *
 * Only rows that stand somewhere are written, unless the gradient holds nothing yet: then
 * the table's is cleared.  A tied output, which comes later and so goes back earlier, has
 * filled it already.  A thread adds strips of columns, in the order of the tokens: the
 * sums are the same for any number of threads. */
#include <string.h>

#include "engine/op/op.h"

enum { STRIP = 64 };

typedef struct Embedding {
    Node node;
    Tensor *table;
    const uint32_t *ids;
    size_t count;
    real scale;
} Embedding;

static void clear(real *x, size_t rows, size_t width) {
#pragma omp parallel for schedule(static) if (rows * width > 32768)
    for (size_t i = 0; i < rows; i++) memset(x + i * width, 0, width * sizeof *x);
}

static void backward(Tape *tape, Node *node) {
    Embedding *n = (Embedding *)node;
    size_t width = tensor_last(n->table), count = n->count;
    real scale = n->scale, beta, *dtable = tape_grad(tape, n->table, &beta);
    const real *dy = node->out->grad;
    if (beta == 0) clear(dtable, tensor_rows(n->table), width);
#pragma omp parallel for schedule(static) if (count * width > 8192)
    for (size_t first = 0; first < width; first += STRIP) {
        size_t last = MIN(first + STRIP, width);
        for (size_t i = 0; i < count; i++) {
            real *to = dtable + n->ids[i] * width;
            const real *from = dy + i * width;
#pragma omp simd
            for (size_t j = first; j < last; j++) to[j] += scale * from[j];
        }
    }
}

Tensor *op_embedding(Tape *tape, Tensor *table, const uint32_t *ids, size_t batch,
                     size_t length, double scale) {
    size_t width = tensor_last(table), rows = tensor_rows(table), count = batch * length;
    for (size_t i = 0; i < count; i++)
        CHECK(ids[i] < rows, "embedding: token %u of %zu", (unsigned)ids[i], rows);
    Tensor *y = tape_tensor(tape, 3, (size_t[]){batch, length, width});
    real factor = (real)scale;
#pragma omp parallel for schedule(static) if (count * width > 8192)
    for (size_t i = 0; i < count; i++) {
        const real *from = table->value + ids[i] * width;
        real *to = y->value + i * width;
#pragma omp simd
        for (size_t j = 0; j < width; j++) to[j] = factor * from[j];
    }
    Embedding *n =
        tape_node(tape, sizeof *n, "embedding", y, table->needs_grad, backward);
    if (n) n->table = table, n->ids = ids, n->count = count, n->scale = factor;
    return y;
}

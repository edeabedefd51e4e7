/* patchify: a permutation of pixels, [B, C, Y, X] -> [B, N, C P P];
 * backward is its inverse. */
#include <string.h>

#include "engine/op/op.h"

typedef struct Patchify {
    Node node;
    Tensor *x;
    size_t patch;
} Patchify;

/* Calls for each row of P pixels: rows[at_row ...] <-> pixels[at_pixel ...]. */
static void copy_picture(const Tensor *x, size_t patch, size_t b, real *rows,
                         real *pixels, bool back, real beta) {
    size_t channels = x->shape[1], high = x->shape[2], wide = x->shape[3];
    size_t across = wide / patch, per_row = channels * patch * patch;
    for (size_t c = 0; c < channels; c++)
        for (size_t y = 0; y < high; y++)
            for (size_t px = 0; px < across; px++) {
                size_t n = (y / patch) * across + px,
                       inside = (c * patch + y % patch) * patch;
                real *row = rows + (b * (high / patch) * across + n) * per_row + inside;
                real *pixel =
                    pixels + ((b * channels + c) * high + y) * wide + px * patch;
                if (!back) memcpy(row, pixel, patch * sizeof(real));
                for (size_t i = 0; back && i < patch; i++)
                    pixel[i] = (beta != 0 ? pixel[i] : 0) + row[i];
            }
}

static void backward(Tape *tape, Node *node) {
    Patchify *n = (Patchify *)node;
    real beta, *dx = tape_grad(tape, n->x, &beta);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < n->x->shape[0]; b++)
        copy_picture(n->x, n->patch, b, node->out->grad, dx, true, beta);
}

Tensor *op_patchify(Tape *tape, Tensor *x, size_t patch) {
    CHECK(x->dims == 4 && patch && x->shape[2] % patch == 0 && x->shape[3] % patch == 0,
          "patchify: picture of %zu x %zu, patch %zu", x->shape[2], x->shape[3], patch);
    size_t count = (x->shape[2] / patch) * (x->shape[3] / patch);
    Tensor *y =
        tape_tensor(tape, 3, (size_t[]){x->shape[0], count, x->shape[1] * patch * patch});
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < x->shape[0]; b++)
        copy_picture(x, patch, b, y->value, x->value, false, 0);
    Patchify *n = tape_node(tape, sizeof *n, "patchify", y, x->needs_grad, backward);
    if (n) n->x = x, n->patch = patch;
    return y;
}

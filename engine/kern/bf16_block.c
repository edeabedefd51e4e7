#include "engine/kern/bf16_block.h"

/* ---- the product ---- */

/* sum[width] += a0 b[0] + a1 b[1], pair by pair */
static void add_pair(real *sum, bf16 a0, bf16 a1, const bf16 *b, size_t width) {
    real x = (real)bf16_float(a0), y = (real)bf16_float(a1);
#pragma omp simd
    for (size_t j = 0; j < width; j++)
        sum[j] += x * (real)bf16_float(b[2 * j]) + y * (real)bf16_float(b[2 * j + 1]);
}

static void multiply(const Bf16Block *t, size_t rows, size_t vectors) {
    size_t width = vectors * BF16_LANES;
    for (size_t i = 0; i < rows; i++) {
        real sum[BF16_WIDTH] = {0}, *c = t->c + i * t->ldc;
        const bf16 *a = t->a + i * t->row;
        for (size_t l = 0; l < t->k / 2; l++)
            add_pair(sum, a[l * t->step], a[l * t->step + 1], t->b + l * t->ldb, width);
        if (t->k % 2)
            add_pair(sum, a[t->k / 2 * t->step], 0, t->b + t->k / 2 * t->ldb, width);
        for (size_t j = 0; j < width; j++)
            c[j] = t->add ? c[j] + t->alpha * sum[j] : t->alpha * sum[j];
    }
}

/* ---- packing ---- */

static bf16 number(const Bf16Matrix *x, size_t i, size_t j) {
    return x->narrow ? x->narrow[i * x->ld + j] : bf16_of(x->wide[i * x->ld + j]);
}

static void pack_pairs(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                       size_t width, size_t padded) {
    for (size_t l = 0; l < k; l += 2)
        for (size_t j = 0; j < padded; j++, to += 2) {
            to[0] = j < width ? number(x, l, first + j) : 0;
            to[1] = j < width && l + 1 < k ? number(x, l + 1, first + j) : 0;
        }
}

static void panel(bf16 *to, const Bf16Matrix *x, size_t k, size_t first, size_t width) {
    pack_pairs(to, x, k, first, width, BF16_WIDTH);
}

static void panel_transposed(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                             size_t width) {
    for (size_t l = 0; l < k; l += 2)
        for (size_t j = 0; j < BF16_WIDTH; j++, to += 2) {
            to[0] = j < width ? number(x, first + j, l) : 0;
            to[1] = j < width && l + 1 < k ? number(x, first + j, l + 1) : 0;
        }
}

static void strips(bf16 *to, const Bf16Matrix *x, size_t k, size_t first, size_t width) {
    for (size_t i = 0; i < width; i += BF16_ROWS)
        pack_pairs(to + i * (k + k % 2), x, k, first + i,
                   MIN((size_t)BF16_ROWS, width - i), BF16_ROWS);
}

/* ---- rows ---- */

static void round_row(bf16 *y, const real *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = bf16_of(x[i]);
}

static void widen_row(real *y, const bf16 *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = (real)bf16_float(x[i]);
}

/* ---- which ---- */

static const Bf16Kernels PLAIN = {multiply, panel,     panel_transposed,
                                  strips,   round_row, widen_row};

const Bf16Kernels *bf16_kernels(Bf16Way way) {
    const Bf16Kernels *own = way == BF16_BEST ? bf16_kernels_of_processor() : NULL;
    return own ? own : &PLAIN;
}

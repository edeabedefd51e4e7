#include "engine/kern/bf16_block.h"

#include "engine/kern/bf16_units.h"

enum { WIDTH = BF16_VECTORS * BF16_LANES };

/* sum[width] += a0 b[0] + a1 b[1], pair by pair */
static void add_pair(real *sum, bf16 a0, bf16 a1, const bf16 *b, size_t width) {
    real x = (real)bf16_float(a0), y = (real)bf16_float(a1);
#pragma omp simd
    for (size_t j = 0; j < width; j++)
        sum[j] += x * (real)bf16_float(b[2 * j]) + y * (real)bf16_float(b[2 * j + 1]);
}

static void plain(const Bf16Block *t, size_t rows, size_t vectors) {
    size_t width = vectors * BF16_LANES;
    for (size_t i = 0; i < rows; i++) {
        real sum[WIDTH] = {0}, *c = t->c + i * t->ldc;
        const bf16 *a = t->a + i * t->row;
        for (size_t l = 0; l < t->k / 2; l++)
            add_pair(sum, a[l * t->step], a[l * t->step + 1], t->b + l * t->ldb, width);
        if (t->k % 2)
            add_pair(sum, a[t->k / 2 * t->step], 0, t->b + t->k / 2 * t->ldb, width);
        for (size_t j = 0; j < width; j++)
            c[j] = t->add ? c[j] + t->alpha * sum[j] : t->alpha * sum[j];
    }
}

Bf16Multiply *bf16_multiply(Bf16Way way) {
    const Bf16Units *units = way == BF16_BEST ? bf16_units_found() : NULL;
    return units ? units->multiply : plain;
}

#include "engine/kern/few.h"

#include <string.h>

#include "engine/kern/vector.h"

/* Rows of W that are multiplied together: their FEW sums each, a vector of each row and
 * one of x are 29 registers of AVX-512's and NEON's 32, 15 of the others' 16. */
enum { ROWS = VECTOR_REGISTERS / 8 };

static inline __attribute__((always_inline)) real sum_of(Vector lanes) {
    real sum = 0;
    for (size_t i = 0; i < VECTOR_LANES; i++) sum += lanes[i];
    return sum;
}

/* The next block is asked for, in the order of memory and into the second-level cache,
 * while this one is multiplied: four short streams at a time are more than the processor
 * foresees.  From memory that makes 15 to 20 GB/s of 7 to 13 (EPYC, one thread). */
static inline __attribute__((always_inline)) void
forward_block(size_t rows, size_t n, const real *w, const real *x, real *y) {
    Vector sum[ROWS][FEW] = {0};
    size_t whole = n / VECTOR_LANES * VECTOR_LANES;
    for (size_t j = 0; j < whole; j += VECTOR_LANES) {
        Vector left[ROWS];
        UNROLL(4)
        for (size_t r = 0; r < rows; r++) {
            left[r] = *(const Vector *)(w + r * n + j);
            __builtin_prefetch(w + rows * n + j * rows + r * VECTOR_LANES, 0, 2);
        }
        UNROLL(6)
        for (size_t k = 0; k < FEW; k++) {
            Vector right = *(const Vector *)(x + k * n + j);
            UNROLL(4)
            for (size_t r = 0; r < rows; r++) sum[r][k] += left[r] * right;
        }
    }
    UNROLL(4)
    for (size_t r = 0; r < rows; r++) UNROLL(6)
    for (size_t k = 0; k < FEW; k++) {
        real total = sum_of(sum[r][k]);
        for (size_t j = whole; j < n; j++) total += w[r * n + j] * x[k * n + j];
        y[r * FEW + k] = total;
    }
}

void few_forward(size_t rows, size_t n, const real *w, const real *x, real *y) {
    size_t whole = rows / ROWS * ROWS;
    for (size_t r = 0; r < whole; r += ROWS)
        forward_block(ROWS, n, w + r * n, x, y + r * FEW);
    for (size_t r = whole; r < rows; r++) forward_block(1, n, w + r * n, x, y + r * FEW);
}

static inline __attribute__((always_inline)) void
back_block(size_t rows, size_t n, const real *w, const real *v, real *z) {
    real *restrict first = z, *restrict second = z + n;
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        real a = first[j], b = second[j];
        UNROLL(4)
        for (size_t r = 0; r < rows; r++) {
            a += v[r * FEW_BACK] * w[r * n + j];
            b += v[r * FEW_BACK + 1] * w[r * n + j];
        }
        first[j] = a;
        second[j] = b;
    }
}

enum { BACK_ROWS = 4 };

void few_back(size_t rows, size_t n, const real *w, const real *v, real *z) {
    size_t whole = rows / BACK_ROWS * BACK_ROWS;
    memset(z, 0, FEW_BACK * n * sizeof(real));
    for (size_t r = 0; r < whole; r += BACK_ROWS)
        back_block(BACK_ROWS, n, w + r * n, v + r * FEW_BACK, z);
    for (size_t r = whole; r < rows; r++)
        back_block(1, n, w + r * n, v + r * FEW_BACK, z);
}

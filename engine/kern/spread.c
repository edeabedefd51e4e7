#include "engine/kern/spread.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/kern/gemm.h"
#include "engine/kern/reduce.h"
#include "engine/kern/symmetric.h"

#ifdef STEADY_DOUBLE
#define ROUNDING DBL_EPSILON
#else
#define ROUNDING FLT_EPSILON
#endif

Spread spread_rows(const real *x, size_t rows, size_t n, real *total) {
    Spread s = {0};
    memset(total, 0, n * sizeof *total);
    for (size_t i = 0; i < rows; i++) {
        const real *row = x + i * n;
        real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t j = 0; j < n; j++) {
            sum += row[j] * row[j];
            total[j] += row[j];
        }
        s.squares += (double)sum;
        if (!(s.largest >= (double)sum)) s.largest = (double)sum;
    }
    return s;
}

size_t spread_spare(size_t rows, size_t n) {
    size_t side = MIN(rows, n + 1);
    return MAX(side * (2 * side + 2), rows + n);
}

double spread_rank(const real *x, size_t rows, size_t n, real *spare) {
    size_t side = MIN(rows, n);
    if (rows <= n) gram_rows(side, n, x, n, spare, side);
    else gram_columns(side, rows, x, n, spare, side);
    double trace = 0, squares = 0;
    for (size_t i = 0; i < side; i++) {
        const real *row = spare + i * side;
        double diagonal = (double)row[i];
        trace += diagonal;
        squares += diagonal * diagonal;
        for (size_t j = 0; j < i; j++) squares += 2 * (double)row[j] * (double)row[j];
    }
    return trace == 0 ? 0 : trace * trace / squares;
}

/* The smaller Gram matrix of [X 1]; returns its side. */
static size_t gram_with_ones(const real *x, size_t rows, size_t n, const real *total,
                             real *gram) {
    size_t side = MIN(rows, n + 1);
    if (rows <= n) {
        gram_rows(side, n, x, n, gram, side);
        for (size_t i = 0; i < side; i++)
            for (size_t j = 0; j <= i; j++) gram[i * side + j] += 1;
        return side;
    }
    gram_columns(n, rows, x, n, gram, side);
    memcpy(gram + n * side, total, n * sizeof *gram);
    gram[n * side + n] = (real)rows;
    return side;
}

enum { GLANCES = 3 };

/* Do a few power iterations, from what the rows have in common, see that |X|_2^2 is at
 * least `enough`?  They cost less than a Gram matrix. */
static bool is_enough(const real *x, size_t rows, size_t n, const real *total,
                      double enough, real *spare) {
    real *v = spare, *y = spare + n;
    memcpy(v, total, n * sizeof *v);
    for (int i = 0; i < GLANCES && rows; i++) {
        double from = reduce_sum_squares(v, n);
        gemv_n(rows, n, x, v, y);
        double to = reduce_sum_squares(y, rows);
        if (from > 0 && to >= enough * from) return isfinite(to);
        gemv_t(rows, n, x, y, v);
    }
    return false;
}

double spread_norm(const real *x, size_t rows, size_t n, bool ones, const real *total,
                   double enough, real *spare) {
    size_t side = MIN(rows, n);
    if (is_enough(x, rows, n, total, enough, spare))
        return reduce_sum_squares(x, rows * n) + (ones ? (double)rows : 0);
    if (ones) side = gram_with_ones(x, rows, n, total, spare);
    else if (rows <= n) gram_rows(side, n, x, n, spare, side);
    else gram_columns(side, rows, x, n, spare, side);
    double above = symmetric_above(spare, side, enough, spare + side * side);
    return above * (1 + 2 * (double)MAX(rows, n) * (double)ROUNDING);
}

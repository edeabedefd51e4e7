#include "engine/kern/norm.h"

#include <math.h>
#include <string.h>

enum { SERIAL_MAX = 8192 };

static void row_moments(const real *x, real eps, size_t n, real *mean, real *rstd) {
    real sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < n; j++) sum += x[j];
    real m = sum / (real)n;
#pragma omp simd reduction(+ : squares)
    for (size_t j = 0; j < n; j++) squares += (x[j] - m) * (x[j] - m);
    *mean = m;
    *rstd = 1 / (real)sqrt((double)(squares / (real)n + eps));
}

static void row_value(real *y, const real *x, const real *gain, const real *bias,
                      size_t n, real m, real r) {
#pragma omp simd
    for (size_t j = 0; j < n; j++) y[j] = (x[j] - m) * r * gain[j] + bias[j];
}

static void row_value16(bf16 *y, const real *x, const real *gain, const real *bias,
                        size_t n, real m, real r) {
    enum { PIECE = 256 };
    real piece[PIECE];
    for (size_t j = 0; j < n; j += PIECE) {
        size_t count = MIN((size_t)PIECE, n - j);
        row_value(piece, x + j, gain + j, bias + j, count, m, r);
        bf16_round(y + j, piece, count);
    }
}

static void row_rounded(bf16 *h, const real *x, size_t n, real m, real r) {
#pragma omp simd
    for (size_t j = 0; j < n; j++) h[j] = bf16_of((x[j] - m) * r);
}

void norm_rows(real *y, bf16 *h, const real *x, const real *gain, const real *bias,
               real eps, size_t rows, size_t n, real *mean, real *rstd) {
#pragma omp parallel for schedule(static) if (rows * n > SERIAL_MAX)
    for (size_t i = 0; i < rows; i++) {
        row_moments(x + i * n, eps, n, mean + i, rstd + i);
        if (h) row_rounded(h + i * n, x + i * n, n, mean[i], rstd[i]);
        row_value(y + i * n, x + i * n, gain, bias, n, mean[i], rstd[i]);
    }
}

void norm_rows16(bf16 *y, bf16 *h, const real *x, const real *gain, const real *bias,
                 real eps, size_t rows, size_t n, real *mean, real *rstd) {
#pragma omp parallel for schedule(static) if (rows * n > SERIAL_MAX)
    for (size_t i = 0; i < rows; i++) {
        row_moments(x + i * n, eps, n, mean + i, rstd + i);
        if (h) row_rounded(h + i * n, x + i * n, n, mean[i], rstd[i]);
        row_value16(y + i * n, x + i * n, gain, bias, n, mean[i], rstd[i]);
    }
}

/* ---- backward ---- */

/* Rows are cut into parts by their number alone; a part's sums are one thread's, and the
 * parts are added in order. */
enum { PARTS_MAX = 64, PART_ROWS = 16 };

static size_t part_count(size_t rows) {
    size_t parts = (rows + PART_ROWS - 1) / PART_ROWS;
    return MIN(parts, (size_t)PARTS_MAX);
}

/* Sums of gain and of bias, and a row. */
enum { PART_SCRATCH = 3 };

size_t norm_scratch(size_t rows, size_t n) { return PART_SCRATCH * part_count(rows) * n; }

/* A row of the input with h = (x - m) r. */
typedef struct Row {
    const real *x;
    real m, r;
} Row;

static Row row_of(const NormBackward *b, size_t i, real *spare) {
    if (!b->h16) return (Row){b->x + i * b->n, b->mean[i], b->rstd[i]};
    bf16_widen(spare, b->h16 + i * b->n, b->n);
    return (Row){spare, 0, 1};
}

static void row_dx(const NormBackward *b, size_t i, Row row) {
    size_t n = b->n;
    const real *dy = b->dy + i * n, *x = row.x, *gain = b->gain;
    real *dx = b->dx + i * n, m = row.m, r = row.r, rstd = b->rstd[i], beta = b->beta_x;
    real sum_d = 0, sum_dh = 0;
#pragma omp simd reduction(+ : sum_d, sum_dh)
    for (size_t j = 0; j < n; j++) {
        real d = dy[j] * gain[j];
        sum_d += d;
        sum_dh += d * (x[j] - m) * r;
    }
    sum_d /= (real)n;
    sum_dh /= (real)n;
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        real h = (x[j] - m) * r, old = beta != 0 ? dx[j] : 0;
        dx[j] = old + rstd * (dy[j] * gain[j] - sum_d - h * sum_dh);
    }
}

static void row_sums(const NormBackward *b, size_t i, Row row, real *gain, real *bias) {
    size_t n = b->n;
    const real *dy = b->dy + i * n, *x = row.x;
    real m = row.m, r = row.r;
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        gain[j] += dy[j] * (x[j] - m) * r;
        bias[j] += dy[j];
    }
}

static void row_again(const NormBackward *b, size_t i, Row row) {
    size_t n = b->n, at = i * n;
    if (b->y) row_value(b->y + at, row.x, b->gain, b->bias, n, row.m, row.r);
    if (b->y16) row_value16(b->y16 + at, row.x, b->gain, b->bias, n, row.m, row.r);
}

static void add_parts(real *out, real beta, const real *part, size_t parts, size_t n) {
    if (!out) return;
    for (size_t j = 0; j < n; j++) out[j] = beta != 0 ? out[j] : 0;
    for (size_t k = 0; k < parts; k++)
        for (size_t j = 0; j < n; j++) out[j] += part[PART_SCRATCH * k * n + j];
}

void norm_rows_backward(const NormBackward *b) {
    size_t parts = part_count(b->rows), n = b->n;
#pragma omp parallel for schedule(static) if (b->rows * n > SERIAL_MAX)
    for (size_t k = 0; k < parts; k++) {
        real *gain = b->scratch + PART_SCRATCH * k * n, *bias = gain + n;
        memset(gain, 0, 2 * n * sizeof(real));
        for (size_t i = b->rows * k / parts; i < b->rows * (k + 1) / parts; i++) {
            Row row = row_of(b, i, bias + n);
            if (b->dgain || b->dbias) row_sums(b, i, row, gain, bias);
            row_again(b, i, row);
            if (b->dx) row_dx(b, i, row);
        }
    }
    add_parts(b->dgain, b->beta_gain, b->scratch, parts, n);
    add_parts(b->dbias, b->beta_bias, b->scratch + n, parts, n);
}

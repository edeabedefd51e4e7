#include "engine/kern/rows.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "engine/kern/vmath.h"

/* ---- softmax ---- */

/* As integers with a sign, the bits of numbers are ordered as the numbers are, once those
 * of negative ones are turned round: compilers that honour NaN take the largest of
 * floats one by one. */
#ifdef STEADY_DOUBLE
typedef int64_t Order;
#define ORDER_LOWEST INT64_MIN
#define ORDER_SIZE INT64_MAX
#else
typedef int32_t Order;
#define ORDER_LOWEST INT32_MIN
#define ORDER_SIZE INT32_MAX
#endif

typedef union {
    real value;
    Order bits;
} Pun;

real row_max(const real *s, size_t n) {
    Order largest = ORDER_LOWEST;
#pragma omp simd reduction(max : largest)
    for (size_t j = 0; j < n; j++) {
        Order bits = ((Pun){.value = s[j]}).bits;
        bits ^= bits < 0 ? ORDER_SIZE : 0;
        largest = bits > largest ? bits : largest;
    }
    return ((Pun){.bits = largest ^ (largest < 0 ? ORDER_SIZE : 0)}).value;
}

/* exp(LOWEST) is 0, and 0 LOWEST is not NaN as 0 times minus infinity would be. */
#ifdef STEADY_DOUBLE
static const real LOWEST = -1000;
#else
static const real LOWEST = -100;
#endif

/* With z = s - max, Z = sum e^z:  lse = max + ln Z,  H = ln Z - sum (e^z / Z) z. */
real row_softmax(real *s, size_t n, real *entropy, real *largest) {
    *entropy = *largest = 0;
    if (!n) return 0;
    real top = row_max(s, n), total = 0, weighted = 0;
#pragma omp simd reduction(+ : total, weighted)
    for (size_t j = 0; j < n; j++) {
        real z = s[j] - top;
        z = z < LOWEST ? LOWEST : z;
        real e = vm_exp(z);
        s[j] = e;
        total += e;
        weighted += e * z;
    }
    real scale = 1 / total;
#pragma omp simd
    for (size_t j = 0; j < n; j++) s[j] *= scale;
    real log_total = vm_log(total);
    real h = log_total - weighted * scale;
    *entropy = h < 0 ? 0 : h;
    *largest = isnan(total) ? total : top;
    return top + log_total;
}

void row_softmax_again(real *s, size_t n, real lse) {
#pragma omp simd
    for (size_t j = 0; j < n; j++) s[j] = vm_exp(s[j] - lse);
}

real row_dot(const real *a, const real *b, size_t n) {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < n; j++) sum += a[j] * b[j];
    return sum;
}

void row_softmax_backward(real *dp, const real *p, const real *kept, size_t n) {
    real inner = row_dot(dp, kept, n);
    if (kept == p) {
#pragma omp simd
        for (size_t j = 0; j < n; j++) dp[j] = p[j] * (dp[j] - inner);
    } else {
#pragma omp simd
        for (size_t j = 0; j < n; j++) dp[j] = kept[j] * dp[j] - p[j] * inner;
    }
}

/* ---- sums over rows: a thread owns a strip of columns, so the order is fixed ---- */

enum { STRIP = 64 };

static void add_strip(real *out, real beta, real factor, const real *strip,
                      size_t width) {
    for (size_t j = 0; j < width; j++)
        out[j] = (beta != 0 ? out[j] : 0) + factor * strip[j];
}

void columns_sum(real *sum, real beta, real factor, const real *x, size_t rows,
                 size_t n) {
#pragma omp parallel for schedule(static) if (rows * n > 8192)
    for (size_t first = 0; first < n; first += STRIP) {
        size_t width = MIN((size_t)STRIP, n - first);
        real strip[STRIP] = {0};
        for (size_t i = 0; i < rows; i++) {
            const real *row = x + i * n + first;
#pragma omp simd
            for (size_t j = 0; j < width; j++) strip[j] += row[j];
        }
        add_strip(sum + first, beta, factor, strip, width);
    }
}

void columns_sum16(real *sum, real beta, real factor, const bf16 *x, size_t rows,
                   size_t n) {
#pragma omp parallel for schedule(static) if (rows * n > 8192)
    for (size_t first = 0; first < n; first += STRIP) {
        size_t width = MIN((size_t)STRIP, n - first);
        real strip[STRIP] = {0};
        for (size_t i = 0; i < rows; i++) {
            const bf16 *row = x + i * n + first;
#pragma omp simd
            for (size_t j = 0; j < width; j++) strip[j] += (real)bf16_float(row[j]);
        }
        add_strip(sum + first, beta, factor, strip, width);
    }
}

/* From the first row p: squares = sum (x - p)^2 - rows (mean - p)^2, where the second is
 * at most rows times what is left. */
static void strip_moments(double *mean, double *squares, const real *x, size_t rows,
                          size_t n, size_t width) {
    double sum[STRIP] = {0}, square[STRIP] = {0};
    for (size_t i = 1; i < rows; i++) {
        const real *row = x + i * n;
#pragma omp simd
        for (size_t j = 0; j < width; j++) {
            double d = (double)row[j] - (double)x[j];
            sum[j] += d;
            square[j] += d * d;
        }
    }
    for (size_t j = 0; j < width; j++) {
        double off = sum[j] / (double)rows, rest = square[j] - off * sum[j];
        mean[j] = (double)x[j] + off;
        squares[j] = rest < 0 ? 0 : rest; /* and NaN where it is that */
    }
}

void columns_moments(double *mean, double *squares, const real *x, size_t rows,
                     size_t n) {
#pragma omp parallel for schedule(static) if (rows * n > 8192)
    for (size_t first = 0; first < n; first += STRIP)
        strip_moments(mean + first, squares + first, x + first, rows, n,
                      MIN((size_t)STRIP, n - first));
}

/* y = alpha r + factor b; r and b may be NULL. */
static void fill_row(real *y, real alpha, const real *r, real factor, const real *b,
                     size_t n) {
    if (!r && !b) memset(y, 0, n * sizeof *y);
    if (r && !b)
        for (size_t j = 0; j < n; j++) y[j] = alpha * r[j];
    if (!r && b)
        for (size_t j = 0; j < n; j++) y[j] = factor * b[j];
    if (r && b)
        for (size_t j = 0; j < n; j++) y[j] = alpha * r[j] + factor * b[j];
}

void rows_fill(real *y, real alpha, const real *residual, real factor, const real *bias,
               size_t rows, size_t n) {
#pragma omp parallel for schedule(static) if (rows * n > 8192)
    for (size_t i = 0; i < rows; i++)
        fill_row(y + i * n, alpha, residual ? residual + i * n : NULL, factor, bias, n);
}

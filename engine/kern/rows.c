#include "engine/kern/rows.h"

#include <math.h>
#include <string.h>

#include "engine/kern/vmath.h"

/* ---- softmax ---- */

static real row_max(const real *s, size_t n) {
    real largest = s[0];
#pragma omp simd reduction(max : largest)
    for (size_t j = 0; j < n; j++) largest = s[j] > largest ? s[j] : largest;
    return largest;
}

/* With z = s - max, Z = sum e^z:  lse = max + ln Z,  H = ln Z - sum (e^z / Z) z. */
real row_softmax(real *s, size_t n, real *entropy, real *largest) {
    *entropy = *largest = 0;
    if (!n) return 0;
    real top = row_max(s, n), total = 0, weighted = 0;
#pragma omp simd reduction(+ : total, weighted)
    for (size_t j = 0; j < n; j++) {
        real z = s[j] - top, e = vm_exp(z);
        s[j] = e;
        total += e;
        weighted += e > 0 ? e * z : e;
    }
    real scale = 1 / total;
#pragma omp simd
    for (size_t j = 0; j < n; j++) s[j] *= scale;
    real log_total = (real)log((double)total);
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

void row_softmax_backward(real *dp, const real *p, size_t n) {
    real inner = row_dot(dp, p, n);
#pragma omp simd
    for (size_t j = 0; j < n; j++) dp[j] = p[j] * (dp[j] - inner);
}

/* ---- layer norm ---- */

static void layer_norm_row(real *y, const real *x, const real *gain, const real *bias,
                           real eps, size_t n, real *mean, real *rstd) {
    real sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < n; j++) sum += x[j];
    real m = sum / (real)n;
#pragma omp simd reduction(+ : squares)
    for (size_t j = 0; j < n; j++) squares += (x[j] - m) * (x[j] - m);
    real r = 1 / (real)sqrt((double)(squares / (real)n + eps));
#pragma omp simd
    for (size_t j = 0; j < n; j++) y[j] = (x[j] - m) * r * gain[j] + bias[j];
    *mean = m;
    *rstd = r;
}

void layer_norm_rows(real *y, const real *x, const real *gain, const real *bias, real eps,
                     size_t rows, size_t n, real *mean, real *rstd) {
#pragma omp parallel for schedule(static) if (rows * n > 8192)
    for (size_t i = 0; i < rows; i++)
        layer_norm_row(y + i * n, x + i * n, gain, bias, eps, n, mean + i, rstd + i);
}

static void layer_norm_row_backward(real *dx, real beta, const real *dy, const real *x,
                                    const real *gain, size_t n, real m, real r) {
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
        dx[j] = old + r * (dy[j] * gain[j] - sum_d - h * sum_dh);
    }
}

void layer_norm_rows_backward(real *dx, real beta, const real *dy, const real *x,
                              const real *gain, size_t rows, size_t n, const real *mean,
                              const real *rstd) {
#pragma omp parallel for schedule(static) if (rows * n > 8192)
    for (size_t i = 0; i < rows; i++)
        layer_norm_row_backward(dx + i * n, beta, dy + i * n, x + i * n, gain, n, mean[i],
                                rstd[i]);
}

/* ---- sums over rows: a thread owns a strip of columns, so the order is fixed ---- */

enum { STRIP = 64 };

static void strip_end(real *out, real beta, const real *sum, size_t width) {
    for (size_t j = 0; j < width; j++) out[j] = (beta != 0 ? out[j] : 0) + sum[j];
}

void layer_norm_gain_backward(real *dgain, real beta, const real *dy, const real *x,
                              size_t rows, size_t n, const real *mean, const real *rstd) {
#pragma omp parallel for schedule(static) if (rows * n > 8192)
    for (size_t first = 0; first < n; first += STRIP) {
        size_t width = MIN((size_t)STRIP, n - first);
        real sum[STRIP] = {0};
        for (size_t i = 0; i < rows; i++) {
            const real *d = dy + i * n + first, *row = x + i * n + first;
            real m = mean[i], r = rstd[i];
#pragma omp simd
            for (size_t j = 0; j < width; j++) sum[j] += d[j] * (row[j] - m) * r;
        }
        strip_end(dgain + first, beta, sum, width);
    }
}

void columns_sum(real *sum, real beta, const real *x, size_t rows, size_t n) {
#pragma omp parallel for schedule(static) if (rows * n > 8192)
    for (size_t first = 0; first < n; first += STRIP) {
        size_t width = MIN((size_t)STRIP, n - first);
        real strip[STRIP] = {0};
        for (size_t i = 0; i < rows; i++) {
            const real *row = x + i * n + first;
#pragma omp simd
            for (size_t j = 0; j < width; j++) strip[j] += row[j];
        }
        strip_end(sum + first, beta, strip, width);
    }
}

void rows_scale_bias(real *y, const real *scale, const real *bias, size_t rows,
                     size_t n) {
    if (!scale && !bias) return;
#pragma omp parallel for schedule(static) if (rows * n > 8192)
    for (size_t i = 0; i < rows; i++) {
        real *row = y + i * n;
        if (scale) {
#pragma omp simd
            for (size_t j = 0; j < n; j++) row[j] *= scale[j];
        }
        if (bias) {
#pragma omp simd
            for (size_t j = 0; j < n; j++) row[j] += bias[j];
        }
    }
}

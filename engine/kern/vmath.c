#include "engine/kern/vmath.h"

void vm_gelu(real *y, const real *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = x[i] * vm_normal_cdf(x[i]);
}

/* d(x Phi(x)) / dx = Phi(x) + x phi(x). */
void vm_gelu_backward(real *dx, const real *dy, const real *x, size_t n, real beta) {
    if (beta == 0) {
#pragma omp simd
        for (size_t i = 0; i < n; i++) dx[i] = dy[i] * vm_gelu_slope(x[i]);
    } else {
#pragma omp simd
        for (size_t i = 0; i < n; i++) dx[i] = beta * dx[i] + dy[i] * vm_gelu_slope(x[i]);
    }
}

void vm_gelu_both(real *y, real *dx, const real *dy, const real *x, size_t n, real beta) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        real cdf, slope;
        vm_gelu_parts(x[i], &cdf, &slope);
        real old = beta != 0 ? beta * dx[i] : 0;
        dx[i] = old + dy[i] * slope;
        y[i] = x[i] * cdf;
    }
}

void vm_glu(real *y, const real *a, const real *b, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = a[i] * vm_sigmoid(b[i]);
}

void vm_glu_backward(real *da, real *db, const real *dy, const real *a, const real *b,
                     size_t n, real beta) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        real value, slope, old_a = beta != 0 ? beta * da[i] : 0;
        real old_b = beta != 0 ? beta * db[i] : 0;
        vm_sigmoid_parts(b[i], &value, &slope);
        da[i] = old_a + dy[i] * value;
        db[i] = old_b + dy[i] * a[i] * slope;
    }
}

void vm_relu(real *y, const real *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i];
}

void vm_relu_backward(real *dx, const real *dy, const real *x, size_t n, real beta) {
    if (beta == 0) {
#pragma omp simd
        for (size_t i = 0; i < n; i++) dx[i] = x[i] > 0 ? dy[i] : 0;
    } else {
#pragma omp simd
        for (size_t i = 0; i < n; i++) dx[i] = beta * dx[i] + (x[i] > 0 ? dy[i] : 0);
    }
}

#include "engine/kern/choice.h"

#include <math.h>

#include "engine/kern/rows.h"
#include "engine/kern/vmath.h"

enum { BLOCK = 1024 };

static void adjust(real *z, const real *scale, const real *bias, size_t n) {
    if (scale && bias) {
#pragma omp simd
        for (size_t j = 0; j < n; j++) z[j] = scale[j] * z[j] + bias[j];
    } else if (scale) {
#pragma omp simd
        for (size_t j = 0; j < n; j++) z[j] *= scale[j];
    } else if (bias) {
#pragma omp simd
        for (size_t j = 0; j < n; j++) z[j] += bias[j];
    }
}

/* Makes the logits; where the first of the largest stands. */
static size_t find_top(real *z, const real *scale, const real *bias, size_t n) {
    real top = -INFINITY;
    size_t best = 0;
    for (size_t j = 0; j < n; j += BLOCK) {
        size_t count = MIN((size_t)BLOCK, n - j);
        adjust(z + j, scale ? scale + j : NULL, bias ? bias + j : NULL, count);
        real here = row_max(z + j, count);
        if (here > top) top = here, best = j;
    }
    while (best + 1 < n && z[best] < top) best++;
    return best;
}

/* z[first, last) becomes e^(z - top); adds to their sum and to that of z - top. */
static void exponentials(real *z, size_t first, size_t last, real top, double *sum,
                         double *offsets) {
    for (size_t j = first; j < last; j += BLOCK) {
        size_t end = MIN(j + BLOCK, last);
        real block_sum = 0, block_offsets = 0;
#pragma omp simd reduction(+ : block_sum, block_offsets)
        for (size_t i = j; i < end; i++) {
            real z0 = z[i] - top, e = vm_exp(z0);
            block_offsets += z0;
            block_sum += e;
            z[i] = e;
        }
        *sum += (double)block_sum;
        *offsets += (double)block_offsets;
    }
}

/* e becomes p - t.  The label's entry comes from what the others have, where it is the
 * largest: 1 - p would lose its digits. */
static void to_gradient(real *e, size_t n, size_t label, bool right, double rest,
                        double smoothing) {
    double share = 1 / (1 + rest), uniform = smoothing / (double)n;
    double miss = right ? -(share * rest) : share * (double)e[label] - 1;
    real factor = (real)share, shift = (real)uniform;
#pragma omp simd
    for (size_t j = 0; j < n; j++) e[j] = factor * e[j] - shift;
    e[label] = (real)(miss + uniform * (double)(n - 1));
}

Choice choice_row(real *z, const real *scale, const real *bias, size_t n, size_t label,
                  double smoothing, bool gradient) {
    size_t best = find_top(z, scale, bias, n);
    real top = z[best];
    double rest = 0, offsets = 0, own = (double)(z[label] - top);
    exponentials(z, 0, best, top, &rest, &offsets);
    exponentials(z, best + 1, n, top, &rest, &offsets);
    z[best] = 1;
    Choice c = {.nll = log1p(rest) - own, .right = best == label};
    c.loss = log1p(rest) - (1 - smoothing) * own - smoothing / (double)n * offsets;
    if (gradient) to_gradient(z, n, label, c.right, rest, smoothing);
    return c;
}

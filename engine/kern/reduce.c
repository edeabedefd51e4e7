#include "engine/kern/reduce.h"

#define PARTS 256
#define SERIAL_MAX 32768

/* The bits of |x|, as integers, are ordered as the numbers are, with infinity and then
 * every NaN above: a maximum of integers keeps NaN and needs no special case. */
#ifdef STEADY_DOUBLE
typedef uint64_t Bits;
#define BITS_SIZE UINT64_C(0x7fffffffffffffff)
#define BITS_INFINITY UINT64_C(0x7ff0000000000000)
#else
typedef uint32_t Bits;
#define BITS_SIZE UINT32_C(0x7fffffff)
#define BITS_INFINITY UINT32_C(0x7f800000)
#endif

typedef union {
    real value;
    Bits bits;
} Pun;

static double part_dot(const real *a, const real *b, size_t n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * b[i];
    return sum;
}

/* b is not looked at: one stream from memory, each number converted once. */
static double part_squares(const real *a, const real *b, size_t n) {
    (void)b;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * a[i];
    return sum;
}

/* b is not looked at. */
static double part_sum(const real *a, const real *b, size_t n) {
    (void)b;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += (double)a[i];
    return sum;
}

static Bits part_max(const real *a, size_t n) {
    Bits max = 0;
#pragma omp simd reduction(max : max)
    for (size_t i = 0; i < n; i++) {
        Bits bits = ((Pun){.value = a[i]}).bits & BITS_SIZE;
        max = bits > max ? bits : max;
    }
    return max;
}

/* Numbers in a part: a multiple of 64, PARTS of them hold n. */
static size_t part_size(size_t n) { return (n / PARTS + 64) / 64 * 64; }

static size_t part_length(size_t n, size_t begin, size_t step) {
    return begin >= n ? 0 : MIN(step, n - begin);
}

typedef double PartSum(const real *a, const real *b, size_t n);

static double sum_of_parts(PartSum *part, const real *a, const real *b, size_t n) {
    if (n < SERIAL_MAX) return part(a, b, n);
    double partial[PARTS];
    size_t step = part_size(n);
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < PARTS; k++)
        partial[k] = part(a + MIN(k * step, n), b + MIN(k * step, n),
                          part_length(n, k * step, step));
    double sum = 0;
    for (size_t k = 0; k < PARTS; k++) sum += partial[k];
    return sum;
}

double reduce_sum(const real *a, size_t n) { return sum_of_parts(part_sum, a, a, n); }

double reduce_dot(const real *a, const real *b, size_t n) {
    return sum_of_parts(part_dot, a, b, n);
}

double reduce_sum_squares(const real *a, size_t n) {
    return sum_of_parts(part_squares, a, a, n);
}

static Bits max_bits(const real *a, size_t n) {
    if (n < SERIAL_MAX) return part_max(a, n);
    Bits max = 0;
    size_t step = part_size(n);
#pragma omp parallel for schedule(static) reduction(max : max)
    for (size_t k = 0; k < PARTS; k++) {
        Bits here = part_max(a + MIN(k * step, n), part_length(n, k * step, step));
        max = here > max ? here : max;
    }
    return max;
}

double reduce_max_abs(const real *a, size_t n) {
    return ((Pun){.bits = max_bits(a, n)}).value;
}

bool reduce_all_finite(const real *a, size_t n) { return max_bits(a, n) < BITS_INFINITY; }

#include "data/file/narrow.h"

#include <math.h>
#include <string.h>

enum { SIGN = 0x8000, F32_INFINITY = 0x7f800000, F16_INFINITY = 0x7c00 };

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Where a double is no float, the neighbour with an odd last bit: no tie of fewer bits,
 * so that rounding this is rounding x. */
static uint32_t odd_bits(real x) {
    float near = (float)x;
    uint32_t bits = bits_of(near);
    double apart = fabs((double)near) - fabs((double)x);
    if (!(apart < 0 || apart > 0)) return bits; /* a float, also infinity and NaN */
    return (apart > 0 ? bits - 1 : bits) | 1u;
}

static uint16_t to_bf16(uint32_t bits) {
    if ((bits & 0x7fffffffu) > F32_INFINITY) return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

/* Below 2^-14 in units of 2^-24. */
static uint32_t f16_denormal(uint32_t size) {
    uint32_t exponent = size >> 23, whole = (size & 0x7fffffu) | 0x800000u;
    if (exponent < 102) return 0; /* at most half of a unit */
    uint32_t shift = 126 - exponent, half = whole >> shift, tie = 1u << (shift - 1);
    uint32_t rest = whole & ((1u << shift) - 1);
    return half + (rest > tie || (rest == tie && (half & 1u)));
}

static uint16_t to_f16(uint32_t bits) {
    enum { LEAST_NORMAL = 0x38800000, LARGEST = 0x477fefff };
    uint32_t sign = bits >> 16 & SIGN, size = bits & 0x7fffffffu;
    if (size > F32_INFINITY) return (uint16_t)(sign | 0x7e00u | (size >> 13 & 0x3ffu));
    if (size > LARGEST) return (uint16_t)(sign | F16_INFINITY);
    if (size < LEAST_NORMAL) return (uint16_t)(sign | f16_denormal(size));
    size -= 112u << 23;
    return (uint16_t)(sign | (size + 0xfffu + (size >> 13 & 1u)) >> 13);
}

/* ---- the kinds ---- */

static void write_f32(void *bytes, const real *values, size_t count) {
    float *out = bytes;
    for (size_t i = 0; i < count; i++) out[i] = (float)values[i];
}

static void write_bf16(void *bytes, const real *values, size_t count) {
    uint16_t *out = bytes;
    for (size_t i = 0; i < count; i++) out[i] = to_bf16(odd_bits(values[i]));
}

static void write_f16(void *bytes, const real *values, size_t count) {
    uint16_t *out = bytes;
    for (size_t i = 0; i < count; i++) out[i] = to_f16(odd_bits(values[i]));
}

static const struct {
    const char *dtype;
    size_t bytes;
    double most;
    double infinite; /* from here on numbers become infinite */
    void (*write)(void *bytes, const real *values, size_t count);
} KINDS[NARROW_KINDS] = {
    [NARROW_F32] = {"F32", 4, 0x1.fffffep127, 0x1.ffffffp127, write_f32},
    [NARROW_BF16] = {"BF16", 2, 0x1.fep127, 0x1.ffp127, write_bf16},
    [NARROW_F16] = {"F16", 2, 65504, 65520, write_f16},
};

const char *narrow_dtype(NarrowKind kind) { return KINDS[kind].dtype; }
size_t narrow_bytes(NarrowKind kind) { return KINDS[kind].bytes; }
double narrow_most(NarrowKind kind) { return KINDS[kind].most; }

void narrow_write(NarrowKind kind, void *bytes, const real *values, size_t count) {
    KINDS[kind].write(bytes, values, count);
}

size_t narrow_overflow(NarrowKind kind, const real *values, size_t count) {
    size_t i = 0;
    while (i < count &&
           !(isfinite(values[i]) && fabs((double)values[i]) >= KINDS[kind].infinite))
        i++;
    return i;
}

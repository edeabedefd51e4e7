/* narrow: rounding to bf16 and f16 against its definition, and odd numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/file/narrow.h"
#include "engine/core/machine.h"
#include "engine/core/rng.h"

static uint16_t narrowed(NarrowKind kind, double x) {
    real value = (real)x;
    uint16_t out = 0;
    narrow_write(kind, &out, &value, 1);
    return out;
}

static const struct {
    NarrowKind kind;
    double x;
    uint16_t wanted;
} CASES[] = {
    {NARROW_BF16, 0, 0x0000},
    {NARROW_BF16, -0.0, 0x8000},
    {NARROW_BF16, 1, 0x3f80},
    {NARROW_BF16, -2.5, 0xc020},
    {NARROW_BF16, 1 + 0x1p-8, 0x3f80},           /* a tie, to even: down */
    {NARROW_BF16, 1 + 0x1p-7 + 0x1p-8, 0x3f82},  /* a tie, to even: up */
    {NARROW_BF16, 1 + 0x1p-8 + 0x1p-23, 0x3f81}, /* a little above it */
    {NARROW_BF16, 2 - 0x1p-8, 0x4000},           /* into the next binade */
    {NARROW_BF16, 0x1p-133, 0x0001},             /* the smallest denormal */
    {NARROW_BF16, 0x1p-134, 0x0000},             /* half of it, to even */
    {NARROW_BF16, 0x1.fep127, 0x7f7f},           /* the largest number */
    {NARROW_BF16, 0x1.fefffep127, 0x7f7f},       /* rounds to it */
    {NARROW_BF16, 0x1.ffp127, 0x7f80},           /* infinite from here on */
    {NARROW_BF16, INFINITY, 0x7f80},
    {NARROW_BF16, -INFINITY, 0xff80},
    {NARROW_F16, 0, 0x0000},
    {NARROW_F16, -0.0, 0x8000},
    {NARROW_F16, 1, 0x3c00},
    {NARROW_F16, -2.5, 0xc100},
    {NARROW_F16, 1 + 0x1p-11, 0x3c00},
    {NARROW_F16, 1 + 0x1p-10 + 0x1p-11, 0x3c02},
    {NARROW_F16, 1 + 0x1p-11 + 0x1p-23, 0x3c01},
    {NARROW_F16, 65504, 0x7bff},
    {NARROW_F16, 65519.99609375, 0x7bff},
    {NARROW_F16, 65520, 0x7c00},
    {NARROW_F16, 1e30, 0x7c00},
    {NARROW_F16, 0x1p-14, 0x0400},           /* the smallest normal number */
    {NARROW_F16, 0x1p-14 - 0x1p-24, 0x03ff}, /* the largest denormal */
    {NARROW_F16, 0x1p-14 - 0x1p-25, 0x0400}, /* between them, to even */
    {NARROW_F16, 0x1p-24, 0x0001},           /* the smallest denormal */
    {NARROW_F16, -0x1.8p-24, 0x8002},        /* a tie, to even: up */
    {NARROW_F16, 0x1p-25, 0x0000},           /* half of the smallest, to even */
    {NARROW_F16, 0x1.000002p-25, 0x0001},    /* a little above it */
    {NARROW_F16, 0x1p-149, 0x0000},
    {NARROW_F16, -INFINITY, 0xfc00},
};

static void check_cases(const real *x) {
    for (size_t i = 0; i < COUNT(CASES); i++) {
        uint16_t seen = 0;
        narrow_write(CASES[i].kind, &seen, &x[i], 1);
        if (seen != CASES[i].wanted)
            fail_msg("%s of %a is %04x, wanted %04x", narrow_dtype(CASES[i].kind),
                     CASES[i].x, seen, CASES[i].wanted);
    }
}

static void odd_numbers_are_rounded_as_defined(void **state) {
    (void)state;
    real x[COUNT(CASES)];
    for (size_t i = 0; i < COUNT(CASES); i++) x[i] = (real)CASES[i].x;
    check_cases(x);
    machine_flush_denormals(); /* as the program does */
    check_cases(x);
}

static void not_a_number_stays_one(void **state) {
    (void)state;
    static const uint32_t BITS[] = {0x7f800001, 0x7fc00000, 0xffc12345, 0xff800001};
    for (size_t i = 0; i < COUNT(BITS); i++) {
        float x;
        memcpy(&x, &BITS[i], sizeof x);
        uint16_t brief = narrowed(NARROW_BF16, (double)x);
        uint16_t f16 = narrowed(NARROW_F16, (double)x);
        assert_true((brief & 0x7fff) > 0x7f80 && (brief & 0x40));
        assert_true((f16 & 0x7fff) > 0x7c00 && (f16 & 0x200));
        assert_int_equal(brief >> 15, BITS[i] >> 31);
        assert_int_equal(f16 >> 15, BITS[i] >> 31);
    }
}

static double value_of(NarrowKind kind, uint16_t bits) {
    bool f16 = kind == NARROW_F16;
    int fraction = f16 ? 10 : 7, bias = f16 ? 15 : 127;
    int exponent = (bits & 0x7fff) >> fraction, rest = bits & ((1 << fraction) - 1);
    double size = exponent ? ldexp((1 << fraction) + rest, exponent - bias - fraction)
                           : ldexp(rest, 1 - bias - fraction);
    return bits & 0x8000 ? -size : size;
}

/* No number of the type is nearer, and of two as near it is the even one. */
static void what_is_written_is_the_nearest(void **state) {
    (void)state;
    Rng dice = rng_make(1, 0, 0);
    for (size_t i = 0; i < 20000; i++) {
        NarrowKind kind = i % 2 ? NARROW_F16 : NARROW_BF16;
        double size =
            ldexp(1 + rng_uniform(dice, 2 * i), (int)rng_below(dice, 2 * i + 1, 30) - 25);
        real x = (real)(i % 3 ? size : -size);
        uint16_t bits = 0;
        narrow_write(kind, &bits, &x, 1);
        double off = fabs(value_of(kind, bits) - (double)x);
        for (int d = -1; d <= 1; d += 2) {
            double other = fabs(value_of(kind, (uint16_t)(bits + d)) - (double)x);
            if (other < off || (other == off && bits & 1))
                fail_msg("%s of %a is %04x", narrow_dtype(kind), (double)x, bits);
        }
    }
}

static void the_first_number_that_overflows_is_found(void **state) {
    (void)state;
    real x[] = {1, (real)INFINITY, (real)NAN, 65519, -65520, 1e6};
    assert_int_equal(narrow_overflow(NARROW_F16, x, COUNT(x)), 4);
    assert_int_equal(narrow_overflow(NARROW_F16, x, 4), 4);
    assert_int_equal(narrow_overflow(NARROW_F16, x, 0), 0);
    assert_int_equal(narrow_overflow(NARROW_BF16, x, COUNT(x)), COUNT(x));
    x[2] = (real)-3.4e38;
    assert_int_equal(narrow_overflow(NARROW_BF16, x, COUNT(x)), 2);
    assert_int_equal(narrow_overflow(NARROW_F32, x, COUNT(x)), COUNT(x));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_numbers_are_rounded_as_defined),
        cmocka_unit_test(not_a_number_stays_one),
        cmocka_unit_test(what_is_written_is_the_nearest),
        cmocka_unit_test(the_first_number_that_overflows_is_found),
    };
    return cmocka_run_group_tests_name("narrow", tests, NULL, NULL);
}

/* OpenBLAS and our products in bf16 against plain loops: right kernels pass, one wrong
 * number is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "engine/kern/bf16_check.h"

static void this_machines_kernels_are_right(void **state) {
    (void)state;
    for (size_t threads = 1; threads <= 3; threads += 2) {
        BlasCase now;
        Err err = ERR_NONE;
        int before = omp_get_max_threads();
        double start = clock_now();
        if (blas_check(threads, &now, &err)) fail_msg("%s", err.text);
        printf("# %zu cases with %zu threads, %.2f s\n", now.number, threads,
               clock_now() - start);
        assert_true(now.number > 7000);
        assert_int_equal(omp_get_max_threads(), before);
    }
}

/* Plain loops against themselves where the processor has no units. */
static void products_in_bf16_are_right(void **state) {
    (void)state;
    for (size_t threads = 1; threads <= 3; threads += 2) {
        BlasCase now = {.number = 7};
        Err err = ERR_NONE;
        int before = omp_get_max_threads();
        if (bf16_check(threads, &now, &err)) fail_msg("%s", err.text);
        assert_int_equal(now.routine, BLAS_BF16);
        assert_true(now.number > 300);
        assert_int_equal(omp_get_max_threads(), before);
    }
}

static void a_case_is_named_by_what_is_multiplied(void **state) {
    (void)state;
    static const struct {
        BlasCase c;
        const char *text;
    } CASES[] = {
        {{BLAS_GEMM, true, true, false, 33, 17, 65, 1.5, 0.25, 1, false, 9},
         "sgemm (A^T B, m 33, n 17, k 65, alpha 1.5, beta 0.25; 1 thread)"},
        {{BLAS_GEMM, false, false, true, 1, 2, 3, 1, 0, 4, true, 9},
         "dgemm (A B^T, m 1, n 2, k 3, alpha 1, beta 0; 4 threads at once)"},
        {{BLAS_GEMV, true, true, true, 5, 1, 7, 1, 0, 2, false, 9},
         "sgemv (A^T x, m 5, k 7; 2 threads)"},
        {{BLAS_SYEVR, false, false, false, 33, 0, 0, 1, 0, 1, false, 9},
         "dsyevr (order 33; 1 thread)"},
        {{BLAS_BF16, true, true, true, 1, 2, 3, 1, 0, 1, false, 9},
         "product in bf16 (A^T B^T, m 1, n 2, k 3, alpha 1, beta 0; 1 thread)"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char text[160];
        blas_case_text(&CASES[i].c, text, sizeof text);
        assert_string_equal(text, CASES[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_machines_kernels_are_right),
        cmocka_unit_test(products_in_bf16_are_right),
        cmocka_unit_test(a_case_is_named_by_what_is_multiplied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

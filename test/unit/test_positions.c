/* positions: as PyTorch resamples them (test/golden/make_positions.py). */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/positions.h"

enum { WIDTH = 3 };

/* Interpolation of numbers up to 1, in real. */
static const double TOLERANCE = sizeof(real) == 4 ? 1e-6 : 1e-9;

static real *start(Grid g) {
    size_t count = g.rows * g.columns * WIDTH;
    real *x = mem_alloc(count * sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = (real)cos(0.7 * (double)i * (double)i + 0.3 * (double)i);
    return x;
}

static Grid grid_of(const json_t *row, const char *key) {
    const json_t *g = json_object_get(row, key);
    return (Grid){(size_t)json_integer_value(json_array_get(g, 0)),
                  (size_t)json_integer_value(json_array_get(g, 1))};
}

static void resampled_positions_are_those_of_pytorch(void **state) {
    (void)state;
    json_t *cases = json_load_file("test/golden/positions.json", 0, NULL), *row;
    assert_true(json_array_size(cases) >= 7);
    size_t i, k;
    json_array_foreach(cases, i, row) {
        Grid source = grid_of(row, "source"), target = grid_of(row, "target");
        size_t count = target.rows * target.columns * WIDTH;
        real *from = start(source), *to = mem_alloc(count * sizeof *to);
        positions_resample(from, source, to, target, WIDTH);
        json_t *value, *values = json_object_get(row, "values");
        double sum = 0;
        json_array_foreach(values, k, value) {
            double wanted = json_number_value(value);
            if (!(fabs((double)to[k] - wanted) <= TOLERANCE))
                fail_msg("case %zu, number %zu: %.9g, wanted %.9g", i, k, (double)to[k],
                         wanted);
        }
        for (size_t n = 0; n < count; n++) sum += (double)to[n];
        double wanted = json_number_value(json_object_get(row, "sum"));
        assert_true(fabs(sum - wanted) <= TOLERANCE * (double)count);
        mem_free(from);
        mem_free(to);
    }
    json_decref(cases);
}

static void equal_grids_are_copied(void **state) {
    (void)state;
    static const Grid GRIDS[] = {{1, 1}, {3, 5}, {14, 14}};
    for (size_t i = 0; i < COUNT(GRIDS); i++) {
        size_t bytes = GRIDS[i].rows * GRIDS[i].columns * WIDTH * sizeof(real);
        real *from = start(GRIDS[i]), *to = mem_alloc(bytes);
        positions_resample(from, GRIDS[i], to, GRIDS[i], WIDTH);
        assert_memory_equal(from, to, bytes);
        mem_free(from);
        mem_free(to);
    }
}

/* The kernel's weights add up to 1. */
static void a_constant_stays(void **state) {
    (void)state;
    real from[12], to[35];
    for (size_t i = 0; i < COUNT(from); i++) from[i] = (real)0.375;
    positions_resample(from, (Grid){3, 4}, to, (Grid){5, 7}, 1);
    for (size_t i = 0; i < COUNT(to); i++)
        assert_true(fabs((double)to[i] - 0.375) < TOLERANCE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resampled_positions_are_those_of_pytorch),
        cmocka_unit_test(equal_grids_are_copied),
        cmocka_unit_test(a_constant_stays),
    };
    return cmocka_run_group_tests_name("positions", tests, NULL, NULL);
}

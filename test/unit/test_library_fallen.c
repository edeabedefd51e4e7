/* A model of which a call found no memory in the middle of its work (include/steady.h):
 * it is good for freeing alone, and says so. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/steady.h"

static const char RECIPE[] =
    "[train]\nsteps = 3\nbatch = 4\nthreads = 1\n[model]\nwidth = 16\n"
    "depth = 1\nheads = 2\npatch = 7\n[data]\nsynthetic_count = 20\n";

/* What the library takes all memory by, in place of the system's.  Threads that load data
 * ahead, the other model's too, find as much as before. */
static _Thread_local bool exhausted;

int posix_memalign(void **made, size_t alignment, size_t size) {
    *made = exhausted ? NULL : aligned_alloc(alignment, size + (-size & (alignment - 1)));
    return *made ? 0 : ENOMEM;
}

static steady_model *model_new(void) {
    steady_error error;
    steady_recipe *recipe;
    steady_model *model = NULL;
    if (steady_recipe_parse(RECIPE, &recipe, &error) ||
        steady_model_new(recipe, NULL, NULL, &model, &error))
        fail_msg("%s", error.text);
    steady_recipe_free(recipe);
    return model;
}

#define SAYS_SO(call) assert_int_equal(call, STEADY_RUN)

static void every_call_says_so(void **state) {
    (void)state;
    steady_model *model = model_new(), *other = model_new();
    steady_parameter p;
    steady_site site;
    steady_weight weight;
    double score;
    assert_int_equal(steady_model_parameter(model, 0, &p, NULL), STEADY_OK);
    float *values = calloc(p.size, sizeof *values);
    exhausted = true;
    steady_status status = steady_model_evaluate(model, STEADY_TEST, NULL);
    exhausted = false;
    assert_int_equal(status, STEADY_RUN);
    SAYS_SO(steady_model_step(model, NULL, NULL));
    SAYS_SO(steady_model_evaluate(model, STEADY_TEST, NULL));
    SAYS_SO(steady_model_score(model, "loss", &score, NULL));
    SAYS_SO(steady_model_site(model, 0, &site, NULL));
    SAYS_SO(steady_model_weight(model, 0, &weight, NULL));
    SAYS_SO(steady_model_parameter(model, 0, &p, NULL));
    SAYS_SO(steady_model_read(model, 0, values, p.size, NULL));
    SAYS_SO(steady_model_write(model, 0, values, p.size, NULL));
    SAYS_SO(steady_model_set_op(model, NULL, NULL));
    free(values);
    steady_model_free(model);
    assert_int_equal(steady_model_step(other, NULL, NULL), STEADY_OK);
    steady_model_free(other);
}

static void nothing_is_made_and_the_next_try_succeeds(void **state) {
    (void)state;
    steady_recipe *recipe = (steady_recipe *)state;
    steady_data *data = (steady_data *)state;
    exhausted = true;
    steady_status status[] = {steady_recipe_new(&recipe, NULL),
                              steady_data_new(&data, NULL)};
    exhausted = false;
    assert_int_equal(status[0], STEADY_RUN);
    assert_int_equal(status[1], STEADY_RUN);
    assert_null(recipe);
    assert_null(data);
    steady_model_free(model_new());
}

static void pairs_are_given_whole_or_not_at_all(void **state) {
    (void)state;
    steady_data *data;
    assert_int_equal(steady_data_new(&data, NULL), STEADY_OK);
    exhausted = true;
    steady_status status = steady_data_pairs(data, STEADY_TRAIN, "a\n", "b\n", NULL);
    exhausted = false;
    assert_int_equal(status, STEADY_RUN);
    assert_int_equal(steady_data_pairs(data, STEADY_TRAIN, "a\n", "b\n", NULL), 0);
    steady_data_free(data);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_call_says_so),
        cmocka_unit_test(nothing_is_made_and_the_next_try_succeeds),
        cmocka_unit_test(pairs_are_given_whole_or_not_at_all),
    };
    return cmocka_run_group_tests_name("library_fallen", cases, NULL, NULL);
}

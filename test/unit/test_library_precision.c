/* The library trains in bf16 where the processor has products in it, and refuses it with
 * the reason elsewhere; auto always trains, and says what in (include/steady.h). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "include/steady.h"

static const char RECIPE[] =
    "[train]\nsteps = 2\nbatch = 16\nthreads = 1\n[model]\nwidth = 32\ndepth = 1\n"
    "heads = 2\npatch = 7\n[optim]\nlr = 0.001\n[data]\nsynthetic_count = 40\n";

static void hear(void *context, const char *line) {
    if (strstr(line, "train.precision = ")) strncpy(context, line, 199);
}

/* Loss of the second step; NAN: the model is refused, with `error`. */
static double train(const char *precision, char said[200], steady_error *error) {
    steady_recipe *recipe;
    steady_model *model = NULL;
    steady_step step = {.loss = -1};
    steady_listener listener = {hear, said};
    memset(said, 0, 200);
    if (steady_recipe_parse(RECIPE, &recipe, error)) fail_msg("%s", error->text);
    if (steady_recipe_set(recipe, "train.precision", precision, error))
        fail_msg("%s", error->text);
    bool made = !steady_model_new(recipe, NULL, &listener, &model, error);
    for (size_t i = 0; made && i < 2; i++)
        if (steady_model_step(model, &step, error)) fail_msg("%s", error->text);
    steady_model_free(model);
    steady_recipe_free(recipe);
    return made ? step.loss : NAN;
}

static void bf16_trains_or_is_refused_with_the_reason(void **state) {
    (void)state;
    char said[200];
    steady_error error;
    double wide = train("fp32", said, &error), narrow = train("bf16", said, &error);
    if (isnan(narrow)) {
        assert_int_equal(error.status, STEADY_USAGE);
        assert_non_null(strstr(error.text, "no fast bf16 products"));
        return;
    }
    assert_true(narrow != wide);
    assert_true(fabs(narrow - wide) < 1e-2);
}

static void auto_trains_and_says_what_in(void **state) {
    (void)state;
    char said[200];
    steady_error error;
    double wide = train("fp32", said, &error);
    assert_string_equal(said, "");
    assert_true(fabs(train("auto", said, &error) - wide) < 1e-2);
    assert_non_null(strstr(said, "train.precision = auto: "));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_trains_or_is_refused_with_the_reason),
        cmocka_unit_test(auto_trains_and_says_what_in),
    };
    return cmocka_run_group_tests_name("library precision", tests, NULL, NULL);
}

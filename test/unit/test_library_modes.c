/* The caller's locale and floating-point modes change nothing that the library reads or
 * computes, and are as they were after each call (include/steady.h). */
#include <fenv.h>
#include <langinfo.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "include/steady.h"

static const char RECIPE[] =
    "[train]\nsteps = 2\nbatch = 4\nthreads = 2\n[model]\nwidth = 16\ndepth = 1\n"
    "heads = 2\npatch = 7\n[optim]\nlr = 0.01\n[data]\nsynthetic_count = 21\n";

typedef struct Heard {
    size_t lines;
    char codes[40]; /* the locale's, at the last line */
} Heard;

static void hear(void *context, const char *line) {
    Heard *heard = context;
    (void)line;
    heard->lines++;
    strncpy(heard->codes, nl_langinfo(CODESET), sizeof heard->codes - 1);
}

/* The loss of the last step and the lr of the recipe as text. */
static double train(Heard *heard, char *lr, size_t size) {
    steady_error error;
    steady_recipe *recipe;
    steady_model *model;
    steady_step step = {.loss = -1};
    steady_listener listener = {hear, heard};
    if (steady_recipe_parse(RECIPE, &recipe, &error)) fail_msg("%s", error.text);
    if (steady_recipe_get(recipe, "optim.lr", lr, size, &error))
        fail_msg("%s", error.text);
    if (steady_model_new(recipe, NULL, &listener, &model, &error))
        fail_msg("%s", error.text);
    while (!steady_model_step(model, &step, &error)) continue;
    assert_int_equal(error.status, STEADY_USAGE);
    steady_model_free(model);
    steady_recipe_free(recipe);
    return step.loss;
}

static double plain(void) {
    Heard heard = {0};
    char lr[20];
    return train(&heard, lr, sizeof lr);
}

/* With a comma for the point where the machine has such a locale. */
static locale_t foreign_locale(void) {
    static const char *const NAMES[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"};
    locale_t made = (locale_t)0;
    for (size_t i = 0; i < 3 && !made; i++)
        made = newlocale(LC_ALL_MASK, NAMES[i], (locale_t)0);
    return made;
}

static void a_locale_changes_no_number_and_stays(void **state) {
    (void)state;
    Heard heard = {0};
    char lr[20];
    double wanted = plain();
    locale_t foreign = foreign_locale();
    if (!foreign) skip();
    locale_t before = uselocale(foreign);
    double loss = train(&heard, lr, sizeof lr);
    locale_t after = uselocale(before);
    assert_true(after == foreign);
    freelocale(foreign);
    assert_true(loss == wanted);
    assert_string_equal(lr, "0.01");
    assert_true(heard.lines > 0);
    assert_string_equal(heard.codes, "ANSI_X3.4-1968");
}

static void a_rounding_mode_changes_no_number_and_stays(void **state) {
    (void)state;
    double wanted = plain();
    fesetround(FE_UPWARD);
    double loss = plain();
    int after = fegetround();
    fesetround(FE_TONEAREST);
    assert_true(loss == wanted);
    assert_int_equal(after, FE_UPWARD);
}

static void traps_of_the_caller_do_not_end_it_and_stay(void **state) {
    (void)state;
    const int traps = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW | FE_INEXACT;
    double wanted = plain();
    feclearexcept(FE_ALL_EXCEPT);
    if (feenableexcept(traps) == -1) skip();
    double loss = plain();
    int after = fegetexcept();
    fedisableexcept(FE_ALL_EXCEPT);
    assert_true(loss == wanted);
    assert_int_equal(after, traps);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_locale_changes_no_number_and_stays),
        cmocka_unit_test(a_rounding_mode_changes_no_number_and_stays),
        cmocka_unit_test(traps_of_the_caller_do_not_end_it_and_stay),
    };
    return cmocka_run_group_tests_name("library_modes", cases, NULL, NULL);
}

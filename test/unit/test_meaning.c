/* Weights of the right shapes that mean something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/task/meaning.h"

static Status fits(const char *file, const char *own, Err *err) {
    *err = ERR_NONE;
    return meaning_check(file, own, "w.safetensors", "; advice", err);
}

static void a_fact_that_differs_is_named_with_both_values(void **state) {
    (void)state;
    Err err;
    assert_int_equal(fits("model.heads=4\nclass 0=cat\n", "model.heads=8\nclass 0=dog\n",
                          &err),
                     FAIL_DATA);
    assert_string_equal(
        err.text,
        "w.safetensors does not fit this model in meaning, even if its shapes do; "
        "model.heads is 4 in the file, 8 here; class 0 is cat in the file, dog "
        "here; advice");
    assert_int_equal(fits("model.temperature_at=blocks.0:0.3\n",
                          "model.temperature_at=\n", &err),
                     FAIL_DATA);
    assert_non_null(strstr(err.text, "is blocks.0:0.3 in the file, (empty) here"));
}

static void what_one_side_does_not_say_fits(void **state) {
    (void)state;
    Err err;
    assert_int_equal(fits(NULL, "model.heads=8\n", &err), OK);
    assert_int_equal(fits("", "model.heads=8\n", &err), OK);
    assert_int_equal(fits("model.pool=mean\n", "model.heads=8\n", &err), OK);
    assert_int_equal(fits("class 1=a\n", "class 10=b\n", &err), OK);
    assert_int_equal(fits("model.heads=8", "model.heads=8\n", &err), OK);
    assert_int_equal(fits("odd\n=\n\nmodel.heads=80\n", "model.heads=8\n", &err),
                     FAIL_DATA);
}

static void plain_weights_fit_every_reparametrisation_and_others_do_not(void **state) {
    (void)state;
    Err err;
    const char *own = "model.reparam=sigma\nmodel.reparam_scope=blocks\n";
    assert_int_equal(fits("model.reparam=none\nmodel.reparam_scope=auto\n", own, &err),
                     OK);
    assert_int_equal(fits("model.reparam=weight\n", own, &err), FAIL_DATA);
    assert_int_equal(fits("model.reparam=sigma\nmodel.reparam_scope=all\n", own, &err),
                     FAIL_DATA);
}

static void describe(const char *word, TextBuffer *text) {
    Err err = ERR_NONE;
    static Recipe recipe;
    recipe = recipe_default();
    if (*word) recipe_set(&recipe, word, &err);
    TaskOps ops = {.scope = SCOPE_ALL};
    Task task = {.ops = &ops, .recipe = &recipe};
    text_clear(text);
    meaning_describe(&task, 0, text);
}

static void two_names_of_one_scope_fit(void **state) {
    (void)state;
    static const struct {
        TaskKind task;
        ReparamScope other;
    } CASES[] = {{TASK_CLASSIFY, SCOPE_ALL},
                 {TASK_TRANSCRIBE, SCOPE_ALL},
                 {TASK_LANGUAGE, SCOPE_BLOCKS},
                 {TASK_TRANSLATE, SCOPE_BLOCKS}};
    Recipe recipe = recipe_default();
    TaskOps ops = {.scope = SCOPE_ALL};
    Task task = {.ops = &ops, .recipe = &recipe};
    for (size_t i = 0; i < COUNT(CASES); i++)
        for (ReparamScope scope = SCOPE_ALL; scope <= SCOPE_ATTENTION; scope++) {
            TextBuffer usual = {0}, other = {0};
            Err err;
            recipe.task = CASES[i].task;
            ops.scope = task_ops(recipe.task)->scope;
            recipe.model.reparam = REPARAM_SIGMA;
            recipe.model.reparam_scope = SCOPE_AUTO;
            meaning_describe(&task, 0, &usual);
            recipe.model.reparam_scope = scope;
            meaning_describe(&task, 0, &other);
            assert_int_equal(fits(usual.text, other.text, &err),
                             scope == CASES[i].other ? OK : FAIL_DATA);
            text_free(&usual);
            text_free(&other);
        }
}

static void every_fact_of_the_recipe_counts(void **state) {
    (void)state;
    static const char *const WORDS[] = {"model.heads=6",         "model.norm=post",
                                        "model.activation=relu", "model.pool=mean",
                                        "model.temperature=2",   "model.position=none",
                                        "data.mean=0.5",         "data.std=0.1,0.2,0.3",
                                        "data.background=white", "model.reparam=sigma"};
    TextBuffer usual = {0}, other = {0};
    Err err;
    describe("", &usual);
    for (size_t i = 0; i < COUNT(WORDS); i++) {
        describe(WORDS[i], &other);
        if (fits(other.text, usual.text, &err) != FAIL_DATA) fail_msg("%s", WORDS[i]);
    }
    describe("model.dropout=0.3", &other);
    assert_string_equal(other.text, usual.text);
    describe("data.mean=0.5,0.5,0.5", &usual);
    describe("data.mean=0.5", &other);
    assert_string_equal(other.text, usual.text);
    text_free(&usual);
    text_free(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fact_that_differs_is_named_with_both_values),
        cmocka_unit_test(what_one_side_does_not_say_fits),
        cmocka_unit_test(plain_weights_fit_every_reparametrisation_and_others_do_not),
        cmocka_unit_test(two_names_of_one_scope_fit),
        cmocka_unit_test(every_fact_of_the_recipe_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

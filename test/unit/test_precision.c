/* precision: what the keys come to, what auto keeps, who is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/task/precision.h"

static const Units WITH = {.bf16 = true}, WITHOUT = {.why = "this is a test"};

static void set(Recipe *recipe, const char *word) {
    Err err = ERR_NONE;
    if (recipe_set(recipe, word, &err)) fail_msg("%s", err.text);
}

static Precision precision_of(const char *kept, PrecisionWay way) {
    Recipe recipe = recipe_default();
    char word[100];
    text_format(word, sizeof word, "train.bf16_keep=%s", kept);
    set(&recipe, "train.precision=bf16");
    set(&recipe, word);
    return recipe_precision(&recipe, &way);
}

static void a_list_says_what_is_kept(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool attention, reparam;
        const char *named;
    } cases[] = {
        {"none", false, false, "bf16"},
        {"attention", true, false, "bf16, attention in fp32"},
        {" reparam", false, true, "bf16, reparametrised layers in fp32"},
        {"reparam, attention", true, true,
         "bf16, attention and reparametrised layers in fp32"},
        {"attention reparam attention", true, true,
         "bf16, attention and reparametrised layers in fp32"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char named[PRECISION_TEXT];
        Precision p = precision_of(cases[i].text, (PrecisionWay){0});
        if (sizeof(real) != sizeof(float)) {
            assert_int_equal(p.products, PRECISION_FP32);
            continue;
        }
        assert_int_equal(p.products, PRECISION_BF16);
        assert_int_equal(p.keep_attention, cases[i].attention);
        assert_int_equal(p.keep_reparam, cases[i].reparam);
        precision_text(&p, named);
        assert_string_equal(named, cases[i].named);
    }
}

static void other_lists_are_refused_by_name(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"", "empty"},
        {" , ", "empty"},
        {"attn", "attn is unknown"},
        {"attentionx", "attentionx"},
        {"none none", "none cannot be combined"},
        {"reparam none", "none cannot be combined"},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        Err err = ERR_NONE;
        assert_int_equal(bf16_keep_check(wrong[i][0], &err), FAIL_USAGE);
        assert_non_null(strstr(err.text, "train.bf16_keep"));
        assert_non_null(strstr(err.text, wrong[i][1]));
    }
}

static void fp32_is_all_zero_whatever_the_way(void **state) {
    (void)state;
    Recipe recipe = recipe_default();
    set(&recipe, "train.bf16_keep=attention");
    PrecisionWay way = {.bf16 = true, .plain = true};
    Precision p = recipe_precision(&recipe, &way);
    assert_true(p.products == PRECISION_FP32 && !p.keep_attention && !p.plain);
    p = precision_of("attention", (PrecisionWay){.off = true, .bf16 = true});
    assert_true(p.products == PRECISION_FP32 && !p.keep_attention);
}

/* ---- choosing ---- */

static PrecisionWay chosen(const char *word, const Units *units, const char *was,
                           char note[PRECISION_NOTE]) {
    Recipe recipe = recipe_default();
    set(&recipe, word);
    Task task = {.recipe = &recipe};
    precision_choose(&task, units, was, note);
    return task.way;
}

static void what_the_recipe_says_needs_no_note(void **state) {
    (void)state;
    char note[PRECISION_NOTE] = "x";
    assert_false(chosen("train.precision=fp32", &WITHOUT, "bf16", note).bf16);
    assert_string_equal(note, "");
    assert_false(chosen("train.precision=bf16", &WITH, NULL, note).plain);
    assert_string_equal(note, "");
    assert_true(chosen("train.precision=bf16", &WITHOUT, NULL, note).plain);
    assert_non_null(strstr(note, "slower than fp32: this is a test"));
}

static void auto_keeps_what_the_checkpoint_has_where_it_can(void **state) {
    (void)state;
    char note[PRECISION_NOTE];
    assert_true(chosen("train.precision=auto", &WITH, "bf16", note).bf16);
    assert_non_null(strstr(note, "bf16, as before the checkpoint"));
    assert_false(chosen("train.precision=auto", &WITH, "fp32", note).bf16);
    assert_non_null(strstr(note, "fp32, as before the checkpoint"));
    assert_false(chosen("train.precision=auto", &WITHOUT, "bf16", note).bf16);
    assert_non_null(strstr(note, "fp32; no fast bf16 products here: this is a test"));
}

static void auto_goes_by_the_product_that_it_names(void **state) {
    (void)state;
    char note[PRECISION_NOTE];
    bool half = chosen("train.precision=auto", &WITH, NULL, note).bf16;
    const char *at = strstr(note, " is ");
    assert_non_null(at);
    double gain = strtod(at + strlen(" is "), NULL);
    assert_true(gain > 0);
    /* the note has two digits */
    if (gain > PRECISION_GAIN + 0.01) assert_true(half);
    if (gain < PRECISION_GAIN - 0.01) assert_false(half);
    assert_true(half == !strstr(note, "too little to gain"));
}

/* ---- refusing ---- */

static Status checked(const char *const *words, const Units *units, bool force,
                      Err *err) {
    Recipe recipe = recipe_default();
    *err = ERR_NONE;
    for (size_t i = 0; words[i]; i++) set(&recipe, words[i]);
    return precision_check(&recipe, units, force, err);
}

static void bf16_without_units_is_refused_unless_forced(void **state) {
    (void)state;
    static const char *const now[] = {"train.precision=bf16", NULL};
    static const char *const later[] = {"intervene.at=5",
                                        "intervene.train.precision=bf16", NULL};
    static const char *const never[] = {"intervene.at=never",
                                        "intervene.train.precision=bf16", NULL};
    static const char *const automatic[] = {"train.precision=auto", NULL};
    bool narrow = sizeof(real) == sizeof(float);
    Err err;
    assert_int_equal(checked(now, &WITHOUT, false, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "this is a test"));
    assert_int_equal(checked(now, &WITHOUT, true, &err), narrow ? OK : FAIL_USAGE);
    assert_int_equal(checked(now, &WITH, false, &err), OK);
    assert_int_equal(checked(later, &WITHOUT, false, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "with intervene.at"));
    assert_int_equal(checked(never, &WITHOUT, false, &err), OK);
    assert_int_equal(checked(automatic, &WITHOUT, false, &err), OK);
}

static void a_resume_needs_what_its_next_steps_need(void **state) {
    (void)state;
    Recipe recipe = recipe_default();
    Err err = ERR_NONE;
    Acted none = {0}, first = {.count = 1, .group = {0}},
          both = {.count = 2, .group = {0, 1}};
    set(&recipe, "train.precision=bf16");
    set(&recipe, "intervene.at=5");
    set(&recipe, "intervene.train.precision=fp32");
    assert_int_equal(precision_check_resumed(&recipe, &none, 4, &WITHOUT, false, &err),
                     FAIL_USAGE);
    err = ERR_NONE;
    assert_int_equal(precision_check_resumed(&recipe, &first, 5, &WITHOUT, false, &err),
                     OK);
    set(&recipe, "intervene.at2=9");
    set(&recipe, "intervene.train.precision2=bf16");
    assert_int_equal(precision_check_resumed(&recipe, &first, 7, &WITHOUT, false, &err),
                     FAIL_USAGE);
    assert_non_null(strstr(err.text, "with intervene.at2"));
    err = ERR_NONE;
    assert_int_equal(precision_check_resumed(&recipe, &both, 9, &WITHOUT, false, &err),
                     FAIL_USAGE);
    assert_non_null(strstr(err.text, "intervene.at2 has set it"));
    assert_non_null(strstr(err.text, "intervene.atN=9 intervene.train.precisionN=fp32"));
    err = ERR_NONE;
    assert_int_equal(precision_check_resumed(&recipe, &both, 9, &WITH, false, &err), OK);
}

static void evaluation_without_units_is_fp32_unless_a_word_asks(void **state) {
    (void)state;
    char note[PRECISION_NOTE];
    Err err = ERR_NONE;
    Recipe recipe = recipe_default();
    Task task = {.recipe = &recipe};
    recipe.train.precision = TRAIN_BF16; /* as a run's own recipe has it */
    assert_int_equal(precision_follow(&task, &WITHOUT, "bf16", note, &err), OK);
    assert_int_equal(recipe_precision(&recipe, &task.way).products, PRECISION_FP32);
    assert_non_null(strstr(note, "this is a test"));
    assert_int_equal(precision_follow(&task, &WITH, "bf16", note, &err), OK);
    assert_string_equal(note, "");
    assert_int_equal(task.way.off, 0);
    recipe.train.precision = TRAIN_AUTO;
    assert_int_equal(precision_follow(&task, &WITH, "fp32", note, &err), OK);
    assert_false(task.way.bf16);
    assert_int_equal(precision_follow(&task, &WITH, "bf16", note, &err), OK);
    assert_true(task.way.bf16);
    set(&recipe, "train.precision=bf16");
    assert_int_equal(precision_follow(&task, &WITHOUT, "bf16", note, &err), FAIL_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_says_what_is_kept),
        cmocka_unit_test(other_lists_are_refused_by_name),
        cmocka_unit_test(fp32_is_all_zero_whatever_the_way),
        cmocka_unit_test(what_the_recipe_says_needs_no_note),
        cmocka_unit_test(auto_keeps_what_the_checkpoint_has_where_it_can),
        cmocka_unit_test(auto_goes_by_the_product_that_it_names),
        cmocka_unit_test(bf16_without_units_is_refused_unless_forced),
        cmocka_unit_test(a_resume_needs_what_its_next_steps_need),
        cmocka_unit_test(evaluation_without_units_is_fp32_unless_a_word_asks),
    };
    return cmocka_run_group_tests_name("precision", tests, NULL, NULL);
}

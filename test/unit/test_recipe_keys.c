/* The table of keys, and the built-in recipes (tools/recipe/keys.h,
 * tools/recipe/builtin.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/unit/recipe_text.h"
#include "tools/program/nearest.h"
#include "tools/recipe/keys.h"

/* ---- the table ---- */

static void every_key_is_documented(void **state) {
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    recipe_help_keys(out);
    fclose(out);
    for (size_t i = 0; i < keys_count; i++) {
        char start[60];
        text_format(start, sizeof start, "\n  %s ", keys[i].name);
        assert_true(keys[i].again || strstr(text, start));
        assert_true(keys[i].again || strlen(keys[i].sentence) > 8);
    }
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > 90) fail_msg("%.*s", (int)strcspn(line, "\n"), line);
    free(text);
}

static void no_key_stands_twice_in_the_table(void **state) {
    (void)state;
    for (size_t i = 0; i < keys_count; i++)
        assert_ptr_equal(key_find_in(keys[i].section, keys[i].name), &keys[i]);
}

static void every_section_of_the_table_is_listed(void **state) {
    (void)state;
    for (size_t i = 0; i < keys_count; i++) {
        const char *const *section = key_sections;
        while (*section && strcmp(*section, keys[i].section)) section++;
        assert_non_null(*section);
    }
}

static void defaults_are_neutral(void **state) {
    (void)state;
    Recipe recipe = recipe_default();
    assert_string_equal(recipe.data.augment, "none");
    assert_true(recipe.data.mean[0] == 0 && recipe.data.std[0] == 1);
    assert_true(recipe.data.val_fraction < 0 && recipe.data.shuffle);
    assert_true(recipe.model.dropout == 0 && recipe.model.drop_path == 0);
    assert_true(recipe.model.temperature == 1 && recipe.model.qkv == QKV_JOINT);
    assert_int_equal(recipe.model.norm, NORM_PRE);
    assert_int_equal(recipe.model.reparam, REPARAM_NONE);
    assert_int_equal(recipe.model.reparam_scope, SCOPE_AUTO);
    assert_true(recipe.optim.weight_decay == 0 && recipe.optim.clip == 0);
    assert_true(recipe.optim.eps < 0 && recipe.optim.momentum < 0 &&
                !recipe.optim.adapt_1d);
    assert_int_equal(recipe.schedule.name, SCHEDULE_CONSTANT);
    assert_true(recipe.schedule.warmup_steps == 0 && recipe.schedule.warmup_epochs == 0);
    assert_true(recipe.schedule.min_lr == 0 && recipe.train.ema == 0);
    assert_true(recipe.train.mixup == 0 && recipe.train.cutmix == 0);
    assert_true(recipe.train.label_smoothing == 0 && recipe.train.accumulate == 1);
    assert_true(recipe.train.epochs == 0 && recipe.train.steps == 0);
    assert_int_equal(recipe.intervene.group[0].at.unit, MOMENT_NONE);
}

static void defaults_of_data_agree_with_the_data_library(void **state) {
    (void)state;
    Recipe recipe = recipe_default(), other = recipe_default();
    other.data = data_config_default();
    char *first = recipe_text(&recipe), *second = recipe_text(&other);
    assert_string_equal(first, second);
    free(first), free(second);
}

static void every_choice_can_be_given_and_read_back(void **state) {
    (void)state;
    for (const Key *key = keys; key < keys + keys_count; key++)
        for (size_t i = 0; key->type == KEY_CHOICE && key->choices[i]; i++) {
            Recipe recipe = recipe_default();
            char value[KEY_VALUE_MAX];
            assert_int_equal(key_parse(key, &recipe, key->choices[i], NULL), OK);
            key_print(key, &recipe, value, sizeof value);
            assert_string_equal(value, key->choices[i]);
        }
}

/* ---- what is built in ---- */

static void every_built_in_recipe_loads_and_agrees_with_itself(void **state) {
    (void)state;
    static const char *const wanted[] = {
        "demo",        "demo-sigma",    "mnist",        "mnist-sigma", "mnist-sigma-lars",
        "cifar10",     "cifar10-sigma", "vit-b16-deit", "vit-b16-mae", "vit-b16-sigma",
        "vit-l16-mae", "vit-l16-sigma", "vit-h14-sigma"};
    for (size_t i = 0; i < COUNT(wanted); i++)
        assert_non_null(recipe_builtin_text(wanted[i]));
    for (size_t i = 0; i < recipe_builtin_count(); i++) {
        Recipe recipe = recipe_default();
        Err err = ERR_NONE;
        const char *name = recipe_builtin_name(i);
        if (recipe_load(&recipe, name, &err) || recipe_check(&recipe, &err))
            fail_msg("%s: %s", name, err.text);
        assert_string_equal(recipe.name, name);
        assert_int_equal(recipe_builtin_text(name)[0], '#');
        assert_int_equal(recipe_notes(&recipe, NULL), 0);
    }
}

static Recipe translator(size_t depth, const char *norm, bool sigma) {
    Recipe recipe = recipe_default();
    Err err = ERR_NONE;
    char name[64];
    text_format(name, sizeof name, "wmt17-%zul-%s%s", depth, norm, sigma ? "-sigma" : "");
    if (recipe_load(&recipe, name, &err)) fail_msg("%s", err.text);
    return recipe;
}

static void check_translator(size_t depth, const char *norm, NormPlace place,
                             bool sigma) {
    Recipe one = translator(depth, norm, sigma), first = translator(6, "pre", sigma);
    assert_int_equal(one.model.reparam, sigma ? REPARAM_SIGMA : REPARAM_NONE);
    assert_int_equal(one.model.gamma_init, GAMMA_ONE * sigma);
    assert_true(one.optim.lr == (sigma ? 4.5e-3 : 1.4e-3));
    first.model.depth = depth;
    first.model.norm = place;
    first.train.recompute = depth >= 50 ? RECOMPUTE_BLOCK : RECOMPUTE_NONE;
    char *is = recipe_text(&one), *wanted = recipe_text(&first);
    assert_string_equal(is, wanted);
    free(is), free(wanted);
}

static void the_papers_translators_differ_in_depth_norm_and_method_alone(void **state) {
    (void)state;
    static const size_t DEPTHS[] = {6, 18, 50, 100};
    for (size_t i = 0; i < 2 * COUNT(DEPTHS); i++) {
        check_translator(DEPTHS[i / 2], "pre", NORM_PRE, i % 2);
        check_translator(DEPTHS[i / 2], "post", NORM_POST, i % 2);
        check_translator(DEPTHS[i / 2], "deepnorm", NORM_DEEPNORM, i % 2);
    }
    Recipe plain = translator(6, "pre", false), sigma = translator(6, "pre", true);
    sigma.model.reparam = plain.model.reparam, sigma.model.init = plain.model.init;
    sigma.model.gamma_init = plain.model.gamma_init;
    sigma.model.init_std = plain.model.init_std, sigma.optim.lr = plain.optim.lr;
    char *is = recipe_text(&sigma), *wanted = recipe_text(&plain);
    assert_string_equal(is, wanted);
    free(is), free(wanted);
}

static void demo_sigma_differs_from_demo_in_the_cure_alone(void **state) {
    (void)state;
    Recipe sick = recipe_default(), cured = recipe_default();
    assert_int_equal(recipe_load(&sick, "demo", NULL), OK);
    assert_int_equal(recipe_load(&cured, "demo-sigma", NULL), OK);
    sick.model.norm = NORM_NONE;
    sick.model.reparam = REPARAM_SIGMA;
    sick.model.gamma_init = GAMMA_ONE;
    sick.model.init_std = cured.model.init_std;
    sick.optim.weight_decay = 0;
    char *first = recipe_text(&sick), *second = recipe_text(&cured);
    assert_string_equal(first, second);
    free(first), free(second);
}

static void the_nearest_word_counts_swapped_letters_once(void **state) {
    (void)state;
    assert_int_equal(nearest_distance("widht", "width"), 1);
    assert_int_equal(nearest_distance("", "abc"), 3);
    assert_int_equal(nearest_distance("kitten", "sitting"), 3);
    assert_int_equal(nearest_distance("same", "same"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_documented),
        cmocka_unit_test(no_key_stands_twice_in_the_table),
        cmocka_unit_test(every_section_of_the_table_is_listed),
        cmocka_unit_test(defaults_are_neutral),
        cmocka_unit_test(defaults_of_data_agree_with_the_data_library),
        cmocka_unit_test(every_choice_can_be_given_and_read_back),
        cmocka_unit_test(every_built_in_recipe_loads_and_agrees_with_itself),
        cmocka_unit_test(the_papers_translators_differ_in_depth_norm_and_method_alone),
        cmocka_unit_test(demo_sigma_differs_from_demo_in_the_cure_alone),
        cmocka_unit_test(the_nearest_word_counts_swapped_letters_once),
    };
    return cmocka_run_group_tests_name("recipe keys", tests, NULL, NULL);
}

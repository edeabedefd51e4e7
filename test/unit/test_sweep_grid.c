/* The grid of a sweep: its cells, their recipes and names (tools/sweep/sweep.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sweep_words.h"
#include "tools/sweep/sweep.h"

static void a_grid_has_every_combination_once_and_the_last_axis_is_fastest(void **state) {
    (void)state;
    static const char *const names[] = {
        "demo,optim.lr=0.1,train.seed=0",       "demo,optim.lr=0.1,train.seed=1",
        "demo,optim.lr=0.2,train.seed=0",       "demo,optim.lr=0.2,train.seed=1",
        "demo-sigma,optim.lr=0.1,train.seed=0", "demo-sigma,optim.lr=0.1,train.seed=1",
        "demo-sigma,optim.lr=0.2,train.seed=0", "demo-sigma,optim.lr=0.2,train.seed=1",
    };
    Sweep sweep;
    OPEN(&sweep, "optim.lr=0.1, 0.2", "demo,demo-sigma", "train.steps=7",
         "train.seed=0,1");
    assert_int_equal(sweep.cell_count, COUNT(names));
    for (size_t c = 0; c < COUNT(names); c++) {
        assert_string_equal(sweep.cells[c].name, names[c]);
        assert_int_equal(sweep_index(&sweep, c, 0), c / 4);
        assert_int_equal(sweep.cells[c].exit, SWEEP_OPEN);
    }
    sweep_close(&sweep);
}

static void a_cell_gets_its_recipe_and_its_values(void **state) {
    (void)state;
    Sweep sweep;
    Recipe recipe;
    Err err = ERR_NONE;
    OPEN(&sweep, "demo,demo-sigma", "optim.lr=0.1,0.2", "train.steps=7");
    assert_int_equal(sweep_recipe(&sweep, 3, &recipe, &err), OK);
    assert_string_equal(recipe.name, "demo-sigma");
    assert_true(recipe.optim.lr == 0.2);
    assert_int_equal(recipe.train.steps, 7);
    size_t count;
    char **words = sweep_cell_words(&sweep, 3, &count);
    assert_int_equal(count, 2);
    assert_string_equal(words[0], "optim.lr=0.2");
    assert_string_equal(words[1], "train.steps=7");
    sweep_free_words(words, count);
    sweep_close(&sweep);
}

static void a_single_cell_is_named_after_its_recipe(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo", "optim.lr=0.1");
    assert_int_equal(sweep.cell_count, 1);
    assert_string_equal(sweep.cells[0].name, "demo");
    sweep_close(&sweep);
}

static void values_of_list_and_text_keys_keep_their_commas(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo", "data.mean=0.1,0.2,0.3", "data.augment=crop,flip",
         "schedule.step_at=10,20", "data.path=a,b");
    assert_int_equal(sweep.cell_count, 1);
    sweep_close(&sweep);
    OPEN(&sweep, "demo", "data.augment={none; crop,flip}", "optim.lr={0.1;0.2}");
    assert_int_equal(sweep.cell_count, 4);
    assert_string_equal(sweep.axes[1].values[1], "crop,flip");
    sweep_close(&sweep);
}

static void names_of_cells_are_names_of_files(void **state) {
    (void)state;
    Sweep sweep;
    char word[600] = "train.init={/a/b;", *end = word + strlen(word);
    memset(end, 'x', 400);
    strcpy(end + 400, ";../c}");
    OPEN(&sweep, "demo", word);
    assert_string_equal(sweep.cells[0].name, "train.init=_a_b");
    for (size_t c = 0; c < sweep.cell_count; c++) {
        assert_true(strlen(sweep.cells[c].name) < SWEEP_NAME);
        assert_null(strchr(sweep.cells[c].name, '/'));
    }
    sweep_close(&sweep);
    OPEN(&sweep, "demo", "train.init={a/b;a_b}");
    assert_string_not_equal(sweep.cells[0].name, sweep.cells[1].name);
    sweep_close(&sweep);
}

static void linked_keys_are_one_axis(void **state) {
    (void)state;
    static const char *const names[] = {
        "demo,model.init_std=0.07,model.gamma_init=spectral,train.seed=0",
        "demo,model.init_std=0.07,model.gamma_init=spectral,train.seed=1",
        "demo,model.init_std=0.2,model.gamma_init=1,train.seed=0",
        "demo,model.init_std=0.2,model.gamma_init=1,train.seed=1",
    };
    Sweep sweep;
    Recipe recipe;
    Err err = ERR_NONE;
    OPEN(&sweep, "demo,demo-sigma",
         " { model.init_std , model.gamma_init } = {0.07,spectral; 0.2, 1}",
         "train.seed=0,1");
    assert_int_equal(sweep.cell_count, 8);
    for (size_t c = 0; c < COUNT(names); c++)
        assert_string_equal(sweep.cells[c].name, names[c]);
    assert_string_equal(sweep.axes[1].key, "model.init_std,model.gamma_init");
    assert_string_equal(sweep_part(&sweep, 2, 1, 1), "1");
    assert_int_equal(sweep_recipe(&sweep, 6, &recipe, &err), OK);
    assert_true(recipe.model.init_std == 0.2 && recipe.optim.lr > 0);
    sweep_close(&sweep);
    /* values with commas have braces of their own; one pair of values is fixed */
    OPEN(&sweep, "demo", "{data.augment,optim.lr}={{crop,flip},0.1;none,0.2}",
         "{train.batch,train.steps}={64,300}");
    assert_int_equal(sweep.cell_count, 2);
    assert_string_equal(sweep_part(&sweep, 0, 1, 0), "crop,flip");
    assert_string_equal(sweep.cells[1].name, "data.augment=none,optim.lr=0.2");
    sweep_close(&sweep);
}

static void a_recipe_can_have_values_of_its_own(void **state) {
    (void)state;
    static const char *const names[] = {
        "demo,optim.lr=0.004",       "demo,optim.lr=0.008",   "demo-sigma,optim.lr=0.008",
        "demo-sigma,optim.lr=0.016", "mnist,optim.lr=0.0040",
    };
    Sweep sweep;
    OPEN(&sweep, "demo,demo-sigma,mnist", "optim.lr=0.004,0.008",
         "demo-sigma:optim.lr=8e-3,0.016", "mnist : optim.lr=0.0040",
         "demo-sigma:model.init_std=0.2");
    size_t lr = sweep_axis(&sweep, "optim.lr"), count;
    assert_int_equal(sweep.cell_count, COUNT(names));
    assert_int_equal(lr, 1);
    /* 0.008 and 8e-3 are one value, written as the first of them */
    assert_int_equal(sweep.axes[lr].count, 3);
    assert_int_equal(sweep_index(&sweep, 1, lr), sweep_index(&sweep, 2, lr));
    for (size_t c = 0; c < 4; c++) assert_string_equal(sweep.cells[c].name, names[c]);
    /* what is fixed in each recipe is in no name, and only in the words of its cells */
    assert_false(sweep_is_swept(&sweep, 2));
    char **words = sweep_cell_words(&sweep, 0, &count);
    assert_int_equal(count, 1);
    sweep_free_words(words, count);
    words = sweep_cell_words(&sweep, 3, &count);
    assert_int_equal(count, 2);
    assert_string_equal(words[1], "model.init_std=0.2");
    sweep_free_words(words, count);
    sweep_close(&sweep);
}

static void a_recipe_without_a_word_keeps_its_own_value(void **state) {
    (void)state;
    Sweep sweep;
    Recipe recipe;
    Err err = ERR_NONE;
    OPEN(&sweep, "demo,demo-sigma", "demo-sigma:{model.init_std,optim.lr}={.1,.2;.3,.4}",
         "demo:optim.lr=0.5");
    assert_int_equal(sweep.cell_count, 3);
    assert_string_equal(sweep.cells[0].name, "demo");
    assert_string_equal(sweep.cells[1].name, "demo-sigma,model.init_std=.1,optim.lr=.2");
    assert_string_equal(sweep_part(&sweep, 0, 1, 1), "");
    assert_false(sweep_gives(&sweep, 0, 1));
    assert_int_equal(sweep_recipe(&sweep, 0, &recipe, &err), OK);
    assert_true(recipe.optim.lr == 0.5);
    assert_int_equal(sweep_recipe(&sweep, 2, &recipe, &err), OK);
    assert_true(recipe.optim.lr == 0.4);
    sweep_close(&sweep);
}

static void changes_during_a_run_are_axes(void **state) {
    (void)state;
    Sweep sweep;
    Recipe recipe;
    Err err = ERR_NONE;
    char value[100];
    OPEN(&sweep, "demo,demo-sigma", "demo:intervene.at=10e,20e",
         "demo-sigma:intervene.at=5",
         "{intervene.model.temperature,intervene.optim.lr}={0.05,0.1;0.1,0.2}");
    assert_int_equal(sweep_check(&sweep, NULL, &err), OK);
    assert_int_equal(sweep.cell_count, 6);
    assert_string_equal(sweep.cells[3].name,
                        "demo,intervene.at=20e,intervene.model.temperature=0.1,"
                        "intervene.optim.lr=0.2");
    assert_int_equal(sweep_recipe(&sweep, 3, &recipe, &err), OK);
    assert_true(recipe.intervene.group[0].at.value == 20);
    recipe_get(&recipe, "intervene.model.temperature", value, sizeof value, &err);
    assert_string_equal(value, "0.1");
    recipe_get(&recipe, "model.temperature", value, sizeof value, &err);
    assert_string_equal(value, "1");
    sweep_close(&sweep);
    REFUSED("duplicate value", "demo", "intervene.at=1", "intervene.optim.lr=1,1.0");
    REFUSED("has no change", "demo", "intervene.at=1,2");
    REFUSED("cannot change during a run", "demo", "intervene.at=1",
            "intervene.model.depth=3,4");
}

static void what_is_wrong_with_linked_keys_and_recipes_is_said(void **state) {
    (void)state;
    REFUSED("unbalanced braces", "demo", "{optim.lr,train.steps}={1,2;3,{4}");
    REFUSED("text after a closing brace", "demo", "{optim.lr,train.steps}={1,{2}3;3,4}");
    REFUSED("unbalanced braces", "demo", "optim.lr={0.1;0.2");
    REFUSED("unbalanced braces", "demo", "optim.lr={0.1};{0.2}");
    REFUSED("text after a closing brace", "demo", "optim.lr={{0.1}x;0.2}");
    REFUSED("unbalanced braces", "demo", "optim.lr=0.1},0.2");
    REFUSED("braces around keys", "demo", "{optim.lr,train.steps=1");
    REFUSED("braces around keys", "demo", "{}={1;2}");
    REFUSED("linked keys in braces", "demo", "{optim.lr,train.steps}=1,2");
    REFUSED("{3} has 1 value for 2 keys", "demo", "{optim.lr,train.steps}={1,2;3}");
    REFUSED("{3,4,5} has 3 values for 2", "demo", "{optim.lr,train.steps}={1,2;3,4,5}");
    REFUSED("empty value", "demo", "{optim.lr,train.steps}={1,2;}");
    REFUSED("empty value", "demo", "{optim.lr,train.steps}={1,;2,3}");
    REFUSED("empty value", "demo", "{optim.lr,}={1,2}");
    REFUSED("empty value", "demo", "optim.lr={}");
    REFUSED("did you mean", "demo", "{optim.lr,train.stesp}={1,2}");
    REFUSED("optim.lr is given twice", "demo", "{optim.lr,optim.lr}={1,2}");
    REFUSED("duplicate value", "demo", "{optim.lr,train.steps}={1,2;1.0,2}");
    REFUSED("given twice for recipe demo", "demo", "{optim.lr,train.steps}={1,2}",
            "optim.lr=3");
    REFUSED("given twice for recipe demo-sigma", "demo,demo-sigma", "optim.lr=3",
            "demo-sigma:{optim.lr,train.steps}={1,2}");
    REFUSED("mnist is not a recipe of this sweep", "demo", "mnist:optim.lr=1");
    REFUSED("empty value", "demo", ":optim.lr=1");
    REFUSED("demo is given twice", "demo", "demo,demo:optim.lr=1");
    REFUSED("given twice; list", "demo", "demo:optim.lr=1", "demo:optim.lr=2");
    REFUSED("has no effect, because", "demo", "demo:optim.lr=1", "optim.lr=2");
    REFUSED("unknown key", "demo", "demo:=1");
    REFUSED("run demo-sigma", "demo,demo-sigma", "demo-sigma:optim.lr=-1,2");
}

static void what_is_wrong_with_a_grid_is_said_before_anything_runs(void **state) {
    (void)state;
    REFUSED("optim.lr", "demo", "optim.rl=0.1,0.2");
    REFUSED("empty value", "demo", "optim.lr=0.1,,0.2");
    REFUSED("empty value", "demo,", "optim.lr=0.1");
    REFUSED("given twice", "demo", "optim.lr=0.1", "optim.lr=0.2");
    REFUSED("duplicate value", "demo", "optim.lr=0.01,1e-2");
    REFUSED("duplicate value", "demo,demo");
    REFUSED("no recipe given", "optim.lr=0.1");
    REFUSED("one comma-separated word: demo,demo-sigma", "demo", "optim.lr=0.1",
            "demo-sigma");
    REFUSED("one comma-separated word: demo,demo-sigma", "demo,", "demo-sigma");
    REFUSED("unknown recipe", "demo,dmeo");
    REFUSED("run optim.lr=-1", "demo", "optim.lr=0.1,-1");
    REFUSED("run model.heads=5", "demo", "model.heads=4,5");
    REFUSED("more than 10000", "demo", "train.seed=0,1,2,3,4,5,6,7,8,9",
            "train.batch=1,2,3,4,5,6,7,8,9,10", "model.depth=1,2,3,4,5,6,7,8,9,10",
            "model.width=1,2,3,4,5,6,7,8,9,10", "model.patch=1,2");
}

static void a_blank_in_a_list_is_named_with_the_list_that_was_meant(void **state) {
    (void)state;
    REFUSED("commas without spaces: optim.lr=0.01,0.02", "demo", "optim.lr=0.01,",
            "0.02");
    REFUSED("commas without spaces: optim.lr=0.01,0.02", "demo", "optim.lr=0.01",
            ",0.02");
    REFUSED("commas without spaces: train.seed=0,1,2", "demo", "train.seed=0", "1", "2",
            "optim.lr=0.1");
    REFUSED("commas without spaces: optim.lr=0.01,0.02", "optim.lr=0.01,", "0.02",
            "demo");
    REFUSED("commas without spaces: '{optim.lr,train.steps}={1,2;3,4}'", "demo",
            "{optim.lr,train.steps}={1,2;", "3,4}");
}

static void a_list_that_commas_do_not_separate_is_shown_in_braces(void **state) {
    (void)state;
    REFUSED("'data.augment={none;flip}'", "demo", "data.augment=none,flip");
    REFUSED("none cannot be combined", "demo", "data.augment=none,flip");
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_grid_has_every_combination_once_and_the_last_axis_is_fastest),
        cmocka_unit_test(a_blank_in_a_list_is_named_with_the_list_that_was_meant),
        cmocka_unit_test(a_list_that_commas_do_not_separate_is_shown_in_braces),
        cmocka_unit_test(a_cell_gets_its_recipe_and_its_values),
        cmocka_unit_test(a_single_cell_is_named_after_its_recipe),
        cmocka_unit_test(values_of_list_and_text_keys_keep_their_commas),
        cmocka_unit_test(names_of_cells_are_names_of_files),
        cmocka_unit_test(linked_keys_are_one_axis),
        cmocka_unit_test(a_recipe_can_have_values_of_its_own),
        cmocka_unit_test(a_recipe_without_a_word_keeps_its_own_value),
        cmocka_unit_test(changes_during_a_run_are_axes),
        cmocka_unit_test(what_is_wrong_with_linked_keys_and_recipes_is_said),
        cmocka_unit_test(what_is_wrong_with_a_grid_is_said_before_anything_runs),
    };
    return cmocka_run_group_tests_name("sweep_grid", cases, NULL, NULL);
}

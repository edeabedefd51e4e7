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
    char *word = sweep_word(&sweep, 3, 1);
    assert_string_equal(word, "optim.lr=0.2");
    mem_free(word);
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

static void what_is_wrong_with_a_grid_is_said_before_anything_runs(void **state) {
    (void)state;
    REFUSED("optim.lr", "demo", "optim.rl=0.1,0.2");
    REFUSED("empty value", "demo", "optim.lr=0.1,,0.2");
    REFUSED("empty value", "demo,", "optim.lr=0.1");
    REFUSED("given twice", "demo", "optim.lr=0.1", "optim.lr=0.2");
    REFUSED("same value", "demo", "optim.lr=0.01,1e-2");
    REFUSED("same value", "demo,demo");
    REFUSED("which recipe", "optim.lr=0.1");
    REFUSED("one comma-separated word", "demo", "demo-sigma");
    REFUSED("no recipe", "demo,dmeo");
    REFUSED("cell optim.lr=-1", "demo", "optim.lr=0.1,-1");
    REFUSED("cell model.heads=5", "demo", "model.heads=4,5");
    REFUSED("more than 10000", "demo", "train.seed=0,1,2,3,4,5,6,7,8,9",
            "train.batch=1,2,3,4,5,6,7,8,9,10", "model.depth=1,2,3,4,5,6,7,8,9,10",
            "model.width=1,2,3,4,5,6,7,8,9,10", "model.patch=1,2");
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_grid_has_every_combination_once_and_the_last_axis_is_fastest),
        cmocka_unit_test(a_cell_gets_its_recipe_and_its_values),
        cmocka_unit_test(a_single_cell_is_named_after_its_recipe),
        cmocka_unit_test(values_of_list_and_text_keys_keep_their_commas),
        cmocka_unit_test(names_of_cells_are_names_of_files),
        cmocka_unit_test(what_is_wrong_with_a_grid_is_said_before_anything_runs),
    };
    return cmocka_run_group_tests_name("sweep_grid", cases, NULL, NULL);
}

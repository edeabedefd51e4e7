/* Folders of sweeps that are read, wherever their recipes are now (tools/sweep/recipes.c,
 * same.c), and plans that are gone (tools/sweep/plan.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "sweep_plans.h"
#include "tools/program/say.h"
#include "tools/sweep/sweep.h"

static const char SMALL[] = "[train]\nsteps = 2\n[optim]\nbeta1 = 0.8\n";
static const char OTHER[] = "[train]\nsteps = 2\n[optim]\nbeta1 = 0.7\n";

typedef struct Heard {
    char text[4000];
} Heard;

static void hear(void *context, const char *line) {
    Heard *heard = context;
    size_t used = strlen(heard->text);
    snprintf(heard->text + used, sizeof heard->text - used, "%s\n", line);
}

/* A sweep of small.ini, of which so many runs of four have ended. */
static void make(void **state, const char *recipe, size_t ended, bool planned) {
    Sweep sweep;
    char dir[PATH_SIZE], plan[PATH_SIZE];
    plans_path_in(dir, state, "sweep");
    plans_path_in(plan, state, "plan.json");
    files_write(*state, "small.ini", SMALL, strlen(SMALL));
    OPEN(&sweep, recipe, "optim.lr=1,2", "train.seed=0,1");
    if (planned) plans_read_plan(&sweep, plan);
    plans_make_sweep(&sweep, dir, ended);
    sweep_close(&sweep);
}

static void open_read(Sweep *sweep, void **state, const char *recipe, Heard *heard) {
    Err err = ERR_NONE;
    char dir[PATH_SIZE];
    plans_path_in(dir, state, "sweep");
    OPEN(sweep, recipe, "optim.lr=1,2", "train.seed=0,1");
    *heard->text = 0;
    Listener before = say_to((Listener){hear, heard});
    Status status = sweep_read(sweep, dir, &err);
    say_to(before);
    if (status) fail_msg("%s", err.text);
}

static void has_values(const Sweep *sweep, size_t cell, double beta1, double lr) {
    Recipe recipe;
    Err err = ERR_NONE;
    assert_int_equal(sweep_recipe(sweep, cell, &recipe, &err), OK);
    assert_true(recipe.optim.beta1 == beta1 && recipe.optim.lr == lr);
    assert_int_equal(recipe.train.steps, 2);
}

static void refused(void **state, const char *recipe, Status wanted, const char *part) {
    Sweep sweep;
    Err err = ERR_NONE;
    char dir[PATH_SIZE];
    plans_path_in(dir, state, "sweep");
    OPEN(&sweep, recipe, "optim.lr=1,2", "train.seed=0,1");
    assert_int_equal(sweep_look(&sweep, dir, &err), wanted);
    if (!strstr(err.text, part)) fail_msg("`%s` lacks `%s`", err.text, part);
    sweep_close(&sweep);
}

/* ---- recipes ---- */

static void a_folder_is_read_without_the_file_of_its_recipe(void **state) {
    Sweep sweep;
    Heard heard;
    char recipe[PATH_SIZE];
    plans_path_in(recipe, state, "small.ini");
    make(state, recipe, 3, false);
    open_read(&sweep, state, recipe, &heard);
    assert_string_equal(heard.text, "");
    sweep_close(&sweep);
    files_remove(*state, "small.ini");
    open_read(&sweep, state, recipe, &heard);
    assert_non_null(strstr(heard.text, "small.ini are read as they were trained: "));
    assert_null(strchr(strchr(heard.text, '\n') + 1, '\n')); /* one note a recipe */
    assert_true(sweep_has_ended(&sweep.cells[2]) && !sweep_has_ended(&sweep.cells[3]));
    has_values(&sweep, 0, 0.8, 1);
    has_values(&sweep, 3, 0.8, 2); /* not begun: that of the others, its own words */
    sweep_close(&sweep);
    refused(state, recipe, FAIL_USAGE, "small.ini");
}

static void a_recipe_that_changed_does_not_stop_reading(void **state) {
    Sweep sweep;
    Heard heard;
    char recipe[PATH_SIZE];
    plans_path_in(recipe, state, "small.ini");
    make(state, recipe, 2, false);
    files_write(*state, "small.ini", OTHER, strlen(OTHER));
    open_read(&sweep, state, recipe, &heard);
    assert_non_null(strstr(heard.text, ": 2 of 2 runs of recipe "));
    assert_non_null(strstr(heard.text, "(optim.beta1 = 0.8 before, beta1 = 0.7 now)"));
    for (size_t c = 0; c < sweep.cell_count; c++) has_values(&sweep, c, 0.8, 1 + (c > 1));
    sweep_close(&sweep);
    refused(state, recipe, FAIL_USAGE, "restore that recipe, or train a new sweep");
}

/* Nothing is left that says what the recipe was: the runs that ended are read. */
static void a_recipe_without_a_run_does_not_stop_reading(void **state) {
    Sweep sweep;
    Heard heard;
    char recipe[PATH_SIZE];
    plans_path_in(recipe, state, "small.ini");
    make(state, recipe, 0, false);
    files_remove(*state, "small.ini");
    open_read(&sweep, state, recipe, &heard);
    Recipe none;
    assert_int_equal(sweep_recipe(&sweep, 3, &none, NULL), OK);
    assert_true(none.optim.lr == 2);
    sweep_close(&sweep);
}

/* Looking through all folders for each cell took minutes in large grids. */
static void the_run_that_has_a_recipe_is_looked_for_once(void **state) {
    Sweep sweep;
    Heard heard;
    Err err = ERR_NONE;
    char recipe[PATH_SIZE], dir[PATH_SIZE];
    plans_path_in(recipe, state, "small.ini");
    plans_path_in(dir, state, "sweep");
    make(state, recipe, 0, false);
    open_read(&sweep, state, recipe, &heard);
    has_values(&sweep, 3, 0.8, 2);
    assert_int_equal(sweep.begun[0], sweep.cell_count);
    make(state, recipe, 2, false); /* two have begun since */
    files_remove(*state, "sweep/cells/optim.lr=1,train.seed=0/recipe.ini");
    files_remove(*state, "small.ini");
    if (sweep_look(&sweep, dir, &err)) fail_msg("%s", err.text);
    has_values(&sweep, 3, 0.8, 2);
    assert_int_equal(sweep.begun[0], 1);
    sweep_close(&sweep);
}

static void a_sweep_is_over_when_all_its_runs_have_ended(void **state) {
    char recipe[PATH_SIZE], dir[PATH_SIZE];
    plans_path_in(recipe, state, "small.ini");
    plans_path_in(dir, state, "sweep");
    assert_false(sweep_is_over(dir));
    make(state, recipe, 3, false);
    assert_false(sweep_is_over(dir));
    make(state, recipe, 4, false);
    assert_true(sweep_is_over(dir));
    files_remove(*state, "sweep/cells/optim.lr=2,train.seed=1/recipe.ini");
    files_remove(*state, "sweep/cells/optim.lr=2,train.seed=1/train.jsonl");
    assert_false(sweep_is_over(dir));
}

/* Earlier programs wrote 0 where there is auto now. */
static void what_auto_comes_to_may_be_written_out(void **state) {
    Sweep sweep;
    Err err = ERR_NONE;
    Recipe recipe;
    char path[PATH_SIZE], dir[PATH_SIZE];
    make(state, "demo", 1, false);
    plans_path_in(dir, state, "sweep");
    plans_path_in(path, state, "sweep/cells/optim.lr=1,train.seed=0/recipe.ini");
    OPEN(&sweep, "demo", "optim.lr=1,2", "train.seed=0,1");
    assert_int_equal(sweep_recipe(&sweep, 0, &recipe, &err), OK);
    assert_true(recipe.data.val_fraction < 0);
    recipe.data.val_fraction = 0;
    assert_int_equal(recipe_save(&recipe, path, NULL, &err), OK);
    if (sweep_look(&sweep, dir, &err)) fail_msg("%s", err.text);
    sweep_close(&sweep);
    recipe.data.val_fraction = 0.5;
    assert_int_equal(recipe_save(&recipe, path, NULL, &err), OK);
    refused(state, "demo", FAIL_USAGE, "data.val_fraction = 0.5 before");
}

/* ---- runs in the wrong place ---- */

#define WORDS                                                                            \
    "demo", "{optim.beta1,optim.eps}={0.9,1e-6;0.8,1e-8}", "train.seed=0,1",             \
        "train.steps=2", "train.keep=3"
#define FIRST "cells/optim.beta1=0.9,optim.eps=1e-6,train.seed="

/* All four runs of WORDS have ended; the first has the recipe with these words. */
static void make_with(const char *dir, const char *const *words) {
    Sweep sweep;
    Err err = ERR_NONE;
    Recipe recipe;
    char path[PATH_SIZE];
    rundir_path(path, dir, FIRST "0/recipe.ini");
    OPEN(&sweep, WORDS);
    plans_make_sweep(&sweep, dir, 4);
    assert_int_equal(sweep_recipe(&sweep, 0, &recipe, &err), OK);
    for (; *words; words++) assert_int_equal(recipe_set(&recipe, *words, &err), OK);
    assert_int_equal(recipe_save(&recipe, path, NULL, &err), OK);
    sweep_close(&sweep);
}

/* As sweep --resume of a finished sweep, sweep --compare, report and plot read it. */
static void reads_with(void **state, const char *const *words, const char *part) {
    Sweep sweep;
    Heard heard = {""};
    Err err = ERR_NONE;
    char dir[PATH_SIZE];
    plans_path_in(dir, state, *words); /* one for each case */
    make_with(dir, words);
    OPEN(&sweep, WORDS);
    Listener before = say_to((Listener){hear, &heard});
    Status status = sweep_read(&sweep, dir, &err);
    say_to(before);
    assert_int_equal(status, part ? FAIL_DATA : OK);
    if (part && (!strstr(err.text, part) || !strstr(err.text, FIRST "0 ")))
        fail_msg("`%s` lacks `%s`", err.text, part);
    sweep_close(&sweep);
}

#define READS(part, ...) reads_with(state, (const char *const[]){__VA_ARGS__, NULL}, part)

static void a_run_that_contradicts_its_cell_is_refused(void **state) {
    READS("optim.beta1 = 0.7, not 0.9 as", "optim.beta1=0.7");
    READS("optim.eps = 1e-08, not 1e-06 as", "optim.eps=1e-8"); /* the second of two */
    READS("train.seed = 1, not 0 as", "train.seed=1");          /* a copy of the other */
    READS("train.steps = 9, not 2 as", "train.steps=9");        /* a word of one value */
}

static void what_the_words_do_not_say_may_differ(void **state) {
    READS(NULL, "optim.beta1=0.90", "optim.eps=0.000001");
    READS(NULL, "optim.lr=0.5", "train.threads=7");
    READS(NULL, "train.keep=9"); /* changes no number */
}

/* ---- plans ---- */

static void a_plan_that_is_gone_comes_back_from_the_state(void **state) {
    Sweep sweep;
    Heard heard;
    size_t size;
    make(state, "demo", 4, true);
    files_remove(*state, "sweep/plan.json");
    open_read(&sweep, state, "demo", &heard);
    assert_non_null(
        strstr(heard.text, "plan.json is missing; the plan is that of sweep"));
    assert_non_null(sweep.plan);
    sweep_close(&sweep);
    char dir[PATH_SIZE];
    plans_path_in(dir, state, "sweep");
    OPEN(&sweep, "demo", "optim.lr=1,2", "train.seed=0,1,2");
    *heard.text = 0;
    Listener before = say_to((Listener){hear, &heard});
    plans_begin(&sweep, dir);
    say_to(before);
    assert_null(strchr(strchr(heard.text, '\n') + 1, '\n')); /* said once */
    plans_deviates(&sweep, 0, "seeds added: 2 (2 runs)");
    sweep_close(&sweep);
    mem_free(files_read(*state, "sweep/plan.json", &size));
}

static void a_plan_that_changed_since_the_first_run_is_refused(void **state) {
    Sweep sweep;
    Heard heard;
    char path[PATH_SIZE];
    make(state, "demo", 4, true);
    plans_path_in(path, state, "sweep/plan.json");
    json_t *plan = json_load_file(path, 0, NULL);
    json_object_set_new(plan, "written", json_string("2020-01-01T00:00:00Z"));
    assert_int_equal(json_dump_file(plan, path, 0), 0);
    json_decref(plan);
    refused(state, "demo", FAIL_DATA, "is not the plan that the sweep began with");
    open_read(&sweep, state, "demo", &heard);
    assert_non_null(strstr(heard.text, "is not the plan that the sweep began with"));
    assert_string_not_equal(json_string_value(json_object_get(sweep.plan, "written")),
                            "2020-01-01T00:00:00Z");
    sweep_close(&sweep);
}

/* The recipe of an earlier version's plan changed after the runs: they followed it. */
static void what_was_found_of_an_old_plan_counts(void **state) {
    Sweep sweep;
    Heard heard;
    char recipe[PATH_SIZE], path[PATH_SIZE];
    const char *files[] = {"sweep/plan.json", "sweep/sweep.json"};
    plans_path_in(recipe, state, "small.ini");
    make(state, recipe, 4, true);
    for (size_t i = 0; i < COUNT(files); i++) {
        plans_path_in(path, state, files[i]);
        json_t *root = json_load_file(path, 0, NULL);
        json_t *told = json_object_get(root, "plan");
        json_t *plan = i ? json_object_get(told, "plan") : root;
        json_object_del(json_array_get(json_object_get(plan, "recipes"), 0), "keys");
        if (i) json_object_set_new(told, "deviations", json_array());
        assert_int_equal(json_dump_file(root, path, 0), 0);
        json_decref(root);
    }
    files_write(*state, "small.ini", OTHER, strlen(OTHER));
    open_read(&sweep, state, recipe, &heard);
    plans_deviates(&sweep, 0, NULL);
    json_array_append_new(sweep.told, json_string("recipe small.ini changed"));
    json_array_append_new(sweep.told, json_string("unfinished: 1 planned (x)"));
    plans_deviates(&sweep, 0, "recipe small.ini changed");
    plans_deviates(&sweep, 1, NULL);
    sweep_close(&sweep);
}

/* Of new keys the plan's runs have what the recipe says, not what the first run has. */
static void a_planned_grid_that_grew_by_a_key_is_read_as_planned(void **state) {
    Sweep sweep;
    Err err = ERR_NONE;
    char dir[PATH_SIZE], plan[PATH_SIZE];
    plans_path_in(dir, state, "sweep");
    plans_path_in(plan, state, "plan.json");
    OPEN(&sweep, "demo", "train.steps=2", "optim.weight_decay=0.05,0.1");
    plans_read_plan(&sweep, plan);
    plans_make_sweep(&sweep, dir, 2);
    sweep_close(&sweep);
    for (size_t i = 0; i < 2; i++) { /* as it grows, as it is read */
        OPEN(&sweep, "demo", "train.steps=2", "optim.weight_decay=0.05,0.1",
             "model.dropout=0.3,0");
        if (!i) plans_make_sweep(&sweep, dir, 4);
        else if (sweep_read(&sweep, dir, &err)) fail_msg("%s", err.text);
        plans_deviates(&sweep, 0,
                       "grid extended by 2 runs (optim.weight_decay=0.05,model.dropout="
                       "0.3; optim.weight_decay=0.1,model.dropout=0.3)");
        plans_deviates(&sweep, 1, NULL);
        sweep_close(&sweep);
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(a_folder_is_read_without_the_file_of_its_recipe),
        FOLDER_TEST(a_recipe_that_changed_does_not_stop_reading),
        FOLDER_TEST(a_recipe_without_a_run_does_not_stop_reading),
        FOLDER_TEST(the_run_that_has_a_recipe_is_looked_for_once),
        FOLDER_TEST(a_sweep_is_over_when_all_its_runs_have_ended),
        FOLDER_TEST(what_auto_comes_to_may_be_written_out),
        FOLDER_TEST(a_run_that_contradicts_its_cell_is_refused),
        FOLDER_TEST(what_the_words_do_not_say_may_differ),
        FOLDER_TEST(a_plan_that_is_gone_comes_back_from_the_state),
        FOLDER_TEST(a_plan_that_changed_since_the_first_run_is_refused),
        FOLDER_TEST(what_was_found_of_an_old_plan_counts),
        FOLDER_TEST(a_planned_grid_that_grew_by_a_key_is_read_as_planned),
    };
    return cmocka_run_group_tests_name("sweep_read", cases, NULL, NULL);
}

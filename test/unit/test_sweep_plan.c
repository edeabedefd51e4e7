/* Plans of sweeps, and grids that grow (tools/sweep/plan.c, tools/sweep/same.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"
#include "sweep_plans.h"
#include "tools/sweep/sweep.h"

static void begin_refused(Sweep *sweep, const char *dir, const char *part) {
    Err err = ERR_NONE;
    assert_int_equal(sweep_begin(sweep, dir, &err), FAIL_USAGE);
    if (!strstr(err.text, part)) fail_msg("`%s` lacks `%s`", err.text, part);
}

/* ---- grids that grow ---- */

static void cells_of_a_smaller_grid_keep_names_and_ends(void **state) {
    Sweep sweep;
    char dir[PATH_SIZE];
    plans_path_in(dir, state, "grown");
    OPEN(&sweep, "demo", "train.seed=0,1", "train.steps=2");
    plans_make_sweep(&sweep, dir, 2);
    sweep_close(&sweep);
    /* other order, other names: the axes stand in another place, one has grown, the
     * value of another was fixed, or the recipe's own */
    OPEN(&sweep, "demo,demo-sigma", "train.steps=2,3", "train.seed=2,1,0",
         "optim.lr=0.5,0.04", "train.threads=2");
    plans_begin(&sweep, dir);
    assert_int_equal(sweep.kept, 2);
    size_t ended = 0;
    for (size_t c = 0; c < sweep.cell_count; c++)
        ended += sweep_has_ended(&sweep.cells[c]);
    assert_int_equal(ended, 2);
    assert_string_equal(sweep.cells[5].name, "train.seed=0");
    assert_string_equal(sweep.cells[3].name, "train.seed=1");
    assert_true(sweep_has_ended(&sweep.cells[5]) && sweep_has_ended(&sweep.cells[3]));
    assert_string_equal(sweep.cells[0].name,
                        "demo,train.steps=2,train.seed=2,optim.lr=0.5");
    sweep_close(&sweep);
    /* the same words again: the names are those of the folder */
    OPEN(&sweep, "demo,demo-sigma", "train.steps=2,3", "train.seed=2,1,0",
         "optim.lr=0.5,0.04", "train.threads=2");
    plans_begin(&sweep, dir);
    assert_int_equal(sweep.kept, 0);
    assert_string_equal(sweep.cells[5].name, "train.seed=0");
    sweep_close(&sweep);
}

static void a_grid_that_is_not_larger_is_another(void **state) {
    Sweep sweep;
    char dir[PATH_SIZE];
    plans_path_in(dir, state, "other");
    OPEN(&sweep, "demo", "train.seed=0,1", "train.steps=2");
    plans_make_sweep(&sweep, dir, 1);
    sweep_close(&sweep);
    OPEN(&sweep, "demo", "train.seed=0", "train.steps=2");
    begin_refused(&sweep, dir, "lacks the run train.seed=1");
    sweep_close(&sweep);
    OPEN(&sweep, "demo", "train.seed=0,1,2", "train.steps=3");
    begin_refused(&sweep, dir, "lacks the run train.seed=0");
    sweep_close(&sweep);
    OPEN(&sweep, "demo-sigma", "train.seed=0,1,2", "train.steps=2");
    begin_refused(&sweep, dir, "lacks the run train.seed=0");
    sweep_close(&sweep);
}

/* The folder has given the name of a new cell to an old one. */
static void names_stay_different_when_a_grid_grows(void **state) {
    static const char STATE[] = "{\"words\":[\"demo\",\"train.seed=0\"],"
                                "\"cells\":[{\"name\":\"train.seed=1\"}]}";
    Sweep sweep;
    char dir[PATH_SIZE];
    plans_path_in(dir, state, "names");
    files_folder(*state, "names/cells");
    files_write(*state, "names/sweep.json", STATE, strlen(STATE));
    OPEN(&sweep, "demo", "train.seed=0,1");
    plans_begin(&sweep, dir);
    assert_string_equal(sweep.cells[0].name, "train.seed=1");
    assert_string_equal(sweep.cells[1].name, "train.seed=1~2");
    sweep_close(&sweep);
}

static void a_state_with_bad_names_is_refused(void **state) {
    static const char *const names[] = {"../a", "", ".a", "a/b"};
    char dir[PATH_SIZE], text[300];
    plans_path_in(dir, state, "bad");
    files_folder(*state, "bad/cells");
    for (size_t i = 0; i < COUNT(names); i++) {
        Sweep sweep;
        Err err = ERR_NONE;
        text_format(text, sizeof text,
                    "{\"words\":[\"demo\"],\"cells\":[{\"name\":\"%s\"}]}", names[i]);
        files_write(*state, "bad/sweep.json", text, strlen(text));
        OPEN(&sweep, "demo");
        assert_int_equal(sweep_look(&sweep, dir, &err), FAIL_DATA);
        assert_non_null(strstr(err.text, "is not the name of a run"));
        sweep_close(&sweep);
    }
}

/* ---- plans ---- */

#define GRID "demo", "optim.lr=1,2", "train.seed=0,1", "train.steps=2"

static void a_plan_is_written_before_the_first_run_and_followed(void **state) {
    Sweep sweep;
    Err err = ERR_NONE;
    char plan[PATH_SIZE], dir[PATH_SIZE], copy[PATH_SIZE];
    size_t count, n, m;
    plans_path_in(plan, state, "plan.json");
    plans_path_in(dir, state, "sweep");
    rundir_path(copy, dir, "plan.json");
    OPEN(&sweep, GRID);
    assert_int_equal(sweep_set_fail(&sweep, "loss>1.48", &err), OK);
    sweep.methods = "recipe,optim.lr";
    plans_read_plan(&sweep, plan);
    plans_begin(&sweep, dir);
    assert_true(sweep.plan_written);
    sweep_close(&sweep);
    uint8_t *one = files_read(*state, "plan.json", &n);
    uint8_t *other = files_read(*state, "sweep/plan.json", &m);
    assert_true(n == m && !memcmp(one, other, n));
    mem_free(one), mem_free(other);
    /* obeyed by its own words */
    char **words = sweep_plan_words(plan, &count, &err);
    assert_int_equal(count, 4);
    sweep_open_words(&sweep, (const char *const *)words, count);
    sweep_free_words(words, count);
    plans_read_plan(&sweep, plan);
    assert_string_equal(sweep_fail_text(&sweep), "loss > 1.48");
    assert_string_equal(sweep_choice(&sweep).method, "recipe,optim.lr");
    plans_begin(&sweep, dir);
    assert_false(sweep.plan_written);
    plans_deviates(&sweep, 0,
                   "unfinished: 4 planned (optim.lr=1,train.seed=0; "
                   "optim.lr=1,train.seed=1; optim.lr=2,train.seed=0; ...)");
    for (size_t c = 0; c < sweep.cell_count; c++) sweep.cells[c].exit = OK;
    plans_deviates(&sweep, 0, NULL);
    sweep_close(&sweep);
}

static void what_was_not_followed_is_named(void **state) {
    Sweep sweep;
    Err err = ERR_NONE;
    char plan[PATH_SIZE], dir[PATH_SIZE];
    plans_path_in(plan, state, "plan.json");
    plans_path_in(dir, state, "sweep");
    OPEN(&sweep, GRID);
    plans_read_plan(&sweep, plan);
    plans_make_sweep(&sweep, dir, 4);
    sweep_close(&sweep);
    OPEN(&sweep, "demo", "optim.lr=1,2,3", "train.seed=0,1,7", "train.steps=2");
    assert_int_equal(sweep_set_fail(&sweep, "midpoint", &err), OK);
    plans_begin(&sweep, dir);
    assert_int_equal(sweep.kept, 4);
    sweep.cells[1].exit = FAIL_DATA;
    plans_deviates(&sweep, 0, "criterion changed: none -> midpoint");
    plans_deviates(&sweep, 1, "unfinished: 1 planned (optim.lr=1,train.seed=1)");
    plans_deviates(&sweep, 2, "seeds added: 7 (3 runs)");
    plans_deviates(
        &sweep, 3,
        "grid extended by 2 runs (optim.lr=3,train.seed=0; optim.lr=3,train.seed=1)");
    plans_deviates(&sweep, 4, NULL);
    sweep.methods = "optim.lr";
    plans_deviates(&sweep, 1, "--method changed: none -> optim.lr");
    sweep.methods = NULL;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    sweep_print_plan(&sweep, out);
    fclose(out);
    assert_non_null(strstr(text, "plan: NOT followed (written 2"));
    assert_non_null(strstr(text, ", 4 runs; version "));
    assert_non_null(strstr(text, "): criterion changed: none -> midpoint; unfinished"));
    assert_true(strchr(text, '\n') == text + size - 1);
    free(text);
    sweep_close(&sweep);
}

static void a_plan_takes_no_other_plans_place(void **state) {
    Sweep sweep;
    Err err = ERR_NONE;
    size_t count;
    char plan[PATH_SIZE], second[PATH_SIZE], dir[PATH_SIZE], bare[PATH_SIZE];
    plans_path_in(plan, state, "plan.json");
    plans_path_in(second, state, "second.json");
    plans_path_in(dir, state, "sweep");
    plans_path_in(bare, state, "bare");
    OPEN(&sweep, GRID);
    plans_read_plan(&sweep, plan);
    plans_make_sweep(&sweep, dir, 1);
    sweep_close(&sweep);
    /* another grid by this file; this sweep by another file; runs that had no plan */
    OPEN(&sweep, "demo", "optim.lr=1,2,3", "train.seed=0,1", "train.steps=2");
    plans_read_plan(&sweep, plan);
    begin_refused(&sweep, bare, "is the plan of another grid");
    sweep_close(&sweep);
    OPEN(&sweep, GRID);
    plans_read_plan(&sweep, second);
    begin_refused(&sweep, dir, "second.json is not there");
    sweep_close(&sweep);
    OPEN(&sweep, GRID);
    plans_make_sweep(&sweep, bare, 1);
    sweep_close(&sweep);
    OPEN(&sweep, GRID);
    plans_read_plan(&sweep, second);
    begin_refused(&sweep, bare, "has runs without a plan");
    sweep_close(&sweep);
    assert_int_equal(access(second, F_OK), -1);
    assert_null(sweep_plan_words(second, &count, &err));
    assert_int_equal(err.status, FAIL_USAGE);
    static const char *const NONE[] = {
        "{\"plan\":1}", "{\"plan\":\"steady sweep\",\"words\":[\"demo\"],\"recipes\":[]}",
        "{\"plan\":\"steady sweep\",\"words\":[\"demo\"],\"recipes\":[{}],\"fail\":3}",
        ("{\"plan\":\"steady sweep\",\"words\":[\"demo\"],"
         "\"recipes\":[{}],\"method\":[]}"),
        ("{\"plan\":\"steady sweep\",\"words\":[\"demo\"],"
         "\"recipes\":[{}],\"definition\":3}")};
    for (size_t i = 0; i < COUNT(NONE); i++) {
        Err bad = ERR_NONE;
        files_write(*state, "second.json", NONE[i], strlen(NONE[i]));
        OPEN(&sweep, GRID);
        assert_int_equal(sweep_read_plan(&sweep, second, &bad), FAIL_DATA);
        sweep_close(&sweep);
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(cells_of_a_smaller_grid_keep_names_and_ends),
        FOLDER_TEST(a_grid_that_is_not_larger_is_another),
        FOLDER_TEST(names_stay_different_when_a_grid_grows),
        FOLDER_TEST(a_state_with_bad_names_is_refused),
        FOLDER_TEST(a_plan_is_written_before_the_first_run_and_followed),
        FOLDER_TEST(what_was_not_followed_is_named),
        FOLDER_TEST(a_plan_takes_no_other_plans_place),
    };
    return cmocka_run_group_tests_name("sweep_plan", cases, NULL, NULL);
}

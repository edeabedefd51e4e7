/* What runs of sweeps differ in, and equal runs (tools/sweep/factor.c, check.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "sweep_plans.h"
#include "tools/sweep/pool.h"

/* Two folders have a recipe r.ini each. */
static void make(void **state, Sweep *sweeps, const char *first, const char *second,
                 const char *word, const char *other) {
    char a[PATH_SIZE], b[PATH_SIZE];
    plans_path_in(a, state, "a/r.ini");
    plans_path_in(b, state, "b/r.ini");
    files_write(*state, "a/r.ini", first, strlen(first));
    files_write(*state, "b/r.ini", second, strlen(second));
    OPEN(&sweeps[0], a, "train.seed=1,2", word);
    OPEN(&sweeps[1], b, "train.seed=3,4", other);
    text_format(sweeps[0].dir, sizeof sweeps[0].dir, "one");
    text_format(sweeps[1].dir, sizeof sweeps[1].dir, "other");
}

static void pool_of(Pool *pool, const Sweep *sweeps, const char *method) {
    Err err = ERR_NONE;
    if (pool_open(pool, sweeps, 2, &(SweepChoice){.method = method}, &err))
        fail_msg("%s", err.text);
}

static void close_all(Pool *pool, Sweep *sweeps) {
    pool_close(pool);
    sweep_close(&sweeps[0]);
    sweep_close(&sweeps[1]);
}

#define PRE "[train]\nsteps = 2\n[model]\nnorm = pre\n"
#define POST "[train]\nsteps = 2\n[model]\nnorm = post\n"

static void recipes_of_one_name_that_differ_are_two_methods(void **state) {
    Sweep sweeps[2];
    Pool pool;
    make(state, sweeps, PRE, POST, "optim.lr=1,2", "optim.lr=1,2");
    pool_of(&pool, sweeps, NULL);
    assert_string_equal(pool.methods.title, "model.norm");
    assert_int_equal(pool.methods.count, 2);
    assert_string_equal(pool.methods.text[1], "post");
    close_all(&pool, sweeps);
}

static void what_follows_from_the_method_is_named(void **state) {
    Sweep sweeps[2];
    Pool pool;
    make(state, sweeps, PRE, POST, "optim.beta1=0.8", "optim.beta1=0.9");
    pool_of(&pool, sweeps, "optim.beta1");
    assert_string_equal(pool.along, "model.norm");
    close_all(&pool, sweeps);
}

static void equal_recipes_of_one_name_are_one_method(void **state) {
    Sweep sweeps[2];
    Pool pool;
    /* a comment; a default written out, also one that was not auto; what has no effect;
     * what changes no number */
    make(state, sweeps, PRE,
         PRE "; a note\npower_steps = 3\n[data]\nval_fraction = 0\ncache = 7\n",
         "optim.lr=1,2", "optim.lr=1,2");
    pool_of(&pool, sweeps, NULL);
    if (pool.methods.count != 1)
        fail_msg("%s: %s; %s", pool.methods.title, pool.methods.text[0],
                 pool.methods.text[1]);
    assert_string_equal(pool.along, "");
    close_all(&pool, sweeps);
}

/* Sweeps that keep other checkpoints are pooled; the same seeds twice are two folders. */
static void what_is_kept_of_runs_makes_no_method(void **state) {
    (void)state;
    static const struct {
        const char *keep, *seed, *method;
    } cases[] = {{"train.keep=1", "train.seed=3,4", ""},
                 {"train.checkpoint_every=7", "train.seed=3,4", ""},
                 {"train.keep=1", "train.seed=1,2", "sweep"},
                 {"train.keep=1,2", "train.seed=3,4", "train.keep"},
                 {"train.eval_every=7", "train.seed=3,4", "train.eval_every"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        Sweep sweeps[2];
        Pool pool;
        OPEN(&sweeps[0], "demo", "train.seed=1,2");
        OPEN(&sweeps[1], "demo", cases[i].keep, cases[i].seed);
        text_format(sweeps[1].dir, sizeof sweeps[1].dir, "other");
        pool_of(&pool, sweeps, NULL);
        assert_string_equal(pool.methods.title, cases[i].method);
        close_all(&pool, sweeps);
    }
}

/* Built-in recipes of different names differ in much that is not listed. */
static void other_names_need_no_list_of_keys(void **state) {
    (void)state;
    Sweep sweeps[2];
    Pool pool;
    OPEN(&sweeps[0], "demo", "train.seed=1,2");
    OPEN(&sweeps[1], "demo-sigma", "train.seed=1,2");
    pool_of(&pool, sweeps, NULL);
    assert_string_equal(pool.methods.title, "recipe");
    assert_string_equal(pool.along, "");
    close_all(&pool, sweeps);
}

#define LONG                                                                             \
    "100000000001,100000000002,100000000003,100000000004,100000000005,100000000006,"     \
    "100000000007,100000000008,100000000009,100000000010,100000000011,100000000012"

/* A setting longer than a name of a run is not cut, and so not taken for another. */
static void long_settings_stay_different(void **state) {
    (void)state;
    Sweep sweeps[2];
    Pool pool;
    OPEN(&sweeps[0], "demo", "train.seed=1,2", "schedule.name=step",
         "optim.beta1=0.8,0.9",
         "{schedule.step_at,optim.beta2}={{" LONG "},0.9;{" LONG "},0.99}");
    OPEN(&sweeps[1], "demo", "train.seed=3", "schedule.name=step", "optim.beta1=0.8",
         "schedule.step_at={7}", "optim.beta2=0.8");
    pool_of(&pool, sweeps, "optim.beta1");
    assert_int_equal(pool.rests.count, 3);
    close_all(&pool, sweeps);
}

/* Nor is its line in the figure. */
static void long_settings_have_lines_of_their_own(void **state) {
    (void)state;
    Sweep sweep;
    SweepPoint points[8];
    char names[8][SWEEP_NAME];
    const char *x;
    OPEN(&sweep, "demo", "schedule.name=step", "optim.lr=1,2",
         "schedule.step_at={" LONG ",100000000013;" LONG ",100000000014}",
         "train.seed=1,2");
    for (size_t c = 0; c < sweep.cell_count; c++) sweep.cells[c].exit = OK;
    assert_int_equal(sweep_points(&sweep, points, names, &x), 8);
    assert_string_equal(names[0], names[1]);
    assert_string_equal(names[0], names[4]); /* of another rate */
    assert_string_not_equal(names[0], names[2]);
    sweep_close(&sweep);
}

/* Of linked keys each is named beside its value, which may have commas. */
static void linked_keys_are_named_by_all_of_them(void **state) {
    (void)state;
    Sweep sweep;
    Pool pool;
    Err err = ERR_NONE;
    OPEN(&sweep, "demo,demo-sigma",
         "{model.init_std,optim.beta1,data.augment}={0.07,0.8,none;0.2,0.9,{crop:3,flip}"
         "}");
    SweepChoice choice = {.method = "recipe,optim.beta1", .base = NULL};
    assert_int_equal(pool_open(&pool, &sweep, 1, &choice, &err), OK);
    assert_string_equal(pool.methods.text[1],
                        "demo, init_std 0.2, beta1 0.9, augment crop:3,flip");
    pool_close(&pool);
    sweep_close(&sweep);
}

/* ---- equal runs ---- */

static void one_recipe_under_two_names_is_refused(void **state) {
    Sweep sweep;
    Err err = ERR_NONE;
    char both[2 * PATH_SIZE + 2], text[1000] = "";
    files_write(*state, "a.ini", PRE, strlen(PRE));
    files_write(*state, "b.ini", "; another\n" PRE, strlen("; another\n" PRE));
    files_write(*state, "c.ini", POST, strlen(POST));
    text_format(both, sizeof both, "%s/a.ini,%s/b.ini", (char *)*state, (char *)*state);
    OPEN(&sweep, both, "train.seed=1,2");
    assert_int_equal(sweep_check_twins(&sweep, true, NULL, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "a,train.seed=1 and b,train.seed=1 would be equal"));
    /* a sweep that has begun goes on */
    FILE *notes = fmemopen(text, sizeof text, "w");
    assert_int_equal(sweep_check_twins(&sweep, false, notes, &err), OK);
    fclose(notes);
    assert_non_null(strstr(text, ": 2 of 2 runs of recipe "));
    sweep_close(&sweep);
    text_format(both, sizeof both, "%s/a.ini,%s/c.ini", (char *)*state, (char *)*state);
    OPEN(&sweep, both, "train.seed=1,2");
    assert_int_equal(sweep_check_twins(&sweep, true, NULL, &err), OK);
    sweep_close(&sweep);
    /* some runs alone are a note */
    OPEN(&sweep, both, "train.seed=1,2", "a:model.norm=pre,post");
    *text = 0;
    notes = fmemopen(text, sizeof text, "w");
    assert_int_equal(sweep_check_twins(&sweep, true, notes, &err), FAIL_USAGE);
    fclose(notes);
    sweep_close(&sweep);
    OPEN(&sweep, both, "train.seed=1,2", "c:model.norm=pre,post");
    notes = fmemopen(text, sizeof text, "w");
    assert_int_equal(sweep_check_twins(&sweep, true, notes, &err), OK);
    fclose(notes);
    assert_non_null(strstr(text, ": 2 of 4 runs of recipe "));
    sweep_close(&sweep);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(recipes_of_one_name_that_differ_are_two_methods),
        FOLDER_TEST(what_follows_from_the_method_is_named),
        FOLDER_TEST(equal_recipes_of_one_name_are_one_method),
        FOLDER_TEST(what_is_kept_of_runs_makes_no_method),
        FOLDER_TEST(other_names_need_no_list_of_keys),
        FOLDER_TEST(long_settings_stay_different),
        FOLDER_TEST(long_settings_have_lines_of_their_own),
        FOLDER_TEST(linked_keys_are_named_by_all_of_them),
        FOLDER_TEST(one_recipe_under_two_names_is_refused),
    };
    return cmocka_run_group_tests_name("sweep_factor", cases, NULL, NULL);
}

/* What is not as a plan says, and the choice of methods (tools/sweep/plan_follow.c,
 * plan_recipe.c, plan_check.c, choice.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "sweep_plans.h"
#include "tools/program/say.h"
#include "tools/sweep/sweep.h"

#define GRID "demo", "optim.lr=1,2", "train.seed=0,1", "train.steps=2"

/* ---- recipes, definitions ---- */

static void a_recipe_that_changed_is_named(void **state) {
    static const char SMALL[] = "[train]\nsteps = 2\n";
    static const char OTHER[] = "# a note\n[train]\nsteps = 2\n[optim]\nlr = 0.5\n";
    Sweep sweep;
    char plan[PATH_SIZE], dir[PATH_SIZE], recipe[PATH_SIZE], sentence[2 * PATH_SIZE];
    plans_path_in(plan, state, "plan.json");
    plans_path_in(dir, state, "sweep");
    plans_path_in(recipe, state, "small.ini");
    files_write(*state, "small.ini", SMALL, strlen(SMALL));
    OPEN(&sweep, recipe);
    plans_read_plan(&sweep, plan);
    plans_begin(&sweep, dir);
    sweep.cells[0].exit = OK;
    files_write(*state, "small.ini", OTHER, strlen("# a note\n[train]\nsteps = 2\n"));
    plans_deviates(&sweep, 0, NULL); /* a comment is no change */
    files_write(*state, "small.ini", OTHER, strlen(OTHER));
    text_format(sentence, sizeof sentence, "recipe %s changed: optim.lr %s -> 0.5",
                recipe, "0.001");
    plans_deviates(&sweep, 0, sentence);
    /* a plan of an earlier version has the digest alone */
    json_object_del(json_array_get(json_object_get(sweep.plan, "recipes"), 0), "keys");
    text_format(sentence, sizeof sentence,
                "recipe %s changed (in which keys is not known: this plan has only its "
                "digest; the plan's words give none)",
                recipe);
    plans_deviates(&sweep, 0, sentence);
    sweep_close(&sweep);
}

static void a_change_of_what_the_words_give_is_none(void **state) {
    static const char SMALL[] = "[train]\nsteps = 2\n[optim]\nlr = 0.1\n";
    static const char OTHER[] = "[train]\nepochs = 7\n[optim]\nlr = 0.5\n";
    Sweep sweep;
    char plan[PATH_SIZE], dir[PATH_SIZE], recipe[PATH_SIZE];
    plans_path_in(plan, state, "plan.json");
    plans_path_in(dir, state, "sweep");
    plans_path_in(recipe, state, "small.ini");
    files_write(*state, "small.ini", SMALL, strlen(SMALL));
    OPEN(&sweep, recipe, "optim.lr=1,2", "train.steps=2");
    plans_read_plan(&sweep, plan);
    plans_begin(&sweep, dir);
    sweep.cells[0].exit = sweep.cells[1].exit = OK;
    files_write(*state, "small.ini", OTHER, strlen(OTHER));
    plans_deviates(&sweep, 0, NULL);
    sweep_close(&sweep);
}

static json_t *recipe_row(const Sweep *sweep) {
    return json_array_get(json_object_get(sweep->plan, "recipes"), 0);
}

/* Of a program whose default was another: the file is as it was. */
static void a_default_that_changed_is_named(void **state) {
    Sweep sweep;
    char plan[PATH_SIZE], dir[PATH_SIZE];
    plans_path_in(plan, state, "plan.json");
    plans_path_in(dir, state, "sweep");
    OPEN(&sweep, "demo", "train.steps=2");
    plans_read_plan(&sweep, plan);
    plans_begin(&sweep, dir);
    sweep.cells[0].exit = OK;
    plans_deviates(&sweep, 0, NULL);
    json_t *keys = json_object_get(recipe_row(&sweep), "keys");
    assert_string_equal(json_string_value(json_object_get(keys, "optim.beta1")), "0.9");
    assert_null(json_object_get(keys, "train.steps"));
    json_object_set_new(keys, "optim.beta1", json_string("0.8"));
    plans_deviates(&sweep, 0, "recipe demo changed: optim.beta1 0.8 -> 0.9");
    sweep_close(&sweep);
}

/* What is printed before the first run: what has not ended yet is no deviation. */
static void deviations_are_told_ahead_of_the_runs(void **state) {
    Sweep sweep;
    Err err = ERR_NONE;
    char plan[PATH_SIZE], dir[PATH_SIZE], text[1000];
    plans_path_in(plan, state, "plan.json");
    plans_path_in(dir, state, "sweep");
    OPEN(&sweep, GRID);
    assert_int_equal(sweep_set_fail(&sweep, "loss > 1", &err), OK);
    plans_read_plan(&sweep, plan);
    plans_begin(&sweep, dir);
    plans_ahead(&sweep, text);
    assert_string_equal(text, "");
    sweep.plan_written = false;
    plans_ahead(&sweep, text);
    assert_string_equal(text, "");
    assert_int_equal(sweep_set_fail(&sweep, "loss > 2", &err), OK);
    json_object_set_new(json_object_get(recipe_row(&sweep), "keys"), "model.norm",
                        json_string("post"));
    plans_ahead(&sweep, text);
    if (!strstr(text, "): criterion changed: loss > 1 -> loss > 2; recipe demo changed: "
                      "model.norm post -> pre\n"))
        fail_msg("%s", text);
    sweep_close(&sweep);
}

/* The same words mean the same, whichever version wrote them. */
static void a_definition_that_changed_is_named(void **state) {
    static const char OLD[] = "fails: midpoint, or a loss or gradient that is not finite";
    Sweep sweep;
    Err err = ERR_NONE;
    char plan[PATH_SIZE], dir[PATH_SIZE], now[SWEEP_DEFINITION], then[SWEEP_DEFINITION];
    plans_path_in(plan, state, "plan.json");
    plans_path_in(dir, state, "sweep");
    OPEN(&sweep, GRID);
    assert_int_equal(sweep_set_fail(&sweep, "midpoint", &err), OK);
    plans_read_plan(&sweep, plan);
    plans_begin(&sweep, dir);
    for (size_t c = 0; c < sweep.cell_count; c++) sweep.cells[c].exit = OK;
    sweep_fail_definition(&sweep, now, sizeof now);
    text_format(then, sizeof then, "%s%s", OLD, strchr(now, ';'));
    json_object_set_new(sweep.plan, "definition", json_string(then));
    plans_deviates(&sweep, 0, NULL);
    text_format(then, sizeof then, "%s; loss: of the last step", OLD);
    json_object_set_new(sweep.plan, "definition", json_string(then));
    Err why = ERR_NONE;
    json_t *list = sweep_deviations(&sweep, &why);
    const char *text = json_string_value(json_array_get(list, 0));
    static const char BEGIN[] = "definition of the criterion changed: loss: of the last "
                                "step -> loss: mean of the last fifth";
    if (!text || strncmp(text, BEGIN, strlen(BEGIN))) fail_msg("%s", text);
    json_decref(list);
    sweep_close(&sweep);
}

/* By hand: one member is changed and the words are not, or the other way round. */
static void a_plan_that_contradicts_itself_is_refused(void **state) {
    static const struct {
        const char *member, *json, *part;
    } cases[] = {
        {"words", "[\"demo\",\"train.seed=1,2,3\"]", "runs: 4, but its words give 3"},
        {"words", "[\"demo\",\"train.seed=1,2,3,4\"]",
         "seeds: 0, 1, but its words give 1, 2, 3, 4"},
        {"runs", "5", "runs: 5, but its words give 4"},
        {"runs", "null", "runs: 0, but its words give 4"},
        {"seeds", "[7,8,9]", "seeds: 7, 8, 9, but its words give 0, 1"},
        {"seeds", "[0]", "seeds: 0, but its words give 0, 1"},
        {"seeds", "\"0,1\"", "seeds: none, but its words give 0, 1"},
        {"recipes", "[{\"recipe\":\"demo-sigma\"}]",
         "recipes: demo-sigma in place 1, but its words give demo"},
        {"recipes", "[{\"recipe\":\"demo\"},{\"recipe\":\"mnist\"}]",
         "recipes: mnist in place 2, but its words give none"},
        {"method", "\"model.norm\"", "method: model.norm, but its words do not give it"},
        {"method", "\"optim.lr,train.batch\"", "method: train.batch, but"},
        {"definition", "\"fails: loss > 2, or\"",
         "fails: loss > 2, or, but fail: loss > 1"},
        {"fail", "\"loss > 2\"", "but fail: loss > 2"},
    };
    Sweep sweep;
    Err err = ERR_NONE;
    char plan[PATH_SIZE], bad[PATH_SIZE], dir[PATH_SIZE];
    plans_path_in(plan, state, "plan.json");
    plans_path_in(bad, state, "bad.json");
    plans_path_in(dir, state, "sweep");
    OPEN(&sweep, GRID);
    assert_int_equal(sweep_set_fail(&sweep, "loss > 1", &err), OK);
    plans_read_plan(&sweep, plan);
    plans_begin(&sweep, dir);
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *copy = json_deep_copy(sweep.plan);
        json_object_set_new(copy, cases[i].member,
                            json_loads(cases[i].json, JSON_DECODE_ANY, NULL));
        assert_int_equal(json_dump_file(copy, bad, 0), 0);
        json_decref(copy);
        Sweep other;
        Err why = ERR_NONE;
        OPEN(&other, GRID);
        assert_int_equal(sweep_read_plan(&other, bad, &why), FAIL_DATA);
        if (!strstr(why.text, cases[i].part)) fail_msg("%s", why.text);
        sweep_close(&other);
    }
    sweep_close(&sweep);
}

/* ---- methods and baseline ---- */

static void a_folder_keeps_its_methods_and_baseline(void **state) {
    Sweep sweep;
    char dir[PATH_SIZE], *text = NULL;
    size_t size;
    plans_path_in(dir, state, "sweep");
    OPEN(&sweep, GRID);
    sweep.methods = "optim.lr";
    sweep.base = "2";
    plans_make_sweep(&sweep, dir, 4);
    sweep_close(&sweep);
    OPEN(&sweep, GRID);
    plans_begin(&sweep, dir);
    assert_string_equal(sweep_choice(&sweep).method, "optim.lr");
    assert_string_equal(sweep_choice(&sweep).base, "2");
    /* of other methods this is no baseline */
    sweep.methods = "train.seed";
    assert_null(sweep_choice(&sweep).base);
    FILE *out = open_memstream(&text, &size);
    sweep_print_choice(&sweep, out);
    fclose(out);
    assert_non_null(strstr(text, "sweep: --method changed: optim.lr -> train.seed\n"));
    assert_non_null(strstr(text, "sweep: --baseline changed: 2 -> none\n"));
    free(text);
    sweep_close(&sweep);
}

static void a_plan_has_its_baseline(void **state) {
    Sweep sweep;
    Err err = ERR_NONE;
    char plan[PATH_SIZE], dir[PATH_SIZE];
    plans_path_in(plan, state, "plan.json");
    plans_path_in(dir, state, "sweep");
    SweepChoice choice = {.base = "3"};
    OPEN(&sweep, GRID);
    sweep.methods = "optim.lr";
    sweep.base = "2";
    plans_read_plan(&sweep, plan);
    plans_begin(&sweep, dir);
    sweep_close(&sweep);
    OPEN(&sweep, GRID);
    plans_read_plan(&sweep, plan);
    assert_string_equal(sweep_choice(&sweep).base, "2");
    sweep.base = "1";
    for (size_t c = 0; c < sweep.cell_count; c++) sweep.cells[c].exit = OK;
    plans_deviates(&sweep, 0, "--baseline changed: 2 -> 1");
    choice.method = sweep_choice(&sweep).method;
    assert_int_equal(sweep_check_choice(&sweep, &choice, &err), FAIL_USAGE);
    sweep_close(&sweep);
}

static void hear(void *context, const char *line) {
    text_format(context, 1000, "%s", line);
}

/* Its methods were the values of model.norm, now they are recipes. */
static void a_baseline_that_is_no_method_any_more_is_dropped(void **state) {
    Sweep sweep;
    Err err = ERR_NONE;
    char dir[PATH_SIZE], note[1000] = "";
    plans_path_in(dir, state, "sweep");
    OPEN(&sweep, "demo", "train.steps=2", "model.norm=pre,post");
    sweep.base = "post";
    plans_make_sweep(&sweep, dir, 2);
    sweep_close(&sweep);
    OPEN(&sweep, "demo,demo-sigma", "train.steps=2", "model.norm=pre,post");
    Listener before = say_to((Listener){hear, note});
    plans_begin(&sweep, dir);
    assert_non_null(strstr(note, "the earlier baseline is dropped (--baseline post: no "
                                 "such method; expected one of demo; demo-sigma)"));
    assert_null(sweep_choice(&sweep).base);
    sweep_close(&sweep);
    *note = 0; /* the state has none now */
    OPEN(&sweep, "demo,demo-sigma", "train.steps=2", "model.norm=pre,post");
    if (sweep_read(&sweep, dir, &err)) fail_msg("%s", err.text);
    say_to(before);
    assert_string_equal(note, "");
    sweep_close(&sweep);
}

static void a_planned_baseline_that_is_no_method_any_more_is_a_deviation(void **state) {
    Sweep sweep;
    char plan[PATH_SIZE], dir[PATH_SIZE], note[1000] = "";
    plans_path_in(plan, state, "plan.json");
    plans_path_in(dir, state, "sweep");
    OPEN(&sweep, "demo", "train.steps=2", "model.norm=pre,post");
    sweep.base = "post";
    plans_read_plan(&sweep, plan);
    plans_make_sweep(&sweep, dir, 2);
    sweep_close(&sweep);
    OPEN(&sweep, "demo,demo-sigma", "train.steps=2", "model.norm=pre,post");
    Listener before = say_to((Listener){hear, note});
    plans_begin(&sweep, dir);
    say_to(before);
    assert_non_null(strstr(note, "the planned baseline is dropped (--baseline post: "));
    plans_deviates(&sweep, 0, "--baseline changed: post -> none");
    sweep_close(&sweep);
}

/* What is given now and what the folder has are judged together. */
static void a_baseline_is_one_of_the_folders_methods(void **state) {
    static const struct {
        const char *base;
        Status wanted;
    } cases[] = {{"demo-sigma", FAIL_USAGE}, {"post", OK}};
    Sweep sweep;
    Err err = ERR_NONE;
    char dir[PATH_SIZE];
    size_t size;
    plans_path_in(dir, state, "sweep");
    OPEN(&sweep, "demo,demo-sigma", "train.steps=2", "model.norm=pre,post");
    sweep.methods = "model.norm";
    plans_make_sweep(&sweep, dir, 4);
    sweep_close(&sweep);
    for (size_t i = 0; i < COUNT(cases); i++) {
        OPEN(&sweep, "demo,demo-sigma", "train.steps=2", "model.norm=pre,post");
        sweep.base = cases[i].base;
        err = ERR_NONE;
        assert_int_equal(sweep_begin(&sweep, dir, &err), cases[i].wanted);
        char *saved = (char *)files_read(*state, "sweep/sweep.json", &size);
        assert_int_equal(!!strstr(saved, "\"baseline\""), cases[i].wanted == OK);
        mem_free(saved);
        sweep_close(&sweep);
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(a_recipe_that_changed_is_named),
        FOLDER_TEST(a_change_of_what_the_words_give_is_none),
        FOLDER_TEST(a_default_that_changed_is_named),
        FOLDER_TEST(deviations_are_told_ahead_of_the_runs),
        FOLDER_TEST(a_definition_that_changed_is_named),
        FOLDER_TEST(a_plan_that_contradicts_itself_is_refused),
        FOLDER_TEST(a_folder_keeps_its_methods_and_baseline),
        FOLDER_TEST(a_plan_has_its_baseline),
        FOLDER_TEST(a_baseline_that_is_no_method_any_more_is_dropped),
        FOLDER_TEST(a_planned_baseline_that_is_no_method_any_more_is_a_deviation),
        FOLDER_TEST(a_baseline_is_one_of_the_folders_methods),
    };
    return cmocka_run_group_tests_name("sweep_follow", cases, NULL, NULL);
}

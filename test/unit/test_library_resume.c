/* A file of steady_model_save in a model of another recipe (include/steady.h). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "include/steady.h"

static const char RECIPE[] =
    "[train]\nsteps = 4\nbatch = 4\nthreads = 1\n[model]\nwidth = 16\ndepth = 1\n"
    "heads = 2\npatch = 7\n[data]\nsynthetic_count = 20\n";

static void keep_last(void *context, const char *line) { strncpy(context, line, 999); }

static steady_model *model_new(const char *key, const char *value, char *note) {
    steady_error error;
    steady_recipe *recipe;
    steady_model *model = NULL;
    steady_listener listener = {keep_last, note};
    if (steady_recipe_parse(RECIPE, &recipe, &error) ||
        (key && steady_recipe_set(recipe, key, value, &error)) ||
        steady_model_new(recipe, NULL, &listener, &model, &error))
        fail_msg("%s", error.text);
    steady_recipe_free(recipe);
    *note = 0;
    return model;
}

/* The note of resuming from three steps of RECIPE. */
static steady_model *resumed(const char *key, const char *value, char *note) {
    char path[1100];
    const char *tmp = getenv("TMP");
    steady_model *model = model_new(NULL, NULL, note);
    snprintf(path, sizeof path, "%s/resumed.safetensors", tmp ? tmp : "/tmp");
    for (int i = 0; i < 3; i++)
        assert_int_equal(steady_model_step(model, NULL, NULL), STEADY_OK);
    assert_int_equal(steady_model_save(model, path, NULL), STEADY_OK);
    steady_model_free(model);
    model = model_new(key, value, note);
    assert_int_equal(steady_model_resume(model, path, NULL), STEADY_OK);
    unlink(path);
    assert_int_equal(steady_model_done(model), 3);
    return model;
}

static void the_same_recipe_brings_no_note(void **state) {
    (void)state;
    char note[1000] = "";
    steady_model_free(resumed(NULL, NULL, note));
    assert_string_equal(note, "");
}

static void keys_that_differ_are_named(void **state) {
    (void)state;
    char note[1000] = "";
    steady_model_free(resumed("optim.lr", "0.5", note));
    if (!strstr(note, "optim.lr changed from ")) fail_msg("%s", note);
}

static void no_step_follows_behind_the_last(void **state) {
    (void)state;
    char note[1000] = "";
    steady_model *model = resumed("train.steps", "2", note);
    assert_int_equal(steady_model_step(model, NULL, NULL), STEADY_USAGE);
    assert_int_equal(steady_model_done(model), 3);
    steady_model_free(model);
}

/* Left before, at and behind the moment of a temperature: the same steps follow. */
static void interventions_act_in_a_model_that_is_resumed(void **state) {
    (void)state;
    static const char CHANGE[] = "at = 2\nmodel.temperature = 0.05\n";
    char note[1000], path[1100], text[400];
    const char *tmp = getenv("TMP");
    steady_step wanted[4], plain, step;
    steady_recipe *recipe;
    snprintf(text, sizeof text, "%s[intervene]\n%s", RECIPE, CHANGE);
    snprintf(path, sizeof path, "%s/intervened.safetensors", tmp ? tmp : "/tmp");
    assert_int_equal(steady_recipe_parse(text, &recipe, NULL), STEADY_OK);
    for (int stop = 1; stop < 4; stop++) {
        steady_listener listener = {keep_last, note};
        steady_model *whole, *rest, *other = model_new(NULL, NULL, note);
        assert_int_equal(steady_model_new(recipe, NULL, &listener, &whole, NULL), 0);
        assert_int_equal(steady_model_new(recipe, NULL, &listener, &rest, NULL), 0);
        *note = 0;
        for (int i = 0; i < 4; i++) {
            assert_int_equal(steady_model_step(whole, &wanted[i], NULL), STEADY_OK);
            assert_int_equal(steady_model_step(other, &plain, NULL), STEADY_OK);
            assert_true((plain.loss == wanted[i].loss) == (i < 2));
            if (i + 1 == stop)
                assert_int_equal(steady_model_save(whole, path, NULL), STEADY_OK);
        }
        assert_non_null(strstr(note, "model.temperature changed from 1 to 0.05"));
        assert_int_equal(steady_model_resume(rest, path, NULL), STEADY_OK);
        for (int i = stop; i < 4; i++) {
            assert_int_equal(steady_model_step(rest, &step, NULL), STEADY_OK);
            assert_memory_equal(&step, &wanted[i], sizeof step);
        }
        steady_model_free(whole);
        steady_model_free(rest);
        steady_model_free(other);
    }
    steady_recipe_free(recipe);
    unlink(path);
}

/* y = x, or not a number. */
static void spoil(void *spoilt, size_t rows, size_t width, const float *x, float *y) {
    for (size_t i = 0; i < rows * width; i++) y[i] = *(bool *)spoilt ? NAN : x[i];
}

static void pass_on(void *spoilt, size_t rows, size_t width, const float *x,
                    const float *y, const float *dy, float *dx) {
    (void)spoilt, (void)x, (void)y;
    memcpy(dx, dy, rows * width * sizeof *dx);
}

static void batches_of_steps_that_diverged_are_not_taken_again(void **state) {
    (void)state;
    char note[1000], path[1100];
    const char *tmp = getenv("TMP");
    bool spoilt = false;
    steady_op op = {&spoilt, spoil, pass_on};
    steady_step wanted, step;
    steady_model *whole = model_new(NULL, NULL, note),
                 *rest = model_new(NULL, NULL, note);
    snprintf(path, sizeof path, "%s/passed.safetensors", tmp ? tmp : "/tmp");
    steady_model_set_op(whole, &op, NULL);
    assert_int_equal(steady_model_step(whole, NULL, NULL), STEADY_OK);
    spoilt = true;
    assert_int_equal(steady_model_step(whole, NULL, NULL), STEADY_DIVERGED);
    spoilt = false;
    assert_int_equal(steady_model_save(whole, path, NULL), STEADY_OK);
    assert_int_equal(steady_model_resume(rest, path, NULL), STEADY_OK);
    unlink(path);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(steady_model_step(whole, &wanted, NULL), STEADY_OK);
        assert_int_equal(steady_model_step(rest, &step, NULL), STEADY_OK);
        assert_memory_equal(&step, &wanted, sizeof step);
    }
    steady_model_free(whole);
    steady_model_free(rest);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_same_recipe_brings_no_note),
        cmocka_unit_test(keys_that_differ_are_named),
        cmocka_unit_test(batches_of_steps_that_diverged_are_not_taken_again),
        cmocka_unit_test(interventions_act_in_a_model_that_is_resumed),
        cmocka_unit_test(no_step_follows_behind_the_last),
    };
    return cmocka_run_group_tests_name("library_resume", cases, NULL, NULL);
}

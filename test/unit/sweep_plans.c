#include "sweep_plans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"

void plans_path_in(char path[PATH_SIZE], void *const *state, const char *name) {
    rundir_path(path, *state, "%s", name);
}

/* The cell has been trained. */
static void end_run(Sweep *sweep, size_t cell) {
    static const char ROWS[] = "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":1}\n";
    char name[PATH_SIZE], path[PATH_SIZE];
    Err err = ERR_NONE;
    Recipe recipe;
    text_format(name, sizeof name, "cells/%s/train.jsonl", sweep->cells[cell].name);
    files_write(sweep->dir, name, ROWS, strlen(ROWS));
    text_format(name, sizeof name, "cells/%s/checkpoints/step-00000002.safetensors",
                sweep->cells[cell].name);
    files_write(sweep->dir, name, "", 0);
    assert_int_equal(sweep_recipe(sweep, cell, &recipe, &err), OK);
    rundir_path(path, sweep->dir, "cells/%s/recipe.ini", sweep->cells[cell].name);
    assert_int_equal(recipe_save(&recipe, path, NULL, &err), OK);
    sweep->cells[cell].exit = OK;
}

void plans_make_sweep(Sweep *sweep, const char *dir, size_t ended) {
    Err err = ERR_NONE;
    if (sweep_begin(sweep, dir, &err)) fail_msg("%s", err.text);
    for (size_t c = 0; c < ended; c++) end_run(sweep, c);
    assert_int_equal(sweep_save(sweep, &err), OK);
}

void plans_read_plan(Sweep *sweep, const char *path) {
    Err err = ERR_NONE;
    if (sweep_read_plan(sweep, path, &err)) fail_msg("%s", err.text);
}

void plans_begin(Sweep *sweep, const char *dir) {
    Err err = ERR_NONE;
    if (sweep_begin(sweep, dir, &err)) fail_msg("%s", err.text);
}

void plans_deviates(const Sweep *sweep, size_t i, const char *sentence) {
    Err err = ERR_NONE;
    json_t *list = sweep_deviations(sweep, &err);
    if (!list) fail_msg("%s", err.text);
    const char *text = json_string_value(json_array_get(list, i));
    if (!sentence && text) fail_msg("%s", text);
    if (sentence) assert_string_equal(text, sentence);
    json_decref(list);
}

void plans_ahead(const Sweep *sweep, char text[1000]) {
    FILE *out = fmemopen(text, 1000, "w");
    *text = 0;
    sweep_print_plan_ahead(sweep, out);
    fclose(out);
}

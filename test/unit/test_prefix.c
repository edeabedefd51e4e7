/* Names of tensors behind a prefix, as wrappers of other programs save them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tensor_files.h"
#include "tools/program/say.h"
#include "tools/run/checkpoint.h"
#include "tools/task/init.h"

static char said[4000];

static void hear(void *context, const char *line) {
    (void)context;
    size_t used = strlen(said);
    snprintf(said + used, sizeof said - used, "%s\n", line);
}

static Task *open_task(Recipe *recipe, const char *word) {
    static const char *const WORDS[] = {"data.synthetic_count=40", "model.depth=1",
                                        "model.width=16", "model.heads=2"};
    Err err = ERR_NONE;
    *recipe = recipe_default();
    assert_int_equal(recipe_load(recipe, "demo", &err), OK);
    for (size_t i = 0; i < COUNT(WORDS); i++)
        assert_int_equal(recipe_set(recipe, WORDS[i], &err), OK);
    if (*word && recipe_set(recipe, word, &err)) fail_msg("%s", err.text);
    Task *task = task_open(recipe, NULL, &err);
    if (!task) fail_msg("%s", err.text);
    return task;
}

/* The tensors of the model under each of the prefixes. */
static const char *save(Task *task, const char *const *prefixes, size_t count) {
    Err err = ERR_NONE;
    const ParamSet *params = task->model->params;
    SafetensorsWriter *writer = safetensors_writer_new();
    task_initialize(task);
    for (size_t p = 0; p < count; p++) {
        for (size_t i = 0; i < params->count; i++) {
            char name[SAFETENSORS_NAME_MAX];
            const Tensor *t = &params->list[i]->tensor;
            text_format(name, sizeof name, "%s%s", prefixes[p], params->list[i]->name);
            safetensors_add(writer, name, t->dims, t->shape, t->value);
        }
    }
    const char *path = tensors_path("wrapped.safetensors");
    if (safetensors_save(writer, path, &err)) fail_msg("%s", err.text);
    safetensors_writer_free(writer);
    return path;
}

/* What becomes of a model with other weights that is filled from such a file; `same`: it
 * has the file's then. */
static Status fill(const char *word, const char *const *prefixes, size_t count,
                   bool *same, Err *err) {
    Recipe from, to;
    Task *one = open_task(&from, ""), *other = open_task(&to, "train.seed=7");
    const char *path = save(one, prefixes, count);
    text_format(to.train.init, sizeof to.train.init, "%s", path);
    if (*word) assert_int_equal(recipe_set(&to, word, err), OK);
    *said = 0;
    Listener before = say_to((Listener){hear, NULL});
    Status status = init_weights(other, "", err);
    say_to(before);
    const Param *a = params_find(one->model->params, "blocks.0.mlp.fc1.weight"),
                *b = params_find(other->model->params, "blocks.0.mlp.fc1.weight");
    *same = !memcmp(a->tensor.value, b->tensor.value, a->tensor.size * sizeof(real));
    task_free(one);
    task_free(other);
    return status;
}

static void a_common_prefix_is_taken_off_and_said(void **state) {
    static const char *const NAMES[] = {"model.", "_orig_mod.module.", "vit/"};
    (void)state;
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        for (size_t transfer = 0; transfer < 2; transfer++) {
            Err err = ERR_NONE;
            char note[100];
            bool same;
            if (fill(transfer ? "train.transfer=true" : "", &NAMES[i], 1, &same, &err))
                fail_msg("%s", err.text);
            assert_true(same);
            text_format(note, sizeof note, "read without their prefix %s\n", NAMES[i]);
            assert_non_null(strstr(said, note));
        }
    }
}

static void names_of_the_model_are_not_touched(void **state) {
    static const char *const NAMES[] = {"", "ema."};
    Err err = ERR_NONE;
    bool same;
    (void)state;
    assert_int_equal(fill("", NAMES, 2, &same, &err), OK);
    assert_true(same);
    assert_null(strstr(said, "prefix"));
}

static void of_two_prefixes_none_is_guessed(void **state) {
    static const char *const NAMES[] = {"student.", "teacher."};
    bool same;
    (void)state;
    for (size_t transfer = 0; transfer < 2; transfer++) {
        Err err = ERR_NONE;
        const char *word = transfer ? "train.transfer=true" : "";
        assert_int_equal(fill(word, NAMES, 2, &same, &err), FAIL_DATA);
        assert_non_null(strstr(err.text, "begin with student. or with teacher., "));
    }
}

static void names_that_nobody_knows_are_shown(void **state) {
    static const char *const NAMES[] = {"my"};
    Err err = ERR_NONE;
    bool same;
    (void)state;
    assert_int_equal(fill("", NAMES, 1, &same, &err), FAIL_DATA);
    assert_non_null(strstr(err.text, "; the file has mycls_token, mypos_embed, "));
}

static void a_name_is_never_taken_off_onto_another(void **state) {
    Err err = ERR_NONE;
    (void)state;
    SafetensorsWriter *writer = safetensors_writer_new();
    static const char *const NAMES[] = {"a.x", "x", "a."};
    for (size_t i = 0; i < COUNT(NAMES); i++)
        safetensors_add(writer, NAMES[i], 1, &(size_t){6}, tensors_small);
    const char *path = tensors_path("names.safetensors");
    if (safetensors_save(writer, path, &err)) fail_msg("%s", err.text);
    safetensors_writer_free(writer);
    Safetensors *file = tensors_open_good(path);
    assert_false(safetensors_strip(file, "a."));
    assert_non_null(safetensors_find(file, "a.x"));
    assert_true(safetensors_strip(file, "b."));
    safetensors_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_common_prefix_is_taken_off_and_said),
        cmocka_unit_test(names_of_the_model_are_not_touched),
        cmocka_unit_test(of_two_prefixes_none_is_guessed),
        cmocka_unit_test(names_that_nobody_knows_are_shown),
        cmocka_unit_test(a_name_is_never_taken_off_onto_another),
    };
    return cmocka_run_group_tests(tests, tensors_make_folder, tensors_remove_folder);
}

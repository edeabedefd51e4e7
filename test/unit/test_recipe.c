/* Recipes: reading, refusing, writing (tools/recipe/recipe.h, tools/recipe/inifile.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/unit/recipe_text.h"
#include "tools/recipe/keys.h"

/* ---- helpers ---- */

static char folder[] = "/tmp/steady-recipe-XXXXXX";

static char file_path[100];

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return 1;
    text_format(file_path, sizeof file_path, "%s/my.ini", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(file_path);
    return rmdir(folder);
}

static void write_bytes(const char *bytes, size_t length) {
    FILE *file = fopen(file_path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static Status load_text(Recipe *recipe, const char *text, Err *err) {
    write_bytes(text, strlen(text));
    *recipe = recipe_default();
    return recipe_load(recipe, file_path, err);
}

/* The text is refused, and the message has all of the parts. */
static void refused(const char *text, const char *const *parts) {
    Recipe recipe;
    Err err = ERR_NONE;
    assert_int_equal(load_text(&recipe, text, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "my.ini"));
    for (; *parts; parts++)
        if (!strstr(err.text, *parts)) fail_msg("`%s` lacks `%s`", err.text, *parts);
}

#define REFUSED(text, ...) refused(text, (const char *const[]){__VA_ARGS__, NULL})

static void word_refused(const char *word, const char *part) {
    Recipe recipe = recipe_default();
    Err err = ERR_NONE;
    assert_int_equal(recipe_set(&recipe, word, &err), FAIL_USAGE);
    if (strncmp(err.text, "command line: ", 14) || !strstr(err.text, part))
        fail_msg("%s: `%s` lacks `%s`", word, err.text, part);
}

static char *long_text(size_t length) {
    char *text = test_malloc(length + 1);
    for (size_t i = 0; i < length; i++) text[i] = "/abc def;#="[i % 11];
    text[0] = '/';
    text[length - 1] = 'z';
    text[length] = 0;
    return text;
}

/* ---- writing and reading back ---- */

static void a_saved_recipe_loads_back_to_the_same_bytes(void **state) {
    (void)state;
    for (size_t i = 0; i < recipe_builtin_count(); i++) {
        Recipe recipe = recipe_default(), again = recipe_default();
        Err err = ERR_NONE;
        assert_int_equal(recipe_load(&recipe, recipe_builtin_name(i), &err), OK);
        assert_int_equal(recipe_set(&recipe, "optim.lr=0.1234567890123456789", &err), OK);
        assert_int_equal(recipe_save(&recipe, file_path, NULL, &err), OK);
        if (recipe_load_file(&again, file_path, NULL, &err)) fail_msg("%s", err.text);
        assert_true(again.optim.lr == recipe.optim.lr);
        char *first = recipe_text(&recipe), *second = recipe_text(&again);
        assert_string_equal(first, second);
        free(first), free(second);
    }
}

static void a_saved_recipe_has_every_key_of_its_task(void **state) {
    (void)state;
    Recipe recipe = recipe_default();
    char *text = recipe_text(&recipe);
    for (size_t i = 0; i < keys_count; i++) {
        char line[60];
        text_format(line, sizeof line, "\n%s =", keys[i].name);
        if (!strcmp(keys[i].section, "intervene")) continue; /* has none here */
        if (key_applies(&keys[i], &recipe)) assert_non_null(strstr(text, line));
    }
    free(text);
}

static void reals_are_printed_with_the_fewest_digits_that_read_back(void **state) {
    (void)state;
    static const char *const values[] = {
        "0.1",   "1e-08", "3", "65520", "0.30000000000000004", "1.7976931348623157e+308",
        "5e-324"};
    for (size_t i = 0; i < COUNT(values); i++) {
        Recipe recipe = recipe_default();
        char word[60], value[60];
        text_format(word, sizeof word, "optim.lr=%s", values[i]);
        assert_int_equal(recipe_set(&recipe, word, NULL), OK);
        assert_int_equal(recipe_get(&recipe, "optim.lr", value, sizeof value, NULL), OK);
        assert_string_equal(value, values[i]);
    }
}

static void a_text_of_1023_characters_goes_through_a_file(void **state) {
    (void)state;
    char *path = long_text(1023);
    Recipe recipe = recipe_default(), again = recipe_default();
    Err err = ERR_NONE;
    memcpy(recipe.data.path, path, 1024);
    memcpy(recipe.train.init, path, 1024);
    assert_int_equal(recipe_save(&recipe, file_path, NULL, &err), OK);
    if (recipe_load_file(&again, file_path, NULL, &err)) fail_msg("%s", err.text);
    assert_string_equal(again.data.path, path);
    assert_string_equal(again.train.init, path);
    test_free(path);
}

static void sixty_four_steps_go_through_a_file(void **state) {
    (void)state;
    Recipe recipe = recipe_default(), again = recipe_default();
    Err err = ERR_NONE;
    for (size_t i = 0; i < SCHEDULE_STEPS_MAX; i++)
        recipe.schedule.step_at[i] = 999999999000 + (double)i;
    recipe.schedule.step_count = SCHEDULE_STEPS_MAX;
    assert_int_equal(recipe_save(&recipe, file_path, NULL, &err), OK);
    if (recipe_load_file(&again, file_path, NULL, &err)) fail_msg("%s", err.text);
    assert_int_equal(again.schedule.step_count, SCHEDULE_STEPS_MAX);
    assert_memory_equal(again.schedule.step_at, recipe.schedule.step_at,
                        sizeof again.schedule.step_at);
}

/* ---- what is refused, and how ---- */

static void an_unknown_key_is_named_with_file_line_and_neighbour(void **state) {
    (void)state;
    REFUSED("# x\n\n[model]\nwidth = 64\nwidht = 3\n",
            "my.ini:5:", "unknown key model.widht", "model.width?");
    REFUSED("[train]\nlr = 1\n", "my.ini:2:", "optim.lr?");
    REFUSED("[optim]\nleraning_rate = 1\n",
            "my.ini:2:", "unknown key optim.leraning_rate");
    word_refused("model.dpeth=3", "did you mean model.depth?");
    word_refused("lr=3", "did you mean optim.lr?");
    word_refused("nonsense", "not section.key=value");
    word_refused("=3", "unknown key");
}

static void an_unknown_section_is_named_with_its_line(void **state) {
    (void)state;
    REFUSED("[task]\n[modle]\n", "my.ini:2:", "[modle]", "[model]?");
    REFUSED("[model\nwidth = 3\n", "my.ini:1:", "]");
}

static void an_unknown_value_is_answered_with_the_choices(void **state) {
    (void)state;
    REFUSED("[model]\nnorm = prr\n", "my.ini:2:", "pre, post, deepnorm, none",
            "mean pre?");
    REFUSED("[data]\nsource = glyps\n", "my.ini:2:", "glyphs, idx", "mean glyphs?");
    REFUSED("[data]\naugment = flop\n", "my.ini:2:", "data.augment: unknown \"flop\"");
    word_refused("model.reparam=sgima", "did you mean sigma?");
    word_refused("model.norm=", "(nothing)");
}

static void what_is_not_built_in_yet_says_so(void **state) {
    (void)state;
    word_refused("guard.collapse=reparam",
                 "not built in yet; this version has: warn, stop");
}

static void numbers_are_read_whole_and_kept_in_range(void **state) {
    (void)state;
    static const char *const bad[] = {"model.width=64x",
                                      "model.width=-1",
                                      "model.width=0",
                                      "model.width=1.5",
                                      "model.width=+5",
                                      "model.width= ",
                                      "optim.lr=nan",
                                      "optim.lr=inf",
                                      "optim.lr=-1",
                                      "optim.lr=1e999",
                                      "optim.lr=fast",
                                      "optim.lr=0.1 0.2",
                                      "optim.beta1=1",
                                      "optim.eps=-1",
                                      "optim.momentum=1",
                                      "model.dropout=1",
                                      "model.temperature=0",
                                      "model.mlp_ratio=0",
                                      "model.mlp_ratio=1e300",
                                      "schedule.warmup_steps=1000000000001",
                                      "schedule.warmup_epochs=1000001",
                                      "train.epochs=1000001",
                                      "train.steps=1000000000001",
                                      "intervene.at_epoch=1e300",
                                      "data.repeat=1001",
                                      "data.synthetic_count=1000000001",
                                      "train.seed=-1",
                                      "train.seed=18446744073709551616",
                                      "train.batch=99999999999999999999999",
                                      "data.mean=",
                                      "data.mean=1,2,3,4,5",
                                      "data.mean=1,,2",
                                      "data.mean=1,",
                                      "data.mean=1;2",
                                      "data.std=0",
                                      "schedule.step_at=1.5",
                                      "schedule.step_at=0",
                                      "optim.nesterov=maybe",
                                      "train.ema=1"};
    for (size_t i = 0; i < COUNT(bad); i++) word_refused(bad[i], "expected");
    REFUSED("[optim]\nlr = fast\n", "my.ini:2:", "optim.lr = fast", "number >= 0");
}

static void numbers_and_flags_take_their_usual_forms(void **state) {
    (void)state;
    static const char *const good[] = {"optim.lr=2e-2",
                                       "optim.lr = .02",
                                       "optim.eps=auto",
                                       "optim.eps=0",
                                       "data.mean=.5 .4 .3",
                                       "data.mean=0.5, 0.4,0.3",
                                       "data.mean=-1",
                                       "schedule.step_at=",
                                       "schedule.step_at=10 20 30",
                                       "optim.nesterov=yes",
                                       "optim.nesterov=off",
                                       "optim.nesterov=1",
                                       "train.seed=18446744073709551615"};
    Recipe recipe = recipe_default();
    Err err = ERR_NONE;
    for (size_t i = 0; i < COUNT(good); i++)
        if (recipe_set(&recipe, good[i], &err)) fail_msg("%s", err.text);
    assert_true(recipe.train.seed == UINT64_MAX && recipe.optim.nesterov);
    assert_true(recipe.optim.lr == 0.02 && recipe.schedule.step_count == 3);
    assert_true(recipe.data.mean_count == 1 && recipe.data.mean[0] == -1);
}

static void choices_are_read_with_either_joining_sign(void **state) {
    (void)state;
    Recipe recipe = recipe_default();
    char value[60];
    static const char *const words[][3] = {
        {"model.qkv=qk_v", "model.qkv", "qk-v"},
        {"model.qkv=separate", "model.qkv", "separate"},
        {"schedule.name=inverse_sqrt", "schedule.name", "inverse-sqrt"},
        {"schedule.name=inverse-sqrt", "schedule.name", "inverse-sqrt"}};
    for (size_t i = 0; i < COUNT(words); i++) {
        assert_int_equal(recipe_set(&recipe, words[i][0], NULL), OK);
        assert_int_equal(recipe_get(&recipe, words[i][1], value, sizeof value, NULL), OK);
        assert_string_equal(value, words[i][2]);
    }
    word_refused("schedule.name=inverse", "did you mean inverse-sqrt?");
    word_refused("schedule.name=inverse_sqrt_", "did you mean inverse-sqrt?");
}

static void recompute_is_also_a_flag_and_other_choices_are_not(void **state) {
    (void)state;
    Recipe recipe = recipe_default();
    char value[60];
    assert_int_equal(recipe_set(&recipe, "train.recompute=true", NULL), OK);
    assert_int_equal(recipe.train.recompute, RECOMPUTE_BLOCK);
    recipe_get(&recipe, "train.recompute", value, sizeof value, NULL);
    assert_string_equal(value, "block");
    assert_int_equal(recipe_set(&recipe, "train.recompute=false", NULL), OK);
    assert_int_equal(recipe.train.recompute, RECOMPUTE_NONE);
    word_refused("train.recompute=maybe", "none, block");
    word_refused("model.pool=true", "token, mean");
    word_refused("model.reparam=false", "none, sigma");
}

static void a_key_given_twice_is_refused_with_both_lines(void **state) {
    (void)state;
    REFUSED("[model]\nwidth = 64\n[optim]\nlr = 1\n[model]\nwidth = 64\n",
            "my.ini:6:", "model.width", "line 2");
}

static void a_key_before_any_section_is_refused(void **state) {
    (void)state;
    REFUSED("\nwidth = 3\n[model]\n", "my.ini:2:", "width is before any [section]");
}

static void a_line_without_equals_sign_is_refused(void **state) {
    (void)state;
    REFUSED("[model]\nwidth = 64\n  depth\nheads = 4\n", "my.ini:3:", "`depth`");
    REFUSED("[model]\ndepth", "my.ini:2:", "neither");
}

static void a_line_that_is_too_long_is_refused(void **state) {
    (void)state;
    char *path = long_text(1101), text[1300];
    text_format(text, sizeof text, "[data]\n%s", path);
    REFUSED(text, "my.ini:2:", "1101 characters", "1100");
    path[1030] = 0;
    text_format(text, sizeof text, "[data]\npath = %s", path);
    REFUSED(text, "my.ini:2:", "data.path has 1030 characters", "1023");
    test_free(path);
}

static void a_binary_file_is_not_taken_for_a_recipe(void **state) {
    (void)state;
    Recipe recipe = recipe_default();
    Err err = ERR_NONE;
    write_bytes("[model]\nwidth\0 = 3\n", 19);
    assert_int_equal(recipe_load(&recipe, file_path, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "not an INI file"));
    write_bytes("\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(recipe_load(&recipe, file_path, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "not an INI file"));
}

static void a_missing_file_or_a_folder_is_named(void **state) {
    (void)state;
    Recipe recipe = recipe_default();
    Err err = ERR_NONE;
    assert_int_equal(recipe_load(&recipe, "/nowhere/x.ini", &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "/nowhere/x.ini cannot be opened: No such file"));
    assert_int_equal(recipe_load(&recipe, folder, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, folder));
    assert_non_null(strstr(err.text, "is a folder, not a recipe"));
    assert_int_equal(recipe_load(&recipe, "mnits", &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "did you mean mnist?"));
}

static void a_refused_file_leaves_the_recipe_as_it_was(void **state) {
    (void)state;
    Recipe recipe;
    Err err = ERR_NONE;
    assert_int_equal(load_text(&recipe, "[model]\nwidth = 64\ndepht = 3\n", &err),
                     FAIL_USAGE);
    assert_int_equal(recipe.model.width, 192);
}

/* ---- what is accepted ---- */

static void comments_indentation_and_line_ends_of_all_kinds_are_read(void **state) {
    (void)state;
    Recipe recipe;
    Err err = ERR_NONE;
    if (load_text(&recipe,
                  "\xEF\xBB\xBF; first\r\n[model]\r\n  width = 64 ; a comment\r\n"
                  "\tdepth = 3\t# another ; one\r\n# last\r\n\r\nheads=4 ;x",
                  &err))
        fail_msg("%s", err.text);
    assert_int_equal(recipe.model.width, 64);
    assert_int_equal(recipe.model.depth, 3);
    assert_int_equal(recipe.model.heads, 4);
    assert_string_equal(recipe.name, "my");
}

static void long_comments_do_not_become_values(void **state) {
    (void)state;
    char *tail = long_text(900), text[3000];
    text_format(text, sizeof text, "; %s\n[model]\nwidth = 64 ; %s\ndepth = 3 # %s", tail,
                tail, tail);
    Recipe recipe;
    Err err = ERR_NONE;
    if (load_text(&recipe, text, &err)) fail_msg("%s", err.text);
    assert_int_equal(recipe.model.width, 64);
    assert_int_equal(recipe.model.depth, 3);
    test_free(tail);
}

static void comment_signs_inside_a_word_are_part_of_the_value(void **state) {
    (void)state;
    Recipe recipe;
    Err err = ERR_NONE;
    if (load_text(&recipe, "[data]\npath = a#b;c #d\n", &err)) fail_msg("%s", err.text);
    assert_string_equal(recipe.data.path, "a#b;c");
    word_refused("data.path=a #b", "a value cannot contain");
    word_refused("data.path=#b", "a value cannot contain");
    word_refused("data.path=a ;b", "a value cannot contain");
}

static void keys_of_other_tasks_are_noted_and_ignored(void **state) {
    (void)state;
    Recipe recipe;
    Err err = ERR_NONE;
    if (load_text(&recipe, "[data]\ntokens = bpe\n[model]\ncontext = 64\n", &err))
        fail_msg("%s", err.text);
    assert_int_equal(recipe_set(&recipe, "model.qk_norm=true", &err), OK);
    assert_int_equal(recipe_set(&recipe, "model.qk_norm=true", &err), OK);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(recipe_notes(&recipe, out), 3);
    fclose(out);
    assert_non_null(strstr(text, "data.tokens is ignored: task.kind = classify"));
    assert_non_null(strstr(text, "model.qk_norm is ignored: it is not built in yet"));
    free(text);
    recipe = recipe_default();
    assert_int_equal(recipe_notes(&recipe, NULL), 0);
}

static void a_word_for_steps_takes_the_place_of_the_files_epochs(void **state) {
    (void)state;
    Recipe recipe;
    Err err = ERR_NONE;
    assert_int_equal(load_text(&recipe, "[train]\nepochs = 3\n", &err), OK);
    assert_int_equal(recipe_set(&recipe, "train.steps=20", &err), OK);
    assert_true(recipe.train.epochs == 0 && recipe.train.steps == 20);
    assert_int_equal(recipe_check(&recipe, &err), OK);
    assert_int_equal(recipe_set(&recipe, "train.epochs=2", &err), OK);
    assert_int_equal(recipe_check(&recipe, &err), FAIL_USAGE);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_saved_recipe_loads_back_to_the_same_bytes),
        cmocka_unit_test(a_saved_recipe_has_every_key_of_its_task),
        cmocka_unit_test(reals_are_printed_with_the_fewest_digits_that_read_back),
        cmocka_unit_test(a_text_of_1023_characters_goes_through_a_file),
        cmocka_unit_test(sixty_four_steps_go_through_a_file),
        cmocka_unit_test(an_unknown_key_is_named_with_file_line_and_neighbour),
        cmocka_unit_test(an_unknown_section_is_named_with_its_line),
        cmocka_unit_test(an_unknown_value_is_answered_with_the_choices),
        cmocka_unit_test(what_is_not_built_in_yet_says_so),
        cmocka_unit_test(numbers_are_read_whole_and_kept_in_range),
        cmocka_unit_test(numbers_and_flags_take_their_usual_forms),
        cmocka_unit_test(choices_are_read_with_either_joining_sign),
        cmocka_unit_test(recompute_is_also_a_flag_and_other_choices_are_not),
        cmocka_unit_test(a_key_given_twice_is_refused_with_both_lines),
        cmocka_unit_test(a_key_before_any_section_is_refused),
        cmocka_unit_test(a_line_without_equals_sign_is_refused),
        cmocka_unit_test(a_line_that_is_too_long_is_refused),
        cmocka_unit_test(a_binary_file_is_not_taken_for_a_recipe),
        cmocka_unit_test(a_missing_file_or_a_folder_is_named),
        cmocka_unit_test(a_refused_file_leaves_the_recipe_as_it_was),
        cmocka_unit_test(comments_indentation_and_line_ends_of_all_kinds_are_read),
        cmocka_unit_test(long_comments_do_not_become_values),
        cmocka_unit_test(comment_signs_inside_a_word_are_part_of_the_value),
        cmocka_unit_test(keys_of_other_tasks_are_noted_and_ignored),
        cmocka_unit_test(a_word_for_steps_takes_the_place_of_the_files_epochs),
    };
    return cmocka_run_group_tests_name("recipe", cases, make_folder, remove_folder);
}

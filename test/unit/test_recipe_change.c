/* What a change of each key means to a run that has begun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/file/utf8.h"
#include "tools/recipe/change.h"

static void set(Recipe *recipe, const char *word) {
    Err err = ERR_NONE;
    if (recipe_set(recipe, word, &err)) fail_msg("%s: %s", word, err.text);
}

/* A run of the task, and the same with a word more. */
static Recipe was, is;

static RecipeChanges changed(const char *task, const char *word) {
    was = recipe_default();
    set(&was, task);
    is = was;
    set(&is, word);
    return recipe_compare(&was, &is);
}

static void each_key_has_its_row(void **state) {
    (void)state;
    for (const Key *key = keys; key < keys + keys_count; key++)
        if (!key_change_known(key))
            fail_msg("%s.%s has no row in tools/recipe/key_change.c", key->section,
                     key->name);
}

static Status resumed(const char *task, const char *word, Err *err) {
    RecipeChanges changes = changed(task, word);
    *err = ERR_NONE;
    Status status = recipe_check_resumed(&changes, &is, "runs/x", err);
    recipe_changes_free(&changes);
    return status;
}

static void a_change_of_the_model_is_refused_with_both_values(void **state) {
    (void)state;
    Err err;
    assert_int_equal(resumed("task.kind=classify", "model.heads=6", &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "model.heads = 3 in the checkpoint, 6 now"));
    assert_int_equal(resumed("task.kind=language", "data.tokens=char", &err), FAIL_USAGE);
    assert_int_equal(resumed("task.kind=translate", "model.tied=all", &err), FAIL_USAGE);
    assert_int_equal(resumed("task.kind=classify", "data.std=0.25,0.5", &err),
                     FAIL_USAGE);
    assert_int_equal(resumed("task.kind=classify", "train.init=a.safetensors", &err),
                     FAIL_USAGE);
    assert_non_null(strstr(err.text, "train.init = (empty) in the checkpoint"));
}

/* It was reported as a checkpoint that does not fit, which to remove would help. */
static void a_probe_cannot_begin_late_but_can_end(void **state) {
    (void)state;
    Err err;
    RecipeChanges changes = changed("task.kind=contrastive", "contrast.probe_lr=0");
    assert_int_equal(recipe_check_resumed(&changes, &is, "runs/x", &err), OK);
    recipe_changes_free(&changes);
    Recipe without = is;
    set(&is, "contrast.probe_lr=0.2");
    changes = recipe_compare(&without, &is);
    assert_int_equal(recipe_check_resumed(&changes, &is, "runs/x", &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "contrast.probe_lr = 0 in the checkpoint, 0.2 now"));
    recipe_changes_free(&changes);
}

static void an_edited_recipe_is_named_as_what_is_to_be_put_right(void **state) {
    (void)state;
    Err err = ERR_NONE;
    RecipeChanges changes = changed("task.kind=classify", "model.heads=6");
    memset(is.worded, 0, sizeof is.worded);
    assert_int_equal(recipe_check_resumed(&changes, &is, "runs/x", &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "6 now in runs/x/recipe.ini"));
    assert_null(strstr(err.text, "leave it out"));
    recipe_changes_free(&changes);
}

static void what_only_guides_the_run_may_change(void **state) {
    (void)state;
    static const char *const WORDS[] = {"train.batch=4",    "optim.lr=1",
                                        "data.limit=7",     "train.seed=3",
                                        "data.path=new",    "train.keep=9",
                                        "model.dropout=0.5"};
    Err err;
    for (size_t i = 0; i < COUNT(WORDS); i++)
        assert_int_equal(resumed("task.kind=classify", WORDS[i], &err), OK);
}

static void the_old_value_again_is_no_change(void **state) {
    (void)state;
    RecipeChanges changes = changed("task.kind=classify", "model.heads=3");
    assert_int_equal(changes.count, 0);
    changes = changed("task.kind=classify", "optim.lr=0.0010");
    assert_int_equal(changes.count, 0);
}

static bool bends(const char *first, const char *word) {
    RecipeChanges changes = changed(first, word);
    bool course = recipe_changes_course(&changes, &is);
    recipe_changes_free(&changes);
    return course;
}

static void a_longer_run_is_another_one_only_where_the_end_counts(void **state) {
    (void)state;
    assert_false(bends("schedule.name=constant", "train.steps=9"));
    assert_true(bends("schedule.name=cosine", "train.steps=9"));
    assert_true(bends("optim.weight_decay_end=0.1", "train.epochs=9"));
    assert_false(bends("schedule.name=cosine", "train.threads=9"));
    assert_true(bends("schedule.name=constant", "train.batch=9"));
}

static Status used(const char *task, const char *word, unsigned use, Err *err) {
    RecipeChanges changes = changed(task, word);
    recipe_changes_free(&changes);
    *err = ERR_NONE;
    return recipe_check_use(&was, &is, use, "eval", err);
}

static void a_word_on_a_run_must_do_something_and_leave_the_model_alone(void **state) {
    (void)state;
    static const struct {
        const char *task, *word;
        unsigned use;
        Status status;
    } CASES[] = {
        {"task.kind=classify", "train.batch=8", USE_EVAL_TEST, OK},
        {"task.kind=classify", "train.threads=2", USE_EXPORT, OK},
        {"data.source=folder", "data.path=x", USE_EVAL_TEST, OK},
        {"data.source=folder", "data.path=x", USE_PREDICT_SPLIT, OK},
        {"data.source=glyphs", "data.path=x", USE_EVAL_TEST, FAIL_USAGE},
        {"task.kind=classify", "data.path=x", USE_PREDICT_INPUT, FAIL_USAGE},
        {"task.kind=classify", "data.path=x", USE_EXPORT, FAIL_USAGE},
        {"task.kind=classify", "data.limit=9", USE_EVAL_TEST, FAIL_USAGE},
        {"task.kind=classify", "data.limit=9", USE_EVAL_TRAIN, OK},
        {"task.kind=classify", "data.test_limit=9", USE_EVAL_TEST, OK},
        {"task.kind=classify", "data.test_limit=9", USE_PREDICT_SPLIT, OK},
        {"task.kind=classify", "data.test_limit=9", USE_EVAL_TRAIN, FAIL_USAGE},
        {"task.kind=classify", "data.test_limit=9", USE_PREDICT_INPUT, FAIL_USAGE},
        {"task.kind=classify", "optim.lr=9", USE_EVAL_TEST, FAIL_USAGE},
        {"task.kind=classify", "model.temperature=2", USE_EVAL_TEST, FAIL_USAGE},
        {"task.kind=classify", "model.reparam=sigma", USE_EVAL_TEST, FAIL_USAGE},
        {"task.kind=classify", "model.reparam=sigma", USE_EVAL_TEST | USE_MODEL, OK},
        {"task.kind=classify", "train.beam=2", USE_EVAL_TEST, FAIL_USAGE},
        {"task.kind=translate", "train.beam=2", USE_EVAL_TEST, OK},
        {"task.kind=translate", "train.batch=2", USE_EVAL_TEST, FAIL_USAGE},
        {"task.kind=transcribe", "data.on_error=skip", USE_PREDICT_INPUT, OK},
        {"task.kind=language", "data.on_error=skip", USE_EVAL_TEST, FAIL_USAGE},
        {"task.kind=language", "task.kind=translate", USE_EVAL_TEST, FAIL_USAGE},
    };
    Err err;
    for (size_t i = 0; i < COUNT(CASES); i++)
        if (used(CASES[i].task, CASES[i].word, CASES[i].use, &err) != CASES[i].status)
            fail_msg("%s %s: %s", CASES[i].task, CASES[i].word, err.text);
}

/* Metadata of a checkpoint take nothing else. */
static void a_digest_is_utf8_whatever_files_are_called(void **state) {
    (void)state;
    static const char *const NAMES[] = {"caf\351", "caf\xC3\xA9", "a\\b",
                                        "\\x41",   "\\",          "\351\\x"};
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        Recipe named = recipe_default(), back = recipe_default();
        TextBuffer text = {0};
        size_t bad;
        text_format(named.data.path, sizeof named.data.path, "%s", NAMES[i]);
        recipe_digest(&named, &text);
        assert_true(utf8_valid(text.text, text.length, &bad));
        recipe_read_digest(&back, text.text);
        assert_string_equal(back.data.path, NAMES[i]);
        text_free(&text);
    }
    Recipe back = recipe_default();
    recipe_read_digest(&back, "data.path=\\x4");
    assert_string_equal(back.data.path, "\\x4");
}

static void a_digest_brings_the_recipe_back_but_for_speed(void **state) {
    (void)state;
    RecipeChanges changes = changed("data.path=/a b/c=d", "train.batch=5");
    recipe_changes_free(&changes);
    set(&is, "train.threads=3");
    TextBuffer text = {0};
    recipe_digest(&is, &text);
    text_append(&text, "later.key=1\nodd\n", 16);
    Recipe back = recipe_default();
    recipe_read_digest(&back, text.text);
    text_free(&text);
    assert_int_equal(back.train.threads, 0);
    set(&back, "train.threads=3");
    changes = recipe_compare(&is, &back);
    assert_int_equal(changes.count, 0);
}

static void changes_read_as_a_sentence(void **state) {
    (void)state;
    RecipeChanges changes = changed("data.val_fraction=0.5", "train.batch=8");
    recipe_changes_free(&changes);
    set(&is, "data.val_fraction=0");
    changes = recipe_compare(&was, &is);
    TextBuffer text = {0};
    recipe_changes_text(&changes, &text);
    assert_string_equal(
        text.text,
        "data.val_fraction changed from 0.5 to 0; train.batch changed from 64 to 8");
    text_free(&text);
    recipe_changes_free(&changes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_has_its_row),
        cmocka_unit_test(a_change_of_the_model_is_refused_with_both_values),
        cmocka_unit_test(a_probe_cannot_begin_late_but_can_end),
        cmocka_unit_test(an_edited_recipe_is_named_as_what_is_to_be_put_right),
        cmocka_unit_test(what_only_guides_the_run_may_change),
        cmocka_unit_test(the_old_value_again_is_no_change),
        cmocka_unit_test(a_longer_run_is_another_one_only_where_the_end_counts),
        cmocka_unit_test(a_word_on_a_run_must_do_something_and_leave_the_model_alone),
        cmocka_unit_test(a_digest_is_utf8_whatever_files_are_called),
        cmocka_unit_test(a_digest_brings_the_recipe_back_but_for_speed),
        cmocka_unit_test(changes_read_as_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Keys that do not go together: noted or refused (tools/recipe/check.c,
 * tools/recipe/notes.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/recipe/keys.h"

static Recipe runnable(void) {
    Recipe recipe = recipe_default();
    recipe.train.steps = 10;
    return recipe;
}

static void check_refuses(const char *const *words, const char *part) {
    Recipe recipe = runnable();
    Err err = ERR_NONE;
    for (; *words; words++)
        if (recipe_set(&recipe, *words, &err)) fail_msg("%s", err.text);
    assert_int_equal(recipe_check(&recipe, &err), FAIL_USAGE);
    if (!strstr(err.text, part)) fail_msg("`%s` lacks `%s`", err.text, part);
}

#define CHECK_REFUSES(part, ...)                                                         \
    check_refuses((const char *const[]){__VA_ARGS__, NULL}, part)

/* A note and no refusal. */
static void noted(const char *first, const char *second, const char *part) {
    Recipe recipe = runnable();
    Err err = ERR_NONE;
    if (recipe_set(&recipe, first, &err) || recipe_set(&recipe, second, &err) ||
        recipe_check(&recipe, &err))
        fail_msg("%s", err.text);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(recipe_notes(&recipe, out), *part ? 1 : 0);
    fclose(out);
    if (!strstr(text, part)) fail_msg("`%s` lacks `%s`", text, part);
    free(text);
}

static void rates_that_are_seldom_meant_are_noted_and_allowed(void **state) {
    (void)state;
    noted("train.steps=10", "schedule.warmup_steps=11",
          "steady: note: schedule.warmup_steps = 11 is longer than the run (10 steps)");
    noted("train.epochs=2", "schedule.warmup_epochs=2.5",
          "warmup_epochs = 2.5 is longer than the run (2 epochs)");
    noted("schedule.name=cosine", "schedule.min_lr=1", "min_lr = 1 is above optim.lr");
    noted("schedule.name=plateau", "schedule.min_lr=1",
          "the learning rate is never reduced");
    noted("train.steps=10", "schedule.warmup_steps=10", "");
    noted(
        "schedule.name=constant", "schedule.min_lr=1",
        "schedule.min_lr has no effect: it needs schedule.name = cosine|linear|plateau");
}

static void mixing_needs_two_pictures_a_step_however_it_is_split(void **state) {
    (void)state;
    Recipe recipe = runnable();
    assert_int_equal(recipe_set(&recipe, "train.mixup=1", NULL), OK);
    assert_int_equal(recipe_set(&recipe, "train.batch=2", NULL), OK);
    assert_int_equal(recipe_set(&recipe, "train.accumulate=2", NULL), OK);
    assert_int_equal(recipe_check(&recipe, NULL), OK);
    CHECK_REFUSES("pairs", "train.mixup=1", "train.batch=1");
    CHECK_REFUSES("pairs", "train.cutmix=1", "train.batch=1");
}

static void an_mlp_has_a_hidden_unit(void **state) {
    (void)state;
    Recipe recipe = runnable();
    assert_int_equal(recipe_set(&recipe, "model.mlp_ratio=0.0027", NULL), OK);
    assert_int_equal(recipe_check(&recipe, NULL), OK);
    CHECK_REFUSES("hidden units; use at least 0.00520833", "model.mlp_ratio=0.0026");
    CHECK_REFUSES("hidden unit", "model.mlp_ratio=1e-300");
}

static void keys_that_contradict_each_other_are_refused(void **state) {
    (void)state;
    Recipe recipe = recipe_default();
    Err err = ERR_NONE;
    assert_int_equal(recipe_check(&recipe, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "train.epochs or train.steps"));
    recipe = runnable();
    assert_int_equal(recipe_check(&recipe, &err), OK);
    CHECK_REFUSES("63 and 66", "model.width=65");
    CHECK_REFUSES("accumulate", "train.accumulate=7");
    CHECK_REFUSES("step_at", "schedule.name=step");
    CHECK_REFUSES("increasing", "schedule.name=step", "schedule.step_at=5 5");
    CHECK_REFUSES("a factor below 1", "schedule.name=plateau", "schedule.step_factor=1");
    CHECK_REFUSES("expected loss or top1", "schedule.name=plateau", "schedule.watch=wer");
    CHECK_REFUSES("both given", "schedule.warmup_steps=1", "schedule.warmup_epochs=1");
    CHECK_REFUSES("data.path", "data.source=idx");
    CHECK_REFUSES("momentum", "optim.name=sgd", "optim.nesterov=true");
    CHECK_REFUSES("model.patch", "data.image_size=30");
    CHECK_REFUSES("numbers", "data.mean=1 2 3", "data.std=1 2");
    CHECK_REFUSES("data.channels", "data.channels=1", "data.mean=1 2 3");
}

static void attention_dropout_has_no_masks_beyond_its_limits(void **state) {
    (void)state;
    const char *language = "task.kind=language", *grammar = "data.source=grammar";
    const char *drops = "model.attention_dropout=0.1";
    CHECK_REFUSES("model.heads = 1040: with model.attention_dropout = 0.1 at most 1024",
                  language, grammar, drops, "model.heads=1040", "model.width=1040");
    CHECK_REFUSES("model.context = 131073: with model.attention_dropout", language,
                  grammar, drops, "model.context=131073");
    CHECK_REFUSES("train.batch = 4194305: with model.attention_dropout", language,
                  grammar, drops, "train.batch=4194305");
    CHECK_REFUSES("or set model.dropout=0", "task.kind=transcribe", "model.dropout=0.1",
                  "model.position=cape", "data.source=tones", "model.heads=1040",
                  "model.width=1040");
    noted("model.heads=1040", "model.width=1040", ""); /* of pictures: no such dropout */
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(rates_that_are_seldom_meant_are_noted_and_allowed),
        cmocka_unit_test(mixing_needs_two_pictures_a_step_however_it_is_split),
        cmocka_unit_test(an_mlp_has_a_hidden_unit),
        cmocka_unit_test(attention_dropout_has_no_masks_beyond_its_limits),
        cmocka_unit_test(keys_that_contradict_each_other_are_refused),
    };
    return cmocka_run_group_tests_name("recipe_check", cases, NULL, NULL);
}

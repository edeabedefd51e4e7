/* [intervene]: its names and values, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/recipe/change.h"
#include "tools/recipe/intervene.h"

static Recipe runnable(void) {
    Recipe recipe = recipe_default();
    assert_int_equal(recipe_set(&recipe, "train.steps=100", NULL), OK);
    assert_int_equal(recipe_set(&recipe, "data.source=glyphs", NULL), OK);
    return recipe;
}

static Status give(Recipe *recipe, const char *const *words, Err *err) {
    *err = ERR_NONE;
    for (; *words; words++)
        if (recipe_set(recipe, *words, err)) return err->status;
    return recipe_check(recipe, err);
}

#define WORDS(...)                                                                       \
    (const char *const[]) { __VA_ARGS__, NULL }

static Recipe with(const char *const *words) {
    Recipe recipe = runnable();
    Err err;
    if (give(&recipe, words, &err)) fail_msg("%s", err.text);
    return recipe;
}

#define REFUSED(part, ...)                                                               \
    do {                                                                                 \
        Recipe recipe_ = runnable();                                                     \
        Err err_;                                                                        \
        assert_int_equal(give(&recipe_, WORDS(__VA_ARGS__), &err_), FAIL_USAGE);         \
        if (!strstr(err_.text, part)) fail_msg("%s: %s", part, err_.text);               \
    } while (0)

static void a_number_behind_a_name_is_its_group_where_the_name_is_no_key(void **state) {
    (void)state;
    Recipe r =
        with(WORDS("intervene.at=10", "intervene.optim.beta2=0.9", "intervene.at2=1.5e",
                   "intervene.optim.beta22=0.8", "intervene.model.temperature2=0.1"));
    assert_string_equal(r.intervene.group[0].changes, "optim.beta2=0.9");
    assert_string_equal(r.intervene.group[1].changes,
                        "optim.beta2=0.8, model.temperature=0.1");
    assert_int_equal(r.intervene.group[0].at.unit, MOMENT_STEPS);
    assert_int_equal(r.intervene.group[1].at.unit, MOMENT_EPOCHS);
    assert_true(r.intervene.group[1].at.value == 1.5);
}

/* Else a key's own name would be another's in a group. */
static void no_key_is_another_with_the_number_of_a_group(void **state) {
    (void)state;
    for (const Key *key = keys; key < keys + keys_count; key++)
        for (int g = 2; g <= INTERVENE_GROUPS && key_may_intervene(key); g++) {
            char name[100];
            text_format(name, sizeof name, "%s.%s%d", key->section, key->name, g);
            if (key_find(name)) fail_msg("%s", name);
        }
}

static char *text_of(const Recipe *recipe) {
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    recipe_print(recipe, file);
    fclose(file);
    return text;
}

static void both_ways_of_writing_are_one_recipe_that_reads_back(void **state) {
    (void)state;
    Recipe a = runnable(), b = a, c = a;
    Err err = ERR_NONE;
    if (recipe_read(&a, "a",
                    "[intervene]\nat = 2e\noptim.lr = 1e-2\nschedule.step_at = 5 9\n"
                    "at3 = never\ntrain.label_smoothing3 = .1\n",
                    &err) ||
        recipe_read(&b, "b",
                    "[intervene]\nkey = optim.lr=0.01, schedule.step_at = 5,9\nat=2.0e\n"
                    "key3 = train.label_smoothing=0.1\nat3 = never\n",
                    &err))
        fail_msg("%s", err.text);
    char *text = text_of(&a), *other = text_of(&b);
    assert_string_equal(text, other);
    assert_non_null(strstr(text, "[intervene]\nat = 2e\noptim.lr = 0.01\n"
                                 "schedule.step_at = 5, 9\nat3 = never\n"
                                 "train.label_smoothing3 = 0.1\n"));
    if (recipe_read(&c, "c", text, &err)) fail_msg("%s", err.text);
    char *again = text_of(&c);
    assert_string_equal(again, text);
    free(again);
    free(text);
    free(other);
}

/* 20e was 2e+01e. */
static void a_moment_is_printed_plainly_and_reads_back(void **state) {
    (void)state;
    static const char *const PLAIN[] = {"0e",    "20e",   "0.5e",     "1.25e",
                                        "100e",  "1e",    "1000000e", "0.001e",
                                        "33.3e", "never", "12000",    "0.0001e"};
    static const double VALUES[] = {1.0 / 3, 1e6 / 7, 1e-9 / 3, 1e-30 / 3, 1e-300, 0.1};
    char text[MOMENT_TEXT];
    Moment moment;
    for (size_t i = 0; i < COUNT(PLAIN); i++) {
        assert_true(moment_read(PLAIN[i], &moment));
        moment_print(moment, text);
        assert_string_equal(text, PLAIN[i]);
    }
    for (size_t i = 0; i < COUNT(VALUES); i++) {
        moment_print((Moment){VALUES[i], MOMENT_EPOCHS}, text);
        assert_true(moment_read(text, &moment));
        assert_true(moment.value == VALUES[i] && moment.unit == MOMENT_EPOCHS);
    }
}

static void a_checkpoints_digest_keeps_them(void **state) {
    (void)state;
    Recipe r = with(WORDS("intervene.at=3", "intervene.key=optim.lr=0.1, optim.clip=1"));
    Recipe back = with(WORDS("intervene.at2=5", "intervene.optim.lr2=1"));
    TextBuffer text = {0};
    recipe_digest(&r, &text);
    recipe_read_digest(&back, text.text);
    text_free(&text);
    RecipeChanges changes = recipe_compare(&r, &back);
    assert_int_equal(changes.count, 0);
    recipe_changes_free(&changes);
    /* what another version, or a stranger, wrote */
    recipe_read_digest(&back, "intervene.at=1\nintervene.key=optim.none=1\n");
    assert_string_equal(back.intervene.group[0].changes, "");
}

static void the_older_form_is_a_temperature_from_an_epoch_on(void **state) {
    (void)state;
    Recipe r = with(WORDS("intervene.temperature=0.1", "intervene.at_epoch=2.5"));
    assert_string_equal(r.intervene.group[0].changes, "model.temperature=0.1");
    assert_true(r.intervene.group[0].at.value == 2.5 &&
                r.intervene.group[0].at.unit == MOMENT_EPOCHS);
    r = with(WORDS("intervene.temperature=0", "intervene.at_epoch=0"));
    assert_int_equal(r.intervene.group[0].at.unit, MOMENT_NONE);
    r = with(WORDS("intervene.temperature=0.2"));
    assert_true(r.intervene.group[0].at.value == 0);
    REFUSED("number >= 0 and <= 1e+06", "intervene.at_epoch=1e300");
}

static void a_word_wins_over_the_file_and_none_takes_all_away(void **state) {
    (void)state;
    Recipe r = runnable();
    char value[40];
    assert_int_equal(recipe_read(&r, "f", "[intervene]\nat = 5\noptim.lr = 1\n", NULL),
                     OK);
    assert_int_equal(recipe_set(&r, "intervene.optim.lr=2", NULL), OK);
    assert_int_equal(recipe_get(&r, "intervene.optim.lr", value, sizeof value, NULL), OK);
    assert_string_equal(value, "2");
    assert_int_equal(recipe_get(&r, "intervene.optim.lr2", value, sizeof value, NULL),
                     OK);
    assert_string_equal(value, "");
    assert_int_equal(recipe_set(&r, "intervene.key=", NULL), OK);
    assert_int_equal(recipe_set(&r, "intervene.at=", NULL), OK);
    assert_int_equal(recipe_check(&r, NULL), OK);
}

/* A rule that two keys keep together, changed at two moments. */
static void what_is_in_force_goes_by_moments_not_by_numbers(void **state) {
    (void)state;
    static const char STEP[] = "schedule.name=step", AT[] = "schedule.step_at=9";
    static const struct {
        const char *at, *at2;
        bool right; /* step_at first, then schedule.name */
    } CASES[] = {
        {"5", "6", true},       {"6", "5", false},   {"5", "5", true},
        {"1e", "2e", true},     {"2e", "1e", false}, {"never", "5", false},
        {"1.5e", "1.5e", true}, {"1e", "5", true}, /* if an epoch has at most 5 steps */
        {"5", "1e", true},      {"0e", "0", true},   {"5", "0e", false},
    };
    for (size_t i = 0; i < COUNT(CASES); i++)
        for (size_t swap = 0; swap < 2; swap++) {
            char words[4][80];
            Err err;
            size_t one = swap ? 2 : 0, two = 2 - one;
            text_format(words[one], 80, "intervene.at%s=%s", swap ? "2" : "",
                        CASES[i].at);
            text_format(words[one + 1], 80, "intervene.key%s=%s", swap ? "2" : "", AT);
            text_format(words[two], 80, "intervene.at%s=%s", swap ? "" : "2",
                        CASES[i].at2);
            text_format(words[two + 1], 80, "intervene.key%s=%s", swap ? "" : "2", STEP);
            Recipe r = runnable();
            Status status = give(&r, WORDS(words[0], words[1], words[2], words[3]), &err);
            if ((status == OK) != CASES[i].right)
                fail_msg("step_at at %s, step at %s, exchanged %zu: %s", CASES[i].at,
                         CASES[i].at2, swap, status ? err.text : "accepted");
        }
}

static void what_cannot_be_meant_is_refused(void **state) {
    (void)state;
    REFUSED("intervene.optim.lr", "intervene.at=5", "intervene.optim.lrr=0.1");
    REFUSED("did you mean intervene.at?", "intervene.att=5");
    REFUSED("did you mean intervene.model.temperature?", "intervene.model.temp=1");
    REFUSED("did you mean intervene.train.ema", "intervene.train.em=1");
    REFUSED("did you mean optim.momentum?", "intervene.at=5",
            "intervene.key=optim.mom=1");
    REFUSED("model.width cannot change", "intervene.at=5", "intervene.model.width=64");
    REFUSED("resume it with the key changed", "intervene.at=5",
            "intervene.train.batch=8");
    REFUSED("has no change", "intervene.at=5");
    REFUSED("intervene.optim.lr3=", "intervene.at3=5");
    REFUSED("in steps (100) or epochs (10e)", "intervene.optim.lr=1");
    REFUSED("expected number >= 0", "intervene.at=5", "intervene.optim.lr=fast");
    REFUSED("expected steps (100), epochs (10e) or never", "intervene.at=5.5");
    REFUSED("expected steps", "intervene.at=-1");
    REFUSED("expected steps", "intervene.at=5x");
    REFUSED("both change optim.lr", "intervene.at=5", "intervene.optim.lr=1",
            "intervene.at2=5", "intervene.optim.lr2=2");
    REFUSED("task.kind = classify does not use", "intervene.at=5",
            "intervene.train.beam=3");
    REFUSED("with intervene.at", "intervene.at=5", "intervene.schedule.name=step");
    REFUSED("is not section.key=value", "intervene.at=5", "intervene.key=lr");
    REFUSED("did you mean optim.lr?", "intervene.at=5", "intervene.key=optim.lrr=1");
    REFUSED("optim.momentum cannot change from or to 0 during a run, because its buffers "
            "exist from the first step or not at all; begin with a small value",
            "optim.name=sgd", "intervene.at=5", "intervene.optim.momentum=0.9");
    REFUSED(
        "train.ema cannot change from or to 0 during a run, because the average exists "
        "from the first step or not at all; begin with a small value",
        "intervene.at=5", "intervene.train.ema=0.9");
    REFUSED("intervene.key: optim.lr is given twice", "intervene.at=5",
            "intervene.key=optim.lr=1, optim.clip=1, optim.lr=2");
}

static void a_file_is_refused_with_its_line(void **state) {
    (void)state;
    static const char *const TEXTS[][2] = {
        {"[intervene]\nat = 5\noptim.lr = 1\nkey = optim.lr=2\n", "f:4: "},
        {"[intervene]\nat = 5\nkey = optim.lr=2, optim.lr=3\n", "f:3: "},
        {"[intervene]\nat = 5\noptim.lr = 1\noptim.lr = 2\n", "f:4: "},
        {"[intervene]\nat = 5\nat = 6\n", "f:3: "},
        {"[intervene]\n\nmodel.heads2 = 6\n", "f:3: "},
        {"[intervene]\nat9 = 6\n", "f:2: "},
    };
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        Recipe r = runnable(), before = r;
        Err err = ERR_NONE;
        if (recipe_read(&r, "f", TEXTS[i][0], &err) != FAIL_USAGE ||
            strncmp(err.text, TEXTS[i][1], strlen(TEXTS[i][1])))
            fail_msg("%s: %s", TEXTS[i][0], err.text);
        assert_memory_equal(&r, &before, sizeof r);
    }
}

static void a_change_in_vain_is_noted(void **state) {
    (void)state;
    Recipe r = with(WORDS("optim.name=sgd", "intervene.at=5", "intervene.optim.beta1=0.5",
                          "intervene.optim.lr=1", "intervene.at2=never",
                          "intervene.optim.lr2=2"));
    char why[KEY_WHY_MAX];
    assert_true(word_acts("intervene.optim.lr", &r, why, sizeof why));
    assert_false(word_acts("intervene.optim.beta1", &r, why, sizeof why));
    assert_non_null(strstr(why, "it needs optim.name = "));
    assert_false(word_acts("intervene.optim.lr2", &r, why, sizeof why));
    assert_string_equal(why, "intervene.at2 = never");
    assert_int_equal(recipe_notes(&r, NULL), 2);
    assert_ptr_equal(key_of_word("intervene.optim.lr2"), key_find("optim.lr"));
    assert_ptr_equal(key_of_word("intervene.at2"), key_find("intervene.at2"));
    assert_ptr_equal(key_of_word("intervene.temperature"), key_find("model.temperature"));
    assert_null(key_of_word("intervene.optim.lr9"));
}

static void the_recipe_in_force_has_the_groups_in_their_order(void **state) {
    (void)state;
    Recipe now, r = with(WORDS("optim.lr=1", "intervene.at=9", "intervene.optim.lr=2",
                               "intervene.at2=3", "intervene.optim.lr2=3",
                               "intervene.optim.clip2=4"));
    recipe_in_force(&r, &(Acted){0}, &now);
    assert_true(now.optim.lr == 1 && now.optim.clip == 0);
    recipe_in_force(&r, &(Acted){1, {1}}, &now);
    assert_true(now.optim.lr == 3 && now.optim.clip == 4);
    recipe_in_force(&r, &(Acted){2, {1, 0}}, &now);
    assert_true(now.optim.lr == 2 && now.optim.clip == 4);
}

static void a_list_of_groups_reads_back(void **state) {
    (void)state;
    Acted acted = {3, {1, 0, 7}}, back;
    char text[ACTED_TEXT];
    acted_print(&acted, text);
    assert_string_equal(text, "2 1 8");
    assert_true(acted_read(text, &back) && back.count == 3 && back.group[2] == 7);
    assert_true(acted_read(NULL, &back) && !back.count);
    static const char *const BAD[] = {"0", "9", "1 1", "1,2", "x", "-1", " 1", "1  2"};
    for (size_t i = 0; i < COUNT(BAD); i++) assert_false(acted_read(BAD[i], &back));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_behind_a_name_is_its_group_where_the_name_is_no_key),
        cmocka_unit_test(no_key_is_another_with_the_number_of_a_group),
        cmocka_unit_test(both_ways_of_writing_are_one_recipe_that_reads_back),
        cmocka_unit_test(a_moment_is_printed_plainly_and_reads_back),
        cmocka_unit_test(a_checkpoints_digest_keeps_them),
        cmocka_unit_test(the_older_form_is_a_temperature_from_an_epoch_on),
        cmocka_unit_test(a_word_wins_over_the_file_and_none_takes_all_away),
        cmocka_unit_test(what_is_in_force_goes_by_moments_not_by_numbers),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
        cmocka_unit_test(a_file_is_refused_with_its_line),
        cmocka_unit_test(a_change_in_vain_is_noted),
        cmocka_unit_test(the_recipe_in_force_has_the_groups_in_their_order),
        cmocka_unit_test(a_list_of_groups_reads_back),
    };
    return cmocka_run_group_tests_name("intervene", tests, NULL, NULL);
}

/* Conditions under which keys have an effect (tools/recipe/key_when.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"
#include "engine/reparam/reparam.h"
#include "tools/recipe/keys.h"
#include "tools/sweep/sweep.h"

/* ---- helpers ---- */

#define TASK_WORD(KIND, name, examples, heading) #name,
static const char *const TASKS[] = {TASK_LIST(TASK_WORD)};

static void set(Recipe *recipe, const Key *key, const char *value) {
    char word[400];
    Err err = ERR_NONE;
    text_format(word, sizeof word, "%s.%s=%s", key->section, key->name, value);
    if (recipe_set(recipe, word, &err)) fail_msg("%s", err.text);
}

static void set_word(Recipe *recipe, const char *word) {
    Err err = ERR_NONE;
    if (recipe_set(recipe, word, &err)) fail_msg("%s", err.text);
}

static char *notes_of(const Recipe *recipe) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    recipe_notes(recipe, out);
    fclose(out);
    return text;
}

/* Notes that say of the key that it has no effect. */
static size_t times_noted(const Recipe *recipe, const Key *key) {
    char start[100], *text = notes_of(recipe);
    size_t count = 0;
    text_format(start, sizeof start, "note: %s.%s has no effect: it needs ", key->section,
                key->name);
    for (const char *at = text; (at = strstr(at, start)); at++) count++;
    free(text);
    return count;
}

/* Some value that is not the key's default. */
static const char *other_value(const Key *key) {
    static const char *const SOME[] = {"0.25", "2",     "1",   "3",        "0.5",
                                       "x",    "white", "4x4", "attention"};
    Recipe recipe = recipe_default();
    char standard[KEY_VALUE_MAX];
    key_print(key, &recipe, standard, sizeof standard);
    if (key->type == KEY_FLAG) return strcmp(standard, "true") ? "true" : "false";
    if (key->type == KEY_CHOICE) return key->choices[!strcmp(standard, key->choices[0])];
    for (size_t i = 0; i < COUNT(SOME); i++)
        if (strcmp(SOME[i], standard) && !key_parse(key, &recipe, SOME[i], NULL))
            return SOME[i];
    fail_msg("%s.%s: no value but its default", key->section, key->name);
    return NULL;
}

/* ---- the table's conditions, read a second time ---- */

typedef struct Term {
    const Key *key;
    char relation[4], values[160];
} Term;

typedef struct Part {
    Term term[6];
    size_t count;
} Part;

typedef struct Condition {
    Part part[6];
    size_t count;
} Condition;

static Condition read_condition(const Key *key) {
    Condition c = {.count = 0};
    char when[KEY_CONDITION_MAX], copy[KEY_CONDITION_MAX + 4], name[64], *rest = copy;
    key_condition(key, when, sizeof when);
    text_format(copy, sizeof copy, "%s or ", when);
    Part *part = &c.part[c.count++];
    for (char *end; (end = strchr(rest, ' ')); rest = end + 1) {
        Term *term = &part->term[part->count++];
        assert_int_equal(sscanf(rest, "%63s %3s %159s", name, term->relation,
                                term->values),
                         3);
        term->key = key_find(name);
        if (!term->key) fail_msg("%s names %s", when, name);
        rest = strstr(rest, term->values) + strlen(term->values);
        bool is_and = !strncmp(rest, " and ", 5), is_or = !strncmp(rest, " or ", 4);
        if (!is_and && !is_or) fail_msg("%s: `%s`", when, rest);
        end = rest + 3 + is_and;
        if (is_and) part = &c.part[c.count++];
        assert_true(c.count <= COUNT(c.part) && part->count < COUNT(part->term));
    }
    return c;
}

static void a_conditions_keys_and_values_exist(void **state) {
    (void)state;
    size_t conditions = 0;
    for (const Key *key = keys; key < keys + keys_count; key++) {
        if (!key->when) continue;
        conditions++;
        Condition c = read_condition(key);
        for (size_t i = 0; i < 36; i++) {
            Term *term = &c.part[i / 6].term[i % 6];
            if (i / 6 >= c.count || i % 6 >= c.part[i / 6].count) continue;
            if (!strcmp(term->relation, "is")) {
                assert_true(!strcmp(term->values, "empty") ||
                            !strcmp(term->values, "given"));
                assert_true(term->key->type == KEY_TEXT || term->key->least == 0);
                continue;
            }
            assert_non_null(strstr("= != >", term->relation));
            for (char *rest = term->values, *value; (value = strsep(&rest, "|"));) {
                Recipe recipe = recipe_default();
                char text[KEY_VALUE_MAX];
                if (key_parse(term->key, &recipe, value, NULL))
                    fail_msg("%s: %s is no value", key->when, value);
                key_print(term->key, &recipe, text, sizeof text);
                assert_string_equal(text, value);
            }
        }
    }
    assert_true(conditions >= 48);
}

/* ---- making a condition true or false ---- */

/* Fills in a value with which the term is `wanted`. */
static void value_for(const Term *term, bool wanted, char *value, size_t size) {
    const Key *key = term->key;
    char list[200];
    text_format(list, sizeof list, "%s", term->values);
    char *rest = list, *first = strsep(&rest, "|");
    bool equal = !strcmp(term->relation, "="), is = !strcmp(term->relation, "is");
    if (is) text_format(value, size, "%s", !strcmp(first, "empty") == wanted ? "" : "7");
    else if (*term->relation == '>')
        text_format(value, size, "%s", !wanted ? term->values : key->max < 2 ? "1" : "2");
    else if (equal == wanted) text_format(value, size, "%s", first);
    else if (!strcmp(key->name, "source"))
        text_format(value, size, "%s", strstr(term->values, "idx") ? "glyphs" : "idx");
    else if (key->type == KEY_FLAG)
        text_format(value, size, "%s", !strcmp(first, "true") ? "false" : "true");
    else if (key->type != KEY_CHOICE) text_format(value, size, "1");
    else
        for (size_t i = 0; key->choices[i]; i++) {
            text_format(list, sizeof list, "|%s|", term->values);
            char name[60];
            text_format(name, sizeof name, "|%s|", key->choices[i]);
            if (!strstr(list, name)) text_format(value, size, "%s", key->choices[i]);
        }
    if (is && key->type == KEY_TEXT && *value) text_format(value, size, "x");
}

/* Makes the term true or false, and says whether that was possible: the task stays. */
static bool make_term(Recipe *recipe, const Term *term, bool wanted) {
    char value[200] = "";
    if (term->key == keys) {
        char list[200], name[60];
        text_format(list, sizeof list, "|%s|", term->values);
        text_format(name, sizeof name, "|%s|", task_name(recipe->task));
        return (!!strstr(list, name) == (*term->relation == '=')) == wanted;
    }
    value_for(term, wanted, value, sizeof value);
    set(recipe, term->key, value);
    return true;
}

/* Makes one term true, or all of them false; says whether that was possible. */
static bool make_part(Recipe *recipe, const Part *part, bool wanted) {
    for (size_t i = 0; i < part->count; i++)
        if (make_term(recipe, &part->term[i], wanted) == wanted) return wanted;
    return !wanted;
}

static Recipe of_task(size_t task) {
    Recipe recipe = recipe_default();
    char word[60];
    text_format(word, sizeof word, "task.kind=%s", TASKS[task]);
    set_word(&recipe, word);
    return recipe;
}

static void each_unmet_part_is_one_note_and_a_met_condition_none(void **state) {
    (void)state;
    for (const Key *key = keys; key < keys + keys_count; key++) {
        if (!key->when) continue;
        Condition c = read_condition(key);
        size_t met = 0, unmet[6] = {0};
        for (size_t task = 0; task < COUNT(TASKS); task++) {
            if (!(key->tasks & 1u << task)) continue;
            Recipe recipe = of_task(task);
            bool possible = true;
            for (size_t i = 0; i < c.count; i++)
                possible &= make_part(&recipe, &c.part[i], true);
            set(&recipe, key, other_value(key));
            if (possible && times_noted(&recipe, key))
                fail_msg("%s.%s is noted: %s", key->section, key->name,
                         notes_of(&recipe));
            met += possible;
            for (size_t i = 0; i < c.count; i++) {
                recipe = of_task(task);
                if (!make_part(&recipe, &c.part[i], false)) continue;
                set(&recipe, key, other_value(key));
                unmet[i]++;
                if (times_noted(&recipe, key) != 1)
                    fail_msg("%s.%s (%s): %s", key->section, key->name, TASKS[task],
                             notes_of(&recipe));
            }
        }
        if (!met) fail_msg("%s.%s never has an effect", key->section, key->name);
        for (size_t i = 0; i < c.count; i++)
            if (!unmet[i]) fail_msg("part %zu of `%s` always holds", i + 1, key->when);
    }
}

static void the_help_says_each_condition(void **state) {
    (void)state;
    char *text = NULL;
    size_t size, count = 0;
    FILE *out = open_memstream(&text, &size);
    recipe_help_keys_markdown(out);
    fclose(out);
    for (const Key *key = keys; key < keys + keys_count; key++)
        count += key->when != NULL;
    for (const char *at = text; (at = strstr(at, " Needs ")); at++) count--;
    assert_int_equal(count, 0);
    assert_non_null(
        strstr(text, "Needs data.tokens = bpe and data.bpe_codes is empty. |"));
    assert_non_null(strstr(text, "Needs optim.name = adamw\\|adam\\|lamb. |"));
    free(text);
}

/* ---- who gave the key ---- */

static void a_note_says_what_is_needed_and_what_is(void **state) {
    (void)state;
    Recipe recipe = of_task(TASK_TRANSLATE);
    set_word(&recipe, "data.bpe_codes=c.codes");
    set_word(&recipe, "schedule.warmup_init=0.1");
    set_word(&recipe, "data.source=numbers");
    set_word(&recipe, "data.target_lang=de");
    char *text = notes_of(&recipe);
    assert_string_equal(
        text,
        "steady: note: data.target_lang has no effect: it needs data.source = "
        "parallel (is numbers)\n"
        "steady: note: data.bpe_codes has no effect: it needs data.tokens = bpe (is "
        "word)\n"
        "steady: note: schedule.warmup_init has no effect: it needs "
        "schedule.warmup_steps > 0 or schedule.warmup_epochs > 0 "
        "(schedule.warmup_steps is 0, schedule.warmup_epochs is 0)\n");
    free(text);
}

static void what_a_built_in_recipe_sets_is_not_noted_but_words_are(void **state) {
    (void)state;
    Recipe recipe = recipe_default();
    assert_int_equal(recipe_load(&recipe, "wmt17-6l-post-sigma", NULL), OK);
    set_word(&recipe, "model.reparam=none"); /* leaves gamma_init */
    set_word(&recipe, "optim.name=sgd");     /* leaves beta2 */
    set_word(&recipe, "schedule.name=constant");
    assert_int_equal(recipe_notes(&recipe, NULL), 0);
    set_word(&recipe, "optim.beta1=0.9"); /* the default, and still without effect */
    assert_int_equal(recipe_notes(&recipe, NULL), 1);
    assert_int_equal(times_noted(&recipe, key_find("optim.beta1")), 1);
}

static void a_users_file_is_noted_but_for_defaults_and_a_runs_is_not(void **state) {
    (void)state;
    char path[] = "/tmp/steady-when-XXXXXX.ini";
    int file = mkstemps(path, 4);
    static const char TEXT[] =
        "[task]\nkind = classify\n[optim]\nname = sgd\nbeta1 = 0.5\n"
        "nesterov = false\ntrust = 0.001\nbeta2 = 0.999\n"
        "[train]\nsteps = 1\n";
    assert_true(file >= 0 && write(file, TEXT, strlen(TEXT)) == (ssize_t)strlen(TEXT));
    close(file);
    Recipe mine = recipe_default(), run = recipe_default();
    assert_int_equal(recipe_load(&mine, path, NULL), OK);
    assert_int_equal(recipe_load_file(&run, path, NULL, NULL), OK);
    unlink(path);
    assert_int_equal(recipe_notes(&mine, NULL), 1);
    assert_int_equal(times_noted(&mine, key_find("optim.beta1")), 1);
    assert_int_equal(recipe_notes(&run, NULL), 0);
    set_word(&run, "optim.beta2=0.5");
    assert_int_equal(recipe_notes(&run, NULL), 1);
}

/* A built-in recipe that a user copies into a file has no key without effect,
 * but for those that wait for another: a beta2 for AdamW, and how fairseq
 * decays for weight_decay. */
static void no_built_in_recipe_sets_a_key_in_vain(void **state) {
    (void)state;
    static const char *const WAITING[][2] = {{"cifar10-sigma", "optim.beta2"},
                                             {"wikitext103-post", "optim.decay"},
                                             {"wikitext103-post", "optim.decay_scope"},
                                             {"wikitext103-pre", "optim.decay"},
                                             {"wikitext103-pre", "optim.decay_scope"}};
    for (size_t i = 0; i < recipe_builtin_count(); i++) {
        Recipe recipe = recipe_default();
        assert_int_equal(recipe_load(&recipe, recipe_builtin_name(i), NULL), OK);
        if (recipe_check(&recipe, NULL)) fail_msg("%s", recipe_builtin_name(i));
        memcpy(recipe.own, recipe.given, sizeof recipe.own);
        for (size_t k = 0; k < COUNT(WAITING); k++)
            if (!strcmp(recipe.name, WAITING[k][0]))
                keyset_remove(recipe.own, key_find(WAITING[k][1]));
        char *text = notes_of(&recipe);
        if (*text) fail_msg("%s: %s", recipe_builtin_name(i), text);
        free(text);
    }
}

/* ---- sweeps ---- */

static Status check_sweep(const char *const *words, char **notes, Err *err) {
    Sweep sweep;
    size_t count = 0, size;
    while (words[count]) count++;
    assert_int_equal(sweep_open(&sweep, words, count, err), OK);
    FILE *out = open_memstream(notes, &size);
    Status status = sweep_check(&sweep, out, err);
    fclose(out);
    sweep_close(&sweep);
    return status;
}
#define SWEEP(...) check_sweep((const char *const[]){__VA_ARGS__, NULL}, &notes, &err)

static void a_sweep_over_a_key_without_effect_is_refused(void **state) {
    (void)state;
    char *notes;
    Err err = ERR_NONE;
    assert_int_equal(SWEEP("demo", "optim.name=sgd,lars", "optim.beta1=0.8,0.9"),
                     FAIL_USAGE);
    assert_string_equal(err.text,
                        "optim.beta1 has no effect in any run of the sweep: it "
                        "needs optim.name = adamw|adam|lamb (is sgd); leave it out");
    free(notes);
    assert_int_equal(SWEEP("demo", "train.beam=1,2"), FAIL_USAGE);
    assert_non_null(strstr(err.text, "train.beam has no effect"));
    assert_non_null(strstr(err.text, "task.kind = classify does not use it"));
    free(notes);
}

static void a_sweep_says_in_which_cells_a_key_has_no_effect(void **state) {
    (void)state;
    char *notes;
    Err err = ERR_NONE;
    assert_int_equal(SWEEP("demo", "optim.name=adamw,sgd", "optim.beta1=0.8,0.9",
                           "optim.trust=0.1"),
                     OK);
    assert_string_equal(
        notes, "steady: note: optim.beta1 has no effect in 2 of 4 runs (first: "
               "optim.name=sgd,optim.beta1=0.8): it needs optim.name = "
               "adamw|adam|lamb (is sgd)\n"
               "steady: note: optim.trust has no effect: it needs optim.name = lars (is "
               "adamw)\n");
    free(notes);
    assert_int_equal(SWEEP("demo,demo-sigma", "model.gamma_init=1,spectral"), OK);
    assert_non_null(strstr(notes, "in 2 of 4 runs (first: demo,"));
    free(notes);
}

/* ---- choices that name their keys ---- */

/* "KEY = {name}" is the condition of each name in "name|name". */
static void expect_conditions(const char *key, const char *names) {
    char list[200], term[100], *rest = list, *name;
    text_format(list, sizeof list, "%s", names);
    while (*names && (name = strsep(&rest, "|"))) {
        bool found = false;
        text_format(term, sizeof term, "%s = {%s}", key, name);
        for (size_t i = 0; i < keys_count; i++)
            found |=
                !strcmp(keys[i].name, name) && keys[i].when && strstr(keys[i].when, term);
        if (!found) fail_msg("no key `%s` with the condition `%s`", name, term);
    }
}

static void what_a_choice_names_is_a_key_that_asks_for_it(void **state) {
    (void)state;
    for (OptimKind kind = 0; kind < OPTIM_KINDS; kind++)
        expect_conditions("optim.name", optim_keys(kind));
    for (ScheduleKind kind = 0; kind < SCHEDULE_KINDS; kind++)
        expect_conditions("schedule.name", schedule_keys(kind));
    for (size_t method = 0; method < REPARAM_METHODS; method++)
        expect_conditions("model.reparam", reparam_keys((ReparamMethod)method));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conditions_keys_and_values_exist),
        cmocka_unit_test(each_unmet_part_is_one_note_and_a_met_condition_none),
        cmocka_unit_test(the_help_says_each_condition),
        cmocka_unit_test(a_note_says_what_is_needed_and_what_is),
        cmocka_unit_test(what_a_built_in_recipe_sets_is_not_noted_but_words_are),
        cmocka_unit_test(a_users_file_is_noted_but_for_defaults_and_a_runs_is_not),
        cmocka_unit_test(no_built_in_recipe_sets_a_key_in_vain),
        cmocka_unit_test(a_sweep_over_a_key_without_effect_is_refused),
        cmocka_unit_test(a_sweep_says_in_which_cells_a_key_has_no_effect),
        cmocka_unit_test(what_a_choice_names_is_a_key_that_asks_for_it),
    };
    return cmocka_run_group_tests_name("conditions of keys", tests, NULL, NULL);
}

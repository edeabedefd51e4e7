/* Kinds of task: one line and one folder each, and nobody else names one. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/recipe/keys.h"
#include "tools/task/bench.h"
#include "tools/task/predict.h"
#include "tree.h"

#define KIND_WORD(KIND, name, examples, heading) #KIND,
static const char *const WORDS[] = {TASK_LIST(KIND_WORD)};

/* Tables that say of a row which tasks it is for. */
static const char *const TABLES[] = {"tools/recipe/keys.c", "tools/recipe/keys_data.h",
                                     "tools/recipe/keys_train.h",
                                     "tools/recipe/key_change.c",
                                     "tools/recipe/metric.h"};

/* The library's answers have types: a function a kind that has one. */
static const char ANSWERS[] = "tools/library/answer.c";

/* ---- who names a kind ---- */

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* Is "TASK_CLASSIFY", say, a word of the line? */
static bool has_word(const char *line, const char *start, const char *end) {
    char word[100];
    text_format(word, sizeof word, "%s%s", start, end);
    size_t length = strlen(word);
    for (const char *at = line; (at = strstr(at, word)); at += length)
        if (!in_word(at[length]) && (at == line || !in_word(at[-1]))) return true;
    return false;
}

static bool is_table(const char *path) {
    for (size_t i = 0; i < COUNT(TABLES); i++)
        if (!strcmp(path, TABLES[i])) return true;
    return false;
}

/* Does a line of the file name the kind, or reach into its folder, from outside of it? */
static bool names_kind(const char *path, const char *line, TaskKind kind) {
    char folder[100], include[120];
    text_format(folder, sizeof folder, "tools/task/%s/", task_name(kind));
    text_format(include, sizeof include, "#include \"%s", folder);
    if (!strncmp(path, folder, strlen(folder)) || !strcmp(path, ANSWERS)) return false;
    if (has_word(line, "FOR_", WORDS[kind])) return !is_table(path);
    return has_word(line, "TASK_", WORDS[kind]) || strstr(line, include);
}

static void check_file(void *bad, const char *path) {
    char line[600];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        for (TaskKind kind = 0; kind < TASK_KINDS; kind++)
            if (names_kind(path, line, kind)) {
                print_error("%s names a kind of task: %s", path, line);
                ++*(size_t *)bad;
            }
    fclose(file);
}

static void a_kind_is_named_in_its_own_folder_alone(void **state) {
    (void)state;
    size_t bad = 0;
    tree_each((const char *[]){"engine", "models", "data", "tools", "include", NULL},
              check_file, &bad);
    assert_int_equal(bad, 0);
}

static void a_name_is_a_whole_word_outside_of_the_folder(void **state) {
    (void)state;
    char of_kind[60], of_keys[60], path[60];
    text_format(of_kind, sizeof of_kind, "    case TASK_%s: return 1;", WORDS[0]);
    text_format(of_keys, sizeof of_keys, "    {FOR_%s | FOR_TEXTS},", WORDS[0]);
    text_format(path, sizeof path, "tools/task/%s/task.c", task_name(0));
    assert_true(names_kind("tools/train/trainer.c", of_kind, 0));
    assert_true(names_kind("tools/train/trainer.c", of_keys, 0));
    assert_true(names_kind(TABLES[0], of_kind, 0));
    assert_false(names_kind(TABLES[0], of_keys, 0));
    assert_false(names_kind(path, of_kind, 0));
    assert_false(names_kind("tools/train/trainer.c", of_kind, 1));
    assert_false(names_kind("tools/train/trainer.c", "TASK_LIST(X)", 0));
}

/* ---- what a line of the list makes ---- */

static void every_task_is_in_one_group(void **state) {
    (void)state;
    assert_int_equal(FOR_VISION | FOR_TEXTS | FOR_SPEECH, FOR_ALL);
    assert_int_equal(FOR_VISION & FOR_TEXTS, 0);
    assert_int_equal((FOR_VISION | FOR_TEXTS) & FOR_SPEECH, 0);
    assert_int_equal(FOR_PAIRS & ~FOR_TEXTS, 0);
    for (TaskKind kind = 0; kind < TASK_KINDS; kind++) {
        ExampleKind takes = task_examples(kind);
        assert_int_equal(task_is(kind, FOR_VISION), takes == EXAMPLES_PICTURES);
        assert_int_equal(task_is(kind, FOR_PAIRS), takes == EXAMPLES_PAIRS);
        assert_int_equal(task_is(kind, FOR_SPEECH), takes == EXAMPLES_SPEECH);
        assert_true(task_is(kind, FOR_ALL));
    }
}

static void a_kind_is_a_choice_of_its_key_and_a_folder(void **state) {
    (void)state;
    const Key *key = key_find("task.kind");
    for (TaskKind kind = 0; kind < TASK_KINDS; kind++) {
        char path[100];
        text_format(path, sizeof path, "tools/task/%s/task.c", task_name(kind));
        assert_string_equal(key->choices[kind], task_name(kind));
        assert_int_equal(access(path, R_OK), 0);
    }
    assert_null(key->choices[TASK_KINDS]);
}

static void every_kind_has_all_its_parts(void **state) {
    (void)state;
    for (TaskKind kind = 0; kind < TASK_KINDS; kind++) {
        const TaskOps *ops = task_ops(kind);
        assert_true(ops->open && ops->open_bare && ops->initialize && ops->go_on);
        assert_true(ops->start && ops->next && ops->loss && ops->sample);
        assert_true(ops->evaluate && ops->save_facts && ops->free);
        assert_int_not_equal(ops->scope, SCOPE_AUTO);
        assert_true(task_is(kind, metrics[ops->best].tasks));
        assert_non_null(task_predict(kind)->answer);
        const TaskBench *bench = task_bench(kind);
        assert_true(bench->print_size && bench->fill && bench->shape);
        assert_true(bench->make_batch && bench->make_model && bench->loss);
        for (size_t i = 0; i < bench->count; i++)
            assert_int_equal(bench->models[i].task, kind);
    }
}

static void every_kind_has_a_recipe(void **state) {
    (void)state;
    unsigned met = 0;
    for (size_t i = 0; i < recipe_builtin_count(); i++) {
        Recipe recipe = recipe_default();
        assert_int_equal(recipe_load(&recipe, recipe_builtin_name(i), NULL), OK);
        met |= 1u << recipe.task;
    }
    assert_int_equal(met, FOR_ALL);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_kind_is_named_in_its_own_folder_alone),
        cmocka_unit_test(a_name_is_a_whole_word_outside_of_the_folder),
        cmocka_unit_test(every_task_is_in_one_group),
        cmocka_unit_test(a_kind_is_a_choice_of_its_key_and_a_folder),
        cmocka_unit_test(every_kind_has_all_its_parts),
        cmocka_unit_test(every_kind_has_a_recipe),
    };
    return cmocka_run_group_tests_name("tasks", cases, NULL, NULL);
}

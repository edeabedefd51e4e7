/* Command lines as users of other programs write them (tools/recipe/habit.h), and the
 * near names of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/commands.h"
#include "tools/program/nearest.h"
#include "tools/program/say.h"
#include "tools/program/shell.h"
#include "tools/recipe/habit.h"
#include "tools/recipe/keys.h"

enum { WORDS_MOST = 20, LINE = 1000 };

static void hear(void *context, const char *line) {
    char *all = context;
    size_t used = strlen(all);
    text_format(all + used, LINE - used, "%s\n", line);
}

/* `line` cut at blanks ('' is an empty word), read, and joined with bars. */
static Status read_line(const char *line, char joined[LINE], char notes[LINE], Err *err) {
    char *copy = mem_strdup(line), *rest = copy, *words[WORDS_MOST + 1] = {0}, *word;
    int count = 0;
    while ((word = strsep(&rest, " ")))
        words[count++] = strcmp(word, "''") ? word : word + 2;
    const Command *command = command_find(words[0]);
    assert_non_null(command);
    HabitWords taken;
    *joined = *notes = 0;
    Listener before = say_to((Listener){hear, notes});
    Status status = habit_words(command, count, words, true, &taken, err);
    say_to(before);
    for (int i = 0; i < taken.argc && !status; i++) {
        size_t used = strlen(joined);
        text_format(joined + used, LINE - used, "%s%s", i ? "|" : "", taken.argv[i]);
    }
    if (!status) assert_null(taken.argv[taken.argc]);
    habit_free(&taken);
    mem_free(copy);
    return status;
}

static void habits_become_keys_with_a_note(void **state) {
    (void)state;
    static const struct {
        const char *line, *wanted, *note;
    } cases[] = {
        {"train demo --lr 0.01", "train|demo|optim.lr=0.01", "--lr is read as optim.lr"},
        {"train --lr=0.01 demo", "train|optim.lr=0.01|demo", "--lr is read as"},
        {"train demo --lr -1", "train|demo|optim.lr=-1", "optim.lr=-1"},
        {"train demo --epochs 3 --seed 1", "train|demo|train.epochs=3|train.seed=1",
         "--seed is read as train.seed=1"},
        {"train demo --batch-size 64", "train|demo|train.batch=64", "--batch-size"},
        {"train demo --batch_size 64", "train|demo|train.batch=64", "--batch_size"},
        {"train demo --Batch-Size=64", "train|demo|train.batch=64", ""},
        {"train demo --optim.lr 0.01", "train|demo|optim.lr=0.01", ""},
        {"train demo --weight-decay 0.1", "train|demo|optim.weight_decay=0.1", ""},
        {"train demo --nesterov", "train|demo|optim.nesterov=true", ""},
        {"train demo --nesterov --lr 1", "train|demo|optim.nesterov=true|optim.lr=1", ""},
        {"train --nesterov demo", "train|optim.nesterov=true|demo", ""},
        {"train demo --nesterov no", "train|demo|optim.nesterov=no", ""},
        {"train demo --shuffle=false", "train|demo|data.shuffle=false", ""},
        {"train demo --no-shuffle", "train|demo|data.shuffle=false", "--no-shuffle"},
        {"train demo --output-dir x", "train|demo|--out|x", "--output-dir is read as"},
        {"train demo --output=x", "train|demo|--out=x", "--output is read as --out"},
        {"sweep demo --lr 1,2", "sweep|demo|optim.lr=1,2", ""},
        {"predict R --max-tokens 9", "predict|R|--tokens|9", ""},
        {"train R --max-tokens 9", "train|R|train.batch_tokens=9", ""},
        {"train demo --path ''", "train|demo|data.path=", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char joined[LINE], notes[LINE];
        Err err = ERR_NONE;
        if (read_line(cases[i].line, joined, notes, &err))
            fail_msg("%s: %s", cases[i].line, err.text);
        assert_string_equal(joined, cases[i].wanted);
        if (!strstr(notes, cases[i].note) || !*notes)
            fail_msg("%s: %s", cases[i].line, notes);
    }
}

static void blanks_around_an_equals_sign_are_no_words(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"train demo train.epochs = 3", "train|demo|train.epochs=3"},
        {"train demo train.epochs =3", "train|demo|train.epochs=3"},
        {"train demo train.epochs= 3", "train|demo|train.epochs=3"},
        {"train demo data.path = a", "train|demo|data.path=a"},
        {"train demo data.path= a", "train|demo|data.path=|a"}, /* may be the recipe */
        {"train demo data.path=", "train|demo|data.path="},
        {"train demo train.epochs =", "train|demo|train.epochs="},
        {"train demo train.epochs = --out x", "train|demo|train.epochs=|--out|x"},
        {"train demo train.epochs = 3 optim.lr = 1",
         "train|demo|train.epochs=3|optim.lr=1"},
        {"train a=b", "train|a=b"},
        {"sweep demo optim.lr = 1,2", "sweep|demo|optim.lr=1,2"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char joined[LINE], notes[LINE];
        Err err = ERR_NONE;
        assert_int_equal(read_line(cases[i][0], joined, notes, &err), OK);
        assert_string_equal(joined, cases[i][1]);
        assert_string_equal(notes, "");
    }
}

static void what_is_ours_stays_as_it_is(void **state) {
    (void)state;
    static const char *const cases[] = {
        "train demo --out --lr",       "train demo --out=--lr",
        "train demo -- --lr 0.01",     "predict R --seed 3 --temperature 1",
        "plot R --title train.x = 3",  "doctor --lr 3",
        "train demo optim.lr=1 -h",    "train demo --nonsense 3",
        "train --resume runs/a -x",    "train demo --hel",
        "predict R --prompt --epochs", "train --",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char joined[LINE], notes[LINE], wanted[LINE];
        Err err = ERR_NONE;
        text_format(wanted, sizeof wanted, "%s", cases[i]);
        for (char *c = wanted; *c; c++)
            if (*c == ' ') *c = '|';
        assert_int_equal(read_line(cases[i], joined, notes, &err), OK);
        assert_string_equal(joined, wanted);
        assert_string_equal(notes, "");
    }
}

static void what_cannot_be_taken_names_the_key_to_write(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"train demo --lr", "--lr needs a value: write optim.lr=VALUE"},
        {"train demo --batch-size --epochs 3",
         "--batch-size needs a value: write train.batch"},
        {"train demo --temperature 2",
         "is ambiguous; write model.temperature=VALUE or contrast.temperature=VALUE"},
        {"train demo --name adam", "optim.name=VALUE or schedule.name=VALUE"},
        {"train demo --epoch 3",
         "unknown option --epoch; did you mean train.epochs=VALUE?"},
        {"train demo --droput=3", "did you mean model.dropout=VALUE?"},
        {"train demo --optim.lrr 3", "did you mean optim.lr=VALUE?"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char joined[LINE], notes[LINE];
        Err err = ERR_NONE;
        assert_int_equal(read_line(cases[i][0], joined, notes, &err), FAIL_USAGE);
        if (!strstr(err.text, cases[i][1])) fail_msg("%s: %s", cases[i][0], err.text);
    }
}

static void each_alias_names_a_key_and_is_none_itself(void **state) {
    (void)state;
    for (size_t i = 0; key_alias(i); i++) {
        if (!key_by_alias(key_alias(i))) fail_msg("%s names no key", key_alias(i));
        for (size_t k = 0; k < keys_count; k++)
            if (nearest_same(keys[k].name, key_alias(i)) &&
                strcmp(key_by_alias(key_alias(i))->name, keys[k].name))
                fail_msg("%s is %s.%s", key_alias(i), keys[k].section, keys[k].name);
        for (size_t k = 0; k < i; k++)
            assert_false(nearest_same(key_alias(i), key_alias(k)));
    }
}

static void near_keys_are_suggested_and_others_are_not(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"model.widht", "model.width"},
        {"modle.width", "model.width"},
        {"train.lr", "optim.lr"},
        {"lr", "optim.lr"},
        {"optim_lr", "optim.lr"},
        {"model.temp", "model.temperature"},
        {"model.layers", "model.depth"},
        {"MODEL.WIDTH", "model.width"},
        {"train.batchsize", "train.batch"},
        {"train.batch_size", "train.batch"},
        {"train.stop_after", NULL},
        {"foo.bar", NULL},
        {"", NULL},
        {".", NULL},
        {"train.", NULL},
        {"schedule.warmup", "schedule.warmup_steps"},
        {"train.acumulate", "train.accumulate"},
        {"a.very.long.name.with.many.dots.that.is.longer.than.all.of.the.others.are.sure",
         NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const Key *key = key_near(cases[i][0], NULL);
        char full[80] = "";
        if (key) text_format(full, sizeof full, "%s.%s", key->section, key->name);
        if (strcmp(full, cases[i][1] ? cases[i][1] : ""))
            fail_msg("%s: %s", cases[i][0], full);
    }
}

static void a_word_is_quoted_where_a_shell_would_cut_it(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"runs/demo-2", "runs/demo-2"},
        {"my runs/a", "'my runs/a'"},
        {"it's", "'it'\\''s'"},
        {"", "''"},
        {"a$b", "'a$b'"},
        {"a;rm", "'a;rm'"},
        {"a*", "'a*'"},
        {"{a,b}", "'{a,b}'"},
        {"gr\xc3\xbc\xc3\x9f"
         "e",
         "gr\xc3\xbc\xc3\x9f"
         "e"},
        {"~x", "'~x'"},
    };
    char out[SHELL_WORD], *longest = mem_alloc(9001);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(shell_word(cases[i][0], out), cases[i][1]);
    memset(longest, '\'', 9000);
    longest[9000] = 0;
    assert_true(strlen(shell_word(longest, out)) < SHELL_WORD);
    mem_free(longest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(habits_become_keys_with_a_note),
        cmocka_unit_test(blanks_around_an_equals_sign_are_no_words),
        cmocka_unit_test(what_is_ours_stays_as_it_is),
        cmocka_unit_test(what_cannot_be_taken_names_the_key_to_write),
        cmocka_unit_test(each_alias_names_a_key_and_is_none_itself),
        cmocka_unit_test(near_keys_are_suggested_and_others_are_not),
        cmocka_unit_test(a_word_is_quoted_where_a_shell_would_cut_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

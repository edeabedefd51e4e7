/* The tables of commands against all that is made from them: help, manual, completion. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/command/completion.h"
#include "tools/command/manual.h"
#include "tools/commands.h"
#include "tools/figure/figures.h"
#include "tools/program/help.h"
#include "tools/program/textstream.h"
#include "tools/recipe/keys.h"
#include "tools/run/datafacts.h"

/* The program itself and its commands. */
static const Command *nth(size_t i) { return i ? commands[i - 1] : &steady_command; }

static char *caught(void (*print)(const Command *command, FILE *out),
                    const Command *command) {
    TextStream s;
    assert_int_equal(textstream_open(&s, NULL), OK);
    print(command, s.file);
    assert_int_equal(textstream_close(&s, NULL), OK);
    return s.text;
}

static void bash(const Command *program, FILE *out) {
    completion_print(SHELL_BASH, program, out);
}
static void zsh(const Command *program, FILE *out) {
    completion_print(SHELL_ZSH, program, out);
}
static void fish(const Command *program, FILE *out) {
    completion_print(SHELL_FISH, program, out);
}
static void (*const SHELLS[])(const Command *, FILE *) = {bash, zsh, fish};

static void the_tables_are_sound(void **state) {
    (void)state;
    for (size_t i = 0; nth(i); i++) {
        const Command *c = nth(i);
        const Option *last = NULL;
        assert_true(*c->sentence && c->run);
        for (const Option *o = c->options; o->name; last = o++) {
            if (strncmp(o->name, "--", 2) || !*o->sentence)
                fail_msg("%s has a bad row %s", c->name, o->name);
            bool takes = option_takes_value(o) || o->show_of;
            assert_int_equal(takes, o->value != NULL);
            assert_int_equal(o->kind == OPTION_OWN, o->read != NULL);
            assert_true(o->kind != OPTION_CHOICE || o->choices);
            for (const Option *p = c->options; p < o; p++) {
                assert_string_not_equal(p->name, o->name);
                assert_true(!o->letter || !p->letter || strcmp(p->letter, o->letter));
            }
        }
        assert_string_equal(last->name, "--help");
        assert_string_equal(last->letter, "-h");
        assert_true(last - c->options < 64);
    }
}

static void every_help_text_is_of_a_command(void **state) {
    (void)state;
    size_t count = 0;
    for (size_t i = 0; nth(i); i++, count++) assert_non_null(help_text(nth(i)->name));
    assert_int_equal(help_builtin_count, count);
}

/* Lines that begin with the head, and end with it or go on behind a blank. */
static size_t lines_of(const char *help, const char *head) {
    char line[100];
    size_t count = 0;
    text_format(line, sizeof line, "\n  %s", head);
    for (const char *at = help; (at = strstr(at, line));) {
        at += strlen(line);
        count += *at == ' ' || *at == '\n';
    }
    return count;
}

static void every_option_is_in_the_help_once(void **state) {
    (void)state;
    for (size_t i = 1; nth(i); i++) {
        char *help = caught(help_print, nth(i));
        size_t wanted = strcmp(nth(i)->name, "recipes") ? 1 : 0;
        for (const Option *o = nth(i)->options; o->name; o++) {
            char head[90];
            help_head(o, head, sizeof head);
            if (lines_of(help, head) != wanted)
                fail_msg("%s -h has not one line for %s", nth(i)->name, head);
        }
        free(help);
    }
}

static bool is_option_of_any(const char *word, size_t length) {
    for (size_t i = 0; nth(i); i++)
        for (const Option *o = nth(i)->options; o->name; o++)
            if (strlen(o->name) == length && !memcmp(o->name, word, length)) return true;
    return false;
}

static void the_help_names_no_option_that_there_is_not(void **state) {
    (void)state;
    for (size_t i = 0; nth(i); i++) {
        char *help = caught(manual_print, nth(i));
        for (const char *at = help; (at = strstr(at, "\\-\\-")); at++) {
            char word[40] = "--";
            size_t n = 2;
            for (const char *c = at + 4; n < sizeof word - 1; c++) {
                if (!strncmp(c, "\\-", 2)) word[n++] = '-', c++;
                else if (isalnum((unsigned char)*c)) word[n++] = *c;
                else break;
            }
            word[n] = 0;
            if (n > strlen("--") && !is_option_of_any(word, n))
                fail_msg("steady-%s(1) names %s", nth(i)->name, word);
        }
        free(help);
    }
}

/* "\fB\-\-top\-k\fR" */
static void bold(const char *name, char *text) {
    text += sprintf(text, "\\fB");
    for (; *name; name++) text += sprintf(text, *name == '-' ? "\\-" : "%c", *name);
    strcpy(text, "\\fR");
}

static void every_option_is_in_the_manual(void **state) {
    (void)state;
    for (size_t i = 0; nth(i); i++) {
        char *page = caught(manual_print, nth(i));
        for (const Option *o = nth(i)->options; o->name; o++) {
            char text[120];
            bold(o->name, text);
            if (!strstr(page, text))
                fail_msg("steady-%s(1) has no %s", nth(i)->name, text);
            if (!o->letter) continue;
            bold(o->letter, text);
            if (!strstr(page, text))
                fail_msg("steady-%s(1) has no %s", nth(i)->name, text);
        }
        free(page);
    }
}

static void every_option_is_in_the_completion_of_each_shell(void **state) {
    (void)state;
    for (size_t s = 0; s < COUNT(SHELLS); s++) {
        char *text = caught(SHELLS[s], &steady_command), row[200];
        for (size_t i = 0; nth(i); i++) {
            for (const Option *o = nth(i)->options; o->name; o++) {
                snprintf(row, sizeof row, "\n%s|%s|%s|%s|", nth(i)->name, o->name,
                         o->letter ? o->letter : "", o->value ? o->value : "");
                if (!strstr(text, row)) fail_msg("%s: no%s", completion_shells[s], row);
            }
            snprintf(row, sizeof row, "\n%s|", nth(i)->name);
            if (!strstr(text, row)) fail_msg("%s: no%s", completion_shells[s], row);
        }
        free(text);
    }
}

static void keys_and_recipes_are_in_it_with_their_names(void **state) {
    (void)state;
    for (size_t s = 0; s < COUNT(SHELLS); s++) {
        char *text = caught(SHELLS[s], &steady_command), row[200];
        for (const Key *key = keys; key < keys + keys_count; key++) {
            snprintf(row, sizeof row, "\n%s.%s%s%s", key->section, key->name,
                     key->choices ? " " : "", key->choices ? key->choices[0] : "");
            if (key_is_stored(key) && !strstr(text, row))
                fail_msg("%s: no%s", completion_shells[s], row);
        }
        for (size_t i = 0; i < recipe_builtin_count(); i++) {
            snprintf(row, sizeof row, "\n%s\n", recipe_builtin_name(i));
            if (!strstr(text, row)) fail_msg("%s: no%s", completion_shells[s], row);
        }
        assert_non_null(strstr(text, "\ndata.shuffle true false\n"));
        free(text);
    }
}

static const Option *option_of(const Command *command, const char *name) {
    const Option *o = command->options;
    while (o->name && strcmp(o->name, name)) o++;
    assert_non_null(o->name);
    return o;
}

static void names_that_completion_offers_are_those_that_there_are(void **state) {
    (void)state;
    char rows[200] = "";
    const Option *o = option_of(&plot_command, "--rows");
    for (size_t i = 1; o->choices[i]; i++) { /* behind "present" */
        strcat(rows, i > 1 ? "," : "");
        strcat(rows, o->choices[i]);
    }
    assert_string_equal(rows, figure_rows());
    o = option_of(&eval_command, "--split");
    for (Split split = SPLIT_TRAIN; split <= SPLIT_TEST; split++)
        assert_string_equal(o->choices[split], split_name(split));
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_tables_are_sound),
        cmocka_unit_test(every_help_text_is_of_a_command),
        cmocka_unit_test(every_option_is_in_the_help_once),
        cmocka_unit_test(the_help_names_no_option_that_there_is_not),
        cmocka_unit_test(every_option_is_in_the_manual),
        cmocka_unit_test(every_option_is_in_the_completion_of_each_shell),
        cmocka_unit_test(keys_and_recipes_are_in_it_with_their_names),
        cmocka_unit_test(names_that_completion_offers_are_those_that_there_are),
    };
    return cmocka_run_group_tests_name("commands", cases, NULL, NULL);
}

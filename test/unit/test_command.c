/* The one parser of command lines, with good and with hostile words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tools/program/command.h"

enum { WORDS_MOST = 12 };

typedef struct Options {
    const char *out, *title;
    size_t jobs;
    double seconds;
    int theme;
    bool json;
    size_t models;
    const char *words[WORDS_MOST];
    size_t word_count;
} Options;

static Status count_model(const Option *option, void *options, const char *text,
                          Err *err) {
    if (!strcmp(text, "none")) return err_set(err, FAIL_USAGE, "%s none", option->name);
    ((Options *)options)->models++;
    return OK;
}

static const char *const THEMES[] = {"light", "dark", "none", NULL};

static const Option OPTIONS[] = {
    {"--out", "DIR", OPTION_NAME, offsetof(Options, out), .letter = "-o",
     .offers = OFFER_FOLDER},
    {"--title", "TEXT", OPTION_TEXT, .place = offsetof(Options, title)},
    {"--jobs", "N", OPTION_WHOLE, offsetof(Options, jobs), .min = 1, .max = 64},
    {"--seconds", "S", OPTION_NUMBER, offsetof(Options, seconds), .wants = "seconds"},
    {"--theme", "NAME", OPTION_CHOICE, offsetof(Options, theme), .choices = THEMES},
    {"--json", NULL, OPTION_FLAG, .place = offsetof(Options, json)},
    {"--model", "M", OPTION_OWN, 0, .read = count_model},
    {"--version", NULL, OPTION_SHOW, .show = NULL},
    OPTION_HELP,
    {0},
};

static Status take_word(void *options, char *word, Err *err) {
    Options *o = options;
    (void)err;
    o->words[o->word_count++] = word;
    return OK;
}

static const Command COMMAND = {"try", "", NULL, OPTIONS, take_word, .offers = 0};
static const Command WORDLESS = {"try", "", NULL, .options = OPTIONS};

#define WORDS(...) ((char *[]){"try", __VA_ARGS__, NULL})

static int count(char **words) {
    int n = 0;
    while (words[n]) n++;
    return n;
}

static Options taken(char **words) {
    Options o = {.theme = -1};
    Err err = ERR_NONE;
    if (command_read(&COMMAND, &o, count(words), words, NULL, &err))
        fail_msg("refused: %s", err.text);
    return o;
}

static void refused(const char *text, char **words) {
    Options o = {0};
    Err err = ERR_NONE;
    Status status = command_read(&COMMAND, &o, count(words), words, NULL, &err);
    if (status != FAIL_USAGE || !strstr(err.text, text))
        fail_msg("wanted \"%s\", got %d \"%s\"", text, status, err.text);
}

static void a_value_is_behind_an_equals_sign_or_the_next_word(void **state) {
    (void)state;
    Options o =
        taken(WORDS("--out", "a", "--jobs=3", "--seconds", "0.5", "--theme=dark"));
    assert_string_equal(o.out, "a");
    assert_int_equal(o.jobs, 3);
    assert_true(o.seconds == 0.5);
    assert_int_equal(o.theme, 1);
    assert_string_equal(taken(WORDS("-o", "b")).out, "b");
    assert_string_equal(taken(WORDS("-o=c=d")).out, "c=d");
    assert_string_equal(taken(WORDS("--title", "--out")).title, "--out");
    assert_string_equal(taken(WORDS("--title", "--")).title, "--");
    assert_string_equal(taken(WORDS("--title=")).title, "");
    assert_string_equal(taken(WORDS("--title", "")).title, "");
}

static void other_words_come_in_their_order(void **state) {
    (void)state;
    Options o = taken(WORDS("a", "--json", "", "-", "b=c"));
    assert_true(o.json);
    assert_int_equal(o.word_count, 4);
    assert_string_equal(o.words[0], "a");
    assert_string_equal(o.words[1], "");
    assert_string_equal(o.words[2], "-");
    assert_string_equal(o.words[3], "b=c");
    Err err = ERR_NONE;
    char *words[] = {"try", "x\xff", NULL};
    assert_int_equal(command_read(&WORDLESS, &o, 2, words, NULL, &err), FAIL_USAGE);
    assert_string_equal(err.text, "unexpected argument x\\xff; see -h");
}

static void behind_two_dashes_nothing_is_an_option(void **state) {
    (void)state;
    Options o = taken(WORDS("--json", "--", "--out", "-h", "--", "--jobs=x"));
    assert_null(o.out);
    assert_int_equal(o.word_count, 4);
    assert_string_equal(o.words[0], "--out");
    assert_string_equal(o.words[2], "--");
    assert_int_equal(taken(WORDS("--")).word_count, 0);
}

static void an_unknown_or_abbreviated_option_has_a_nearest_name(void **state) {
    (void)state;
    refused("unknown option --ouf; did you mean --out?  -h lists the options",
            WORDS("--ouf"));
    refused("unknown option --ouf=new; did you mean --out?", WORDS("--ouf=new"));
    refused("unknown option --sec; did you mean --seconds?", WORDS("--sec", "1"));
    refused("unknown option --t; did you mean --title?", WORDS("--t"));
    refused("unknown option --j=2; did you mean --jobs?", WORDS("--j=2"));
    refused("unknown option --=x", WORDS("--=x"));
    refused("unknown option -=", WORDS("-="));
    refused("unknown option ---out", WORDS("---out", "a"));
    refused("unknown option -oa; -h lists the options", WORDS("-oa"));
    refused("unknown option --bogus; -h lists the options", WORDS("--bogus"));
    refused("unknown option -x; -h lists the options", WORDS("-x"));
    refused("unknown option --mdoel; did you mean --model?", WORDS("--mdoel"));
    refused("unknown option --the\xc3\xa4me; did you mean --theme?",
            WORDS("--the\xc3\xa4me"));
    refused("unknown option --\\xff", WORDS("--\xff"));
    refused("unknown option --OUT=a; did you mean --out?", WORDS("--OUT=a"));
    refused("unknown option --jbos; did you mean --jobs?", WORDS("--jbos"));
    refused("unknown option --in; -h lists the options", WORDS("--in"));
}

static void a_missing_value_is_named(void **state) {
    (void)state;
    refused("--out needs a folder", WORDS("--out"));
    refused("--out needs a folder", WORDS("--out="));
    refused("-o needs a folder", WORDS("-o", "", "a"));
    refused("--title needs a value", WORDS("--title"));
    refused("--jobs needs a value", WORDS("--jobs="));
    refused("--seconds needs seconds", WORDS("--seconds"));
    refused("--json takes no value", WORDS("--json=1"));
    refused("--json takes no value", WORDS("--json="));
}

static void a_wrong_value_says_what_is_wanted(void **state) {
    (void)state;
    static const char *const WHOLE[] = {"x",
                                        "0",
                                        "65",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1x",
                                        "1.5",
                                        "1e1",
                                        "0x1",
                                        "99999999999999999999"};
    for (size_t i = 0; i < COUNT(WHOLE); i++)
        refused("expected a whole number from 1 to 64",
                WORDS("--jobs", (char *)WHOLE[i]));
    static const char *const NUMBER[] = {"x", "-1", "nan", "inf", "1e999", "1x"};
    for (size_t i = 0; i < COUNT(NUMBER); i++)
        refused("expected a number >= 0", WORDS("--seconds", (char *)NUMBER[i]));
    refused("--theme dar: expected light, dark or none", WORDS("--theme", "dar"));
    refused("--model none", WORDS("--model", "none"));
}

static void of_an_option_given_twice_the_last_counts(void **state) {
    (void)state;
    Options o =
        taken(WORDS("--jobs=1", "-o", "a", "--jobs", "2", "--out=b", "--json", "--json"));
    assert_int_equal(o.jobs, 2);
    assert_string_equal(o.out, "b");
    assert_int_equal(taken(WORDS("--model", "a", "--model=b")).models, 2);
}

static void what_was_given_is_known(void **state) {
    (void)state;
    Options o = {0};
    Err err = ERR_NONE;
    uint64_t given = 0;
    char *words[] = {"try", "--jobs=1", "--json", "--", "--title=x", NULL};
    assert_int_equal(command_read(&COMMAND, &o, 5, words, &given, &err), OK);
    assert_int_equal(given, 1u << 2 | 1u << 5);
}

static void very_long_words_are_refused_in_a_line(void **state) {
    (void)state;
    static char word[200001], joined[200010];
    memset(word, 'a', sizeof word - 1);
    refused("--out aaaaaa", WORDS("--out", word));
    refused("...: the name is too long", WORDS("--out", word));
    refused("--jobs aaa", WORDS("--jobs", word));
    assert_string_equal(taken(WORDS("--title", word)).title, word);
    assert_string_equal(taken(WORDS(word)).words[0], word);
    memcpy(joined, "--", 2);
    memcpy(joined + 2, word, sizeof word);
    refused("aaa; -h lists the options", WORDS(joined));
    memcpy(joined, "--theme=", 8);
    memcpy(joined + 8, word, sizeof word);
    refused("expected light, dark or none", WORDS(joined));
    word[1023] = 0;
    assert_string_equal(taken(WORDS("--out", word)).out, word);
    word[1023] = 'a', word[1024] = 0;
    refused("too long", WORDS("--out", word));
}

static const Option *shown(char **words) {
    int at = command_shows(&COMMAND, count(words), words);
    return at ? command_find_option(&COMMAND, words[at]) : NULL;
}

static void help_is_found_wherever_it_is_a_word(void **state) {
    (void)state;
    const Option *version = &OPTIONS[7], *help = &OPTIONS[8];
    assert_ptr_equal(shown(WORDS("a", "--bogus", "-h")), help);
    assert_ptr_equal(shown(WORDS("--help", "--version")), help);
    assert_ptr_equal(shown(WORDS("--version", "--help")), version);
    assert_ptr_equal(shown(WORDS("--title", "x", "--help")), help);
    assert_ptr_equal(shown(WORDS("--title=x", "--help")), help);
    assert_ptr_equal(shown(WORDS("--title", "-h")), help);
    assert_ptr_equal(shown(WORDS("--title", "--", "-h")), help);
    assert_null(shown(WORDS("--title=-h")));
    assert_null(shown(WORDS("--", "-h")));
    assert_null(shown(WORDS("--help=me")));
    assert_null(shown(WORDS("--title")));
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_value_is_behind_an_equals_sign_or_the_next_word),
        cmocka_unit_test(other_words_come_in_their_order),
        cmocka_unit_test(behind_two_dashes_nothing_is_an_option),
        cmocka_unit_test(an_unknown_or_abbreviated_option_has_a_nearest_name),
        cmocka_unit_test(a_missing_value_is_named),
        cmocka_unit_test(a_wrong_value_says_what_is_wanted),
        cmocka_unit_test(of_an_option_given_twice_the_last_counts),
        cmocka_unit_test(what_was_given_is_known),
        cmocka_unit_test(very_long_words_are_refused_in_a_line),
        cmocka_unit_test(help_is_found_wherever_it_is_a_word),
    };
    return cmocka_run_group_tests_name("command", cases, NULL, NULL);
}

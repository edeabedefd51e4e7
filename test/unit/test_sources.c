/* The table of sources, and the rooms that open what is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/picture/dataset.h"
#include "data/speech/set.h"
#include "data/text/set.h"
#include "files.h"
#include "tree.h"

enum { LIST = 400 };

static void list_of(ExampleKind kind, char list[LIST]) {
    source_list((SourceChoice){1u << kind, 0}, ", ", ", ", list, LIST);
}

/* ---- words and lists ---- */

static void no_word_stands_for_two_sources(void **state) {
    (void)state;
    for (Source s = 0; s < SOURCES; s++)
        for (Source other = 0; other < s; other++)
            assert_string_not_equal(source_names[s], source_names[other]);
    assert_null(source_names[SOURCES]);
}

/* Sources to come stand behind these. */
static void lists_keep_the_order_of_the_table(void **state) {
    (void)state;
    static const char *const BEGINS[] = {[EXAMPLES_PICTURES] =
                                             "glyphs, idx, cifar, folder",
                                         [EXAMPLES_TEXT] = "text, grammar",
                                         [EXAMPLES_PAIRS] = "parallel, numbers",
                                         [EXAMPLES_SPEECH] =
                                             "librispeech, manifest, tones"};
    char list[LIST];
    for (size_t k = 0; k < COUNT(BEGINS); k++) {
        list_of((ExampleKind)k, list);
        assert_int_equal(strncmp(list, BEGINS[k], strlen(BEGINS[k])), 0);
    }
}

static bool is_of(Source s, SourceChoice choice) {
    return (!choice.examples || choice.examples >> source_examples(s) & 1) &&
           source_has(s, choice.traits);
}

/* "a, b or c": a list of sources, all in order, and the last behind a sign of its own. */
static void check_list(SourceChoice choice) {
    char list[LIST];
    source_list(choice, ", ", " or ", list, sizeof list);
    const char *at = list;
    size_t count = 0, seen = 0;
    for (Source s = 0; s < SOURCES; s++) count += is_of(s, choice);
    for (Source s = 0; s < SOURCES; s++) {
        if (!is_of(s, choice)) continue;
        const char *sign = !seen ? "" : seen + 1 == count ? " or " : ", ";
        assert_int_equal(strncmp(at, sign, strlen(sign)), 0);
        at += strlen(sign);
        assert_int_equal(strncmp(at, source_name(s), strlen(source_name(s))), 0);
        at += strlen(source_name(s));
        seen++;
    }
    assert_string_equal(at, "");
}

static void a_list_has_those_that_are_asked_for_and_no_other(void **state) {
    (void)state;
    check_list((SourceChoice){0, 0});
    check_list((SourceChoice){1 << EXAMPLES_TEXT, TRAIT_NAMED}); /* none */
    check_list((SourceChoice){1 << EXAMPLES_TEXT | 1 << EXAMPLES_PAIRS, 0});
    for (ExampleKind kind = EXAMPLES_PICTURES; kind <= EXAMPLES_SPEECH; kind++)
        for (size_t trait = 0; trait < TRAIT_COUNT; trait++)
            check_list((SourceChoice){1u << kind, 1u << trait});
}

static void a_traits_word_is_its_bit(void **state) {
    (void)state;
    assert_int_equal(source_trait("synthetic}", 9), TRAIT_SYNTHETIC);
    assert_int_equal(source_trait("skips", 5), TRAIT_SKIPS);
    assert_int_equal(source_trait("skip", 4), 0);
    assert_int_equal(source_trait("", 0), 0);
}

/* Is a quoted name compared in this line: strcmp(x, "glyphs")? */
static bool compares_a_name(const char *line) {
    for (Source s = 0; s < SOURCES && strstr(line, "cmp("); s++) {
        char quoted[80];
        text_format(quoted, sizeof quoted, "\"%s\"", source_name(s));
        if (strstr(line, quoted)) return true;
    }
    return false;
}

static void check_file(void *bad, const char *path) {
    char line[400];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (!compares_a_name(line)) continue;
        print_error("%s compares a source's name (data/sources.h): %s", path, line);
        ++*(size_t *)bad;
    }
    fclose(file);
}

static void no_file_compares_the_name_of_a_source(void **state) {
    (void)state;
    size_t bad = 0;
    tree_each((const char *[]){"data", "models", "tools", NULL}, check_file, &bad);
    assert_int_equal(bad, 0);
    assert_true(compares_a_name("if (!strcmp(config->source, \"tones\")) return;"));
    assert_false(compares_a_name("if (!strcmp(config->source, name)) return;"));
}

/* ---- opening ---- */

/* What a room says: of one split, and whether it is there. */
typedef struct Opened {
    Status status;
    bool there;
    Err err;
} Opened;

static Opened open_pictures(const DataConfig *config, Split split) {
    Opened o = {.err = ERR_NONE};
    Dataset *set = dataset_open(config, split, &o.err);
    o.there = set && set->count;
    if (set && split == SPLIT_TEST) assert_true(dataset_has_test(config));
    dataset_free(set);
    o.status = o.err.status;
    return o;
}

static Opened open_texts(const DataConfig *config, Split split, bool pairs) {
    Opened o = {.err = ERR_NONE};
    Texts texts;
    o.status = texts_open(&texts, config, pairs, &o.err);
    if (o.status) return o;
    o.there = texts_has(&texts, split);
    assert_true(o.there == (texts.sets[split] != NULL));
    texts_close(&texts);
    return o;
}

static Opened open_speech(const DataConfig *config, Split split) {
    Opened o = {.err = ERR_NONE};
    SpeechConfig c = speech_config_default();
    c.source = config->source;
    c.synthetic_count = config->synthetic_count;
    text_format(c.path, sizeof c.path, "%s", config->path);
    SpeechSet *set = speechset_open(&c, split, &o.err);
    o.there = set && set->count && speech_has(&c, split);
    speechset_free(set);
    o.status = o.err.status;
    return o;
}

static Opened open_as(ExampleKind kind, const DataConfig *config, Split split) {
    switch (kind) {
    case EXAMPLES_PICTURES: return open_pictures(config, split);
    case EXAMPLES_SPEECH: return open_speech(config, split);
    default: return open_texts(config, split, kind == EXAMPLES_PAIRS);
    }
}

static DataConfig config_of(Source source) {
    DataConfig config = data_config_default();
    config.source = source;
    config.synthetic_count = 30;
    config.max_length = 1024;
    config.min_count = 1;
    config.tokens = TOKENS_WORD;
    return config;
}

static void what_the_program_makes_opens_without_a_path(void **state) {
    (void)state;
    static const unsigned NEEDS[] = {
        [SPLIT_TRAIN] = 0, [SPLIT_VAL] = TRAIT_VAL, [SPLIT_TEST] = TRAIT_TEST};
    for (Source s = 0; s < SOURCES; s++) {
        if (!source_has(s, TRAIT_SYNTHETIC)) continue;
        DataConfig config = config_of(s);
        for (Split split = SPLIT_TRAIN; split <= SPLIT_TEST; split++) {
            Opened o = open_as(source_examples(s), &config, split);
            if (o.status) fail_msg("%s: %s", source_name(s), o.err.text);
            if (o.there != source_has(s, NEEDS[split]))
                fail_msg("%s, split %d: there is %s", source_name(s), (int)split,
                         o.there ? "one" : "none");
        }
    }
}

static void files_that_are_not_there_are_refused(void **state) {
    (void)state;
    for (Source s = 0; s < SOURCES; s++) {
        if (source_has(s, TRAIT_SYNTHETIC)) continue;
        DataConfig config = config_of(s);
        text_format(config.path, sizeof config.path, "/nowhere/at/all");
        Opened o = open_as(source_examples(s), &config, SPLIT_TRAIN);
        if (o.status != FAIL_DATA || !strstr(o.err.text, "/nowhere/at/all"))
            fail_msg("%s: status %d: %s", source_name(s), (int)o.status, o.err.text);
        if (source_examples(s) != EXAMPLES_PICTURES) continue;
        *config.path = 0;
        o = open_pictures(&config, SPLIT_TRAIN);
        assert_int_equal(o.status, FAIL_USAGE);
        assert_non_null(strstr(o.err.text, " needs data.path"));
        assert_non_null(strstr(o.err.text, source_name(s)));
    }
}

static void a_room_refuses_other_rooms_sources_and_lists_its_own(void **state) {
    (void)state;
    for (ExampleKind kind = EXAMPLES_PICTURES; kind <= EXAMPLES_SPEECH; kind++)
        for (Source s = 0; s < SOURCES; s++) {
            char wanted[2 * LIST], list[LIST];
            DataConfig config = config_of(s);
            if (source_examples(s) == kind) continue;
            list_of(kind, list);
            text_format(wanted, sizeof wanted,
                        "unknown data.source = %s; expected one of %s", source_name(s),
                        list);
            Opened o = open_as(kind, &config, SPLIT_TRAIN);
            assert_int_equal(o.status, FAIL_USAGE);
            assert_string_equal(o.err.text, wanted);
        }
}

/* ---- splits ---- */

static void what_sources_can_do_is_what_the_manual_says(void **state) {
    (void)state;
    enum {
        ALL = TRAIT_SYNTHETIC | TRAIT_VAL | TRAIT_TEST | TRAIT_FIXED,
        LISTED = TRAIT_VAL | TRAIT_TEST | TRAIT_NAMED | TRAIT_SKIPS
    };
    static const struct {
        Source source;
        unsigned traits;
    } CASES[] = {
        {SOURCE_GLYPHS, TRAIT_SYNTHETIC | TRAIT_TEST},
        {SOURCE_IDX, TRAIT_TEST},
        {SOURCE_CIFAR, TRAIT_TEST},
        {SOURCE_FOLDER, TRAIT_VAL | TRAIT_TEST | TRAIT_DECODED | TRAIT_SKIPS},
        {SOURCE_TEXT, 0},
        {SOURCE_PARALLEL, TRAIT_SKIPS},
        {SOURCE_GRAMMAR, ALL | TRAIT_WHOLE},
        {SOURCE_NUMBERS, ALL | TRAIT_WHOLE},
        {SOURCE_LIBRISPEECH, LISTED},
        {SOURCE_MANIFEST, LISTED},
        {SOURCE_TONES, ALL},
    };
    for (size_t i = 0; i < COUNT(CASES); i++)
        for (size_t k = 0; k < TRAIT_COUNT; k++)
            if (source_has(CASES[i].source, 1u << k) != (CASES[i].traits >> k & 1))
                fail_msg("%s, trait %zu", source_name(CASES[i].source), k);
}

static void one_file_of_a_test_split_is_enough_for_it_to_be_there(void **state) {
    static const struct {
        Source source;
        const char *file;
    } CASES[] = {{SOURCE_IDX, "t10k-images-idx3-ubyte"},
                 {SOURCE_IDX, "t10k-labels-idx1-ubyte.gz"},
                 {SOURCE_CIFAR, "test_batch.bin"},
                 {SOURCE_CIFAR, "test.bin.gz"},
                 {SOURCE_FOLDER, "test/1.png"}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        DataConfig config = config_of(CASES[i].source);
        text_format(config.path, sizeof config.path, "%s", (const char *)*state);
        assert_false(dataset_has_test(&config));
        files_write(*state, CASES[i].file, "", 0);
        assert_true(dataset_has_test(&config));
        files_remove(*state, CASES[i].file);
    }
    DataConfig glyphs = config_of(SOURCE_GLYPHS);
    assert_true(dataset_has_test(&glyphs));
}

static SpeechConfig named(const DataConfig *data) {
    SpeechConfig c = speech_config_default();
    c.source = data->source;
    text_format(c.path, sizeof c.path, "%s", data->path);
    speech_name_splits(&c, data);
    return c;
}

static void splits_of_speech_have_the_names_that_are_there(void **state) {
    DataConfig data = config_of(SOURCE_MANIFEST);
    text_format(data.path, sizeof data.path, "%s", (const char *)*state);
    SpeechConfig c = named(&data);
    assert_string_equal(c.train, "train*");
    assert_string_equal(c.val, "val*");
    assert_string_equal(c.test, "test*");
    files_write(*state, "val.json", "x", 1);
    files_write(*state, "dev.json", "x", 1);
    c = named(&data);
    assert_string_equal(c.val, "dev*");
    files_remove(*state, "dev.json");
    c = named(&data);
    assert_string_equal(c.val, "val*");
    text_format(data.val_split, sizeof data.val_split, "some");
    text_format(data.test_path, sizeof data.test_path, "test.json");
    c = named(&data);
    assert_string_equal(c.val, "some");
    assert_string_equal(c.test, "./test.json");
    data = config_of(SOURCE_LIBRISPEECH);
    text_format(data.path, sizeof data.path, "%s", (const char *)*state);
    c = named(&data); /* no folder train*: the path is the training split itself */
    assert_string_equal(c.train, *state);
    assert_string_equal(c.val, "dev-clean");
    assert_string_equal(c.test, "test-clean");
    files_folder(*state, "train-clean");
    c = named(&data);
    assert_string_equal(c.train, "train*");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_word_stands_for_two_sources),
        cmocka_unit_test(lists_keep_the_order_of_the_table),
        cmocka_unit_test(a_list_has_those_that_are_asked_for_and_no_other),
        cmocka_unit_test(a_traits_word_is_its_bit),
        cmocka_unit_test(no_file_compares_the_name_of_a_source),
        cmocka_unit_test(what_the_program_makes_opens_without_a_path),
        cmocka_unit_test(files_that_are_not_there_are_refused),
        cmocka_unit_test(a_room_refuses_other_rooms_sources_and_lists_its_own),
        cmocka_unit_test(what_sources_can_do_is_what_the_manual_says),
        FOLDER_TEST(one_file_of_a_test_split_is_enough_for_it_to_be_there),
        FOLDER_TEST(splits_of_speech_have_the_names_that_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

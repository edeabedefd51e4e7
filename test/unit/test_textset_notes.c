/* What is said of texts: what was left out, what two splits share, files that do not
 * fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "data/text/set.h"
#include "files.h"
#include "text_sets.h"

/* ---- what is said ---- */

static void what_is_left_out_is_noted_with_its_first_line(void **state) {
    Texts texts;
    texts_put_pairs(*state, "a\n\nb b b b b\na b\nc\nsame\n",
                    "A\nB\nB\nA a a a a a\n\nsame\n");
    DataConfig config = texts_config(*state, true, TOKENS_WORD);
    config.on_error = ON_ERROR_SKIP, config.drop_long = true;
    config.max_length = 4;
    texts_must_open(&texts, &config);
    const TextSet *set = texts.sets[SPLIT_TRAIN];
    texts_expect_note(set, 2, "have an empty line", "/train.en:2");
    texts_expect_note(set, 2, "more tokens than data.max_length", "/train.en:3");
    texts_expect_note(set, 1, "same text on both sides", "/train.en:6");
    texts_close(&texts);
    config.max_length = 10, config.max_ratio = 2;
    texts_must_open(&texts, &config);
    texts_expect_note(texts.sets[SPLIT_TRAIN], 2, "data.max_ratio", "2 of 6 pairs");
    texts_close(&texts);
}

static void
unknown_words_of_val_and_test_are_noted_beside_those_of_training(void **state) {
    Texts texts;
    texts_put(*state, "train", "a a a a b\n");
    texts_put(*state, "v", "a x\na y\n");
    DataConfig config = texts_config(*state, false, TOKENS_WORD);
    config.min_count = 2;
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    texts_must_open(&texts, &config);
    const TextSet *val = texts.sets[SPLIT_VAL];
    assert_float_equal(textset_unknown(val, 0), 2.0 / 6, 1e-12);
    texts_expect_note(val, 2, "6 tokens, 33.3 % <unk>; the training text has 16.7 %",
                      "/v:1: 'x'");
    texts_close(&texts);
    texts_put_pairs(*state, "a b\n", "A B\n");
    texts_put(*state, "v.de", "a b\n");
    texts_put(*state, "v.en", "A C\n");
    config = texts_config(*state, true, TOKENS_WORD);
    text_format(config.test_path, sizeof config.test_path, "%s/v", (char *)*state);
    texts_must_open(&texts, &config);
    texts_expect_note(texts.sets[SPLIT_TEST], 1, "target: 3 tokens, 33.3 % <unk>",
                      "/v.en:1: 'C'");
    assert_true(textset_unknown(texts.sets[SPLIT_TEST], 0) == 0);
    texts_close(&texts);
}

static void a_val_split_of_nothing_is_noted_or_refused(void **state) {
    Texts texts;
    texts_put(*state, "train", "a b c\n");
    texts_put(*state, "v", "");
    DataConfig config = texts_config(*state, false, TOKENS_WORD);
    config.val_fraction = 0.1;
    texts_must_open(&texts, &config);
    texts_expect_note(texts.sets[SPLIT_TRAIN], 1, "data.val_fraction = 0.1 of 4 tokens",
                      "zero");
    texts_close(&texts);
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    texts_refuse(&config,
                 "/v is empty: the val (data.val_path) split has nothing to score");
    texts_put_pairs(*state, "a\n", "A\n");
    texts_put(*state, "v.de", "\n");
    texts_put(*state, "v.en", "\n");
    config = texts_config(*state, true, TOKENS_WORD);
    config.on_error = ON_ERROR_SKIP;
    text_format(config.test_path, sizeof config.test_path, "%s/v", (char *)*state);
    texts_refuse(&config, "/v.en has no usable pairs: the test (data.test_path) split");
}

static void open_with_val(Texts *texts, DataConfig *config, const char *root,
                          TokenKind tokens, const char *val) {
    *config = texts_config(root, false, tokens);
    texts_put(root, "v", val);
    text_format(config->val_path, sizeof config->val_path, "%s/v", root);
    texts_must_open(texts, config);
}

/* In another order, with others between them, the last without its end. */
static void lines_that_are_in_two_splits_are_counted(void **state) {
    static const char NOTE[] =
        "2 of 3 lines of at least 6 tokens are also in the training text";
    Texts texts;
    DataConfig config;
    texts_put(*state, "train", "a b c d e f g\nb b\nh i j k l m n\no p q r s t u\n");
    open_with_val(&texts, &config, *state, TOKENS_WORD,
                  "b b\nh i j k l m n\na a a a a a\na b c d e f g");
    texts_expect_note(texts.sets[SPLIT_VAL], 2, NOTE, "line 2 of the split");
    texts_close(&texts);
    open_with_val(&texts, &config, *state, TOKENS_CHAR,
                  "a b c d e f g\nb b\nb b\nb b\nb b\n");
    texts_expect_no_notes(texts.sets[SPLIT_VAL]); /* no line of 24 characters */
    texts_close(&texts);
    texts_put(*state, "train", "a b c d e f z\na b c d e f g f e d c b a g\n");
    texts_put(*state, "v", "a b c d e f y\na b c d e f y\n"); /* y and z are <unk> */
    config.tokens = TOKENS_WORD;
    config.min_count = 2;
    texts_must_open(&texts, &config);
    for (size_t i = 0; i < texts.sets[SPLIT_VAL]->facts.notes; i++)
        assert_null(strstr(texts.sets[SPLIT_VAL]->facts.note[i].text, "lines"));
    texts_close(&texts);
}

/* It may be another text's; a dictionary of the training text leaves out
 * what min_count says. */
static void a_dictionary_that_is_given_says_what_it_lacks(void **state) {
    Texts texts;
    texts_put(*state, "train", "a b c\nb a\n");
    texts_put(*state, "dict", "a 2\n");
    DataConfig config = texts_config(*state, false, TOKENS_WORD);
    config.min_count = 2;
    texts_must_open(&texts, &config);
    texts_expect_no_notes(texts.sets[SPLIT_TRAIN]);
    texts_close(&texts);
    text_format(config.source_vocab, sizeof config.source_vocab, "%s/dict",
                (char *)*state);
    texts_must_open(&texts, &config);
    texts_expect_note(texts.sets[SPLIT_TRAIN], 3,
                      "7 tokens, 42.9 % <unk> (first: ", "train:1: 'b')");
    texts_close(&texts);
}

static void what_is_in_two_splits_is_noted(void **state) {
    static const char LINE[] = "one two three four five six seven eight nine ten\n";
    Texts texts;
    TextBuffer text = {0};
    text_append(&text, "x y\n", 4);
    for (int i = 0; i < 3; i++) text_append(&text, LINE, sizeof LINE - 1);
    texts_put(*state, "train", text.text);
    texts_put(*state, "v", text.text + 4 + sizeof LINE - 1);
    texts_put(
        *state, "t",
        "one two three four five six seven eight nine ten eleven x y x y x y x y x y");
    DataConfig config = texts_config(*state, false, TOKENS_WORD);
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    text_format(config.test_path, sizeof config.test_path, "%s/t", (char *)*state);
    texts_must_open(&texts, &config);
    texts_expect_note(texts.sets[SPLIT_VAL], 22,
                      "all 22 tokens are also in the training text", "");
    assert_int_equal(texts.sets[SPLIT_TEST]->facts.notes, 1); /* eleven is <unk> */
    texts_close(&texts);
    text_free(&text);
    texts_put_pairs(*state, "a\nb\nc\n", "A\nB\nC\n");
    texts_put(*state, "v.de", "c\nb\na\n");
    texts_put(*state, "v.en", "C\nA\nA\n");
    config = texts_config(*state, true, TOKENS_WORD);
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    texts_must_open(&texts, &config);
    texts_expect_note(texts.sets[SPLIT_VAL], 2,
                      "2 of 3 pairs are also in the training text", "/v.en:1");
    texts_close(&texts);
    strcpy(config.test_path, config.val_path);
    texts_must_open(&texts, &config);
    texts_expect_note(texts.sets[SPLIT_TEST], 3, "the same text as the val split", "");
    texts_close(&texts);
}

static uint64_t hash_of(const DataConfig *config) {
    Texts texts;
    texts_must_open(&texts, config);
    uint64_t hash = texts.sets[SPLIT_TRAIN]->facts.hash;
    texts_close(&texts);
    assert_true(hash);
    return hash;
}

static void the_hash_is_of_the_text_in_its_order(void **state) {
    static const char *const TEXTS[] = {"a b\nc\n", "c\na b\n", "a\nb c\n", "a b c\n"};
    static const char *const TARGETS[] = {"A\nB\n", "B\nA\n", "A B\n\n", "A\n B\n"};
    uint64_t hash[4], pair[4];
    DataConfig config = texts_config(*state, false, TOKENS_CHAR);
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        texts_put(*state, "train", TEXTS[i]);
        hash[i] = hash_of(&config);
        assert_true(hash[i] == hash_of(&config));
        for (size_t k = 0; k < i; k++) assert_true(hash[i] != hash[k]);
    }
    config = texts_config(*state, true, TOKENS_WORD);
    config.on_error = ON_ERROR_SKIP;
    for (size_t i = 0; i < COUNT(TARGETS); i++) {
        texts_put_pairs(*state, "a\nb\n", TARGETS[i]);
        pair[i] = hash_of(&config);
        for (size_t k = 0; k < i; k++) assert_true(pair[i] != pair[k]);
    }
}

static void files_of_different_lengths_show_where_they_part(void **state) {
    DataConfig config = texts_config(*state, true, TOKENS_WORD);
    texts_put_pairs(*state, "a\nb\n\nd\n", "A\nB\nC\nD\nE\n");
    texts_refuse(&config, "has 4 lines, ");
    texts_refuse(&config, "has 5; ");
    texts_refuse(&config, "their lengths first differ a lot in line 3");
    texts_put_pairs(*state, "a\nb\n", "A\nB\nC\n");
    texts_refuse(&config, "without a counterpart is line 3");
}

static void bytes_that_are_no_text_are_named(void **state) {
    DataConfig config = texts_config(*state, true, TOKENS_WORD);
    texts_put_pairs(*state, "a\nb\n", "A\nB\xFF\n");
    texts_refuse(&config, "/train.en:2: byte 2");
    files_write(*state, "train.de", "a\n\0\n", 4);
    texts_refuse(&config, "/train.de:2: byte");
}

static void a_gzip_file_cut_short_is_named(void **state) {
    DataConfig config = texts_config(*state, true, TOKENS_WORD);
    texts_put(*state, "train.en", "A\nB\n");
    files_write_gz(*state, "train.de.gz", "a\nb\n", 4);
    Texts texts;
    texts_must_open(&texts, &config);
    texts_expect_pair(&texts, SPLIT_TRAIN, 1, "b", "B");
    texts_close(&texts);
    size_t n;
    mem_free(files_read(*state, "train.de.gz", &n));
    while (n-- > 0) {
        files_cut(*state, "train.de.gz", n);
        texts_refuse(&config, "/train.de.gz is truncated");
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(what_is_left_out_is_noted_with_its_first_line),
        FOLDER_TEST(unknown_words_of_val_and_test_are_noted_beside_those_of_training),
        FOLDER_TEST(a_val_split_of_nothing_is_noted_or_refused),
        FOLDER_TEST(lines_that_are_in_two_splits_are_counted),
        FOLDER_TEST(a_dictionary_that_is_given_says_what_it_lacks),
        FOLDER_TEST(what_is_in_two_splits_is_noted),
        FOLDER_TEST(the_hash_is_of_the_text_in_its_order),
        FOLDER_TEST(files_of_different_lengths_show_where_they_part),
        FOLDER_TEST(bytes_that_are_no_text_are_named),
        FOLDER_TEST(a_gzip_file_cut_short_is_named),
    };
    return cmocka_run_group_tests_name("textset_notes", cases, NULL, NULL);
}

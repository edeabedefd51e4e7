/* Texts as numbers: streams, pairs, splits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/textset.h"
#include "files.h"

static void put(const char *root, const char *name, const char *text) {
    files_write(root, name, text, strlen(text));
}

static DataConfig config_of(const char *root, bool pairs, TokenKind kind) {
    DataConfig c = data_config_default();
    strcpy(c.source, pairs ? "parallel" : "text");
    text_format(c.path, sizeof c.path, "%s/train", root);
    strcpy(c.source_lang, "de");
    strcpy(c.target_lang, "en");
    c.tokens = kind;
    c.min_count = 1;
    c.bpe_merges = 20;
    c.max_length = 1024;
    return c;
}

static void put_pairs(const char *root, const char *source, const char *target) {
    put(root, "train.de", source);
    put(root, "train.en", target);
}

static void open_texts(Texts *texts, const DataConfig *config) {
    Err err = ERR_NONE;
    bool pairs =
        !strcmp(config->source, "parallel") || !strcmp(config->source, "numbers");
    if (texts_open(texts, config, pairs, &err)) fail_msg("%s", err.text);
}

static void refuse(const DataConfig *config, const char *part) {
    Texts texts;
    Err err = ERR_NONE;
    Status status = texts_open(&texts, config, !strcmp(config->source, "parallel"), &err);
    if (!status) fail_msg("opened, though \"%s\" was to be noticed", part);
    if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    assert_int_equal(status, FAIL_DATA);
    assert_int_equal(err.status, FAIL_DATA);
}

static void expect_text(const Texts *t, size_t side, const uint32_t *ids, size_t count,
                        const char *expected) {
    TextBuffer text = {0};
    tokenizer_decode(t->tokenizer[side], ids, count, &text);
    assert_string_equal(text.text, expected);
    text_free(&text);
}

static void expect_stream(const Texts *t, Split split, const char *expected) {
    const TextSet *set = t->sets[split];
    assert_non_null(set);
    expect_text(t, 0, set->stream, set->stream_count, expected);
}

static void expect_pair(const Texts *t, Split split, size_t i, const char *source,
                        const char *target) {
    size_t m, n;
    const TextSet *set = t->sets[split];
    assert_non_null(set);
    const uint32_t *x = textset_source(set, i, &m), *y = textset_target(set, i, &n);
    assert_int_equal(x[m - 1], ID_EOS);
    assert_int_equal(y[n - 1], ID_EOS);
    expect_text(t, 0, x, m - 1, source);
    expect_text(t, 1, y, n - 1, target);
}

/* ---- streams ---- */

static void a_character_stream_is_the_whole_file(void **state) {
    static const char *const TEXTS[] = {"ab\n\nba", "ab\n\nba\n", "a"};
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        Texts texts;
        put(*state, "train", TEXTS[i]);
        DataConfig config = config_of(*state, false, TOKENS_CHAR);
        open_texts(&texts, &config);
        assert_int_equal(texts.sets[SPLIT_TRAIN]->stream_count, strlen(TEXTS[i]));
        expect_stream(&texts, SPLIT_TRAIN, TEXTS[i]);
        assert_null(texts.sets[SPLIT_VAL]);
        assert_null(texts.sets[SPLIT_TEST]);
        texts_close(&texts);
    }
}

static void each_line_of_words_ends_with_a_sentence_end(void **state) {
    put(*state, "train", "a b\n\n b a <unk>");
    for (int kind = TOKENS_WORD; kind <= TOKENS_BPE; kind++) {
        Texts texts;
        DataConfig config = config_of(*state, false, (TokenKind)kind);
        open_texts(&texts, &config);
        const TextSet *set = texts.sets[SPLIT_TRAIN];
        assert_int_equal(set->stream_count, 8);
        assert_int_equal(set->stream[2], ID_EOS);
        assert_int_equal(set->stream[3], ID_EOS);
        assert_int_equal(set->stream[7], ID_EOS);
        assert_int_equal(set->report.lines, 3);
        assert_int_equal(set->report.tokens[0], 8);
        assert_int_equal(set->report.unknown[0], 1);
        texts_close(&texts);
    }
}

static void validation_is_the_end_of_the_stream(void **state) {
    Texts texts;
    put(*state, "train", "aaaabbbbz"); /* 9 characters, round(0.3 * 9) = 3 */
    DataConfig config = config_of(*state, false, TOKENS_CHAR);
    config.val_fraction = 0.3;
    open_texts(&texts, &config);
    expect_stream(&texts, SPLIT_TRAIN, "aaaabb");
    expect_stream(&texts, SPLIT_VAL, "bbz"); /* z is in the vocabulary all the same */
    texts_close(&texts);
    config.limit = 5;
    open_texts(&texts, &config);
    expect_stream(&texts, SPLIT_TRAIN, "aaa");
    expect_stream(&texts, SPLIT_VAL, "ab");
    texts_close(&texts);
}

static void splits_of_their_own_win_over_a_fraction(void **state) {
    Texts texts;
    put(*state, "train", "abc");
    put(*state, "v", "cc");
    files_write_gz(*state, "t.gz", "ba", 2);
    DataConfig config = config_of(*state, false, TOKENS_CHAR);
    config.val_fraction = 0.5;
    config.limit = 2;
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    text_format(config.test_path, sizeof config.test_path, "%s/t", (char *)*state);
    open_texts(&texts, &config);
    expect_stream(&texts, SPLIT_TRAIN, "ab");
    expect_stream(&texts, SPLIT_VAL, "cc");
    expect_stream(&texts, SPLIT_TEST, "ba");
    texts_close(&texts);
}

static void an_unknown_character_is_named_with_its_line(void **state) {
    put(*state, "train", "abc\nabc\n");
    put(*state, "v", "a\nb\xC3\xA4\n");
    DataConfig config = config_of(*state, false, TOKENS_CHAR);
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    refuse(&config, "/v:2: the character '\xC3\xA4' (U+00E4)");
    put(*state, "train", "abc\xC3\xA4");
    refuse(&config, "/v:1: a line's end is not in the vocabulary");
}

static void empty_and_missing_texts_are_named(void **state) {
    DataConfig config = config_of(*state, false, TOKENS_WORD);
    refuse(&config, "/train cannot be opened");
    put(*state, "train", "");
    refuse(&config, "/train is empty");
    put(*state, "train", "a\n");
    text_format(config.test_path, sizeof config.test_path, "%s/test", (char *)*state);
    refuse(&config, "/test cannot be opened");
}

static void a_line_of_a_million_tokens_is_a_stream_and_no_sentence(void **state) {
    enum { WORDS = 1000000 };
    char *text = mem_alloc(2 * WORDS);
    for (size_t i = 0; i < WORDS; i++) text[2 * i] = "ab"[i % 2], text[2 * i + 1] = ' ';
    files_write(*state, "train", text, 2 * WORDS);
    for (int kind = TOKENS_WORD; kind <= TOKENS_BPE; kind++) {
        Texts texts;
        DataConfig config = config_of(*state, false, (TokenKind)kind);
        open_texts(&texts, &config);
        assert_int_equal(texts.sets[SPLIT_TRAIN]->stream_count, WORDS + 1);
        texts_close(&texts);
    }
    put_pairs(*state, "x\ny\n", "x\ny\n");
    text[2 * WORDS - 1] = '\n';
    files_write(*state, "train.en", text, 2 * WORDS);
    put(*state, "train.de", "x\n");
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    refuse(&config, "/train.en:1: 1000000 tokens, more than data.max_length = 1024");
    mem_free(text);
}

/* ---- pairs ---- */

static void pairs_are_lines_of_two_files(void **state) {
    Texts texts;
    put_pairs(*state, "ein Hund\nzwei\n", "a dog\r\ntwo");
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    open_texts(&texts, &config);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, 2);
    expect_pair(&texts, SPLIT_TRAIN, 0, "ein Hund", "a dog");
    expect_pair(&texts, SPLIT_TRAIN, 1, "zwei", "two");
    size_t length;
    const char *line = textset_target_line(texts.sets[SPLIT_TRAIN], 0, &length);
    assert_int_equal(length, 5);
    assert_memory_equal(line, "a dog", 5);
    texts_close(&texts);
}

static void joined_languages_share_one_dictionary(void **state) {
    Texts texts;
    put_pairs(*state, "a b\n", "b c\n");
    for (int kind = TOKENS_CHAR; kind <= TOKENS_BPE; kind++) {
        DataConfig config = config_of(*state, true, (TokenKind)kind);
        open_texts(&texts, &config);
        assert_ptr_not_equal(texts.tokenizer[0], texts.tokenizer[1]);
        size_t apart = tokenizer_size(texts.tokenizer[0]);
        texts_close(&texts);
        config.joint = true;
        open_texts(&texts, &config);
        assert_ptr_equal(texts.tokenizer[0], texts.tokenizer[1]);
        assert_int_equal(tokenizer_size(texts.tokenizer[0]), apart + 1);
        texts_close(&texts);
    }
}

static void a_file_one_line_short_is_refused_with_both_counts(void **state) {
    put_pairs(*state, "a\nb\nc\n", "a\nb\n");
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    refuse(&config, "/train.de has 3 lines");
    refuse(&config, "/train.en has 2");
    put_pairs(*state, "a\n", "a\n");
    put(*state, "v.de", "a\n");
    put(*state, "v.en", "a\n\n");
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    refuse(&config, "/v.en has 2");
}

static void an_empty_line_is_named_or_skipped(void **state) {
    Texts texts;
    put_pairs(*state, "a\n \nc\nd\n", "A\nB\n\nD\n");
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    refuse(&config, "/train.de:2: an empty line");
    config.on_error = ON_ERROR_SKIP;
    open_texts(&texts, &config);
    const TextSet *set = texts.sets[SPLIT_TRAIN];
    assert_int_equal(set->count, 2);
    assert_int_equal(set->report.lines, 4);
    assert_int_equal(set->report.empty, 2);
    expect_pair(&texts, SPLIT_TRAIN, 1, "d", "D");
    size_t length;
    assert_int_equal(*textset_target_line(set, 1, &length), 'D');
    texts_close(&texts);
    put_pairs(*state, "a\nb\n", "A\n\n");
    config.on_error = ON_ERROR_STOP;
    refuse(&config, "/train.en:2: an empty line");
}

static void long_and_lopsided_pairs_are_named_or_dropped(void **state) {
    Texts texts;
    put_pairs(*state, "a\na b c d\na a a\na\n", "a\na a a a\na\na a b b b\n");
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    config.max_length = 4;
    refuse(&config, "/train.en:4: 5 tokens, more than data.max_length = 4");
    config.max_ratio = 2;
    refuse(&config, "/train.de:3: 3 tokens for 1, a ratio above data.max_ratio = 2");
    config.drop_long = true;
    open_texts(&texts, &config);
    const TextSet *set = texts.sets[SPLIT_TRAIN];
    assert_int_equal(set->count, 2);
    assert_int_equal(set->report.too_long, 1);
    assert_int_equal(set->report.ratio, 1);
    assert_int_equal(set->report.tokens[0], 2 + 5);
    assert_int_equal(set->report.longest[1], 5);
    expect_pair(&texts, SPLIT_TRAIN, 1, "a b c d", "a a a a");
    texts_close(&texts);
}

static void validation_is_the_last_pairs(void **state) {
    Texts texts;
    put_pairs(*state, "a\nb\n\nc\nd\ne\n", "A\nB\nX\nC\nD\nE e\n");
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    config.on_error = ON_ERROR_SKIP;
    config.val_fraction = 0.4; /* of the five pairs that are left */
    open_texts(&texts, &config);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, 3);
    assert_int_equal(texts.sets[SPLIT_VAL]->count, 2);
    expect_pair(&texts, SPLIT_TRAIN, 2, "c", "C");
    expect_pair(&texts, SPLIT_VAL, 0, "d", "D");
    expect_pair(&texts, SPLIT_VAL, 1, "e", "E e");
    size_t length;
    assert_memory_equal(textset_target_line(texts.sets[SPLIT_VAL], 1, &length), "E e", 3);
    assert_int_equal(length, 3);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->report.tokens[1], 6);
    assert_int_equal(texts.sets[SPLIT_VAL]->report.tokens[1], 5);
    texts_close(&texts);
    config.limit = 3;
    config.val_fraction = 0;
    open_texts(&texts, &config);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, 3);
    texts_close(&texts);
}

static void bytes_that_are_no_text_are_named(void **state) {
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    put_pairs(*state, "a\nb\n", "A\nB\xFF\n");
    refuse(&config, "/train.en:2: byte 2");
    files_write(*state, "train.de", "a\n\0\n", 4);
    refuse(&config, "/train.de:2: a NUL byte");
}

static void a_gzip_file_cut_short_is_named(void **state) {
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    put(*state, "train.en", "A\nB\n");
    files_write_gz(*state, "train.de.gz", "a\nb\n", 4);
    Texts texts;
    open_texts(&texts, &config);
    expect_pair(&texts, SPLIT_TRAIN, 1, "b", "B");
    texts_close(&texts);
    size_t n;
    mem_free(files_read(*state, "train.de.gz", &n));
    while (n-- > 0) {
        files_cut(*state, "train.de.gz", n);
        refuse(&config, "/train.de.gz is cut short");
    }
}

/* ---- a run's folder ---- */

static void a_run_opens_its_texts_as_training_did(void **state) {
    Err err = ERR_NONE;
    put_pairs(*state, "low lower\nnew newer\nlow\n",
              "nieder niederer\nneu neuer\nnieder\n");
    for (int joint = 0; joint < 2; joint++) {
        DataConfig config = config_of(*state, true, TOKENS_BPE);
        config.joint = joint;
        config.val_fraction = 0.34;
        Texts texts, run;
        open_texts(&texts, &config);
        assert_int_equal(texts_save(&texts, *state, &err), OK);
        if (texts_open_run(&run, &config, true, *state, &err)) fail_msg("%s", err.text);
        assert_true(texts_has(&run, SPLIT_VAL));
        assert_false(texts_has(&run, SPLIT_TEST));
        const TextSet *val = texts_set(&run, SPLIT_VAL, &err);
        assert_non_null(val);
        assert_int_equal(val->count, 1);
        expect_pair(&run, SPLIT_VAL, 0, "low", "nieder");
        assert_ptr_equal(texts_set(&run, SPLIT_VAL, &err), val);
        assert_int_equal(texts_set(&run, SPLIT_TRAIN, &err)->count, 2);
        assert_null(texts_set(&run, SPLIT_TEST, &err));
        assert_non_null(strstr(err.text, "data.test_path"));
        err = ERR_NONE;
        texts_close(&run);
        texts_close(&texts);
    }
}

static void a_run_without_its_vocabulary_is_refused(void **state) {
    static const char *const FILES[] = {"source.vocab", "target.vocab"};
    put_pairs(*state, "a\n", "b\n");
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    for (size_t i = 0; i < COUNT(FILES); i++) {
        Err err = ERR_NONE;
        Texts texts;
        open_texts(&texts, &config);
        assert_int_equal(texts_save(&texts, *state, &err), OK);
        texts_close(&texts);
        files_remove(*state, FILES[i]);
        assert_int_equal(texts_open_run(&texts, &config, true, *state, &err), FAIL_DATA);
        assert_non_null(strstr(err.text, FILES[i]));
    }
}

/* ---- sources ---- */

static void every_listed_source_is_known_and_no_other(void **state) {
    (void)state;
    char list[200];
    text_format(list, sizeof list, "%s", textset_source_list());
    size_t count = 0;
    for (char *name = strtok(list, ", "); name; name = strtok(NULL, ", "), count++)
        assert_true(textset_source_known(name));
    assert_int_equal(count, 4);
    assert_false(textset_source_known("glyphs"));
    assert_false(textset_source_known(""));
}

static void built_in_texts_have_three_splits(void **state) {
    (void)state;
    Texts texts;
    DataConfig config = config_of("", true, TOKENS_WORD);
    strcpy(config.source, "numbers");
    config.synthetic_count = 500;
    open_texts(&texts, &config);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, 500);
    assert_int_equal(texts.sets[SPLIT_VAL]->count, 100);
    assert_int_equal(texts.sets[SPLIT_TEST]->count, 100);
    assert_int_equal(texts.sets[SPLIT_VAL]->report.unknown[0], 0);
    texts_close(&texts);
    strcpy(config.source, "grammar");
    open_texts(&texts, &config);
    assert_true(texts.sets[SPLIT_TRAIN]->stream_count > 500 * 4);
    assert_int_equal(texts.sets[SPLIT_TEST]->report.lines, 100);
    texts_close(&texts);
}

static void damaged_pairs_are_read_or_refused(void **state) {
    static const char TEXT[] = "ein Hund\n\nzwei H\xC3\xBCnde\r\ndrei\nein\n";
    DataConfig config = config_of(*state, true, TOKENS_BPE);
    config.drop_long = true;
    put(*state, "train.en", TEXT);
    for (unsigned trial = 0; trial < 600; trial++) {
        size_t n;
        uint8_t *bad = files_damage((const uint8_t *)TEXT, sizeof TEXT - 1, trial, &n);
        files_write(*state, "train.de", bad, n);
        mem_free(bad);
        Texts texts;
        Err err = ERR_NONE;
        config.on_error = trial % 2 ? ON_ERROR_SKIP : ON_ERROR_STOP;
        Status status = texts_open(&texts, &config, true, &err);
        assert_true(status == OK || status == FAIL_DATA);
        if (!status) texts_close(&texts);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(a_character_stream_is_the_whole_file),
        FOLDER_TEST(each_line_of_words_ends_with_a_sentence_end),
        FOLDER_TEST(validation_is_the_end_of_the_stream),
        FOLDER_TEST(splits_of_their_own_win_over_a_fraction),
        FOLDER_TEST(an_unknown_character_is_named_with_its_line),
        FOLDER_TEST(empty_and_missing_texts_are_named),
        FOLDER_TEST(a_line_of_a_million_tokens_is_a_stream_and_no_sentence),
        FOLDER_TEST(pairs_are_lines_of_two_files),
        FOLDER_TEST(joined_languages_share_one_dictionary),
        FOLDER_TEST(a_file_one_line_short_is_refused_with_both_counts),
        FOLDER_TEST(an_empty_line_is_named_or_skipped),
        FOLDER_TEST(long_and_lopsided_pairs_are_named_or_dropped),
        FOLDER_TEST(validation_is_the_last_pairs),
        FOLDER_TEST(bytes_that_are_no_text_are_named),
        FOLDER_TEST(a_gzip_file_cut_short_is_named),
        FOLDER_TEST(a_run_opens_its_texts_as_training_did),
        FOLDER_TEST(a_run_without_its_vocabulary_is_refused),
        cmocka_unit_test(every_listed_source_is_known_and_no_other),
        cmocka_unit_test(built_in_texts_have_three_splits),
        FOLDER_TEST(damaged_pairs_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

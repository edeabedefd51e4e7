/* Texts as numbers: streams, pairs, splits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "data/text/set.h"
#include "files.h"
#include "text_sets.h"

static void expect_stream(const Texts *t, Split split, const char *expected) {
    const TextSet *set = t->sets[split];
    assert_non_null(set);
    texts_expect_text(t, 0, set->stream, set->stream_count, expected);
}

/* ---- streams ---- */

static void a_character_stream_is_the_whole_file(void **state) {
    static const char *const TEXTS[] = {"ab\n\nba", "ab\n\nba\n", "a"};
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        Texts texts;
        texts_put(*state, "train", TEXTS[i]);
        DataConfig config = texts_config(*state, false, TOKENS_CHAR);
        texts_must_open(&texts, &config);
        assert_int_equal(texts.sets[SPLIT_TRAIN]->stream_count, strlen(TEXTS[i]));
        expect_stream(&texts, SPLIT_TRAIN, TEXTS[i]);
        assert_null(texts.sets[SPLIT_VAL]);
        assert_null(texts.sets[SPLIT_TEST]);
        texts_close(&texts);
    }
}

static void each_line_of_words_ends_with_a_sentence_end(void **state) {
    texts_put(*state, "train", "a b\n\n b a <unk>");
    for (int kind = TOKENS_WORD; kind <= TOKENS_BPE; kind++) {
        Texts texts;
        DataConfig config = texts_config(*state, false, (TokenKind)kind);
        texts_must_open(&texts, &config);
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
    texts_put(*state, "train", "aaaabbbbz"); /* 9 characters, round(0.3 * 9) = 3 */
    DataConfig config = texts_config(*state, false, TOKENS_CHAR);
    config.val_fraction = 0.3;
    texts_must_open(&texts, &config);
    expect_stream(&texts, SPLIT_TRAIN, "aaaabb");
    expect_stream(&texts, SPLIT_VAL, "bbz"); /* z is in the vocabulary all the same */
    texts_close(&texts);
    config.limit = 5;
    texts_must_open(&texts, &config);
    expect_stream(&texts, SPLIT_TRAIN, "aaa");
    expect_stream(&texts, SPLIT_VAL, "ab");
    assert_int_equal(texts.sets[SPLIT_TRAIN]->facts.notes, 1);
    assert_non_null(strstr(texts.sets[SPLIT_TRAIN]->facts.note[0].text,
                           "data.limit = 5: using the first of 9 tokens"));
    texts_close(&texts);
    config.limit = 10;
    texts_must_open(&texts, &config);
    assert_non_null(strstr(texts.sets[SPLIT_TRAIN]->facts.note[0].text,
                           "data.limit = 10 has no effect: there are only 9 tokens"));
    texts_close(&texts);
}

static void splits_of_their_own_win_over_a_fraction(void **state) {
    Texts texts;
    texts_put(*state, "train", "abc");
    texts_put(*state, "v", "cc");
    files_write_gz(*state, "t.gz", "ba", 2);
    DataConfig config = texts_config(*state, false, TOKENS_CHAR);
    config.val_fraction = 0.5;
    config.limit = 2;
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    text_format(config.test_path, sizeof config.test_path, "%s/t", (char *)*state);
    texts_must_open(&texts, &config);
    expect_stream(&texts, SPLIT_TRAIN, "ab");
    expect_stream(&texts, SPLIT_VAL, "cc");
    expect_stream(&texts, SPLIT_TEST, "ba");
    texts_close(&texts);
    config.test_limit = 1;
    texts_must_open(&texts, &config);
    expect_stream(&texts, SPLIT_TRAIN, "ab");
    expect_stream(&texts, SPLIT_TEST, "b");
    texts_expect_note(texts.sets[SPLIT_TEST], 1, "data.test_limit = 1", "of 2 tokens");
    texts_close(&texts);
}

static void an_unknown_character_is_named_with_its_line(void **state) {
    texts_put(*state, "train", "abc\nabc\n");
    texts_put(*state, "v", "a\nb\xC3\xA4\n");
    DataConfig config = texts_config(*state, false, TOKENS_CHAR);
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    texts_refuse(&config, "/v:2: the character '\xC3\xA4' (U+00E4)");
    texts_put(*state, "train", "abc\xC3\xA4");
    texts_refuse(&config, "/v:1: the end of a line is not in the vocabulary");
}

static void empty_and_missing_texts_are_named(void **state) {
    DataConfig config = texts_config(*state, false, TOKENS_WORD);
    texts_refuse(&config, "/train: no such file");
    texts_put(*state, "train", "");
    texts_refuse(&config, "/train is empty");
    texts_put(*state, "train", "a\n");
    text_format(config.test_path, sizeof config.test_path, "%s/test", (char *)*state);
    texts_refuse(&config, "/test: no such file");
}

static void a_line_of_a_million_tokens_is_a_stream_and_no_sentence(void **state) {
    enum { WORDS = 1000000 };
    char *text = mem_alloc(2 * WORDS);
    for (size_t i = 0; i < WORDS; i++) text[2 * i] = "ab"[i % 2], text[2 * i + 1] = ' ';
    files_write(*state, "train", text, 2 * WORDS);
    for (int kind = TOKENS_WORD; kind <= TOKENS_BPE; kind++) {
        Texts texts;
        DataConfig config = texts_config(*state, false, (TokenKind)kind);
        texts_must_open(&texts, &config);
        assert_int_equal(texts.sets[SPLIT_TRAIN]->stream_count, WORDS + 1);
        texts_close(&texts);
    }
    texts_put_pairs(*state, "x\ny\n", "x\ny\n");
    text[2 * WORDS - 1] = '\n';
    files_write(*state, "train.en", text, 2 * WORDS);
    texts_put(*state, "train.de", "x\n");
    DataConfig config = texts_config(*state, true, TOKENS_WORD);
    texts_refuse(&config,
                 "/train.en:1: 1000000 tokens, more than data.max_length = 1024");
    mem_free(text);
}

/* ---- pairs ---- */

static void pairs_are_lines_of_two_files(void **state) {
    Texts texts;
    texts_put_pairs(*state, "ein Hund\nzwei\n", "a dog\r\ntwo");
    DataConfig config = texts_config(*state, true, TOKENS_WORD);
    texts_must_open(&texts, &config);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, 2);
    texts_expect_pair(&texts, SPLIT_TRAIN, 0, "ein Hund", "a dog");
    texts_expect_pair(&texts, SPLIT_TRAIN, 1, "zwei", "two");
    size_t length;
    const char *line = textset_target_line(texts.sets[SPLIT_TRAIN], 0, &length);
    assert_int_equal(length, 5);
    assert_memory_equal(line, "a dog", 5);
    texts_close(&texts);
}

static void joined_languages_share_one_dictionary(void **state) {
    Texts texts;
    texts_put_pairs(*state, "a b\n", "b c\n");
    for (int kind = TOKENS_CHAR; kind <= TOKENS_BPE; kind++) {
        DataConfig config = texts_config(*state, true, (TokenKind)kind);
        texts_must_open(&texts, &config);
        assert_ptr_not_equal(texts.tokenizer[0], texts.tokenizer[1]);
        size_t apart = tokenizer_size(texts.tokenizer[0]);
        texts_close(&texts);
        config.joint = true;
        texts_must_open(&texts, &config);
        assert_ptr_equal(texts.tokenizer[0], texts.tokenizer[1]);
        assert_int_equal(tokenizer_size(texts.tokenizer[0]), apart + 1);
        texts_close(&texts);
    }
}

static void a_file_one_line_short_is_refused_with_both_counts(void **state) {
    texts_put_pairs(*state, "a\nb\nc\n", "a\nb\n");
    DataConfig config = texts_config(*state, true, TOKENS_WORD);
    texts_refuse(&config, "/train.de has 3 lines");
    texts_refuse(&config, "/train.en has 2");
    texts_put_pairs(*state, "a\n", "a\n");
    texts_put(*state, "v.de", "a\n");
    texts_put(*state, "v.en", "a\n\n");
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    texts_refuse(&config, "/v.en has 2");
}

static void an_empty_line_is_named_or_skipped(void **state) {
    Texts texts;
    texts_put_pairs(*state, "a\n \nc\nd\n", "A\nB\n\nD\n");
    DataConfig config = texts_config(*state, true, TOKENS_WORD);
    texts_refuse(&config, "/train.de:2: empty line");
    config.on_error = ON_ERROR_SKIP;
    texts_must_open(&texts, &config);
    const TextSet *set = texts.sets[SPLIT_TRAIN];
    assert_int_equal(set->count, 2);
    assert_int_equal(set->report.lines, 4);
    assert_int_equal(set->report.empty, 2);
    texts_expect_pair(&texts, SPLIT_TRAIN, 1, "d", "D");
    size_t length;
    assert_int_equal(*textset_target_line(set, 1, &length), 'D');
    texts_close(&texts);
    texts_put_pairs(*state, "a\nb\n", "A\n\n");
    config.on_error = ON_ERROR_STOP;
    texts_refuse(&config, "/train.en:2: empty line");
}

static void long_and_lopsided_pairs_are_named_or_dropped(void **state) {
    Texts texts;
    texts_put_pairs(*state, "a\na b c d\na a a\na\n", "a\na a a a\na\na a b b b\n");
    DataConfig config = texts_config(*state, true, TOKENS_WORD);
    config.max_length = 4;
    texts_refuse(&config, "/train.en:4: 5 tokens, more than data.max_length = 4");
    config.max_ratio = 2;
    texts_refuse(&config,
                 "/train.de:3: 3 tokens against 1, a ratio above data.max_ratio = 2");
    config.drop_long = true;
    texts_must_open(&texts, &config);
    const TextSet *set = texts.sets[SPLIT_TRAIN];
    assert_int_equal(set->count, 2);
    assert_int_equal(set->report.too_long, 1);
    assert_int_equal(set->report.ratio, 1);
    assert_int_equal(set->report.tokens[0], 2 + 5);
    assert_int_equal(set->report.longest[1], 5);
    texts_expect_pair(&texts, SPLIT_TRAIN, 1, "a b c d", "a a a a");
    texts_close(&texts);
}

/* A number word of pair i on the source side, in sorted order; its target is in
 * capitals. */
enum { SORTED = 60 };

static void put_sorted(const char *root) {
    TextBuffer source = {0}, target = {0};
    for (int i = 0; i < SORTED; i++) {
        char line[20];
        text_format(line, sizeof line, "w%02d\n", i);
        text_append(&source, line, 4);
        text_format(line, sizeof line, "W%02d\n", i);
        text_append(&target, line, 4);
    }
    texts_put_pairs(root, source.text, target.text);
    text_free(&source), text_free(&target);
}

/* Counts which lines a set has, checks that both sides and the line go
 * together, in order. */
static void see_lines(const Texts *t, Split split, int seen[SORTED]) {
    const TextSet *set = t->sets[split];
    int before = -1;
    for (size_t i = 0; i < set->count; i++) {
        size_t length;
        const char *line = textset_target_line(set, i, &length);
        char source[8], target[8];
        int number = (line[1] - '0') * 10 + line[2] - '0';
        assert_int_equal(length, 3);
        text_format(source, sizeof source, "w%02d", number);
        text_format(target, sizeof target, "W%02d", number);
        texts_expect_pair(t, split, i, source, target);
        assert_true(number > before);
        before = number;
        seen[number]++;
    }
}

static void validation_pairs_are_drawn_over_a_sorted_text(void **state) {
    Texts texts;
    int train[SORTED] = {0}, val[SORTED] = {0}, late = 0;
    put_sorted(*state);
    DataConfig config = texts_config(*state, true, TOKENS_WORD);
    config.val_fraction = 0.25;
    texts_must_open(&texts, &config);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, 45);
    assert_int_equal(texts.sets[SPLIT_VAL]->count, 15);
    see_lines(&texts, SPLIT_TRAIN, train);
    see_lines(&texts, SPLIT_VAL, val);
    for (int i = 0; i < SORTED; i++) assert_int_equal(train[i] + val[i], 1);
    for (int i = SORTED / 2; i < SORTED; i++) late += val[i];
    assert_in_range(late, 3, 12);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->report.tokens[1], 90);
    assert_int_equal(texts.sets[SPLIT_VAL]->report.tokens[0], 30);
    texts_expect_no_notes(texts.sets[SPLIT_VAL]);
    texts_close(&texts);
}

static void a_limit_of_pairs_is_drawn_over_a_sorted_text_and_said(void **state) {
    Texts texts;
    int train[SORTED] = {0}, late = 0;
    put_sorted(*state);
    DataConfig config = texts_config(*state, true, TOKENS_WORD);
    config.limit = 20;
    texts_must_open(&texts, &config);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, 20);
    see_lines(&texts, SPLIT_TRAIN, train);
    for (int i = SORTED / 2; i < SORTED; i++) late += train[i];
    assert_in_range(late, 4, 16);
    texts_expect_note(texts.sets[SPLIT_TRAIN], 40, "data.limit = 20", "of 60 pairs");
    texts_close(&texts);
    config.limit = SORTED + 1;
    texts_must_open(&texts, &config);
    texts_expect_note(texts.sets[SPLIT_TRAIN], 1, "data.limit = 61",
                      "no effect: there are only 60 pairs");
    texts_close(&texts);
    config.limit = SORTED;
    texts_must_open(&texts, &config);
    texts_expect_no_notes(texts.sets[SPLIT_TRAIN]);
    texts_close(&texts);
    text_format(config.test_path, sizeof config.test_path, "%s", config.path);
    config.test_limit = 7;
    texts_must_open(&texts, &config);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, SORTED);
    assert_int_equal(texts.sets[SPLIT_TEST]->count, 7);
    texts_close(&texts);
}

/* ---- a run's folder ---- */

static void a_run_opens_its_texts_as_training_did(void **state) {
    Err err = ERR_NONE;
    texts_put_pairs(*state, "low lower\nnew newer\nlow\n",
                    "nieder niederer\nneu neuer\nnieder\n");
    for (int joint = 0; joint < 2; joint++) {
        DataConfig config = texts_config(*state, true, TOKENS_BPE);
        config.joint = joint;
        config.val_fraction = 0.34;
        Texts texts, run;
        texts_must_open(&texts, &config);
        assert_int_equal(texts_save(&texts, *state, &err), OK);
        if (texts_open_run(&run, &config, true, *state, &err)) fail_msg("%s", err.text);
        assert_true(texts_has(&run, SPLIT_VAL));
        assert_false(texts_has(&run, SPLIT_TEST));
        const TextSet *val = texts_set(&run, SPLIT_VAL, &err);
        assert_non_null(val);
        assert_int_equal(val->count, 1);
        assert_true(val->facts.hash == texts.sets[SPLIT_VAL]->facts.hash);
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
    texts_put_pairs(*state, "a\n", "b\n");
    DataConfig config = texts_config(*state, true, TOKENS_WORD);
    for (size_t i = 0; i < COUNT(FILES); i++) {
        Err err = ERR_NONE;
        Texts texts;
        texts_must_open(&texts, &config);
        assert_int_equal(texts_save(&texts, *state, &err), OK);
        texts_close(&texts);
        files_remove(*state, FILES[i]);
        assert_int_equal(texts_open_run(&texts, &config, true, *state, &err), FAIL_DATA);
        assert_non_null(strstr(err.text, FILES[i]));
    }
}

/* ---- sources ---- */

static void built_in_texts_have_three_splits(void **state) {
    (void)state;
    Texts texts;
    DataConfig config = texts_config("", true, TOKENS_WORD);
    config.source = SOURCE_NUMBERS;
    config.synthetic_count = 500;
    texts_must_open(&texts, &config);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, 500);
    assert_int_equal(texts.sets[SPLIT_VAL]->count, 100);
    assert_int_equal(texts.sets[SPLIT_TEST]->count, 100);
    assert_int_equal(texts.sets[SPLIT_VAL]->report.unknown[0], 0);
    texts_close(&texts);
    config.source = SOURCE_GRAMMAR;
    texts_must_open(&texts, &config);
    assert_true(texts.sets[SPLIT_TRAIN]->stream_count > 500 * 4);
    assert_int_equal(texts.sets[SPLIT_TEST]->report.lines, 100);
    texts_close(&texts);
}

static void damaged_pairs_are_read_or_refused(void **state) {
    static const char TEXT[] = "ein Hund\n\nzwei H\xC3\xBCnde\r\ndrei\nein\n";
    DataConfig config = texts_config(*state, true, TOKENS_BPE);
    config.drop_long = true;
    texts_put(*state, "train.en", TEXT);
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
    const struct CMUnitTest cases[] = {
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
        FOLDER_TEST(validation_pairs_are_drawn_over_a_sorted_text),
        FOLDER_TEST(a_limit_of_pairs_is_drawn_over_a_sorted_text_and_said),
        FOLDER_TEST(a_run_opens_its_texts_as_training_did),
        FOLDER_TEST(a_run_without_its_vocabulary_is_refused),
        cmocka_unit_test(built_in_texts_have_three_splits),
        FOLDER_TEST(damaged_pairs_are_read_or_refused),
    };
    return cmocka_run_group_tests_name("textset", cases, NULL, NULL);
}

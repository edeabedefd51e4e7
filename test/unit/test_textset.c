/* Texts as numbers: streams, pairs, splits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/text/set.h"
#include "files.h"

static void put(const char *root, const char *name, const char *text) {
    files_write(root, name, text, strlen(text));
}

static DataConfig config_of(const char *root, bool pairs, TokenKind kind) {
    DataConfig c = data_config_default();
    c.source = pairs ? SOURCE_PARALLEL : SOURCE_TEXT;
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
    bool pairs = source_examples(config->source) == EXAMPLES_PAIRS;
    if (texts_open(texts, config, pairs, &err)) fail_msg("%s", err.text);
}

static void refuse(const DataConfig *config, const char *part) {
    Texts texts;
    Err err = ERR_NONE;
    bool pairs = source_examples(config->source) == EXAMPLES_PAIRS;
    Status status = texts_open(&texts, config, pairs, &err);
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
    assert_int_equal(texts.sets[SPLIT_TRAIN]->facts.notes, 1);
    assert_non_null(strstr(texts.sets[SPLIT_TRAIN]->facts.note[0].text,
                           "data.limit = 5: the first of 9 tokens"));
    texts_close(&texts);
    config.limit = 10;
    open_texts(&texts, &config);
    assert_non_null(strstr(texts.sets[SPLIT_TRAIN]->facts.note[0].text,
                           "data.limit = 10 has no effect: there are 9 tokens"));
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

/* One note, and no other, has each of the two parts. */
static void expect_note(const TextSet *set, size_t count, const char *part,
                        const char *more) {
    for (size_t i = 0; i < set->facts.notes; i++) {
        const DataNote *note = &set->facts.note[i];
        if (!strstr(note->text, part)) continue;
        if (note->count != count || !strstr(note->text, more))
            fail_msg("%zu: \"%s\", wanted %zu and \"%s\"", note->count, note->text, count,
                     more);
        return;
    }
    fail_msg("no note of %zu has \"%s\"", set->facts.notes, part);
}

static void expect_no_notes(const TextSet *set) {
    if (set->facts.notes) fail_msg("%s", set->facts.note[0].text);
}

/* A number word of pair i on the source side, in sorted order; its target is in capitals. */
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
    put_pairs(root, source.text, target.text);
    text_free(&source), text_free(&target);
}

/* Counts which lines a set has, checks that both sides and the line go together, in order. */
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
        expect_pair(t, split, i, source, target);
        assert_true(number > before);
        before = number;
        seen[number]++;
    }
}

static void validation_pairs_are_drawn_over_a_sorted_text(void **state) {
    Texts texts;
    int train[SORTED] = {0}, val[SORTED] = {0}, late = 0;
    put_sorted(*state);
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    config.val_fraction = 0.25;
    open_texts(&texts, &config);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, 45);
    assert_int_equal(texts.sets[SPLIT_VAL]->count, 15);
    see_lines(&texts, SPLIT_TRAIN, train);
    see_lines(&texts, SPLIT_VAL, val);
    for (int i = 0; i < SORTED; i++) assert_int_equal(train[i] + val[i], 1);
    for (int i = SORTED / 2; i < SORTED; i++) late += val[i];
    assert_in_range(late, 3, 12);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->report.tokens[1], 90);
    assert_int_equal(texts.sets[SPLIT_VAL]->report.tokens[0], 30);
    expect_no_notes(texts.sets[SPLIT_VAL]);
    texts_close(&texts);
}

static void a_limit_of_pairs_is_drawn_over_a_sorted_text_and_said(void **state) {
    Texts texts;
    int train[SORTED] = {0}, late = 0;
    put_sorted(*state);
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    config.limit = 20;
    open_texts(&texts, &config);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, 20);
    see_lines(&texts, SPLIT_TRAIN, train);
    for (int i = SORTED / 2; i < SORTED; i++) late += train[i];
    assert_in_range(late, 4, 16);
    expect_note(texts.sets[SPLIT_TRAIN], 40, "data.limit = 20", "of 60 pairs");
    texts_close(&texts);
    config.limit = SORTED + 1;
    open_texts(&texts, &config);
    expect_note(texts.sets[SPLIT_TRAIN], 1, "data.limit = 61",
                "no effect: there are 60 pairs");
    texts_close(&texts);
    config.limit = SORTED;
    open_texts(&texts, &config);
    expect_no_notes(texts.sets[SPLIT_TRAIN]);
    texts_close(&texts);
}

/* ---- what is said ---- */

static void what_is_left_out_is_noted_with_its_first_line(void **state) {
    Texts texts;
    put_pairs(*state, "a\n\nb b b b b\na b\nc\nsame\n", "A\nB\nB\nA a a a a a\n\nsame\n");
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    config.on_error = ON_ERROR_SKIP, config.drop_long = true;
    config.max_length = 4;
    open_texts(&texts, &config);
    const TextSet *set = texts.sets[SPLIT_TRAIN];
    expect_note(set, 2, "have an empty line", "/train.en:2");
    expect_note(set, 2, "more tokens than data.max_length", "/train.en:3");
    expect_note(set, 1, "same text on both sides", "/train.en:6");
    texts_close(&texts);
    config.max_length = 10, config.max_ratio = 2;
    open_texts(&texts, &config);
    expect_note(texts.sets[SPLIT_TRAIN], 2, "data.max_ratio", "2 of 6 pairs");
    texts_close(&texts);
}

static void
unknown_words_of_val_and_test_are_noted_beside_those_of_training(void **state) {
    Texts texts;
    put(*state, "train", "a a a a b\n");
    put(*state, "v", "a x\na y\n");
    DataConfig config = config_of(*state, false, TOKENS_WORD);
    config.min_count = 2;
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    open_texts(&texts, &config);
    const TextSet *val = texts.sets[SPLIT_VAL];
    assert_float_equal(textset_unknown(val, 0), 2.0 / 6, 1e-12);
    expect_note(val, 2, "6 tokens, 33.3 % <unk>; the training text has 16.7 %",
                "/v:1: 'x'");
    texts_close(&texts);
    put_pairs(*state, "a b\n", "A B\n");
    put(*state, "v.de", "a b\n");
    put(*state, "v.en", "A C\n");
    config = config_of(*state, true, TOKENS_WORD);
    text_format(config.test_path, sizeof config.test_path, "%s/v", (char *)*state);
    open_texts(&texts, &config);
    expect_note(texts.sets[SPLIT_TEST], 1, "target: 3 tokens, 33.3 % <unk>",
                "/v.en:1: 'C'");
    assert_true(textset_unknown(texts.sets[SPLIT_TEST], 0) == 0);
    texts_close(&texts);
}

static void a_val_split_of_nothing_is_noted_or_refused(void **state) {
    Texts texts;
    put(*state, "train", "a b c\n");
    put(*state, "v", "");
    DataConfig config = config_of(*state, false, TOKENS_WORD);
    config.val_fraction = 0.1;
    open_texts(&texts, &config);
    expect_note(texts.sets[SPLIT_TRAIN], 1, "data.val_fraction = 0.1 of 4 tokens",
                "none");
    texts_close(&texts);
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    refuse(&config, "/v is empty: the val (data.val_path) split has nothing to score");
    put_pairs(*state, "a\n", "A\n");
    put(*state, "v.de", "\n");
    put(*state, "v.en", "\n");
    config = config_of(*state, true, TOKENS_WORD);
    config.on_error = ON_ERROR_SKIP;
    text_format(config.test_path, sizeof config.test_path, "%s/v", (char *)*state);
    refuse(&config, "/v.en has no pair that is kept: the test (data.test_path) split");
}

static void open_with_val(Texts *texts, DataConfig *config, const char *root,
                          TokenKind tokens, const char *val) {
    *config = config_of(root, false, tokens);
    put(root, "v", val);
    text_format(config->val_path, sizeof config->val_path, "%s/v", root);
    open_texts(texts, config);
}

/* In another order, with others between them, the last without its end. */
static void lines_that_are_in_two_splits_are_counted(void **state) {
    static const char NOTE[] =
        "2 of 3 lines of 6 tokens or more are in the training text";
    Texts texts;
    DataConfig config;
    put(*state, "train", "a b c d e f g\nb b\nh i j k l m n\no p q r s t u\n");
    open_with_val(&texts, &config, *state, TOKENS_WORD,
                  "b b\nh i j k l m n\na a a a a a\na b c d e f g");
    expect_note(texts.sets[SPLIT_VAL], 2, NOTE, "line 2 of the split");
    texts_close(&texts);
    open_with_val(&texts, &config, *state, TOKENS_CHAR,
                  "a b c d e f g\nb b\nb b\nb b\nb b\n");
    expect_no_notes(texts.sets[SPLIT_VAL]); /* no line of 24 characters */
    texts_close(&texts);
    put(*state, "train", "a b c d e f z\na b c d e f g f e d c b a g\n");
    put(*state, "v", "a b c d e f y\na b c d e f y\n"); /* y and z are <unk> */
    config.tokens = TOKENS_WORD;
    config.min_count = 2;
    open_texts(&texts, &config);
    for (size_t i = 0; i < texts.sets[SPLIT_VAL]->facts.notes; i++)
        assert_null(strstr(texts.sets[SPLIT_VAL]->facts.note[i].text, "lines"));
    texts_close(&texts);
}

/* It may be another text's; a dictionary of the training text leaves out what min_count says. */
static void a_dictionary_that_is_given_says_what_it_lacks(void **state) {
    Texts texts;
    put(*state, "train", "a b c\nb a\n");
    put(*state, "dict", "a 2\n");
    DataConfig config = config_of(*state, false, TOKENS_WORD);
    config.min_count = 2;
    open_texts(&texts, &config);
    expect_no_notes(texts.sets[SPLIT_TRAIN]);
    texts_close(&texts);
    text_format(config.source_vocab, sizeof config.source_vocab, "%s/dict",
                (char *)*state);
    open_texts(&texts, &config);
    expect_note(texts.sets[SPLIT_TRAIN], 3,
                "7 tokens, 42.9 % <unk> (first: ", "train:1: 'b')");
    texts_close(&texts);
}

static void what_is_in_two_splits_is_noted(void **state) {
    static const char LINE[] = "one two three four five six seven eight nine ten\n";
    Texts texts;
    TextBuffer text = {0};
    text_append(&text, "x y\n", 4);
    for (int i = 0; i < 3; i++) text_append(&text, LINE, sizeof LINE - 1);
    put(*state, "train", text.text);
    put(*state, "v", text.text + 4 + sizeof LINE - 1);
    put(*state, "t",
        "one two three four five six seven eight nine ten eleven x y x y x y x y x y");
    DataConfig config = config_of(*state, false, TOKENS_WORD);
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    text_format(config.test_path, sizeof config.test_path, "%s/t", (char *)*state);
    open_texts(&texts, &config);
    expect_note(texts.sets[SPLIT_VAL], 22, "all 22 tokens are in the training text", "");
    assert_int_equal(texts.sets[SPLIT_TEST]->facts.notes, 1); /* eleven is <unk> */
    texts_close(&texts);
    text_free(&text);
    put_pairs(*state, "a\nb\nc\n", "A\nB\nC\n");
    put(*state, "v.de", "c\nb\na\n");
    put(*state, "v.en", "C\nA\nA\n");
    config = config_of(*state, true, TOKENS_WORD);
    text_format(config.val_path, sizeof config.val_path, "%s/v", (char *)*state);
    open_texts(&texts, &config);
    expect_note(texts.sets[SPLIT_VAL], 2, "2 of 3 pairs are in the training text",
                "/v.en:1");
    texts_close(&texts);
    strcpy(config.test_path, config.val_path);
    open_texts(&texts, &config);
    expect_note(texts.sets[SPLIT_TEST], 3, "the same text as the val split", "");
    texts_close(&texts);
}

static uint64_t hash_of(const DataConfig *config) {
    Texts texts;
    open_texts(&texts, config);
    uint64_t hash = texts.sets[SPLIT_TRAIN]->facts.hash;
    texts_close(&texts);
    assert_true(hash);
    return hash;
}

static void the_hash_is_of_the_text_in_its_order(void **state) {
    static const char *const TEXTS[] = {"a b\nc\n", "c\na b\n", "a\nb c\n", "a b c\n"};
    static const char *const TARGETS[] = {"A\nB\n", "B\nA\n", "A B\n\n", "A\n B\n"};
    uint64_t hash[4], pair[4];
    DataConfig config = config_of(*state, false, TOKENS_CHAR);
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        put(*state, "train", TEXTS[i]);
        hash[i] = hash_of(&config);
        assert_true(hash[i] == hash_of(&config));
        for (size_t k = 0; k < i; k++) assert_true(hash[i] != hash[k]);
    }
    config = config_of(*state, true, TOKENS_WORD);
    config.on_error = ON_ERROR_SKIP;
    for (size_t i = 0; i < COUNT(TARGETS); i++) {
        put_pairs(*state, "a\nb\n", TARGETS[i]);
        pair[i] = hash_of(&config);
        for (size_t k = 0; k < i; k++) assert_true(pair[i] != pair[k]);
    }
}

static void files_of_different_lengths_show_where_they_part(void **state) {
    DataConfig config = config_of(*state, true, TOKENS_WORD);
    put_pairs(*state, "a\nb\n\nd\n", "A\nB\nC\nD\nE\n");
    refuse(&config, "has 4 lines, ");
    refuse(&config, "has 5: ");
    refuse(&config, "their lengths first differ much in line 3");
    put_pairs(*state, "a\nb\n", "A\nB\nC\n");
    refuse(&config, "the first without is line 3");
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

static void built_in_texts_have_three_splits(void **state) {
    (void)state;
    Texts texts;
    DataConfig config = config_of("", true, TOKENS_WORD);
    config.source = SOURCE_NUMBERS;
    config.synthetic_count = 500;
    open_texts(&texts, &config);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, 500);
    assert_int_equal(texts.sets[SPLIT_VAL]->count, 100);
    assert_int_equal(texts.sets[SPLIT_TEST]->count, 100);
    assert_int_equal(texts.sets[SPLIT_VAL]->report.unknown[0], 0);
    texts_close(&texts);
    config.source = SOURCE_GRAMMAR;
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
        FOLDER_TEST(validation_pairs_are_drawn_over_a_sorted_text),
        FOLDER_TEST(a_limit_of_pairs_is_drawn_over_a_sorted_text_and_said),
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
        FOLDER_TEST(a_run_opens_its_texts_as_training_did),
        FOLDER_TEST(a_run_without_its_vocabulary_is_refused),
        cmocka_unit_test(built_in_texts_have_three_splits),
        FOLDER_TEST(damaged_pairs_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Text to numbers and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/text/tokenizer.h"
#include "files.h"

/* A text in memory. */
static TextFile text_of(const char *text) {
    TextFile file;
    TextBuffer buffer = {0};
    text_append(&buffer, text, strlen(text));
    textfile_of(&file, &buffer, "text");
    return file;
}

static TokenizerConfig config_of(TokenKind kind, bool specials) {
    return (TokenizerConfig){.kind = kind,
                             .specials = specials,
                             .vocab = "",
                             .codes = "",
                             .merges = 50,
                             .min_count = 1};
}

static Tokenizer *build(const TokenizerConfig *config, const char *text) {
    Err err = ERR_NONE;
    TextFile file = text_of(text);
    const TextFile *files[] = {&file};
    Tokenizer *t = tokenizer_build(config, files, 1, &err);
    textfile_free(&file);
    if (!t) fail_msg("%s", err.text);
    return t;
}

static void expect_ids(const Tokenizer *t, const char *line, size_t count,
                       const uint32_t *ids) {
    IdList list = {0};
    Err err = ERR_NONE;
    if (tokenizer_encode(t, line, strlen(line), &list, &err)) fail_msg("%s", err.text);
    assert_int_equal(list.count, count);
    for (size_t i = 0; i < count; i++) assert_int_equal(list.ids[i], ids[i]);
    idlist_free(&list);
}

#define EXPECT_IDS(t, line, ...)                                                         \
    expect_ids(t, line, COUNT(((const uint32_t[]){__VA_ARGS__})),                        \
               (const uint32_t[]){__VA_ARGS__})

static void expect_text(const Tokenizer *t, const char *text, size_t count,
                        const uint32_t *ids) {
    TextBuffer out = {0};
    tokenizer_decode(t, ids, count, &out);
    assert_string_equal(out.text, text);
    text_free(&out);
}

/* The line comes back from its ids. */
static void expect_back(const Tokenizer *t, const char *line, const char *expected) {
    IdList list = {0};
    assert_int_equal(tokenizer_encode(t, line, strlen(line), &list, NULL), OK);
    expect_text(t, expected, list.count, list.ids);
    idlist_free(&list);
}

static void expect_file(const char *root, const char *name, const char *text) {
    size_t n;
    uint8_t *bytes = files_read(root, name, &n);
    if (n != strlen(text) || memcmp(bytes, text, n))
        fail_msg("%s holds\n%.*s\nnot\n%s", name, (int)n, (char *)bytes, text);
    mem_free(bytes);
}

/* ---- characters ---- */

static void characters_of_a_language_model_are_the_sorted_set_of_the_text(void **state) {
    (void)state;
    TokenizerConfig config = config_of(TOKENS_CHAR, false);
    Tokenizer *t = build(&config, "b\xC3\xA4 a\nb\n");
    assert_int_equal(tokenizer_size(t), 5); /* \n, blank, a, b, a umlaut */
    assert_false(tokenizer_has_specials(t));
    assert_int_equal(tokenizer_line_end(t), 0);
    EXPECT_IDS(t, "a b\xC3\xA4", 2, 1, 3, 4);
    expect_text(t, "b\na", 3, (const uint32_t[]){3, 0, 2});
    tokenizer_free(t);
}

static void characters_are_sorted_by_code_point(void **state) {
    (void)state;
    TokenizerConfig config = config_of(TOKENS_CHAR, false);
    Tokenizer *t = build(&config, "\xF0\x9F\x98\x80\xEF\xBF\xA5\xC3\xBFz");
    EXPECT_IDS(t, "z\xC3\xBF\xEF\xBF\xA5\xF0\x9F\x98\x80", 0, 1, 2, 3);
    assert_false(tokenizer_has_line_end(t));
    tokenizer_free(t);
}

/* A foreign run's files: words have <unk>, so that no piece of one can lack a number. */
static void words_without_unk_are_no_tokenizer(void **state) {
    const char *dir = *state;
    static const char TOKENIZER[] = "kind 2 specials 0 lowercase 0 word_split 0\n";
    Err err = ERR_NONE;
    files_write(dir, "text.tokenizer", TOKENIZER, strlen(TOKENIZER));
    files_write(dir, "text.vocab", "the 216\n", 8);
    files_write(dir, "text.codes", "#version: 0.2\nt h\n", 18);
    assert_null(tokenizer_load(dir, "text", &err));
    assert_int_equal(err.status, FAIL_DATA);
    assert_non_null(strstr(err.text, "text.tokenizer"));
}

static void a_character_that_the_vocabulary_lacks_is_named(void **state) {
    (void)state;
    TokenizerConfig config = config_of(TOKENS_CHAR, false);
    Tokenizer *t = build(&config, "ab");
    IdList list = {0};
    Err err = ERR_NONE;
    assert_int_equal(tokenizer_encode(t, "ab\xE2\x82\xAC", 5, &list, &err), FAIL_DATA);
    assert_non_null(strstr(err.text, "\xE2\x82\xAC"));
    assert_non_null(strstr(err.text, "U+20AC"));
    idlist_free(&list);
    tokenizer_free(t);
}

static void characters_of_a_translation_have_the_specials(void **state) {
    (void)state;
    TokenizerConfig config = config_of(TOKENS_CHAR, true);
    Tokenizer *t = build(&config, "ab b\n");
    assert_int_equal(tokenizer_size(t), ID_FIRST + 3);
    EXPECT_IDS(t, "b ax", ID_FIRST, ID_FIRST + 1, ID_FIRST + 2, ID_UNK);
    expect_back(t, "a b", "a b");
    tokenizer_free(t);
}

/* ---- words ---- */

static void words_are_numbered_by_count_then_by_text(void **state) {
    (void)state;
    TokenizerConfig config = config_of(TOKENS_WORD, true);
    Tokenizer *t = build(&config, "c b  b\tZ\nc c \xC3\xA4\xE3\x80\x80"
                                  "a\n");
    assert_int_equal(tokenizer_size(t), ID_FIRST + 5);
    EXPECT_IDS(t, " c b Z a \xC3\xA4 d ", 4, 5, 6, 7, 8, ID_UNK);
    expect_back(t, " c  d ", "c <unk>");
    tokenizer_free(t);
}

static void rare_words_are_unknown(void **state) {
    (void)state;
    TokenizerConfig config = config_of(TOKENS_WORD, true);
    config.min_count = 2;
    Tokenizer *t = build(&config, "b b a a a c\n");
    assert_int_equal(tokenizer_size(t), ID_FIRST + 2);
    EXPECT_IDS(t, "a b c", 4, 5, ID_UNK);
    tokenizer_free(t);
}

static void special_tokens_in_the_text_are_themselves(void **state) {
    (void)state;
    for (int kind = TOKENS_WORD; kind <= TOKENS_BPE; kind++) {
        TokenizerConfig config = config_of((TokenKind)kind, true);
        Tokenizer *t = build(&config, "<unk> <unk> <unk> a a <s>\n");
        assert_int_equal(tokenizer_size(t), ID_FIRST + 1);
        EXPECT_IDS(t, "<s> </s> <unk> a", ID_BOS, ID_EOS, ID_UNK, ID_FIRST);
        EXPECT_IDS(t, "<pad>", ID_UNK); /* padding is for what stands in no text */
        tokenizer_free(t);
    }
}

static void sentence_ends_are_line_ends_and_padding_is_nothing(void **state) {
    (void)state;
    TokenizerConfig config = config_of(TOKENS_WORD, true);
    Tokenizer *t = build(&config, "a b b\n");
    static const uint32_t IDS[] = {ID_BOS, 5, 4, ID_EOS, ID_PAD, 4, ID_UNK, ID_PAD};
    expect_text(t, "a b\nb <unk>", COUNT(IDS), IDS);
    expect_text(t, "", 0, IDS);
    tokenizer_free(t);
}

static void lines_are_lowered_and_parted_first(void **state) {
    (void)state;
    TokenizerConfig config = config_of(TOKENS_WORD, true);
    config.lowercase = true;
    config.word_split = SPLIT_WORDS_13A;
    Tokenizer *t = build(&config, "\xC3\x84rger, \xC3\xA4rger!\n");
    assert_int_equal(tokenizer_size(t), ID_FIRST + 3);
    expect_back(t, "\xC3\x84RGER,\xC3\xA4rger!", "\xC3\xA4rger , \xC3\xA4rger !");
    tokenizer_free(t);
}

static void a_dictionary_comes_from_all_texts(void **state) {
    (void)state;
    Err err = ERR_NONE;
    TokenizerConfig config = config_of(TOKENS_BPE, true);
    config.merges = 1;
    TextFile one = text_of("xa xb\n"), two = text_of("ye ye xa\n");
    const TextFile *files[] = {&one, &two};
    Tokenizer *t = tokenizer_build(&config, files, 2, &err);
    assert_non_null(t);
    /* y e</w> and x a</w> are there twice, the former is larger: ye 2, a 2, x@@ 3, b 1 */
    EXPECT_IDS(t, "xa ye xb", 4, 5, 6, 4, 7);
    tokenizer_free(t);
    textfile_free(&one), textfile_free(&two);
}

static void pieces_are_joined_to_words(void **state) {
    (void)state;
    TokenizerConfig config = config_of(TOKENS_BPE, true);
    config.merges = 3;
    Tokenizer *t = build(&config, "lower lowest low newer\n");
    expect_back(t, "lowest newer low", "lowest newer low");
    expect_back(t, "xlow", "<unk> low");
    tokenizer_free(t);
}

/* ---- dictionary files ---- */

static Tokenizer *with_dictionary(const char *root, TokenKind kind, const char *text,
                                  Err *err) {
    static char path[1000];
    TokenizerConfig config = config_of(kind, true);
    TextFile file = text_of("unused\n");
    const TextFile *files[] = {&file};
    files_write(root, "dict.txt", text, strlen(text));
    text_format(path, sizeof path, "%s/dict.txt", root);
    config.vocab = path;
    Tokenizer *t = tokenizer_build(&config, files, 1, err);
    textfile_free(&file);
    return t;
}

static void a_dictionary_file_keeps_its_order(void **state) {
    Err err = ERR_NONE;
    Tokenizer *t = with_dictionary(*state, TOKENS_WORD, "a 1\nzz 10\nb 3", &err);
    if (!t) fail_msg("%s", err.text);
    assert_int_equal(tokenizer_size(t), ID_FIRST + 3);
    EXPECT_IDS(t, "zz b a unused", 5, 6, 4, ID_UNK);
    tokenizer_free(t);
}

static void characters_of_a_dictionary_stand_as_such_or_as_codes(void **state) {
    Err err = ERR_NONE;
    Tokenizer *t =
        with_dictionary(*state, TOKENS_CHAR, "\xC3\xA4 3\nU+0020 2\nU 1\n", &err);
    if (!t) fail_msg("%s", err.text);
    EXPECT_IDS(t, "U \xC3\xA4+", 6, 5, 4, ID_UNK);
    tokenizer_free(t);
}

static void bad_dictionaries_are_refused_with_their_line(void **state) {
    static const struct {
        TokenKind kind;
        const char *text, *part;
    } BAD[] = {
        {TOKENS_WORD, "", "dict.txt holds no tokens"},
        {TOKENS_WORD, "a 1\nb\n", "dict.txt:2: wanted a token, a blank and its count"},
        {TOKENS_WORD, "a 1\n\nb 1\n", "dict.txt:2: wanted"},
        {TOKENS_WORD, "a -1\n", "dict.txt:1: wanted"},
        {TOKENS_WORD, "a 1x\n", "dict.txt:1: wanted"},
        {TOKENS_WORD, "a \n", "dict.txt:1: wanted"},
        {TOKENS_WORD, " 1\n", "dict.txt:1: wanted"},
        {TOKENS_WORD, "a 123456789012345678901234567890\n", "dict.txt:1: wanted"},
        {TOKENS_WORD, "a 1\nb 1\na 1\n",
         "dict.txt:3: the token 'a' has number 4 already"},
        {TOKENS_WORD, "<unk> 1\n", "dict.txt:1: the token '<unk>' has number 3 already"},
        {TOKENS_BPE, "a 1\na@@ 1\na@@ 2\n", "dict.txt:3: the token 'a@@' has number 5"},
        {TOKENS_WORD, "a 1\nb c 1\n", "dict.txt:2: the token 'b c' has a blank"},
        {TOKENS_BPE, "a 1\rb 1\r", "dict.txt:1: "},
        {TOKENS_WORD, "a\r 1\n",
         "dict.txt:1: the token 'a\\x0d' has a blank or a carriage return"},
        {TOKENS_WORD, "a\xFF 1\n", "dict.txt:1: byte 2"},
        {TOKENS_CHAR, "ab 1\n", "dict.txt:1: wanted"},
        {TOKENS_CHAR, "U+D800 1\n", "dict.txt:1: wanted"},
        {TOKENS_CHAR, "U+110000 1\n", "dict.txt:1: wanted"},
        {TOKENS_CHAR, "U+ 1\n", "dict.txt:1: wanted"},
        {TOKENS_CHAR, "U+-1 1\n", "dict.txt:1: wanted"},
    };
    for (size_t i = 0; i < COUNT(BAD); i++) {
        Err err = ERR_NONE;
        assert_null(with_dictionary(*state, BAD[i].kind, BAD[i].text, &err));
        assert_int_equal(err.status, FAIL_DATA);
        if (!strstr(err.text, BAD[i].part))
            fail_msg("\"%s\" is not in \"%s\"", BAD[i].part, err.text);
    }
}

/* ---- unknown tokens ---- */

static void append_token(void *context, const char *token, size_t length) {
    text_append(context, token, length);
    text_append_byte(context, '|');
}

static void expect_unknown(const Tokenizer *t, const char *line, const char *expected) {
    TextBuffer seen = {0};
    text_clear(&seen);
    tokenizer_unknown(t, line, strlen(line), append_token, &seen);
    assert_string_equal(seen.text, expected);
    text_free(&seen);
}

static void tokens_without_a_number_of_their_own_are_visited(void **state) {
    Err err = ERR_NONE;
    Tokenizer *t = with_dictionary(*state, TOKENS_WORD, "a 1\nb 1\n", &err);
    expect_unknown(t, "a nosuch b  word nosuch", "nosuch|word|nosuch|");
    expect_unknown(t, "a b a", "");
    expect_unknown(t, "", "");
    expect_unknown(t, "<unk> a <pad> </s>", "<unk>|<pad>|");
    tokenizer_free(t);
    t = with_dictionary(*state, TOKENS_CHAR, "a 1\nb 1\n", &err);
    expect_unknown(t, "ab\xC3\xA4 ", "\xC3\xA4| |");
    tokenizer_free(t);
}

/* ---- a run's folder ---- */

static void saved_tokenizers_come_back(void **state) {
    static const char TEXT[] = "Der Mann, der L\xC3\xB6we!\nein Mann\n";
    static const char LINE[] = "Der Mann l\xC3\xB6we ein !";
    for (int trial = 0; trial < 12; trial++) {
        TokenizerConfig config = config_of((TokenKind)(trial % 3), true);
        config.lowercase = trial / 3 % 2;
        config.word_split = trial / 6 ? SPLIT_WORDS_13A : SPLIT_WORDS_NONE;
        config.merges = 10;
        Err err = ERR_NONE;
        Tokenizer *t = build(&config, TEXT);
        assert_int_equal(tokenizer_save(t, *state, "source", &err), OK);
        Tokenizer *back = tokenizer_load(*state, "source", &err);
        if (!back) fail_msg("%s", err.text);
        assert_int_equal(tokenizer_size(back), tokenizer_size(t));
        IdList list = {0};
        tokenizer_encode(t, LINE, strlen(LINE), &list, &err);
        assert_true(list.count > 0);
        expect_ids(back, LINE, list.count, list.ids);
        idlist_free(&list);
        tokenizer_free(t);
        tokenizer_free(back);
    }
}

static void a_saved_character_model_keeps_blanks_and_line_ends(void **state) {
    TokenizerConfig config = config_of(TOKENS_CHAR, false);
    Err err = ERR_NONE;
    Tokenizer *t = build(&config, "a\tb c\xC2\xA0\n");
    assert_int_equal(tokenizer_save(t, *state, "text", &err), OK);
    Tokenizer *back = tokenizer_load(*state, "text", &err);
    if (!back) fail_msg("%s", err.text);
    assert_false(tokenizer_has_specials(back));
    assert_true(tokenizer_has_line_end(back));
    EXPECT_IDS(back, "\t\n abc\xC2\xA0", 0, 1, 2, 3, 4, 5, 6);
    tokenizer_free(t);
    tokenizer_free(back);
}

static void a_saved_dictionary_is_fairseqs(void **state) {
    TokenizerConfig config = config_of(TOKENS_WORD, true);
    Tokenizer *t = build(&config, "b a b \xC3\xA4\n");
    assert_int_equal(tokenizer_save(t, *state, "text", NULL), OK);
    expect_file(*state, "text.vocab", "b 2\na 1\n\xC3\xA4 1\n");
    tokenizer_free(t);
}

/* A mark inside the text, as the first and most frequent word of the dictionary. */
static void a_saved_dictionary_may_begin_with_a_byte_order_mark(void **state) {
    TokenizerConfig config = config_of(TOKENS_WORD, true);
    Tokenizer *t = build(&config, "a \xEF\xBB\xBF"
                                  "b \xEF\xBB\xBF"
                                  "b b\n");
    assert_int_equal(tokenizer_save(t, *state, "text", NULL), OK);
    Err err = ERR_NONE;
    Tokenizer *back = tokenizer_load(*state, "text", &err);
    if (!back) fail_msg("%s", err.text);
    assert_true(tokenizer_same(t, back));
    tokenizer_free(t);
    tokenizer_free(back);
}

static void save_pieces(const char *root) {
    TokenizerConfig config = config_of(TOKENS_BPE, true);
    Tokenizer *t = build(&config, "low lower lowest\n");
    assert_int_equal(tokenizer_save(t, root, "source", NULL), OK);
    tokenizer_free(t);
}

static Tokenizer *with_codes(const char *root, const char *codes) {
    files_write(root, "text.codes", codes, strlen(codes));
    files_write(root, "text.vocab", "a@@ 3\nb 2\nab 1\n", 15);
    TokenizerConfig config = config_of(TOKENS_BPE, true);
    char path[2][600];
    text_format(path[0], sizeof path[0], "%s/text.codes", root);
    text_format(path[1], sizeof path[1], "%s/text.vocab", root);
    config.codes = path[0], config.vocab = path[1];
    return build(&config, "ab b\n");
}

/* Of one vocabulary, which other merges number otherwise. */
static void other_merges_have_another_hash(void **state) {
    static const char *const CODES[] = {"#version: 0.2\na b\nab c\n",
                                        "#version: 0.2\nab c\na b\n",
                                        "#version: 0.2\na b\n",
                                        "#version: 0.2\na b</w>\n", "#version: 0.2\n"};
    for (size_t i = 0; i < COUNT(CODES); i++)
        for (size_t j = 0; j < COUNT(CODES); j++) {
            Tokenizer *a = with_codes(*state, CODES[i]);
            Tokenizer *b = with_codes(*state, CODES[j]);
            assert_int_equal(tokenizer_same(a, b), i == j);
            assert_int_equal(tokenizer_hash(a) == tokenizer_hash(b), i == j);
            tokenizer_free(a);
            tokenizer_free(b);
        }
}

static void tokenizers_are_the_same_that_number_alike(void **state) {
    (void)state;
    TokenizerConfig words = config_of(TOKENS_WORD, true), pieces = words;
    pieces.kind = TOKENS_BPE, pieces.merges = 1;
    Tokenizer *t = build(&words, "b a b\n"), *often = build(&words, "b b b b a\n");
    Tokenizer *order = build(&words, "b a a\n"), *more = build(&words, "b a b c\n");
    Tokenizer *bpe = build(&pieces, "b a b\n");
    assert_true(tokenizer_same(t, often));
    assert_false(tokenizer_same(t, order));
    assert_false(tokenizer_same(t, more));
    assert_false(tokenizer_same(t, bpe));
    words.lowercase = true;
    Tokenizer *lower = build(&words, "b a b\n");
    assert_false(tokenizer_same(t, lower));
    Tokenizer *const all[] = {t, often, order, more, bpe, lower};
    for (size_t i = 0; i < COUNT(all); i++) tokenizer_free(all[i]);
}

static const char *const FILES[] = {"source.vocab", "source.codes", "source.tokenizer"};

static void what_a_folder_lacks_is_named(void **state) {
    for (size_t i = 0; i < COUNT(FILES); i++) {
        Err err = ERR_NONE;
        save_pieces(*state);
        files_remove(*state, FILES[i]);
        assert_null(tokenizer_load(*state, "source", &err));
        assert_int_equal(err.status, FAIL_DATA);
        if (!strstr(err.text, FILES[i])) fail_msg("%s: %s", FILES[i], err.text);
    }
}

static void damaged_folders_are_read_or_refused(void **state) {
    save_pieces(*state);
    for (size_t i = 0; i < COUNT(FILES); i++) {
        size_t size, n;
        uint8_t *good = files_read(*state, FILES[i], &size);
        for (unsigned trial = 0; trial < 300; trial++) {
            Err err = ERR_NONE;
            uint8_t *bad = files_damage(good, size, trial, &n);
            files_write(*state, FILES[i], bad, n);
            mem_free(bad);
            Tokenizer *t = tokenizer_load(*state, "source", &err);
            IdList list = {0};
            TextBuffer text = {0};
            if (!t) assert_int_equal(err.status, FAIL_DATA);
            if (t && !tokenizer_encode(t, "lowest x", 8, &list, &err))
                tokenizer_decode(t, list.ids, list.count, &text);
            idlist_free(&list);
            text_free(&text);
            tokenizer_free(t);
        }
        files_write(*state, FILES[i], good, size);
        mem_free(good);
    }
}

static void a_folder_that_cannot_be_written_is_named(void **state) {
    (void)state;
    Err err = ERR_NONE;
    TokenizerConfig config = config_of(TOKENS_WORD, true);
    Tokenizer *t = build(&config, "a\n");
    assert_int_equal(tokenizer_save(t, "/nowhere/at/all", "text", &err), FAIL_RUN);
    assert_non_null(strstr(err.text, "/nowhere/at/all/text.vocab"));
    tokenizer_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_of_a_language_model_are_the_sorted_set_of_the_text),
        cmocka_unit_test(characters_are_sorted_by_code_point),
        cmocka_unit_test(a_character_that_the_vocabulary_lacks_is_named),
        cmocka_unit_test_setup_teardown(words_without_unk_are_no_tokenizer, files_begin,
                                        files_end),
        cmocka_unit_test(characters_of_a_translation_have_the_specials),
        cmocka_unit_test(words_are_numbered_by_count_then_by_text),
        cmocka_unit_test(rare_words_are_unknown),
        cmocka_unit_test(special_tokens_in_the_text_are_themselves),
        cmocka_unit_test(sentence_ends_are_line_ends_and_padding_is_nothing),
        cmocka_unit_test(lines_are_lowered_and_parted_first),
        cmocka_unit_test(a_dictionary_comes_from_all_texts),
        cmocka_unit_test(pieces_are_joined_to_words),
        FOLDER_TEST(a_dictionary_file_keeps_its_order),
        FOLDER_TEST(characters_of_a_dictionary_stand_as_such_or_as_codes),
        FOLDER_TEST(bad_dictionaries_are_refused_with_their_line),
        FOLDER_TEST(tokens_without_a_number_of_their_own_are_visited),
        FOLDER_TEST(saved_tokenizers_come_back),
        FOLDER_TEST(a_saved_character_model_keeps_blanks_and_line_ends),
        FOLDER_TEST(other_merges_have_another_hash),
        cmocka_unit_test(tokenizers_are_the_same_that_number_alike),
        FOLDER_TEST(a_saved_dictionary_is_fairseqs),
        FOLDER_TEST(a_saved_dictionary_may_begin_with_a_byte_order_mark),
        FOLDER_TEST(what_a_folder_lacks_is_named),
        FOLDER_TEST(damaged_folders_are_read_or_refused),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Text to numbers and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "data/text/tokenizer.h"
#include "files.h"
#include "tokenizers.h"

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

/* ---- characters ---- */

static void characters_of_a_language_model_are_the_sorted_set_of_the_text(void **state) {
    (void)state;
    TokenizerConfig config = tokens_config(TOKENS_CHAR, false);
    Tokenizer *t = tokens_build(&config, "b\xC3\xA4 a\nb\n");
    assert_int_equal(tokenizer_size(t), 5); /* \n, blank, a, b, a umlaut */
    assert_false(tokenizer_has_specials(t));
    assert_int_equal(tokenizer_line_end(t), 0);
    EXPECT_IDS(t, "a b\xC3\xA4", 2, 1, 3, 4);
    expect_text(t, "b\na", 3, (const uint32_t[]){3, 0, 2});
    tokenizer_free(t);
}

static void characters_are_sorted_by_code_point(void **state) {
    (void)state;
    TokenizerConfig config = tokens_config(TOKENS_CHAR, false);
    Tokenizer *t = tokens_build(&config, "\xF0\x9F\x98\x80\xEF\xBF\xA5\xC3\xBFz");
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
    TokenizerConfig config = tokens_config(TOKENS_CHAR, false);
    Tokenizer *t = tokens_build(&config, "ab");
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
    TokenizerConfig config = tokens_config(TOKENS_CHAR, true);
    Tokenizer *t = tokens_build(&config, "ab b\n");
    assert_int_equal(tokenizer_size(t), ID_FIRST + 3);
    EXPECT_IDS(t, "b ax", ID_FIRST, ID_FIRST + 1, ID_FIRST + 2, ID_UNK);
    expect_back(t, "a b", "a b");
    tokenizer_free(t);
}

/* ---- words ---- */

static void words_are_numbered_by_count_then_by_text(void **state) {
    (void)state;
    TokenizerConfig config = tokens_config(TOKENS_WORD, true);
    Tokenizer *t = tokens_build(&config, "c b  b\tZ\nc c \xC3\xA4\xE3\x80\x80"
                                         "a\n");
    assert_int_equal(tokenizer_size(t), ID_FIRST + 5);
    EXPECT_IDS(t, " c b Z a \xC3\xA4 d ", 4, 5, 6, 7, 8, ID_UNK);
    expect_back(t, " c  d ", "c <unk>");
    tokenizer_free(t);
}

static void rare_words_are_unknown(void **state) {
    (void)state;
    TokenizerConfig config = tokens_config(TOKENS_WORD, true);
    config.min_count = 2;
    Tokenizer *t = tokens_build(&config, "b b a a a c\n");
    assert_int_equal(tokenizer_size(t), ID_FIRST + 2);
    EXPECT_IDS(t, "a b c", 4, 5, ID_UNK);
    tokenizer_free(t);
}

static void special_tokens_in_the_text_are_themselves(void **state) {
    (void)state;
    for (int kind = TOKENS_WORD; kind <= TOKENS_BPE; kind++) {
        TokenizerConfig config = tokens_config((TokenKind)kind, true);
        Tokenizer *t = tokens_build(&config, "<unk> <unk> <unk> a a <s>\n");
        assert_int_equal(tokenizer_size(t), ID_FIRST + 1);
        EXPECT_IDS(t, "<s> </s> <unk> a", ID_BOS, ID_EOS, ID_UNK, ID_FIRST);
        EXPECT_IDS(t, "<pad>", ID_UNK); /* padding is for what stands in no text */
        tokenizer_free(t);
    }
}

static void sentence_ends_are_line_ends_and_padding_is_nothing(void **state) {
    (void)state;
    TokenizerConfig config = tokens_config(TOKENS_WORD, true);
    Tokenizer *t = tokens_build(&config, "a b b\n");
    static const uint32_t IDS[] = {ID_BOS, 5, 4, ID_EOS, ID_PAD, 4, ID_UNK, ID_PAD};
    expect_text(t, "a b\nb <unk>", COUNT(IDS), IDS);
    expect_text(t, "", 0, IDS);
    tokenizer_free(t);
}

static void lines_are_lowered_and_parted_first(void **state) {
    (void)state;
    TokenizerConfig config = tokens_config(TOKENS_WORD, true);
    config.lowercase = true;
    config.word_split = SPLIT_WORDS_13A;
    Tokenizer *t = tokens_build(&config, "\xC3\x84rger, \xC3\xA4rger!\n");
    assert_int_equal(tokenizer_size(t), ID_FIRST + 3);
    expect_back(t, "\xC3\x84RGER,\xC3\xA4rger!", "\xC3\xA4rger , \xC3\xA4rger !");
    tokenizer_free(t);
}

static void a_dictionary_comes_from_all_texts(void **state) {
    (void)state;
    Err err = ERR_NONE;
    TokenizerConfig config = tokens_config(TOKENS_BPE, true);
    config.merges = 1;
    TextFile one = tokens_text("xa xb\n"), two = tokens_text("ye ye xa\n");
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
    TokenizerConfig config = tokens_config(TOKENS_BPE, true);
    config.merges = 3;
    Tokenizer *t = tokens_build(&config, "lower lowest low newer\n");
    expect_back(t, "lowest newer low", "lowest newer low");
    expect_back(t, "xlow", "<unk> low");
    tokenizer_free(t);
}

/* ---- dictionary files ---- */

static Tokenizer *with_dictionary(const char *root, TokenKind kind, const char *text,
                                  Err *err) {
    static char path[1000];
    TokenizerConfig config = tokens_config(kind, true);
    TextFile file = tokens_text("unused\n");
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
        {TOKENS_WORD, "", "dict.txt has no tokens"},
        {TOKENS_WORD, "a 1\nb\n", "dict.txt:2: expected a token, a space and its count"},
        {TOKENS_WORD, "a 1\n\nb 1\n", "dict.txt:2: expected"},
        {TOKENS_WORD, "a -1\n", "dict.txt:1: expected"},
        {TOKENS_WORD, "a 1x\n", "dict.txt:1: expected"},
        {TOKENS_WORD, "a \n", "dict.txt:1: expected"},
        {TOKENS_WORD, " 1\n", "dict.txt:1: expected"},
        {TOKENS_WORD, "a 123456789012345678901234567890\n", "dict.txt:1: expected"},
        {TOKENS_WORD, "a 1\nb 1\na 1\n",
         "dict.txt:3: duplicate token 'a', already number 4"},
        {TOKENS_WORD, "<unk> 1\n",
         "dict.txt:1: duplicate token '<unk>', already number 3"},
        {TOKENS_BPE, "a 1\na@@ 1\na@@ 2\n",
         "dict.txt:3: duplicate token 'a@@', already number 5"},
        {TOKENS_WORD, "a 1\nb c 1\n", "dict.txt:2: the token 'b c' contains a space"},
        {TOKENS_BPE, "a 1\rb 1\r", "dict.txt:1: "},
        {TOKENS_WORD, "a\r 1\n",
         "dict.txt:1: the token 'a\\x0d' contains a space or a carriage return"},
        {TOKENS_WORD, "a\xFF 1\n", "dict.txt:1: byte 2"},
        {TOKENS_CHAR, "ab 1\n", "dict.txt:1: expected"},
        {TOKENS_CHAR, "U+D800 1\n", "dict.txt:1: expected"},
        {TOKENS_CHAR, "U+110000 1\n", "dict.txt:1: expected"},
        {TOKENS_CHAR, "U+ 1\n", "dict.txt:1: expected"},
        {TOKENS_CHAR, "U+-1 1\n", "dict.txt:1: expected"},
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

int main(void) {
    const struct CMUnitTest cases[] = {
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
    };
    return cmocka_run_group_tests_name("tokenizer", cases, NULL, NULL);
}

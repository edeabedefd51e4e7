/* Tokenizers in a run's folder: saved, read back, damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "data/text/tokenizer.h"
#include "files.h"
#include "tokenizers.h"

static void expect_file(const char *root, const char *name, const char *text) {
    size_t n;
    uint8_t *bytes = files_read(root, name, &n);
    if (n != strlen(text) || memcmp(bytes, text, n))
        fail_msg("%s holds\n%.*s\nnot\n%s", name, (int)n, (char *)bytes, text);
    mem_free(bytes);
}

static void saved_tokenizers_come_back(void **state) {
    static const char TEXT[] = "Der Mann, der L\xC3\xB6we!\nein Mann\n";
    static const char LINE[] = "Der Mann l\xC3\xB6we ein !";
    for (int trial = 0; trial < 12; trial++) {
        TokenizerConfig config = tokens_config((TokenKind)(trial % 3), true);
        config.lowercase = trial / 3 % 2;
        config.word_split = trial / 6 ? SPLIT_WORDS_13A : SPLIT_WORDS_NONE;
        config.merges = 10;
        Err err = ERR_NONE;
        Tokenizer *t = tokens_build(&config, TEXT);
        assert_int_equal(tokenizer_save(t, *state, "source", &err), OK);
        Tokenizer *back = tokenizer_load(*state, "source", &err);
        if (!back) fail_msg("%s", err.text);
        assert_int_equal(tokenizer_size(back), tokenizer_size(t));
        IdList list = {0};
        tokenizer_encode(t, LINE, strlen(LINE), &list, &err);
        assert_true(list.count > 0);
        tokens_expect_ids(back, LINE, list.count, list.ids);
        idlist_free(&list);
        tokenizer_free(t);
        tokenizer_free(back);
    }
}

static void a_saved_character_model_keeps_blanks_and_line_ends(void **state) {
    TokenizerConfig config = tokens_config(TOKENS_CHAR, false);
    Err err = ERR_NONE;
    Tokenizer *t = tokens_build(&config, "a\tb c\xC2\xA0\n");
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
    TokenizerConfig config = tokens_config(TOKENS_WORD, true);
    Tokenizer *t = tokens_build(&config, "b a b \xC3\xA4\n");
    assert_int_equal(tokenizer_save(t, *state, "text", NULL), OK);
    expect_file(*state, "text.vocab", "b 2\na 1\n\xC3\xA4 1\n");
    tokenizer_free(t);
}

/* A mark inside the text, as the first and most frequent word of the dictionary. */
static void a_saved_dictionary_may_begin_with_a_byte_order_mark(void **state) {
    TokenizerConfig config = tokens_config(TOKENS_WORD, true);
    Tokenizer *t = tokens_build(&config, "a \xEF\xBB\xBF"
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
    TokenizerConfig config = tokens_config(TOKENS_BPE, true);
    Tokenizer *t = tokens_build(&config, "low lower lowest\n");
    assert_int_equal(tokenizer_save(t, root, "source", NULL), OK);
    tokenizer_free(t);
}

static Tokenizer *with_codes(const char *root, const char *codes) {
    files_write(root, "text.codes", codes, strlen(codes));
    files_write(root, "text.vocab", "a@@ 3\nb 2\nab 1\n", 15);
    TokenizerConfig config = tokens_config(TOKENS_BPE, true);
    char path[2][600];
    text_format(path[0], sizeof path[0], "%s/text.codes", root);
    text_format(path[1], sizeof path[1], "%s/text.vocab", root);
    config.codes = path[0], config.vocab = path[1];
    return tokens_build(&config, "ab b\n");
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
    TokenizerConfig words = tokens_config(TOKENS_WORD, true), pieces = words;
    pieces.kind = TOKENS_BPE, pieces.merges = 1;
    Tokenizer *t = tokens_build(&words, "b a b\n"),
              *often = tokens_build(&words, "b b b b a\n");
    Tokenizer *order = tokens_build(&words, "b a a\n"),
              *more = tokens_build(&words, "b a b c\n");
    Tokenizer *bpe = tokens_build(&pieces, "b a b\n");
    assert_true(tokenizer_same(t, often));
    assert_false(tokenizer_same(t, order));
    assert_false(tokenizer_same(t, more));
    assert_false(tokenizer_same(t, bpe));
    words.lowercase = true;
    Tokenizer *lower = tokens_build(&words, "b a b\n");
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
    TokenizerConfig config = tokens_config(TOKENS_WORD, true);
    Tokenizer *t = tokens_build(&config, "a\n");
    assert_int_equal(tokenizer_save(t, "/nowhere/at/all", "text", &err), FAIL_RUN);
    assert_non_null(strstr(err.text, "/nowhere/at/all/text.vocab"));
    tokenizer_free(t);
}

int main(void) {
    const struct CMUnitTest cases[] = {
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
    return cmocka_run_group_tests_name("tokenizer_saved", cases, NULL, NULL);
}

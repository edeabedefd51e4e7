/* Byte pair encoding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "data/file/textfile.h"
#include "data/text/bpe.h"
#include "engine/core/rng.h"
#include "files.h"

static char *path_in(const char *root, const char *name) {
    static char paths[2][1000];
    static int turn;
    turn = !turn;
    text_format(paths[turn], sizeof paths[turn], "%s/%s", root, name);
    return paths[turn];
}

static void count_words(const char *text, size_t length, StringMap *words) {
    for (size_t at = 0, word; bpe_word(text, length, &at, &word);)
        stringmap_count(words, text + at - word, word, 1);
}

static Bpe *learn(const char *text, size_t merges) {
    StringMap words = {0};
    count_words(text, strlen(text), &words);
    Bpe *bpe = bpe_learn(&words, merges);
    stringmap_free(&words);
    return bpe;
}

/* All words of a line, as subword-nmt apply-bpe prints it. */
static void apply(const Bpe *bpe, const char *line, size_t length, TextBuffer *out) {
    text_clear(out);
    for (size_t at = 0, word; bpe_word(line, length, &at, &word);) {
        if (out->length) text_append_byte(out, ' ');
        bpe_split(bpe, line + at - word, word, out);
    }
}

static void save(const Bpe *bpe, const char *path) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    bpe_write(bpe, file);
    assert_false(fclose(file));
}

static void expect_codes(const char *root, const Bpe *bpe, const char *text) {
    size_t n;
    save(bpe, path_in(root, "codes"));
    uint8_t *bytes = files_read(root, "codes", &n);
    if (n != strlen(text) || memcmp(bytes, text, n))
        fail_msg("learned\n%.*s\nnot\n%s", (int)n, (char *)bytes, text);
    mem_free(bytes);
}

static void expect_split(const Bpe *bpe, const char *line, const char *pieces) {
    TextBuffer out = {0};
    apply(bpe, line, strlen(line), &out);
    assert_string_equal(out.text, pieces);
    text_free(&out);
}

/* ---- a second implementation: counts everything anew for each merge ---- */

enum { WORDS = 24, LONGEST = 24, SYMBOL = 32 };

typedef struct Plain {
    char symbol[WORDS][LONGEST][SYMBOL];
    size_t length[WORDS];
} Plain;

static size_t count_pair(const Plain *p, const char *a, const char *b) {
    size_t count = 0;
    for (size_t w = 0; w < WORDS; w++)
        for (size_t i = 0; i + 1 < p->length[w]; i++)
            count += !strcmp(p->symbol[w][i], a) && !strcmp(p->symbol[w][i + 1], b);
    return count;
}

static bool larger(const char *a, const char *b, const char *x, const char *y) {
    int order = strcmp(a, x);
    return order ? order > 0 : strcmp(b, y) > 0;
}

/* The most frequent pair, of equals the largest; its count. */
static size_t best_pair(const Plain *p, const char **a, const char **b) {
    size_t most = 0;
    for (size_t w = 0; w < WORDS; w++)
        for (size_t i = 0; i + 1 < p->length[w]; i++) {
            const char *x = p->symbol[w][i], *y = p->symbol[w][i + 1];
            size_t count = count_pair(p, x, y);
            if (count < most || (count == most && !larger(x, y, *a, *b))) continue;
            most = count, *a = x, *b = y;
        }
    return most;
}

static void merge_pair(Plain *p, const char *a, const char *b) {
    for (size_t w = 0; w < WORDS; w++)
        for (size_t i = 0; i + 1 < p->length[w]; i++) {
            if (strcmp(p->symbol[w][i], a) || strcmp(p->symbol[w][i + 1], b)) continue;
            strcat(p->symbol[w][i], p->symbol[w][i + 1]);
            p->length[w]--;
            memmove(p->symbol[w][i + 1], p->symbol[w][i + 2],
                    (p->length[w] - i - 1) * SYMBOL);
        }
}

static void learn_plainly(Plain *p, size_t merges, TextBuffer *codes) {
    text_append(codes, "#version: 0.2\n", 14);
    for (size_t k = 0; k < merges; k++) {
        const char *a = "", *b = "";
        if (best_pair(p, &a, &b) < 2) return;
        char first[SYMBOL], second[SYMBOL], line[3 * SYMBOL];
        strcpy(first, a), strcpy(second, b);
        text_format(line, sizeof line, "%s %s\n", first, second);
        text_append(codes, line, strlen(line));
        merge_pair(p, first, second);
    }
}

/* Random words of few letters, runs among them. */
static void draw_words(unsigned trial, Plain *p, TextBuffer *text) {
    static const char *const LETTERS[] = {"a", "b", "\xC3\xA4", "-"};
    RngCursor dice = {rng_make(trial, 1, 2), 0};
    memset(p, 0, sizeof *p);
    for (size_t w = 0; w < WORDS; w++) {
        size_t length = 1 + (size_t)(rng_next(&dice) * (trial % 2 ? 5 : 13));
        p->length[w] = length;
        for (size_t i = 0; i < length; i++) {
            const char *letter = LETTERS[(size_t)(rng_next(&dice) * (1 + trial % 4))];
            text_append(text, letter, strlen(letter));
            text_format(p->symbol[w][i], SYMBOL, "%s%s", letter,
                        i + 1 == length ? "</w>" : "");
        }
        text_append_byte(text, w % 5 ? ' ' : '\n');
    }
}

/* A word's symbols as pieces. */
static void join_plainly(const Plain *p, size_t w, TextBuffer *out) {
    for (size_t i = 0; i < p->length[w]; i++) {
        size_t length = strlen(p->symbol[w][i]);
        bool last = i + 1 == p->length[w];
        text_append(out, p->symbol[w][i], length - (last ? 4 : 0));
        if (!last) text_append(out, "@@ ", 3);
    }
}

static void learning_step_by_step_equals_counting_anew_for_each_merge(void **state) {
    static Plain plain;
    for (unsigned trial = 0; trial < 200; trial++) {
        TextBuffer text = {0}, codes = {0}, expected = {0}, out = {0};
        draw_words(trial, &plain, &text);
        Bpe *bpe = learn(text.text, 30);
        learn_plainly(&plain, 30, &codes);
        expect_codes(*state, bpe, codes.text);
        size_t at = 0, word;
        for (size_t w = 0; bpe_word(text.text, text.length, &at, &word); w++) {
            text_clear(&expected), text_clear(&out);
            join_plainly(&plain, w, &expected);
            bpe_split(bpe, text.text + at - word, word, &out);
            assert_string_equal(out.text, expected.text);
        }
        bpe_free(bpe);
        text_free(&text), text_free(&codes), text_free(&expected), text_free(&out);
    }
}

/* Worked out with a transcript of subword-nmt's learn_bpe.py (-s 12) and apply_bpe.py. */
static void a_small_text_gives_what_subword_nmt_makes_of_it(void **state) {
    Bpe *bpe = learn("low low low low low lower lower newest newest newest newest\n"
                     "newest newest widest widest widest für fürs Füße\n",
                     12);
    expect_codes(*state, bpe,
                 "#version: 0.2\n"
                 "s t</w>\n"
                 "e st</w>\n"
                 "l o\n"
                 "w est</w>\n"
                 "n e\n"
                 "ne west</w>\n"
                 "lo w</w>\n"
                 "w i\n"
                 "wi d\n"
                 "wid est</w>\n"
                 "w e\n"
                 "we r</w>\n");
    expect_split(bpe, "lowest newer wide Füße für x",
                 "lo@@ west ne@@ wer wid@@ e F@@ ü@@ ß@@ e f@@ ü@@ r x");
    bpe_free(bpe);
}

static void of_equally_frequent_pairs_the_largest_comes_first(void **state) {
    Bpe *bpe = learn("abx abx cdx cdx", 1);
    expect_codes(*state, bpe, "#version: 0.2\nd x</w>\n");
    bpe_free(bpe);
}

static void learning_stops_when_no_pair_is_there_twice(void **state) {
    Bpe *bpe = learn("ab ab cd", 100);
    expect_codes(*state, bpe, "#version: 0.2\na b</w>\n");
    assert_int_equal(bpe_merge_count(bpe), 1);
    bpe_free(bpe);
    bpe = learn("", 100);
    assert_int_equal(bpe_merge_count(bpe), 0);
    bpe_free(bpe);
}

static void pieces_joined_are_the_word_again(void **state) {
    (void)state;
    Bpe *bpe = learn("der Mann schläft in der Mannschaft der Männer", 50);
    static const char *const WORDS_TO_SPLIT[] = {
        "Mannschaftsmänner", "x", "日本語", "😀😀", "@@", "a@@b", "</w>", "a</w>", "der"};
    for (size_t i = 0; i < COUNT(WORDS_TO_SPLIT); i++) {
        TextBuffer out = {0}, joined = {0};
        bpe_split(bpe, WORDS_TO_SPLIT[i], strlen(WORDS_TO_SPLIT[i]), &out);
        for (size_t at = 0; at < out.length; at++) {
            if (!strncmp(out.text + at, "@@ ", 3)) at += 2;
            else text_append_byte(&joined, out.text[at]);
        }
        assert_string_equal(joined.text, WORDS_TO_SPLIT[i]);
        text_free(&out), text_free(&joined);
    }
    bpe_free(bpe);
}

static Bpe *load_text(const char *root, const char *text, Err *err) {
    files_write(root, "codes", text, strlen(text));
    return bpe_load(path_in(root, "codes"), NULL, err);
}

static void codes_come_back_from_their_file(void **state) {
    Err err = ERR_NONE;
    Bpe *bpe = learn("aab aab abab bä bä", 20);
    save(bpe, path_in(*state, "saved"));
    Bpe *back = bpe_load(path_in(*state, "saved"), NULL, &err);
    size_t n;
    TextBuffer text = {0};
    uint8_t *bytes = files_read(*state, "saved", &n);
    text_append(&text, (char *)bytes, n);
    expect_codes(*state, back, text.text);
    mem_free(bytes);
    text_free(&text);
    bpe_free(bpe);
    bpe_free(back);
}

static void codes_with_strange_symbols_come_back(void **state) {
    /* Blanks of all kinds, line ends of other standards, marks; line ends
     * of another system. */
    static const char *const GOOD[] = {
        "#version: 0.2\n\t \t\n\xC2\xA0 a\n\xE2\x80\xA8 \xE2\x80\xA9\n",
        "#version: 0.2\n\xC2\x85 b\n\v \f\n\x1C \x1D\n\xE3\x80\x80 c</w>\n",
        "#version: 0.2\n\xEF\xBB\xBF d\n@@ @@\n</w> </w>\n# version\n",
        "\xEF\xBB\xBF#version: 0.2 \r\na b\r\nab c\r\n"};
    for (size_t i = 0; i < COUNT(GOOD); i++) {
        Err err = ERR_NONE;
        Bpe *bpe = load_text(*state, GOOD[i], &err);
        if (!bpe) fail_msg("%s", err.text);
        save(bpe, path_in(*state, "saved"));
        Bpe *back = bpe_load(path_in(*state, "saved"), NULL, &err);
        if (!back) fail_msg("%s", err.text);
        assert_true(bpe_same(bpe, back));
        bpe_free(bpe);
        bpe_free(back);
    }
}

static void codes_are_the_same_merge_by_merge(void **state) {
    static const char *const TEXTS[] = {"#version: 0.2\na b\nab c\n",
                                        "#version: 0.2\na b\nab d\n",
                                        "#version: 0.2\nab c\na b\n",
                                        "#version: 0.2\na b\n"};
    Err err = ERR_NONE;
    for (size_t i = 0; i < COUNT(TEXTS); i++)
        for (size_t j = 0; j < COUNT(TEXTS); j++) {
            Bpe *a = load_text(*state, TEXTS[i], &err);
            Bpe *b = load_text(*state, TEXTS[j], &err);
            assert_int_equal(bpe_same(a, b), i == j);
            bpe_free(a);
            bpe_free(b);
        }
}

static void of_a_pair_that_comes_twice_the_first_counts(void **state) {
    Err err = ERR_NONE;
    Bpe *bpe = load_text(*state, "#version: 0.2\na b\nb c\na b\n", &err);
    if (!bpe) fail_msg("%s", err.text);
    expect_split(bpe, "abcx", "ab@@ c@@ x");
    bpe_free(bpe);
}

/* As subword-nmt reads them. */
static void blanks_around_codes_and_empty_lines_at_their_end_are_left_out(void **state) {
    Err err = ERR_NONE;
    Bpe *bpe = load_text(*state, "#version: 0.2 \r\n a b \nab c\n\n\n", &err);
    if (!bpe) fail_msg("%s", err.text);
    assert_int_equal(bpe_merge_count(bpe), 2);
    expect_split(bpe, "abcx", "abc@@ x");
    bpe_free(bpe);
}

static void codes_that_are_none_are_refused_with_their_line(void **state) {
    static const char *const BAD[][2] = {
        {"", "codes:1: expected \"#version: 0.2\""},
        {"a b\n", "codes:1: expected \"#version: 0.2\""},
        {"#version: 0.1\na b\n", "codes:1: expected \"#version: 0.2\""},
        {"#version: 0.2\na b\nab\n", "codes:3: expected two symbols"},
        {"#version: 0.2\na b c\n", "codes:2: expected two symbols"},
        {"#version: 0.2\n\na b\n", "codes:2: expected two symbols"},
        {"#version: 0.2\n b\n", "codes:2: expected two symbols"},
        {"#version: 0.25\na b\n", "codes:1: expected"},
        {"#version: 0.2\na b\n\n\nb c\n", "codes:3: expected two symbols"},
        {"#version: 0.2\na b\rb c\n", "codes:2: a carriage return"},
        {"#version: 0.2\na \n", "codes:2: expected two symbols"},
        {"#version: 0.2\na \xFF\n", "codes:2: byte 3"},
        {"#version: 0.2\na b\na \r\r\n", "codes:3: a carriage return (0x0D) in a symbol"},
        {"#version: 0.2\na\rb c\n", "codes:2: a carriage return"},
        {"#version: 0.2\n\r \r\n", "codes:2: a carriage return"},
        {"#version: 0.2\ra b\rb c\r", "codes:1: expected \"#version: 0.2\""},
        {"#version: 0.23\na b\n", "codes:1: expected \"#version: 0.2\""},
        {"#version: 0.2\na  b\n", "codes:2: expected two symbols"},
    };
    for (size_t i = 0; i < COUNT(BAD); i++) {
        Err err = ERR_NONE;
        assert_null(load_text(*state, BAD[i][0], &err));
        assert_int_equal(err.status, FAIL_DATA);
        if (!strstr(err.text, BAD[i][1]))
            fail_msg("\"%s\" is not in \"%s\"", BAD[i][1], err.text);
    }
    Err err = ERR_NONE;
    assert_null(bpe_load(path_in(*state, "nothing"), NULL, &err));
    assert_int_equal(err.status, FAIL_DATA);
    assert_non_null(strstr(err.text, "nothing"));
}

static void damaged_codes_are_read_or_refused(void **state) {
    static const char CODES[] =
        "#version: 0.2\na b\nab c</w>\nä ä\nb c</w>\nab abc</w>\n";
    for (unsigned trial = 0; trial < 1000; trial++) {
        Err err = ERR_NONE;
        size_t n;
        uint8_t *bad = files_damage((const uint8_t *)CODES, sizeof CODES - 1, trial, &n);
        files_write(*state, "codes", bad, n);
        mem_free(bad);
        Bpe *bpe = bpe_load(path_in(*state, "codes"), NULL, &err);
        TextBuffer out = {0};
        if (bpe) apply(bpe, "abcabc ääbc x", strlen("abcabc ääbc x"), &out);
        else assert_int_equal(err.status, FAIL_DATA);
        text_free(&out);
        bpe_free(bpe);
    }
}

static void a_word_of_a_million_letters_is_split(void **state) {
    (void)state;
    enum { LETTERS = 1000000 };
    Bpe *bpe = learn("abab abab aab aab", 20);
    char *word = mem_alloc(LETTERS);
    for (size_t i = 0; i < LETTERS; i++) word[i] = i * i % 7 % 2 ? 'a' : 'b';
    TextBuffer out = {0};
    bpe_split(bpe, word, LETTERS, &out);
    size_t kept = 0;
    for (size_t i = 0; i < out.length; i++)
        if (out.text[i] != '@' && out.text[i] != ' ')
            assert_true(out.text[i] == word[kept++]);
    assert_int_equal(kept, LETTERS);
    text_free(&out);
    mem_free(word);
    bpe_free(bpe);
}

static void check_case(const char *root, const json_t *one) {
    json_t *pieces = json_object_get(one, "pieces"), *line;
    const json_t *text = json_object_get(one, "text");
    const char *from = json_string_value(text);
    StringMap words = {0};
    TextBuffer out = {0};
    size_t i, merges = (size_t)json_integer_value(json_object_get(one, "merges"));
    json_array_foreach(pieces, i, line) {
        size_t length = strcspn(from, "\n");
        count_words(from, length, &words);
        from += length + 1;
    }
    Bpe *bpe = bpe_learn(&words, merges);
    expect_codes(root, bpe, json_string_value(json_object_get(one, "codes")));
    from = json_string_value(text);
    json_array_foreach(pieces, i, line) {
        size_t length = strcspn(from, "\n");
        apply(bpe, from, length, &out);
        assert_string_equal(out.text, json_string_value(line));
        from += length + 1;
    }
    bpe_free(bpe);
    stringmap_free(&words);
    text_free(&out);
}

/* Blanks of all kinds within words, runs of U+0020, "@@" and "</w>" in the text. */
static void codes_and_pieces_are_those_of_subword_nmt(void **state) {
    json_t *cases = json_load_file("test/golden/bpe.json", 0, NULL), *one;
    size_t i;
    assert_true(json_array_size(cases) > 40);
    json_array_foreach(cases, i, one) check_case(*state, one);
    json_decref(cases);
}

static void words_end_at_blanks_and_at_no_other_white_space(void **state) {
    (void)state;
    static const char LINE[] =
        "  a\tb  10\xC2\xA0km\xE3\x80\x80weit\r \xE2\x80\xA8\xC2\x85 ";
    static const char *const EXPECTED[] = {"a\tb", "10\xC2\xA0km\xE3\x80\x80weit",
                                           "\xE2\x80\xA8\xC2\x85"};
    size_t at = 0, word;
    for (size_t i = 0; i < COUNT(EXPECTED); i++) {
        assert_true(bpe_word(LINE, sizeof LINE - 1, &at, &word));
        assert_int_equal(word, strlen(EXPECTED[i]));
        assert_memory_equal(LINE + at - word, EXPECTED[i], word);
    }
    assert_false(bpe_word(LINE, sizeof LINE - 1, &at, &word));
}

static void multi30k_gives_the_codes_of_subword_nmt(void **state) {
    char golden[1000];
    text_format(golden, sizeof golden, "%s", files_real("../golden/bpe-2000.en"));
    TextFile text, codes, plain, split;
    StringMap words = {0};
    assert_int_equal(textfile_read(&text, files_real("multi30k/train.en.gz"), NULL), OK);
    assert_int_equal(textfile_read(&codes, golden, NULL), OK);
    count_words(text.bytes, text.size, &words);
    Bpe *bpe = bpe_learn(&words, 2000);
    char *expected = mem_zalloc(codes.size + 1);
    memcpy(expected, codes.bytes, codes.size);
    expect_codes(*state, bpe, expected);
    assert_int_equal(textfile_read(&plain, files_real("../golden/val-200.en"), NULL), OK);
    assert_int_equal(textfile_read(&split, files_real("../golden/val-200.bpe.en"), NULL),
                     OK);
    assert_int_equal(plain.count, split.count);
    TextBuffer out = {0};
    for (size_t i = 0; i < plain.count; i++) {
        size_t m, n;
        const char *line = textfile_line(&plain, i, &m);
        const char *pieces = textfile_line(&split, i, &n);
        apply(bpe, line, m, &out);
        if (out.length != n || memcmp(out.text, pieces, n))
            fail_msg("line %zu: %s", i + 1, out.text);
    }
    text_free(&out);
    mem_free(expected);
    stringmap_free(&words);
    bpe_free(bpe);
    textfile_free(&text), textfile_free(&codes), textfile_free(&plain),
        textfile_free(&split);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(learning_step_by_step_equals_counting_anew_for_each_merge),
        FOLDER_TEST(a_small_text_gives_what_subword_nmt_makes_of_it),
        FOLDER_TEST(of_equally_frequent_pairs_the_largest_comes_first),
        FOLDER_TEST(learning_stops_when_no_pair_is_there_twice),
        cmocka_unit_test(pieces_joined_are_the_word_again),
        FOLDER_TEST(codes_come_back_from_their_file),
        FOLDER_TEST(codes_with_strange_symbols_come_back),
        FOLDER_TEST(codes_are_the_same_merge_by_merge),
        FOLDER_TEST(of_a_pair_that_comes_twice_the_first_counts),
        FOLDER_TEST(blanks_around_codes_and_empty_lines_at_their_end_are_left_out),
        FOLDER_TEST(codes_that_are_none_are_refused_with_their_line),
        FOLDER_TEST(damaged_codes_are_read_or_refused),
        cmocka_unit_test(a_word_of_a_million_letters_is_split),
        cmocka_unit_test(words_end_at_blanks_and_at_no_other_white_space),
        FOLDER_TEST(codes_and_pieces_are_those_of_subword_nmt),
        FOLDER_TEST(multi30k_gives_the_codes_of_subword_nmt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

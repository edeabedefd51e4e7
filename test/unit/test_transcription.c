/* What a speech recogniser writes down; the guess that ignores its input; the
 * worst transcripts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/kern/ctc.h"
#include "tools/task/transcribe/transcription.h"

/* ---- decoding ---- */

/* Logits whose likeliest labels are those of the path; "_" is the blank. */
static void expect_text(const char *path, const char *wanted) {
    size_t rows = strlen(path);
    real *z = mem_alloc(MAX(rows, (size_t)1) * SPEECH_LABELS * sizeof *z);
    for (size_t t = 0; t < rows; t++)
        for (uint32_t k = 0; k < SPEECH_LABELS; k++) {
            uint32_t label = path[t] == '_'    ? SPEECH_BLANK
                             : path[t] == ' '  ? SPEECH_BOUNDARY
                             : path[t] == '\'' ? SPEECH_APOSTROPHE
                                               : SPEECH_A + (uint32_t)(path[t] - 'a');
            z[t * SPEECH_LABELS + k] = (real)(k == label ? 0.5 : -0.1 * k);
        }
    TextBuffer text = {0};
    transcript_greedy(z, rows, &text);
    assert_string_equal(text.text ? text.text : "", wanted);
    text_free(&text);
    mem_free(z);
}

static void the_likeliest_labels_are_read(void **state) {
    (void)state;
    expect_text(" _oo_nn_e_  _t_woo ", "one two");
    expect_text("_z_eeroo", "zero");
    expect_text("e_e_ee", "eee");
    expect_text("it'_s", "it's");
    expect_text("______", "");
    expect_text("   _  ", "");
    expect_text("", "");
}

static void what_the_text_held_before_goes(void **state) {
    (void)state;
    TextBuffer text = {0};
    text_append(&text, "so", 2);
    real z[SPEECH_LABELS] = {[SPEECH_A + 1] = 1};
    transcript_greedy(z, 1, &text);
    assert_string_equal(text.text, "b");
    transcript_greedy(NULL, 0, &text);
    assert_string_equal(text.text, "");
    text_free(&text);
}

/* ---- the guess ---- */

enum { ITEMS_MOST = 130, LABELS_MOST = 12 };

typedef struct Guessed {
    SpeechSet set;
    SpeechItem item[ITEMS_MOST];
    uint32_t labels[ITEMS_MOST][LABELS_MOST];
} Guessed;

static void add_item(Guessed *g, const char *text, size_t rows) {
    size_t i = g->set.count++;
    g->set.item = g->item;
    g->item[i].labels = g->labels[i];
    g->item[i].label_count = speech_encode(text, g->labels[i]);
    g->item[i].frames = rows * SPEECH_STRIDE + i % SPEECH_STRIDE;
    assert_true(ctc_fits(rows, g->labels[i], g->item[i].label_count));
}

static double loss_of(const SpeechItem *item, const double *p) {
    size_t rows = item->frames / SPEECH_STRIDE;
    real *z = mem_alloc(rows * SPEECH_LABELS * sizeof *z);
    for (size_t i = 0; i < rows * SPEECH_LABELS; i++)
        z[i] = (real)log(p[i % SPEECH_LABELS] + 1e-30);
    CtcUtterance u = {z,           rows, SPEECH_LABELS, item->labels, item->label_count,
                      SPEECH_BLANK};
    double *work = mem_alloc(ctc_work(rows, u.count, false) * sizeof *work);
    double loss = ctc_forward(&u, work, false);
    mem_free(work);
    mem_free(z);
    return loss;
}

/* The least mean loss of 980 shares of blanks, over each step-th utterance. */
static double brute_force(const Guessed *g, size_t step) {
    double share[SPEECH_LABELS] = {0}, labels = 0, least = INFINITY;
    for (size_t i = 0; i < g->set.count; i++)
        for (size_t k = 0; k < g->item[i].label_count; k++, labels++)
            share[g->labels[i][k]]++;
    for (size_t j = 0; j <= 980; j++) {
        double p[SPEECH_LABELS], sum = 0, blank = 0.01 + 0.001 * (double)j;
        size_t count = 0;
        for (size_t k = 0; k < SPEECH_LABELS; k++) p[k] = (1 - blank) * share[k] / labels;
        p[SPEECH_BLANK] = blank;
        for (size_t i = 0; i < g->set.count; i += step, count++)
            sum += loss_of(&g->item[i], p);
        least = fmin(least, sum / (double)count);
    }
    return least;
}

/* Both look at steps of 0.001 of a share, and a minimum is flat, unless it is
 * at the range's end. */
static void expect_guess(Guessed *g, size_t step, double tolerance) {
    double guess = transcript_guess(&g->set), least = brute_force(g, step);
    if (!(fabs(guess - least) <= tolerance * least))
        fail_msg("%.9g, not %.9g", guess, least);
}

static void the_guess_is_the_least_loss_over_the_share_of_blanks(void **state) {
    (void)state;
    Guessed *g = mem_zalloc(sizeof *g);
    add_item(g, "one two", 20);
    expect_guess(g, 1, 1e-4);
    add_item(g, "eight", 60);
    add_item(g, "aa bb cc", 16);
    expect_guess(g, 1, 1e-4);
    mem_free(g);
}

static void texts_that_barely_fit_are_guessed_too(void **state) {
    (void)state;
    Guessed *g = mem_zalloc(sizeof *g);
    add_item(g, "abcd", 6); /* no row is left for a blank */
    expect_guess(g, 1, 1e-3);
    mem_free(g);
}

static void of_a_large_set_the_guess_sees_64(void **state) {
    (void)state;
    Guessed *g = mem_zalloc(sizeof *g);
    for (size_t i = 0; i < 128; i++) add_item(g, i % 2 ? "two" : "seven", 10 + i % 5);
    expect_guess(g, 2, 1e-4);
    mem_free(g);
}

/* ---- the worst ---- */

static void expect_row(const Worst *w, size_t i, const char *id, int errors) {
    const json_t *row = json_array_get(w->rows, i);
    assert_non_null(row);
    assert_string_equal(json_string_value(json_object_get(row, "id")), id);
    assert_int_equal(json_integer_value(json_object_get(row, "errors")), errors);
    assert_int_equal(json_object_size(row), 4);
}

static void the_worst_come_first_and_the_earlier_of_equals(void **state) {
    (void)state;
    Worst w = {json_array(), 3};
    worst_see(&w, "right", "one two", "one two");
    assert_int_equal(json_array_size(w.rows), 0);
    worst_see(&w, "a", "one two", "one");
    worst_see(&w, "b", "one two three", "");
    worst_see(&w, "c", "four", "five");
    expect_row(&w, 0, "b", 3);
    expect_row(&w, 1, "a", 1);
    expect_row(&w, 2, "c", 1);
    worst_see(&w, "d", "six", "");
    assert_int_equal(json_array_size(w.rows), 3);
    expect_row(&w, 2, "c", 1);
    worst_see(&w, "e", "six", "seven eight");
    assert_int_equal(json_array_size(w.rows), 3);
    expect_row(&w, 1, "e", 2);
    expect_row(&w, 2, "a", 1);
    const json_t *row = json_array_get(w.rows, 1);
    assert_string_equal(json_string_value(json_object_get(row, "reference")), "six");
    assert_string_equal(json_string_value(json_object_get(row, "hypothesis")),
                        "seven eight");
    json_decref(w.rows);
}

static void none_are_kept_where_none_are_wanted(void **state) {
    (void)state;
    Worst w = {json_array(), 0};
    worst_see(&w, "a", "one", "two");
    assert_int_equal(json_array_size(w.rows), 0);
    json_decref(w.rows);
}

/* File names are bytes, and a long one is cut anywhere. */
static void a_name_that_is_no_text_is_written_all_the_same(void **state) {
    (void)state;
    Worst w = {json_array(), 2};
    worst_see(&w, "gr\xc3", "one", "two");
    assert_int_equal(json_array_size(w.rows), 1);
    assert_non_null(json_string_value(json_object_get(json_array_get(w.rows, 0), "id")));
    json_decref(w.rows);
}

/* Two processes: what each had, as if one had seen all. */
static void lists_of_the_worst_are_joined(void **state) {
    (void)state;
    Worst w = {json_array(), 3}, other = {json_array(), 3};
    worst_see(&w, "a", "one two", "one");
    worst_see(&w, "b", "one two three", "");
    worst_see(&other, "c", "one two three four", "");
    worst_see(&other, "d", "one two", "two two two");
    worst_see(&other, "e", "one", "two");
    worst_add(&w, other.rows);
    static const char *const IDS[] = {"c", "b", "d"};
    assert_int_equal(json_array_size(w.rows), COUNT(IDS));
    for (size_t i = 0; i < COUNT(IDS); i++) {
        const json_t *row = json_array_get(w.rows, i);
        assert_string_equal(json_string_value(json_object_get(row, "id")), IDS[i]);
    }
    worst_share(&w, NULL); /* one process */
    assert_int_equal(json_array_size(w.rows), COUNT(IDS));
    json_decref(w.rows);
    json_decref(other.rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_likeliest_labels_are_read),
        cmocka_unit_test(what_the_text_held_before_goes),
        cmocka_unit_test(the_guess_is_the_least_loss_over_the_share_of_blanks),
        cmocka_unit_test(texts_that_barely_fit_are_guessed_too),
        cmocka_unit_test(of_a_large_set_the_guess_sees_64),
        cmocka_unit_test(the_worst_come_first_and_the_earlier_of_equals),
        cmocka_unit_test(lists_of_the_worst_are_joined),
        cmocka_unit_test(none_are_kept_where_none_are_wanted),
        cmocka_unit_test(a_name_that_is_no_text_is_written_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

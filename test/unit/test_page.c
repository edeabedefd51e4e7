/* The frame of reports: contrast, landmarks, and text that stays text. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/figure/page.h"
#include "tools/program/textstream.h"

/* Relative luminance of WCAG 2.2. */
static double luminance(unsigned rgb) {
    static const double WEIGHTS[] = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (size_t i = 0; i < 3; i++) {
        double c = (rgb >> (16 - 8 * i) & 255) / 255.0;
        sum += WEIGHTS[i] * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static double contrast(unsigned a, unsigned b) {
    double x = luminance(a), y = luminance(b);
    return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

static unsigned colour(const char *theme, const char *name) {
    char word[20];
    text_format(word, sizeof word, "--%s:#", name);
    const char *at = strstr(theme, word);
    assert_non_null(at);
    return (unsigned)strtoul(at + strlen(word), NULL, 16);
}

static void text_has_the_contrast_of_wcag_aa_in_light_and_dark(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"ink", "soft", "good", "bad", "link"};
    static const char *const GROUNDS[] = {"paper", "panel"};
    const char *themes[] = {page_style, strstr(page_style, "prefers-color-scheme:dark")};
    for (size_t t = 0; t < COUNT(themes); t++)
        for (size_t i = 0; i < COUNT(TEXTS); i++)
            for (size_t g = 0; g < COUNT(GROUNDS); g++) {
                double ratio =
                    contrast(colour(themes[t], TEXTS[i]), colour(themes[t], GROUNDS[g]));
                if (ratio < 4.5) fail_msg("%s on %s: %.2f", TEXTS[i], GROUNDS[g], ratio);
            }
    assert_true(fabs(contrast(0, 0xffffff) - 21) < 1e-9);
}

/* A colour over another, as a browser mixes them. */
static unsigned mixed(unsigned top, unsigned below, double alpha) {
    unsigned sum = 0;
    for (int shift = 0; shift <= 16; shift += 8)
        sum |= (unsigned)lround(alpha * (top >> shift & 255) +
                                (1 - alpha) * (below >> shift & 255))
               << shift;
    return sum;
}

/* The darkest cell of a confusion matrix (report_answers.c). */
static void numbers_in_a_confusion_matrix_have_it_too(void **state) {
    (void)state;
    const char *themes[] = {page_style, strstr(page_style, "prefers-color-scheme:dark")};
    for (size_t t = 0; t < COUNT(themes); t++) {
        unsigned cell = mixed(90 << 16 | 140 << 8 | 220, colour(themes[t], "paper"), 0.3);
        assert_true(contrast(colour(themes[t], "ink"), cell) >= 4.5);
    }
}

static void a_page_has_landmarks_and_names_what_can_be_scrolled(void **state) {
    (void)state;
    static const char *const WANTED[] = {"<html lang=en>",
                                         "<title>a&lt;b – report</title>",
                                         "<h1>a&lt;b</h1>",
                                         "<main id=content>",
                                         "href=\"#content\"",
                                         "<footer",
                                         "aria-labelledby=\"x\"",
                                         "<h2 id=\"x\">A &amp; B</h2>",
                                         "<caption>cap</caption>",
                                         "role=region aria-label=\"cap\"",
                                         "<pre tabindex=0",
                                         "a%20%22b%3F.html",
                                         "data:image/png;base64,AAEC/w==",
                                         ":focus-visible"};
    static const unsigned char BYTES[] = {0, 1, 2, 255};
    TextStream s;
    assert_int_equal(textstream_open(&s, NULL), OK);
    page_begin(s.file, "a<b", "report");
    page_section(s.file, "x", "A & B");
    page_table_begin(s.file, "cap");
    page_table_end(s.file);
    page_lines(s.file, "lines", "<x>");
    page_address(s.file, "a \"b?.html");
    page_data(s.file, "image/png", BYTES, sizeof BYTES);
    page_number(s.file, "%g", NAN);
    page_section_end(s.file);
    page_end(s.file);
    assert_int_equal(textstream_close(&s, NULL), OK);
    for (size_t i = 0; i < COUNT(WANTED); i++)
        if (!strstr(s.text, WANTED[i])) fail_msg("no %s", WANTED[i]);
    assert_null(strstr(s.text, "<x>"));
    free(s.text);
}

static Chart *nothing(const void *of, Theme theme) {
    (void)of;
    (void)theme;
    return NULL;
}

static void without_a_chart_there_is_no_figure(void **state) {
    (void)state;
    TextStream s;
    assert_int_equal(textstream_open(&s, NULL), OK);
    assert_int_equal(page_figure(s.file, nothing, NULL, NULL, "caption", NULL), OK);
    assert_int_equal(textstream_close(&s, NULL), OK);
    assert_int_equal(s.size, 0);
    free(s.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_the_contrast_of_wcag_aa_in_light_and_dark),
        cmocka_unit_test(numbers_in_a_confusion_matrix_have_it_too),
        cmocka_unit_test(a_page_has_landmarks_and_names_what_can_be_scrolled),
        cmocka_unit_test(without_a_chart_there_is_no_figure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

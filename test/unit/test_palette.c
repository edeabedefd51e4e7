/* Colours of charts for readers who cannot tell some of them apart: their sight is
 * simulated (vision.h), and what is left between two colours has to be enough. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tools/chart/parts.h"
#include "tools/figure/parts.h"
#include "vision.h"

enum { HUES = 8 };

static void take(Colour c, double rgb[3]) { rgb[0] = c.r, rgb[1] = c.g, rgb[2] = c.b; }

static void apart(const char *what, Colour a, Colour b, double least) {
    double x[3], y[3];
    take(a, x);
    take(b, y);
    for (Vision v = 0; v < VISION_KINDS; v++)
        if (vision_distance(x, y, v) < least)
            fail_msg("%s: %.1f apart for %s sight, at least %.0f", what,
                     vision_distance(x, y, v), vision_names[v], least);
}

static void all_hues_of_the_palette_differ_for_every_kind_of_sight(void **state) {
    (void)state;
    Chart *chart = chart_new(1, 1, THEME_LIGHT);
    for (size_t i = 0; i < HUES; i++)
        for (size_t j = 0; j < i; j++) {
            char what[40];
            text_format(what, sizeof what, "hues %zu and %zu", j, i);
            apart(what, chart_palette(chart, i), chart_palette(chart, j), 11.9);
        }
    chart_free(chart);
}

static void splits_differ_from_each_other_in_both_themes(void **state) {
    (void)state;
    static const char *const SPLITS[] = {"train", "val", "test"};
    for (Theme theme = THEME_LIGHT; theme <= THEME_DARK; theme++) {
        Chart *chart = chart_new(1, 1, theme);
        for (size_t i = 0; i < COUNT(SPLITS); i++)
            for (size_t j = 0; j < i; j++)
                apart(SPLITS[i], figure_split_colour(chart, SPLITS[i]),
                      figure_split_colour(chart, SPLITS[j]), 25);
        chart_free(chart);
    }
}

static void maps_and_ramps_grow_in_lightness_for_every_kind_of_sight(void **state) {
    (void)state;
    for (Vision v = 0; v < VISION_KINDS; v++) {
        double before = -1, rgb[3];
        for (int i = 0; i <= 20; i++) {
            take(colour_map(i / 20.0), rgb);
            double now = vision_lightness(rgb, v);
            if (now < before + 0.5) fail_msg("%s: map at %d", vision_names[v], i);
            before = now;
        }
        for (Theme theme = THEME_LIGHT; theme <= THEME_DARK; theme++)
            for (Hue hue = 0; hue < HUE_COUNT; hue++) {
                Chart *chart = chart_new(1, 1, theme);
                before = -1;
                for (int i = 0; i <= 8; i++) {
                    take(chart_ramp(chart, hue, i / 8.0), rgb);
                    double now = vision_lightness(rgb, v);
                    if (now < before + 0.5)
                        fail_msg("%s: hue %d at %d", vision_names[v], (int)hue, i);
                    before = now;
                }
                chart_free(chart);
            }
    }
}

/* Lines over a panel are thin: in a print without colours dashes and marks say which. */
static void events_differ_in_colour_and_without_it(void **state) {
    (void)state;
    for (Theme theme = THEME_LIGHT; theme <= THEME_DARK; theme++) {
        Chart *chart = chart_new(1, 1, theme);
        for (size_t i = 0; figure_event_kind(i); i++) {
            const char *kind = figure_event_kind(i);
            Style style = figure_event_style(chart, kind);
            for (size_t j = 0; j <= i; j++) {
                const char *other = j < i ? figure_event_kind(j) : "of no such kind";
                Style before = figure_event_style(chart, other);
                char what[60];
                text_format(what, sizeof what, "%s and %s", other, kind);
                apart(what, style.colour, before.colour, 11.9);
                if (style.mark == before.mark && style.dashed == before.dashed &&
                    style.dash == before.dash)
                    fail_msg("%s look the same in grey", what);
            }
        }
        chart_free(chart);
    }
}

/* A line that is as light as the paper says nothing. */
static void lines_of_events_stand_out_from_the_paper(void **state) {
    (void)state;
    for (Theme theme = THEME_LIGHT; theme <= THEME_DARK; theme++) {
        Chart *chart = chart_new(1, 1, theme);
        for (size_t i = 0; figure_event_kind(i); i++)
            apart(figure_event_kind(i),
                  figure_event_style(chart, figure_event_kind(i)).colour,
                  theme_paper(theme), 25);
        chart_free(chart);
    }
}

/* Relative luminance of WCAG 2.2. */
static double luminance(Colour c) {
    const double part[] = {c.r, c.g, c.b}, weight[] = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (size_t i = 0; i < 3; i++)
        sum += weight[i] * (part[i] <= 0.04045 ? part[i] / 12.92
                                               : pow((part[i] + 0.055) / 1.055, 2.4));
    return sum;
}

static void words_of_figures_have_the_contrast_of_wcag_aa(void **state) {
    (void)state;
    for (Theme theme = THEME_LIGHT; theme <= THEME_DARK; theme++) {
        Chart *chart = chart_new(1, 1, theme);
        const Colour words[] = {theme_ink(theme), theme_soft(theme),
                                chart_warning(chart)}; /* axes, titles, notes */
        for (size_t i = 0; i < COUNT(words); i++) {
            double a = luminance(words[i]), b = luminance(theme_paper(theme));
            double ratio = (fmax(a, b) + 0.05) / (fmin(a, b) + 0.05);
            if (ratio < 4.5) fail_msg("words %zu, theme %d: %.2f", i, (int)theme, ratio);
        }
        chart_free(chart);
    }
}

static void a_split_has_one_word(void **state) {
    (void)state;
    assert_string_equal(split_word("train"), "training");
    assert_string_equal(split_word("val"), "validation");
    assert_string_equal(split_word("test"), "test");
    assert_string_equal(split_word("dev-other"), "dev-other");
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(all_hues_of_the_palette_differ_for_every_kind_of_sight),
        cmocka_unit_test(splits_differ_from_each_other_in_both_themes),
        cmocka_unit_test(maps_and_ramps_grow_in_lightness_for_every_kind_of_sight),
        cmocka_unit_test(events_differ_in_colour_and_without_it),
        cmocka_unit_test(lines_of_events_stand_out_from_the_paper),
        cmocka_unit_test(words_of_figures_have_the_contrast_of_wcag_aa),
        cmocka_unit_test(a_split_has_one_word),
    };
    return cmocka_run_group_tests_name("palette", cases, NULL, NULL);
}

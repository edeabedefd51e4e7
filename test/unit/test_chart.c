/* Charts: axes and ticks as numbers, pictures as pixels. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/chart/parts.h"

static const double steps[] = {0, 1, 2, 3, 4, 5};
static const double values[] = {1, 4, 2, 8, 5, 7};

static Chart *line_chart(Theme theme) {
    Chart *chart = chart_new(1, 1, theme);
    Panel *panel = chart_panel(chart, 0, 0);
    panel_axes(panel, "step", "value");
    panel_line(panel, steps, values, COUNT(steps),
               (Style){.colour = chart_palette(chart, 1), .width = 3}, "a line");
    return chart;
}

/* Pixels of a PNG; the caller destroys the surface. */
static cairo_surface_t *decode(const Chart *chart) {
    char path[] = "/tmp/chart-XXXXXX.png";
    Err err = ERR_NONE;
    int file = mkstemps(path, 4);
    assert_true(file >= 0);
    close(file);
    if (chart_write(chart, path, NULL, &err)) fail_msg("%s", err.text);
    cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
    unlink(path);
    assert_int_equal(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
    return surface;
}

/* How many pixels of the first rows are within a small distance of a colour. */
static size_t count_rows(cairo_surface_t *surface, int rows, Colour colour) {
    size_t width = (size_t)cairo_image_surface_get_width(surface), count = 0;
    size_t height = (size_t)rows;
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            uint32_t pixel;
            memcpy(&pixel, data + y * stride + 4 * x, 4);
            double r = (pixel >> 16 & 255) / 255.0, g = (pixel >> 8 & 255) / 255.0;
            double b = (pixel & 255) / 255.0;
            count += fabs(r - colour.r) + fabs(g - colour.g) + fabs(b - colour.b) < 0.02;
        }
    return count;
}

static size_t count_colour(cairo_surface_t *surface, Colour colour) {
    return count_rows(surface, cairo_image_surface_get_height(surface), colour);
}

static void a_png_decodes_and_shows_the_line_on_the_paper_of_its_theme(void **state) {
    (void)state;
    const Theme themes[] = {THEME_LIGHT, THEME_DARK};
    for (size_t t = 0; t < COUNT(themes); t++) {
        Chart *chart = line_chart(themes[t]);
        cairo_surface_t *surface = decode(chart);
        size_t all = (size_t)cairo_image_surface_get_width(surface) *
                     (size_t)cairo_image_surface_get_height(surface);
        assert_true(cairo_image_surface_get_width(surface) >
                    2 * 380); /* twice the points */
        assert_true(count_colour(surface, theme_paper(themes[t])) > all / 2);
        assert_true(count_colour(surface, chart_palette(chart, 1)) > 500);
        cairo_surface_destroy(surface);
        chart_free(chart);
    }
}

static void the_ending_chooses_the_kind_of_file(void **state) {
    (void)state;
    static const struct {
        const char *ending, *begin;
    } kinds[] = {
        {".png", "\x89PNG"}, {".PNG", "\x89PNG"}, {".svg", "<?xml"}, {".pdf", "%PDF"}};
    Chart *chart = line_chart(THEME_LIGHT);
    for (size_t k = 0; k < COUNT(kinds); k++) {
        size_t size = 0;
        char *bytes = chart_render(chart, kinds[k].ending, &size, NULL);
        assert_non_null(bytes);
        assert_true(size > 1000);
        assert_memory_equal(bytes, kinds[k].begin, 4);
        mem_free(bytes);
    }
    chart_free(chart);
}

static void another_ending_or_a_bad_place_is_an_error_of_one_line(void **state) {
    (void)state;
    Chart *chart = line_chart(THEME_LIGHT);
    Err err = ERR_NONE;
    assert_int_equal(chart_write(chart, "/tmp/figure.gif", NULL, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "figure.gif"));
    assert_int_equal(chart_write(chart, "figure", NULL, &err), FAIL_USAGE);
    assert_int_equal(chart_write(chart, "/nowhere/figure.png", NULL, &err), FAIL_RUN);
    assert_non_null(strstr(err.text, "/nowhere/figure.png"));
    assert_null(strchr(err.text, '\n'));
    chart_free(chart);
}

static void numbers_that_are_none_do_not_stop_a_drawing(void **state) {
    (void)state;
    const double odd[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 0};
    const double none[] = {NAN, NAN, NAN, NAN, NAN, NAN};
    for (int log_axes = 0; log_axes < 2; log_axes++) {
        Chart *chart = chart_new(2, 2, THEME_LIGHT);
        Panel *panel = chart_panel(chart, 0, 0), *other = chart_panel(chart, 1, 1);
        if (log_axes) panel_log_y(panel), panel_log_x(panel), panel_log_y(other);
        Style style = {.colour = chart_ink(chart), .mark = MARK_CROSS};
        panel_line(panel, steps, odd, COUNT(odd), style, "odd");
        panel_line(panel, odd, steps, COUNT(odd), style, "odd too");
        panel_band(panel, steps, odd, values, COUNT(odd), style, "");
        panel_line(other, steps, none, COUNT(none), style, "");
        panel_line(other, NULL, NULL, 0, style, "nothing");
        panel_note(other, NAN, 3, chart_ink(chart), "nowhere");
        panel_level(other, INFINITY, chart_ink(chart), "far");
        panel_empty(other, "nothing to see");
        cairo_surface_destroy(decode(chart));
        chart_free(chart);
    }
}

/* Layouts are measured on a small surface and painted on others: where widths differed, a
 * title had more lines than there was room for. */
static void a_text_is_as_wide_where_it_is_painted_as_where_it_is_measured(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"cifar-simclr-baseline, warmup_steps 156",
                                        "of 8: best 27.2, worst 22.72 on test", "σ ‖x‖²"};
    cairo_surface_t *small = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_surface_t *large = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 9, 9);
    cairo_t *measure = cairo_create(small), *paint = cairo_create(large);
    cairo_scale(paint, 2, 2);
    for (size_t t = 0; t < COUNT(TEXTS); t++)
        for (double size = 7; size <= 11; size += 0.5) {
            set_font(measure, size, true);
            set_font(paint, size, true);
            double a = text_width(measure, TEXTS[t]), b = text_width(paint, TEXTS[t]);
            if (fabs(a - b) > 1e-3 * a)
                fail_msg("%s at %.1f: %.3f, %.3f", TEXTS[t], size, a, b);
        }
    cairo_destroy(measure);
    cairo_destroy(paint);
    cairo_surface_destroy(small);
    cairo_surface_destroy(large);
}

static void a_number_without_neighbours_is_a_dot(void **state) {
    (void)state;
    const double alone[] = {NAN, 4, NAN, 2, NAN, NAN};
    size_t painted[2];
    for (int shown = 0; shown < 2; shown++) {
        Chart *chart = line_chart(THEME_LIGHT);
        panel_line(chart_panel(chart, 0, 0), steps, alone, shown ? 3 : 1,
                   (Style){.colour = chart_palette(chart, 2), .width = 1}, "");
        cairo_surface_t *surface = decode(chart);
        painted[shown] = count_colour(surface, chart_palette(chart, 2));
        cairo_surface_destroy(surface);
        chart_free(chart);
    }
    assert_int_equal(painted[0], 0);
    assert_in_range(painted[1], 20, 100);
}

static void a_very_long_line_keeps_its_peak(void **state) {
    (void)state;
    enum { LONG = 200000 };
    double *x = mem_alloc(LONG * sizeof *x), *y = mem_zalloc(LONG * sizeof *y);
    size_t painted[2], size;
    for (size_t i = 0; i < LONG; i++) x[i] = (double)i;
    for (int peak = 0; peak < 2; peak++) {
        y[123456] = peak;
        Chart *chart = chart_new(1, 1, THEME_LIGHT);
        panel_range_y(chart_panel(chart, 0, 0), -0.2, 1);
        panel_line(chart_panel(chart, 0, 0), x, y, LONG,
                   (Style){.colour = chart_palette(chart, 1), .width = 2}, "");
        cairo_surface_t *surface = decode(chart);
        painted[peak] = count_colour(surface, chart_palette(chart, 1));
        char *svg = chart_render(chart, ".svg", &size, NULL);
        assert_true(size < 200000); /* not written out point by point */
        mem_free(svg);
        cairo_surface_destroy(surface);
        chart_free(chart);
    }
    assert_true(painted[1] > painted[0] + 200); /* the panel is 240 pixels high */
    mem_free(x);
    mem_free(y);
}

enum { DENSE = 9000 }; /* more points than are drawn one by one */

/* Pixels of a flat line of so many points, of which `keep` says which are finite. */
static size_t pixels_of_dense(bool (*keep)(size_t i)) {
    double *x = mem_alloc(DENSE * sizeof *x), *y = mem_alloc(DENSE * sizeof *y);
    for (size_t i = 0; i < DENSE; i++) x[i] = (double)i, y[i] = keep(i) ? 1 : NAN;
    Chart *chart = chart_new(1, 1, THEME_LIGHT);
    panel_line(chart_panel(chart, 0, 0), x, y, DENSE,
               (Style){.colour = chart_palette(chart, 1), .width = 2}, "");
    cairo_surface_t *surface = decode(chart);
    size_t painted = count_colour(surface, chart_palette(chart, 1));
    cairo_surface_destroy(surface);
    chart_free(chart);
    mem_free(x);
    mem_free(y);
    return painted;
}

static bool keep_all(size_t i) { return i < DENSE; }

static bool keep_ends(size_t i) { return i <= DENSE / 3 || i >= 2 * DENSE / 3; }

static bool keep_one(size_t i) { return i == DENSE / 2; }

static bool keep_few(size_t i) { return i % (DENSE / 10) == 1; }

static void a_very_long_line_is_broken_where_it_is_not_finite(void **state) {
    (void)state;
    double all = (double)pixels_of_dense(keep_all);
    double ends = (double)pixels_of_dense(keep_ends);
    assert_true(ends > 0.64 * all && ends < 0.69 * all);
    size_t dot = pixels_of_dense(keep_one);
    assert_in_range(dot, 20, 100); /* a number without neighbours is a dot */
    assert_true(pixels_of_dense(keep_few) > 5 * dot);
}

static const Colour magenta = {1, 0, 1};

/* Two rows; `row` has 30 labels, the last of them alone in magenta, without a point in
 * the panel. */
static cairo_surface_t *long_legend(size_t row) {
    const double none[] = {NAN, NAN};
    Chart *chart = chart_new(2, 1, THEME_LIGHT);
    for (size_t i = 0; i < 30; i++) {
        char label[16];
        text_format(label, sizeof label, "line %zu", i);
        Style style = {.colour = i == 29 ? magenta : chart_palette(chart, 1), .width = 3};
        panel_line(chart_panel(chart, row, 0), steps, none, COUNT(none), style, label);
    }
    Style blue = {.colour = {0, 0, 1}, .width = 3};
    panel_line(chart_panel(chart, 1 - row, 0), steps, values, COUNT(steps), blue, "one");
    cairo_surface_t *surface = decode(chart);
    chart_free(chart);
    return surface;
}

static void a_legend_longer_than_its_row_is_whole(void **state) {
    (void)state;
    for (size_t row = 0; row < 2; row++) {
        cairo_surface_t *surface = long_legend(row);
        assert_true(count_colour(surface, magenta) > 20);
        cairo_surface_destroy(surface);
    }
}

static void a_long_legend_moves_the_next_row_down(void **state) {
    (void)state;
    cairo_surface_t *surface = long_legend(0);
    size_t whole = count_colour(surface, magenta);
    int above = cairo_image_surface_get_height(surface);
    /* cut rows from below until the blue line and its entry are gone */
    while (above > 0 && count_rows(surface, above, (Colour){0, 0, 1})) above--;
    assert_true(whole > 0 && count_rows(surface, above, magenta) == whole);
    cairo_surface_destroy(surface);
}

static void ticks_are_round_numbers_inside_the_axis(void **state) {
    (void)state;
    static const double ends[][2] = {{0, 1},   {0, 250},     {-3, 7},    {0.0195, 0.0205},
                                     {0, 1e6}, {1e-9, 3e-9}, {2.1, 2.9}, {0, 86400}};
    for (size_t i = 0; i < COUNT(ends); i++) {
        Axis axis = {.low = ends[i][0], .high = ends[i][1]};
        Ticks ticks = axis_ticks(&axis, 6);
        assert_in_range(ticks.count, 3, 12);
        double step = ticks.at[1] - ticks.at[0];
        double digit = step / pow(10, floor(log10(step) + 1e-9));
        assert_true(fabs(digit - 1) < 1e-6 || fabs(digit - 2) < 1e-6 ||
                    fabs(digit - 5) < 1e-6);
        for (size_t t = 0; t < ticks.count; t++) {
            assert_true(ticks.at[t] > axis.low - 1e-3 * step &&
                        ticks.at[t] < axis.high + 1e-3 * step);
            for (size_t u = 0; u < t; u++)
                assert_string_not_equal(ticks.text[t], ticks.text[u]);
        }
    }
}

static void large_steps_are_written_with_a_suffix(void **state) {
    (void)state;
    Axis axis = {.low = 0, .high = 20000};
    Ticks ticks = axis_ticks(&axis, 5);
    assert_string_equal(ticks.text[0], "0");
    assert_string_equal(ticks.text[1], "5k");
    assert_string_equal(ticks.text[4], "20k");
}

static void a_log_axis_has_a_tick_at_every_power_and_no_place_for_zero(void **state) {
    (void)state;
    Axis axis = {.low = 1e-5, .high = 1e3, .log = true};
    Ticks ticks = axis_ticks(&axis, 12);
    assert_int_equal(ticks.count, 9);
    assert_string_equal(ticks.text[0], "10⁻⁵");
    assert_string_equal(ticks.text[8], "1000");
    assert_true(isnan(axis_place(&axis, 0)) && isnan(axis_place(&axis, -1)));
    assert_true(fabs(axis_place(&axis, 0.1) - 0.5) < 1e-12);
}

static double luminance(Colour c) {
    return 0.2126 * pow(c.r, 2.2) + 0.7152 * pow(c.g, 2.2) + 0.0722 * pow(c.b, 2.2);
}

static void the_colour_map_grows_lighter_all_the_way(void **state) {
    (void)state;
    for (int i = 1; i <= 100; i++)
        assert_true(luminance(colour_map(i / 100.0)) >
                    luminance(colour_map((i - 1) / 100.0)));
    assert_true(luminance(colour_map(-5)) == luminance(colour_map(0)));
    assert_true(luminance(colour_map(7)) == luminance(colour_map(1)));
}

static void a_heat_map_paints_every_cell_in_its_colour(void **state) {
    (void)state;
    const double cells[] = {0, 0.25, 0.5, 0.75, 1, NAN};
    const char *const rows[] = {"a", "b"}, *const columns[] = {"0", "1", "2"};
    Chart *chart = chart_new(1, 1, THEME_LIGHT);
    panel_heat(chart_panel(chart, 0, 0), &(HeatMap){.value = cells,
                                                    .rows = 2,
                                                    .columns = 3,
                                                    .low = 0,
                                                    .high = 1,
                                                    .bar = "share",
                                                    .bar_mark = 0.1,
                                                    .row_names = rows,
                                                    .column_names = columns});
    cairo_surface_t *surface = decode(chart);
    for (size_t i = 0; i < 5; i++)
        assert_true(count_colour(surface, colour_map(cells[i])) > 250 * 100);
    cairo_surface_destroy(surface);
    chart_free(chart);
}

/* Heights at which the outlines of words over a map begin; returns how many.  Versions of
 * cairo write stroke-width:2.5 or stroke-width="2.5". */
static size_t outlines(const char *svg, double *height, size_t most) {
    static const char WIDTH[] = "stroke-width";
    size_t count = 0;
    double x, width;
    for (const char *at = svg; count < most && (at = strstr(at, WIDTH));) {
        at += sizeof WIDTH - 1;
        if (sscanf(at + strcspn(at, "0123456789"), "%lf", &width) != 1 || width != 2.5)
            continue;
        const char *path = strstr(at, " d=\"M ");
        count += path && sscanf(path, " d=\"M %lf %lf", &x, &height[count]) == 2;
    }
    return count;
}

static void words_of_near_moments_in_a_map_are_below_each_other(void **state) {
    (void)state;
    static const double MOMENTS[] = {10, 11, 12, 80};
    const double cells[] = {0, 0.25, 0.5, 1}, edges[] = {0, 100};
    const char *const rows[] = {"a", "b", "c", "d"};
    double height[8];
    size_t size;
    Err err = ERR_NONE;
    Chart *chart = chart_new(1, 1, THEME_LIGHT);
    Panel *panel = chart_panel(chart, 0, 0);
    panel_heat(panel, &(HeatMap){.value = cells,
                                 .rows = 4,
                                 .columns = 1,
                                 .low = 0,
                                 .high = 1,
                                 .bar = "share",
                                 .row_names = rows,
                                 .x_edges = edges});
    for (size_t i = 0; i < COUNT(MOMENTS); i++)
        panel_moment(panel, MOMENTS[i], (Style){.colour = chart_ink(chart)},
                     "words of a moment");
    char *svg = chart_render(chart, ".svg", &size, &err);
    assert_non_null(svg);
    assert_int_equal(outlines(svg, height, COUNT(height)), 4);
    assert_true(height[1] > height[0] + 5 && height[2] > height[1] + 5);
    assert_true(height[3] == height[0]);
    mem_free(svg);
    chart_free(chart);
}

static void what_the_axis_cuts_off_is_counted(void **state) {
    (void)state;
    const double wild[] = {-5, 1, 900, 1e300, NAN, INFINITY};
    Chart *chart = line_chart(THEME_LIGHT);
    Panel *panel = chart_panel(chart, 0, 0);
    char above[EDGE_TEXT], below[EDGE_TEXT];
    Axis x, y;
    chart_axes(chart, &x, &y);
    panel_edge_texts(panel, &y, above, below);
    assert_true(!*above && !*below);
    panel_line(panel, steps, wild, COUNT(wild), (Style){.mark = MARK_NONE}, "");
    panel_range_y(panel, 0, 10);
    chart_axes(chart, &x, &y);
    panel_edge_texts(panel, &y, above, below);
    assert_string_equal(above, "3 values above the axis");
    assert_string_equal(below, "1 value below the axis");
    chart_free(chart);
}

static void a_line_of_one_point_is_seen(void **state) {
    (void)state;
    const double lone[] = {NAN, 2, NAN};
    Chart *chart = chart_new(1, 1, THEME_LIGHT);
    Panel *panel = chart_panel(chart, 0, 0);
    Style pale = {.colour = chart_palette(chart, 2), .alpha = 0.1};
    assert_false(panel_is_sparse(panel));
    panel_line(panel, steps, lone, 3, pale, "loss");
    assert_true(panel_is_sparse(panel));
    cairo_surface_t *drawn = decode(chart);
    assert_true(count_colour(drawn, pale.colour) > 20); /* though the line is pale */
    cairo_surface_destroy(drawn);
    panel_line(panel, steps, values, 2, pale, "loss");
    assert_string_equal(panel->items[1].label, "loss");
    assert_false(panel_is_sparse(panel));
    chart_free(chart);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_decodes_and_shows_the_line_on_the_paper_of_its_theme),
        cmocka_unit_test(the_ending_chooses_the_kind_of_file),
        cmocka_unit_test(another_ending_or_a_bad_place_is_an_error_of_one_line),
        cmocka_unit_test(numbers_that_are_none_do_not_stop_a_drawing),
        cmocka_unit_test(a_text_is_as_wide_where_it_is_painted_as_where_it_is_measured),
        cmocka_unit_test(a_number_without_neighbours_is_a_dot),
        cmocka_unit_test(what_the_axis_cuts_off_is_counted),
        cmocka_unit_test(a_line_of_one_point_is_seen),
        cmocka_unit_test(a_very_long_line_keeps_its_peak),
        cmocka_unit_test(a_very_long_line_is_broken_where_it_is_not_finite),
        cmocka_unit_test(a_legend_longer_than_its_row_is_whole),
        cmocka_unit_test(a_long_legend_moves_the_next_row_down),
        cmocka_unit_test(ticks_are_round_numbers_inside_the_axis),
        cmocka_unit_test(large_steps_are_written_with_a_suffix),
        cmocka_unit_test(a_log_axis_has_a_tick_at_every_power_and_no_place_for_zero),
        cmocka_unit_test(the_colour_map_grows_lighter_all_the_way),
        cmocka_unit_test(a_heat_map_paints_every_cell_in_its_colour),
        cmocka_unit_test(words_of_near_moments_in_a_map_are_below_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

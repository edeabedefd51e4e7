/* Charts of several panels: shared axes, hidden rows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/chart/parts.h"

static const double steps[] = {0, 1, 2, 3, 4, 5};
static const double values[] = {1, 4, 2, 8, 5, 7};

static void panels_of_a_row_share_y_unless_told_otherwise(void **state) {
    (void)state;
    for (int own = 0; own < 2; own++) {
        Chart *chart = chart_new(1, 2, THEME_LIGHT);
        double high[COUNT(values)];
        for (size_t i = 0; i < COUNT(values); i++) high[i] = 10 * values[i];
        Style style = {.colour = chart_ink(chart)};
        panel_line(chart_panel(chart, 0, 0), steps, values, COUNT(steps), style, "");
        panel_line(chart_panel(chart, 0, 1), steps, high, COUNT(steps), style, "");
        if (own) chart_own_y(chart, 0);
        Axis x[2], y[2];
        chart_axes(chart, x, y);
        assert_int_equal(y[0].high == y[1].high, !own);
        assert_true(y[1].high > 80);
        chart_free(chart);
    }
}

/* A chart of two columns with headings, of whose rows one is hidden or none. */
static char *with_hidden(size_t rows, size_t hidden, size_t *size) {
    Chart *chart = chart_new(rows, 2, THEME_LIGHT);
    chart_title(chart, "a title");
    for (size_t c = 0; c < 2; c++) {
        chart_column_title(chart, c, c ? "right" : "left", "detail");
        for (size_t r = 0; r < rows; r++) {
            Panel *panel = chart_panel(chart, r, c);
            panel_axes(panel, "step", "value");
            if (r == hidden) panel_hide(panel);
            else
                panel_line(panel, steps, values, COUNT(steps),
                           (Style){.colour = chart_ink(chart)}, "line");
        }
    }
    char *png = chart_render(chart, ".png", size, NULL);
    assert_non_null(png);
    chart_free(chart);
    return png;
}

static void a_hidden_row_changes_nothing_of_the_others(void **state) {
    (void)state;
    size_t size, other;
    char *plain = with_hidden(2, 2, &size);
    for (size_t hidden = 0; hidden < 3; hidden++) {
        char *png = with_hidden(3, hidden, &other);
        assert_int_equal(other, size);
        assert_memory_equal(png, plain, size);
        mem_free(png);
    }
    mem_free(plain);
}

/* Tick texts are below the last panel alone. */
static void panels_of_a_column_share_x_whatever_one_of_them_fixes(void **state) {
    (void)state;
    const double late[] = {100, 150, 200, 250, 300, 420};
    for (int fixed = 0; fixed < 3; fixed++) {
        Chart *chart = chart_new(3, 2, THEME_LIGHT);
        Style style = {.colour = chart_ink(chart)};
        for (size_t r = 0; r < 2; r++)
            for (size_t c = 0; c < 2; c++)
                panel_line(chart_panel(chart, r, c), late, values, COUNT(late), style,
                           "");
        if (fixed) panel_range_x(chart_panel(chart, 1, 0), 0, 400);
        if (fixed == 2) panel_range_x(chart_panel(chart, 2, 0), -5, 100);
        Axis x[6], y[6];
        chart_axes(chart, x, y);
        for (size_t r = 0; r < 3; r++) {
            double low = fixed == 2 ? -5 : fixed ? 0 : 100;
            assert_true(x[2 * r].low == low && x[2 * r].high == 420);
            assert_true(x[2 * r + 1].low == 100); /* of another column nothing */
        }
        chart_free(chart);
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(panels_of_a_row_share_y_unless_told_otherwise),
        cmocka_unit_test(a_hidden_row_changes_nothing_of_the_others),
        cmocka_unit_test(panels_of_a_column_share_x_whatever_one_of_them_fixes),
    };
    return cmocka_run_group_tests_name("chart_columns", cases, NULL, NULL);
}

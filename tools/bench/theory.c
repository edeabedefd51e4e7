/* theory: Theorem 3.1 and Proposition 3.2 of Zhai et al. 2023 as measurements
 * (tools/bench/bench.h, theory.h). */
#include "tools/bench/theory.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "tools/chart/chart.h"
#include "tools/program/output.h"
#include "tools/run/rundir.h"

enum { LINES_MAX = THEORY_IDEAL_LINES + THEORY_LIVE_LINES, NAME_WIDTH = 44 };

/* ---- showing ---- */

static json_t *numbers_json(const TheoryLine *line,
                            double number(const TheoryLine *line, size_t width)) {
    json_t *list = json_array();
    for (size_t w = 0; w < THEORY_WIDTHS; w++)
        json_array_append_new(list, json_number(number(line, w)));
    return list;
}

static json_t *widths_json(void) {
    json_t *list = json_array();
    for (size_t w = 0; w < THEORY_WIDTHS; w++)
        json_array_append_new(list, json_integer((json_int_t)theory_widths[w]));
    return list;
}

static void print_line_json(const TheoryLine *line) {
    json_t *row =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:[o, o], s:o, s:o}",
                  "level", "theory", "part", line->part, "method", line->method, "of",
                  line->what, "seeds", (json_int_t)line->seeds, "width", widths_json(),
                  "sigma", numbers_json(line, theory_mean), "bound",
                  numbers_json(line, theory_bound_mean), "exponent",
                  json_number(line->exponent), "interval", json_number(line->low),
                  json_number(line->high), "bound_exponent",
                  json_number(line->bound_exponent), "least_over_bound",
                  json_number(theory_least_ratio(line)));
    output_json(row, JSON_COMPACT | JSON_REAL_PRECISION(9));
}

static void print_line(const TheoryLine *line) {
    char name[2 * sizeof line->method];
    text_format(name, sizeof name, "%s, %s", line->method, line->what);
    int marks = strstr(name, "√") ? (int)strlen("√") - 1 : 0; /* bytes, not columns */
    printf("%-*s", NAME_WIDTH + marks, name);
    for (size_t w = 0; w < THEORY_WIDTHS; w++) printf(" %8.3g", theory_mean(line, w));
    printf("  %6.3f [%6.3f, %6.3f]", line->exponent, line->low, line->high);
    if (isfinite(line->bound_exponent))
        printf(" %6.3f %7.3f", line->bound_exponent, theory_least_ratio(line));
    printf("\n");
}

static void print_heading(const char *title) {
    printf("\n%s\n%-*s", title, NAME_WIDTH, "width");
    for (size_t w = 0; w < THEORY_WIDTHS; w++) printf(" %8zu", theory_widths[w]);
    printf("  exponent [95 %% interval]  bound's  least over bound\n");
}

static void print_lines(const Bench *bench, const TheoryLine *lines, size_t count,
                        const char *title) {
    if (!bench->json) print_heading(title);
    for (size_t i = 0; i < count; i++)
        if (bench->json) print_line_json(&lines[i]);
        else print_line(&lines[i]);
}

static void print_gaps(const Bench *bench) {
    TheoryGap gaps[THEORY_GAPS];
    theory_gaps(gaps);
    if (!bench->json)
        printf("\nTheorem 3.1: lowest row of a head less the bound, nats\n%6s %6s %10s "
               "%14s %14s %12s\n",
               "keys", "sigma", "bound", "random, median", "random, least", "tight case");
    for (size_t i = 0; i < THEORY_GAPS; i++) {
        const TheoryGap *g = &gaps[i];
        if (bench->json)
            output_json(json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "level",
                                  "theory", "part", "bound", "keys", (json_int_t)g->keys,
                                  "sigma", json_number(g->sigma), "bound",
                                  json_number(g->bound), "gap_median",
                                  json_number(g->random), "gap_least",
                                  json_number(g->lowest), "gap_tight",
                                  json_number(g->tight)),
                        JSON_COMPACT | JSON_REAL_PRECISION(9));
        else
            printf("%6zu %6.0f %10.3g %14.4f %14.4f %12.1e\n", g->keys, g->sigma,
                   g->bound, g->random, g->lowest, g->tight);
    }
}

/* ---- drawing ---- */

static void draw_line(Chart *chart, Panel *panel, const TheoryLine *line, size_t colour,
                      bool dashed, const char *label) {
    double x[THEORY_WIDTHS], y[THEORY_WIDTHS];
    for (size_t w = 0; w < THEORY_WIDTHS; w++) {
        x[w] = (double)theory_widths[w];
        y[w] = theory_mean(line, w);
    }
    panel_line(panel, x, y, THEORY_WIDTHS,
               (Style){.colour = chart_palette(chart, colour),
                       .mark = MARK_DOT,
                       .dashed = dashed},
               label);
}

/* sqrt(width), what the proposition says of an Adam step without noise. */
static void draw_root(Chart *chart, Panel *panel) {
    double x[THEORY_WIDTHS], y[THEORY_WIDTHS];
    for (size_t w = 0; w < THEORY_WIDTHS; w++)
        x[w] = (double)theory_widths[w], y[w] = sqrt(x[w]);
    panel_line(panel, x, y, THEORY_WIDTHS,
               (Style){.colour = chart_ink(chart), .dashed = true}, "√width");
}

static Panel *begin_panel(Chart *chart, size_t column, const char *heading,
                          const char *detail) {
    Panel *panel = chart_panel(chart, 0, column);
    chart_column_title(chart, column, heading, detail);
    panel_axes(panel, "width", column ? "" : "σ₁ of the update / learning rate");
    panel_log_x(panel);
    panel_log_y(panel);
    draw_root(chart, panel);
    return panel;
}

static Status draw(const TheoryLine *lines, size_t ideal, size_t count, const char *path,
                   Err *err) {
    Chart *chart = chart_new(1, 4, THEME_LIGHT);
    chart_row_height(chart, 0, 230);
    Panel *panel = begin_panel(chart, 0, "ideal step", "no noise; dashed: √width");
    for (size_t i = 0, colour = 0; i < ideal; i++)
        if (!strcmp(lines[i].what, "noise 0"))
            draw_line(chart, panel, &lines[i], colour++, false, lines[i].method);
    const char *method = "";
    for (size_t i = ideal, column = 0, colour = 0; i < count; i++) {
        if (strcmp(lines[i].method, method)) {
            method = lines[i].method;
            panel = begin_panel(chart, ++column, method, "step 1; dashed: the last step");
            colour = 0;
        }
        if (strstr(lines[i].what, ", norm")) continue;
        bool later = !strstr(lines[i].what, "step 1");
        char label[60];
        text_format(label, sizeof label, "%.*s", (int)strcspn(lines[i].what, ","),
                    lines[i].what);
        draw_line(chart, panel, &lines[i], 4 + colour++ % 4, later, later ? "" : label);
    }
    Status status = chart_write(chart, path, NULL, err);
    chart_free(chart);
    return status;
}

Status bench_theory(Bench *bench, char **words, size_t count, const char *path,
                    Err *err) {
    if (theory_check(bench->seeds, words, count, err)) return err->status;
    TheoryLine *lines = mem_zalloc(LINES_MAX * sizeof *lines);
    size_t seeds = bench->seeds, live = 0;
    size_t ideal = theory_ideal(lines, seeds, THEORY_WIDTHS);
    print_gaps(bench);
    print_lines(bench, lines, ideal,
                "Proposition 3.2: spectral norm of Adam's ideal step, mu / sqrt(mu^2 + "
                "n^2)");
    fflush(stdout);
    if (!theory_live(lines + ideal, &live, seeds, THEORY_WIDTHS, words, count, err)) {
        print_lines(bench, lines + ideal, live,
                    "The same of real updates of the effective weights, in units of the "
                    "learning rate; norm: change of the spectral norm");
        if (path) draw(lines, ideal, ideal + live, path, err);
    }
    mem_free(lines);
    return err->status;
}

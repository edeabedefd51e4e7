/* growth: time and memory of a step against tokens and depth, fitted and drawn
 * (tools/bench/bench.h). */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "tools/bench/bench.h"
#include "tools/chart/chart.h"
#include "tools/program/output.h"
#include "tools/program/stop.h"
#include "tools/run/rundir.h"

enum { POINTS_MAX = 8, TERMS = 3 };

/* One axis: a key of the recipe and its values; x is what they stand for. */
typedef struct Sweep {
    const char *name, *key;
    size_t values[POINTS_MAX];
    size_t count;
    size_t terms; /* of the fit of time: 2: a + b x, 3: a + b x + c x^2 */
    double x[POINTS_MAX], ms[POINTS_MAX], mb[POINTS_MAX];
    double time_fit[TERMS], memory_fit[TERMS];
} Sweep;

/* ---- least squares ---- */

/* Gaussian elimination with pivots; a [n, n + 1] holds the right side in its last
 * column. */
static void solve(double a[TERMS][TERMS + 1], size_t n, double *x) {
    for (size_t i = 0; i < n; i++) {
        size_t pivot = i;
        for (size_t r = i + 1; r < n; r++)
            if (fabs(a[r][i]) > fabs(a[pivot][i])) pivot = r;
        for (size_t c = i; c <= n; c++) {
            double kept = a[i][c];
            a[i][c] = a[pivot][c];
            a[pivot][c] = kept;
        }
        for (size_t r = 0; r < n; r++) {
            double factor = r == i ? 0 : a[r][i] / a[i][i];
            for (size_t c = i; c <= n; c++) a[r][c] -= factor * a[i][c];
        }
    }
    for (size_t i = 0; i < n; i++) x[i] = a[i][n] / a[i][i];
}

static double fitted(const double *fit, double x) {
    return fit[0] + x * (fit[1] + x * fit[2]);
}

/* Polynomial with the least sum of ((fit - y) / y)^2: each point counts alike, though the
 * largest is a thousand times the smallest.  x is measured in units of the largest
 * one. */
static void fit_points(const double *x, const double *y, size_t count, size_t terms,
                       double fit[TERMS]) {
    double normal[TERMS][TERMS + 1] = {{0}}, unit = x[count - 1];
    for (size_t i = 0; i < count; i++)
        for (size_t r = 0; r < terms; r++) {
            double u = pow(x[i] / unit, (double)r) / y[i];
            for (size_t c = 0; c < terms; c++)
                normal[r][c] += u * pow(x[i] / unit, (double)c) / y[i];
            normal[r][terms] += u;
        }
    memset(fit, 0, TERMS * sizeof *fit);
    solve(normal, terms, fit);
    for (size_t r = 0; r < terms; r++) fit[r] /= pow(unit, (double)r);
}

/* The largest distance of a point from the fit, as a share of the point. */
static double worst(const Sweep *s, const double *y, const double *fit) {
    double most = 0;
    for (size_t i = 0; i < s->count; i++)
        most = fmax(most, fabs(fitted(fit, s->x[i]) / y[i] - 1));
    return most;
}

/* ---- measuring ---- */

/* The model at point i of the sweep. */
static Status make_subject(Bench *bench, BenchSubject *subject, const Sweep *s, size_t i,
                           char **words, size_t count, Err *err) {
    char **all = mem_alloc((count + 1) * sizeof *all), value[64];
    for (size_t w = 0; w < count; w++) all[w] = words[w];
    text_format(value, sizeof value, "%s=%zu", s->key, s->values[i]);
    all[count] = value;
    bench_subject(bench, subject, bench_model_find("small"), all, count + 1, err);
    mem_free(all);
    return err->status;
}

static void note_losses(const Sweep *s, size_t i, const BenchSteps *steps) {
    char what[80];
    text_format(what, sizeof what, "%s=%zu", s->key, s->values[i]);
    bench_note_losses(steps, what);
}

static Status measure_point(Bench *bench, Sweep *s, size_t i, char **words, size_t count,
                            Err *err) {
    BenchSubject subject;
    BenchSteps steps;
    if (make_subject(bench, &subject, s, i, words, count, err)) return err->status;
    subject.whole = true; /* a cut would be a step in the lines */
    if (!bench_steps(bench, &subject, &steps, err)) {
        s->x[i] = (double)(strcmp(s->name, "tokens") ? subject.recipe.model.depth
                                                     : subject.tokens);
        s->ms[i] = 1e3 * steps.time.median;
        s->mb[i] = (double)MAX(steps.activations, (size_t)1) / 1e6;
        bench_print_steps(bench, &subject, &steps);
        note_losses(s, i, &steps);
    }
    bench_steps_release(&steps);
    if (stop_requested()) err_set(err, FAIL_INTERRUPTED, "interrupted");
    return err->status;
}

static Status measure_sweep(Bench *bench, Sweep *s, char **words, size_t count,
                            Err *err) {
    for (size_t i = 0; i < s->count; i++)
        if (measure_point(bench, s, i, words, count, err)) return err->status;
    fit_points(s->x, s->ms, s->count, s->terms, s->time_fit);
    fit_points(s->x, s->mb, s->count, 2, s->memory_fit);
    return OK;
}

/* ---- showing ---- */

static void fit_text(char *text, size_t size, const double *fit, const char *unit,
                     const char *x, size_t terms) {
    int used = snprintf(text, size, "%.3g %s + %.3g %s", fit[0], unit, fit[1], x);
    if (terms > 2) snprintf(text + used, size - (size_t)used, " + %.3g %s^2", fit[2], x);
}

static void print_json(const Sweep *s, const char *what, const double *y,
                       const double *fit) {
    json_t *row =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "level", "fit", "against",
                  s->name, "of", what, "constant", json_number(fit[0]), "linear",
                  json_number(fit[1]), "quadratic", json_number(fit[2]), "worst_share",
                  json_number(worst(s, y, fit)));
    output_json(row, JSON_COMPACT | JSON_REAL_PRECISION(9));
}

static void print_sweep(const Bench *bench, const Sweep *s) {
    if (bench->json) {
        print_json(s, "ms", s->ms, s->time_fit);
        print_json(s, "mb", s->mb, s->memory_fit);
        return;
    }
    char time[120], memory[120];
    fit_text(time, sizeof time, s->time_fit, "ms", s->name, s->terms);
    fit_text(memory, sizeof memory, s->memory_fit, "MB", s->name, 2);
    printf("\n%8s %10s %10s %12s %10s\n", s->name, "ms", "fit", "activations", "fit");
    for (size_t i = 0; i < s->count; i++)
        printf("%8.0f %10.2f %10.2f %9.2f MB %10.2f\n", s->x[i], s->ms[i],
               fitted(s->time_fit, s->x[i]), s->mb[i], fitted(s->memory_fit, s->x[i]));
    printf("time    %s (within %.0f %%)\n", time, 100 * worst(s, s->ms, s->time_fit));
    printf("memory  %s (within %.0f %%)\n", memory, 100 * worst(s, s->mb, s->memory_fit));
}

/* ---- drawing ---- */

static void draw(Chart *chart, size_t row, size_t column, const Sweep *s,
                 const char *label, const double *y, const double *fit) {
    enum { SMOOTH = 100 };
    double x[SMOOTH], line[SMOOTH], low = s->x[0], high = s->x[s->count - 1];
    Panel *panel = chart_panel(chart, row, column);
    panel_axes(panel, row ? s->name : "", column ? "" : label);
    for (size_t i = 0; i < SMOOTH; i++) {
        x[i] = low * pow(high / low, (double)i / (SMOOTH - 1));
        line[i] = fitted(fit, x[i]);
    }
    panel_log_x(panel);
    panel_log_y(panel);
    panel_line(panel, x, line, SMOOTH, (Style){.colour = chart_palette(chart, 1)}, "fit");
    panel_line(panel, s->x, y, s->count,
               (Style){.colour = chart_palette(chart, 0), .width = -1, .mark = MARK_DOT},
               "measured");
}

static Status draw_all(const Sweep *sweeps, size_t count, const char *path, Err *err) {
    char detail[120];
    Chart *chart = chart_new(2, count, THEME_LIGHT);
    for (size_t i = 0; i < count; i++) {
        const Sweep *s = &sweeps[i];
        fit_text(detail, sizeof detail, s->time_fit, "ms", s->name, s->terms);
        chart_column_title(chart, i, s->name, detail);
        draw(chart, 0, i, s, "ms per step", s->ms, s->time_fit);
        draw(chart, 1, i, s, "MB of activations", s->mb, s->memory_fit);
    }
    chart_own_y(chart, 0);
    chart_own_y(chart, 1);
    Status status = chart_write(chart, path, NULL, err);
    chart_free(chart);
    return status;
}

Status bench_growth(Bench *bench, char **words, size_t count, const char *path,
                    Err *err) {
    /* Patches of 4: pictures of 32 pixels have 65 tokens, of 256 pixels 4,097. */
    Sweep sweeps[] = {
        {.name = "tokens",
         .key = "data.image_size",
         .values = {32, 44, 64, 92, 128, 180, 256},
         .count = 7,
         .terms = 3},
        {.name = "depth",
         .key = "model.depth",
         .values = {2, 5, 10, 20, 50, 100},
         .count = 6,
         .terms = 2},
    };
    for (size_t i = 0; i < COUNT(sweeps); i++)
        if (measure_sweep(bench, &sweeps[i], words, count, err)) return err->status;
    for (size_t i = 0; i < COUNT(sweeps); i++) print_sweep(bench, &sweeps[i]);
    return path ? draw_all(sweeps, COUNT(sweeps), path, err) : OK;
}

/* seeds: the table of a sweep over its seeds, text and CSV (tools/sweep/sweep.h). */
#include <stddef.h>
#include <string.h>

#include "tools/sweep/column.h"
#include "tools/sweep/statistics.h"

/* A column of the groups' table: a spread, that of the score or of a metric as people
 * read it, a lowest share, how many seeds, or how many of those with a fate failed. */
typedef enum { OF_SPREAD, OF_SCORE, OF_METRIC, OF_SHARE, OF_COUNT, OF_FATE } GroupPart;

typedef struct GroupColumn {
    const char *title;
    GroupPart part;
    size_t offset; /* in SweepGroup */
    int digits;
    bool optional;
    Metric metric; /* OF_METRIC: in the list, all that the table of cells has */
} GroupColumn;

#define GROUP(part_, member) .part = part_, .offset = offsetof(SweepGroup, member)
#define KIND_OF_GROUP(kind)                                                              \
    GROUP(OF_SHARE, kind_entropy[kind]), .digits = 1, .optional = true

static const GroupColumn GROUP_COLUMNS[] = {
    {"score", GROUP(OF_SCORE, score), .digits = SCORE_DIGITS},
    {.part = OF_METRIC, .optional = true},
    {"loss", GROUP(OF_SPREAD, loss), .digits = 3},
    {"val loss", GROUP(OF_SPREAD, val_loss), .digits = 3, .optional = true},
    {"lowest site entropy %", GROUP(OF_SHARE, entropy), .digits = 1},
    {"encoder %", KIND_OF_GROUP(KIND_ENCODER)},
    {"cross %", KIND_OF_GROUP(KIND_CROSS)},
    {"decoder %", KIND_OF_GROUP(KIND_DECODER)},
    {"fails", GROUP(OF_FATE, failed), .optional = true},
    {"diverged", GROUP(OF_COUNT, diverged)},
    {"collapsed", GROUP(OF_COUNT, collapsed)},
};

enum { GROUP_COLUMNS_MOST = COUNT(GROUP_COLUMNS) + METRIC_COUNT };

/* "97.24 [97.10, 97.42]"; of fewer seeds "97.24 ± 0.15", or the number alone. */
static void spread_text(const SweepSpread *spread, double factor, int digits,
                        char text[COLUMN_TEXT]) {
    double mean = factor * spread->mean;
    Interval interval = spread->interval;
    if (isfinite(interval.low))
        text_format(text, COLUMN_TEXT, "%.*f [%.*f, %.*f]", digits, mean, digits,
                    factor * interval.low, digits, factor * interval.high);
    else if (isfinite(spread->sd))
        text_format(text, COLUMN_TEXT, "%.*f ± %.*f", digits, mean, digits,
                    factor * spread->sd);
    else column_number(spread->mean, factor, digits, text);
}

static double factor_of(const GroupColumn *column, const SweepResult *like) {
    Metric metric = METRIC_COUNT;
    if (column->part == OF_SCORE) metric = metric_find(like->metric);
    if (column->part == OF_METRIC) metric = column->metric;
    return metric < METRIC_COUNT ? metrics[metric].factor : 1;
}

static void group_text(const GroupColumn *column, const SweepGroup *group,
                       const SweepResult *like, char text[COLUMN_TEXT]) {
    const void *at = (const char *)group + column->offset;
    *text = 0;
    switch (column->part) {
    case OF_SPREAD:
    case OF_SCORE:
    case OF_METRIC: spread_text(at, factor_of(column, like), column->digits, text); break;
    case OF_SHARE: column_number(*(const double *)at, 100, column->digits, text); break;
    case OF_FATE:
        text_format(text, COLUMN_TEXT, "%zu of %zu", group->failed, group->judged);
        break;
    case OF_COUNT:
        text_format(text, COLUMN_TEXT, "%zu of %zu", *(const size_t *)at, group->count);
        break;
    }
}

static void group_title(const GroupColumn *column, char text[COLUMN_TEXT]) {
    if (column->part == OF_METRIC) column_score_title(column->metric, text);
    else text_format(text, COLUMN_TEXT, "%s", column->title);
}

static GroupColumn group_score_column(const Column *cells) {
    return (GroupColumn){.title = cells->title,
                         .part = OF_METRIC,
                         .offset = offsetof(SweepGroup, scores) +
                                   cells->metric * sizeof(SweepSpread),
                         .digits = cells->digits,
                         .metric = cells->metric};
}

/* Is the column of the groups that of the cells, or one for each of its metrics? */
static bool is_same_column(const GroupColumn *column, const Column *cells) {
    if (cells->scores) return column->part == OF_METRIC;
    return column->title && !strcmp(column->title, cells->title);
}

/* The same columns as in the table of cells. */
static size_t shown_group_columns(const Sweep *sweep,
                                  GroupColumn shown[GROUP_COLUMNS_MOST]) {
    Column cells[COLUMNS_MOST];
    size_t all = columns_of_table(sweep, cells), count = 0;
    for (size_t k = 0; k < COUNT(GROUP_COLUMNS); k++) {
        const GroupColumn *column = &GROUP_COLUMNS[k];
        if (!column->optional) shown[count++] = *column;
        for (size_t i = 0; column->optional && i < all; i++)
            if (is_same_column(column, &cells[i]))
                shown[count++] =
                    cells[i].scores ? group_score_column(&cells[i]) : *column;
    }
    return count;
}

/* Says what stands beside a mean, and what it is worth. */
static void print_heading(const SweepGroup *groups, size_t count, FILE *out) {
    size_t fewest = SIZE_MAX, most = 0, broken = 0, unlike = 0, stopped = 0;
    for (size_t g = 0; g < count; g++) {
        size_t whole = groups[g].count - groups[g].nonfinite - groups[g].stopped;
        if (whole) fewest = MIN(fewest, whole);
        most = MAX(most, whole);
        broken += groups[g].nonfinite;
        unlike += groups[g].unlike;
        stopped += groups[g].stopped;
    }
    fprintf(
        out,
        "\n"
        "over train.seed: mean of the seeds with a value%s; site entropy: the lowest of "
        "all seeds\n",
        most >= INTERVAL_LEAST ? " [95 % interval of the mean, bootstrap over seeds]"
                               : "");
    if (broken)
        fprintf(out, "%zu run%s became non-finite: in no mean, and counted as diverged\n",
                broken, broken == 1 ? "" : "s");
    if (stopped)
        fprintf(out,
                "%zu run%s stopped by the collapse guard: in no mean, and counted as "
                "diverged\n",
                stopped, stopped == 1 ? " was" : "s were");
    if (unlike)
        fprintf(out,
                "%zu run%s scored on another split than the other seeds, and in no mean "
                "of scores\n",
                unlike, unlike == 1 ? " is" : "s are");
    if (fewest < INTERVAL_LEAST)
        fprintf(out,
                "fewer than %d seeds have no interval; ± is the standard deviation\n",
                INTERVAL_LEAST);
    if (most >= INTERVAL_LEAST && fewest < 6)
        fprintf(out, "intervals of few seeds are too narrow: for normal data they "
                     "contain the true mean in 75 %% (3 seeds), 87 %% (4), 92 %% (5) "
                     "of cases\n");
    fputs("\n", out);
}

void sweep_print_seeds(const Sweep *sweep, size_t seeds, FILE *out) {
    GroupColumn shown[GROUP_COLUMNS_MOST];
    char text[COLUMN_TEXT];
    size_t count;
    SweepKey *keys = sweep_keys(sweep, seeds, false, &count);
    size_t columns = shown_group_columns(sweep, shown);
    SweepGroup *groups = mem_zalloc(sweep->cell_count * sizeof *groups);
    size_t rows = sweep_group(sweep, groups);
    sweep_intervals(sweep, groups, rows);
    Sheet sheet = sheet_new(rows + 1, count + columns);
    for (size_t i = 0; i < count; i++) sheet.left[i] = true;
    sweep_put_keys(&sheet, sweep, keys, count, 0, 0);
    for (size_t k = 0; k < columns; k++) {
        group_title(&shown[k], text);
        sheet_put(&sheet, 0, count + k, text);
    }
    for (size_t g = 0; g < rows; g++) {
        sweep_put_keys(&sheet, sweep, keys, count, g + 1, groups[g].first);
        for (size_t k = 0; k < columns; k++) {
            group_text(&shown[k], &groups[g], sweep_scored(sweep), text);
            sheet_put(&sheet, g + 1, count + k, text);
        }
    }
    print_heading(groups, rows, out);
    sheet_print(&sheet, out);
    sheet_free(&sheet);
    mem_free(groups);
    mem_free(keys);
}

/* ---- CSV ---- */

static const struct {
    const char *title; /* NULL: one for each metric that has a column of its own */
    size_t offset;     /* of a SweepSpread, in SweepGroup */
} CSV_SPREADS[] = {{"score", offsetof(SweepGroup, score)},
                   {"loss", offsetof(SweepGroup, loss)},
                   {"val_loss", offsetof(SweepGroup, val_loss)},
                   {NULL, offsetof(SweepGroup, scores)}};

typedef struct CsvRow {
    Sheet *sheet;
    size_t row, column;
} CsvRow;

static void csv_text(CsvRow *at, const char *title, const char *text) {
    sheet_put(at->sheet, at->row, at->column++, at->row ? text : title);
}

static void csv_count(CsvRow *at, const char *title, size_t count) {
    char text[32];
    text_format(text, sizeof text, "%zu", count);
    csv_text(at, title, text);
}

static void csv_number(CsvRow *at, const char *title, const char *what, double x) {
    char name[COLUMN_TEXT], text[32] = "";
    text_format(name, sizeof name, "%s%s", title, what);
    if (isfinite(x)) text_format(text, sizeof text, "%.9g", x);
    csv_text(at, name, text);
}

static void csv_spread(CsvRow *at, const char *title, const SweepSpread *spread) {
    csv_number(at, title, "_mean", spread->mean);
    csv_number(at, title, "_sd", spread->sd);
    csv_number(at, title, "_low", spread->interval.low);
    csv_number(at, title, "_high", spread->interval.high);
}

static void csv_group(CsvRow *at, const SweepGroup *group) {
    csv_count(at, "runs", group->count);
    csv_count(at, "diverged", group->diverged);
    csv_count(at, "collapsed", group->collapsed);
    csv_number(at, "site_entropy", "_lowest", group->entropy);
    for (size_t k = 0; k < COUNT(CSV_SPREADS); k++) {
        const SweepSpread *spread =
            (const void *)((const char *)group + CSV_SPREADS[k].offset);
        if (CSV_SPREADS[k].title) csv_spread(at, CSV_SPREADS[k].title, spread);
        for (size_t m = 0; !CSV_SPREADS[k].title && m < METRIC_COUNT; m++)
            if (metrics[m].sweep) csv_spread(at, metrics[m].key, &spread[m]);
    }
    csv_count(at, "judged", group->judged);
    csv_count(at, "failed", group->failed);
    csv_count(at, "nonfinite", group->nonfinite);
}

enum { CSV_COUNTS = 7, CSV_PARTS = 4 };

static size_t csv_columns(void) {
    size_t spreads = COUNT(CSV_SPREADS) - 1;
    for (size_t m = 0; m < METRIC_COUNT; m++) spreads += metrics[m].sweep;
    return CSV_COUNTS + CSV_PARTS * spreads;
}

/* Keys with one value are columns, too, as in sweep.csv. */
void sweep_print_seeds_csv(const Sweep *sweep, FILE *out) {
    size_t count;
    SweepKey *keys = sweep_keys(sweep, sweep_axis(sweep, "train.seed"), true, &count);
    SweepGroup *groups = mem_zalloc(sweep->cell_count * sizeof *groups);
    size_t rows = sweep_group(sweep, groups);
    sweep_intervals(sweep, groups, rows);
    Sheet sheet = sheet_new(rows + 1, count + csv_columns());
    for (size_t r = 0; r <= rows; r++) {
        const SweepGroup *group = &groups[r ? r - 1 : 0];
        sweep_put_keys(&sheet, sweep, keys, count, r, group->first);
        csv_group(&(CsvRow){&sheet, r, count}, group);
    }
    sheet_print_csv(&sheet, out);
    sheet_free(&sheet);
    mem_free(groups);
    mem_free(keys);
}

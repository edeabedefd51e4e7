/* table: the tables of a sweep as text, and as CSV (tools/sweep/sweep.h). */
#include <stddef.h>
#include <string.h>

#include "tools/run/verdict.h"
#include "tools/sweep/column.h"
#include "tools/sweep/sheet.h"

/* ---- what stands in it ---- */

/* Keys that have a column of their own: those of the swept axes, without the seeds where
 * they are summed up. */
typedef struct ShownKey {
    size_t axis, key;
} ShownKey;

static ShownKey *shown_keys(const Sweep *sweep, size_t left_out, size_t *count) {
    size_t most = 0;
    for (size_t a = 0; a < sweep->axis_count; a++) most += sweep->axes[a].key_count;
    ShownKey *shown = mem_alloc(most * sizeof *shown);
    *count = 0;
    for (size_t a = 0; a < sweep->axis_count; a++)
        for (size_t k = 0; k < sweep->axes[a].key_count; k++)
            if (a != left_out && sweep_is_swept(sweep, a))
                shown[(*count)++] = (ShownKey){a, k};
    if (!*count) shown[(*count)++] = (ShownKey){0, 0};
    return shown;
}

static void put_keys(Sheet *sheet, const Sweep *sweep, const ShownKey *shown,
                     size_t count, size_t row, size_t cell) {
    for (size_t i = 0; i < count; i++) {
        size_t a = shown[i].axis, k = shown[i].key;
        sheet_put(sheet, row, i,
                  row ? sweep_part(sweep, cell, a, k) : sweep->axes[a].keys[k]);
    }
}

static void print_cells(const Sweep *sweep, FILE *out) {
    Column shown[COLUMNS_MOST];
    char text[COLUMN_TEXT];
    size_t count;
    ShownKey *axes = shown_keys(sweep, sweep->axis_count, &count);
    size_t columns = columns_of_table(sweep, shown);
    Sheet sheet = sheet_new(sweep->cell_count + 1, count + columns);
    for (size_t i = 0; i < count; i++) sheet.left[i] = true;
    for (size_t k = 0; k < columns; k++) {
        column_title(&shown[k], text);
        sheet_put(&sheet, 0, count + k, text);
        sheet.left[count + k] = shown[k].left;
    }
    put_keys(&sheet, sweep, axes, count, 0, 0);
    for (size_t c = 0; c < sweep->cell_count; c++) {
        put_keys(&sheet, sweep, axes, count, c + 1, c);
        for (size_t k = 0; k < columns; k++) {
            column_cell(&shown[k], &sweep->cells[c], text);
            sheet_put(&sheet, c + 1, count + k, text);
        }
    }
    sheet_print(&sheet, out);
    sheet_free(&sheet);
    mem_free(axes);
}

/* ---- over seeds ---- */

/* A column of the groups' table: a spread, that of the score or of a metric as people
 * read it, a lowest share, or how many seeds. */
typedef enum { OF_SPREAD, OF_SCORE, OF_METRIC, OF_SHARE, OF_COUNT } GroupPart;

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
    {"lowest entropy %", GROUP(OF_SHARE, entropy), .digits = 1},
    {"encoder %", KIND_OF_GROUP(KIND_ENCODER)},
    {"cross %", KIND_OF_GROUP(KIND_CROSS)},
    {"decoder %", KIND_OF_GROUP(KIND_DECODER)},
    {"diverged", GROUP(OF_COUNT, diverged)},
    {"collapsed", GROUP(OF_COUNT, collapsed)},
};

enum { GROUP_COLUMNS_MOST = COUNT(GROUP_COLUMNS) + METRIC_COUNT };

static void spread_text(const SweepSpread *spread, double factor, int digits,
                        char text[COLUMN_TEXT]) {
    char mean[COLUMN_TEXT / 3] = "", sd[COLUMN_TEXT / 3] = "";
    if (isfinite(spread->mean))
        text_format(mean, sizeof mean, "%.*f", digits, factor * spread->mean);
    if (isfinite(spread->sd))
        text_format(sd, sizeof sd, " ± %.*f", digits, factor * spread->sd);
    text_format(text, COLUMN_TEXT, "%s%s", mean, sd);
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

static void print_groups(const Sweep *sweep, size_t seeds, FILE *out) {
    GroupColumn shown[GROUP_COLUMNS_MOST];
    char text[COLUMN_TEXT];
    size_t count;
    ShownKey *axes = shown_keys(sweep, seeds, &count);
    size_t columns = shown_group_columns(sweep, shown);
    SweepGroup *groups = mem_zalloc(sweep->cell_count * sizeof *groups);
    size_t rows = sweep_group(sweep, groups);
    Sheet sheet = sheet_new(rows + 1, count + columns);
    for (size_t i = 0; i < count; i++) sheet.left[i] = true;
    put_keys(&sheet, sweep, axes, count, 0, 0);
    for (size_t k = 0; k < columns; k++) {
        group_title(&shown[k], text);
        sheet_put(&sheet, 0, count + k, text);
    }
    for (size_t g = 0; g < rows; g++) {
        put_keys(&sheet, sweep, axes, count, g + 1, groups[g].first);
        for (size_t k = 0; k < columns; k++) {
            group_text(&shown[k], &groups[g], sweep_scored(sweep), text);
            sheet_put(&sheet, g + 1, count + k, text);
        }
    }
    fprintf(out, "\nover train.seed: mean ± standard deviation of the seeds with a "
                 "value; entropy: the lowest of them\n\n");
    sheet_print(&sheet, out);
    sheet_free(&sheet);
    mem_free(groups);
    mem_free(axes);
}

/* "; ppl of the same split": what columns beside the score are of. */
static void print_beside(const SweepResult *like, Metric score, FILE *out) {
    for (size_t m = 0; m < METRIC_COUNT; m++)
        if (m != score && metrics[m].sweep && metrics[m].rank == RANK_SECOND &&
            isfinite(like->scores[m]))
            fprintf(out, "; %s of the same split", metrics[m].key);
}

static void print_meaning(const Sweep *sweep, FILE *out) {
    const SweepResult *like = sweep_scored(sweep);
    Metric metric = metric_find(like->metric);
    const char *what = metric < METRIC_COUNT ? metrics[metric].label : "none";
    bool lower = metric < METRIC_COUNT && metrics[metric].better == BETTER_LOW;
    fprintf(out, "\nscore, best: %s%s, of split %s, last and best evaluation", what,
            lower ? " (lower is better)" : "", *like->split ? like->split : "-");
    print_beside(like, metric, out);
    fputs("\n", out);
    fprintf(out, "loss: training, mean of the last fifth of the steps; val loss: last "
                 "evaluation of split val\n");
    fprintf(out,
            "entropy: lowest at any probe, mean over the heads of a site, as a share of "
            "what uniform attention has\n");
    fprintf(out, "%s\n", verdict_definition());
}

void sweep_print(const Sweep *sweep, FILE *out) {
    size_t seeds = sweep_axis(sweep, "train.seed");
    print_cells(sweep, out);
    if (seeds < sweep->axis_count) print_groups(sweep, seeds, out);
    print_meaning(sweep, out);
}

/* ---- CSV ---- */

/* RFC 4180: quoted where a comma, a quote or a line end asks for it. */
static void csv_field(const char *text, char end, FILE *out) {
    if (!strpbrk(text, ",\"\r\n")) {
        fprintf(out, "%s%c", text, end);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    fprintf(out, "\"%c", end);
}

void sweep_print_csv(const Sweep *sweep, FILE *out) {
    Column columns[COLUMNS_MOST];
    size_t count = columns_of_csv(columns);
    for (size_t c = 0; c <= sweep->cell_count; c++) {
        for (size_t a = 0; a < sweep->axis_count; a++)
            for (size_t k = 0; k < sweep->axes[a].key_count; k++)
                csv_field(c ? sweep_part(sweep, c - 1, a, k) : sweep->axes[a].keys[k],
                          ',', out);
        for (size_t k = 0; k < count; k++) {
            char text[COLUMN_TEXT];
            if (c) column_csv(&columns[k], &sweep->cells[c - 1], text);
            csv_field(c ? text : columns[k].title, k + 1 < count ? ',' : '\n', out);
        }
    }
}

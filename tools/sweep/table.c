/* table: the tables of a sweep as text, and as CSV (tools/sweep/sweep.h). */
#include <stddef.h>
#include <string.h>

#include "tools/run/verdict.h"
#include "tools/sweep/column.h"
#include "tools/sweep/origin.h"
#include "tools/sweep/sheet.h"

static void print_cells(const Sweep *sweep, FILE *out) {
    Column shown[COLUMNS_MOST];
    char text[COLUMN_TEXT];
    size_t count;
    SweepKey *keys = sweep_keys(sweep, sweep->axis_count, false, &count);
    size_t columns = columns_of_table(sweep, shown);
    Sheet sheet = sheet_new(sweep->cell_count + 1, count + columns);
    for (size_t i = 0; i < count; i++) sheet.left[i] = true;
    for (size_t k = 0; k < columns; k++) {
        column_title(&shown[k], text);
        sheet_put(&sheet, 0, count + k, text);
        sheet.left[count + k] = shown[k].left;
    }
    sweep_put_keys(&sheet, sweep, keys, count, 0, 0);
    for (size_t c = 0; c < sweep->cell_count; c++) {
        sweep_put_keys(&sheet, sweep, keys, count, c + 1, c);
        for (size_t k = 0; k < columns; k++) {
            column_cell(&shown[k], &sweep->cells[c], text);
            sheet_put(&sheet, c + 1, count + k, text);
        }
    }
    sheet_print(&sheet, out);
    sheet_free(&sheet);
    mem_free(keys);
}

/* "; ppl of the same split": what columns beside the score are of. */
static void print_beside(const SweepResult *like, Metric score, FILE *out) {
    for (size_t m = 0; m < METRIC_COUNT; m++)
        if (m != score && metrics[m].sweep && metrics[m].rank == RANK_SECOND &&
            isfinite(like->scores[m]))
            fprintf(out, "; %s of the same split", metrics[m].key);
}

/* The verdict that the line defines, or VERDICT_KINDS. */
static size_t defined_by(const char *line) {
    size_t kind = 0;
    for (; kind < VERDICT_KINDS; kind++) {
        size_t length = strlen(verdicts[kind].name);
        if (!strncmp(line, verdicts[kind].name, length) && line[length] == ':') break;
    }
    return kind;
}

static bool occurs(const Sweep *sweep, const char *verdict) {
    for (size_t i = 0; i < sweep->cell_count; i++) {
        const char *own = sweep->cells[i].result.verdict;
        if (own && !strcmp(own, verdict)) return true;
    }
    return false;
}

/* The definitions of what is in the table; docs/verdicts.md has all. */
static void print_definitions(const Sweep *sweep, FILE *out) {
    bool general = true; /* words, before the verdicts */
    for (const char *line = verdict_definition(); *line;) {
        size_t length = strcspn(line, "\n"), kind = defined_by(line);
        bool shown =
            general || kind == VERDICT_KINDS || occurs(sweep, verdicts[kind].name);
        if (!strncmp(line, "spike:", 6)) general = false;
        if (shown) fprintf(out, "%.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
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
    fprintf(
        out,
        "site entropy: lowest mean over the heads of a site at any probe, as a share of "
        "uniform attention's entropy; at, step: its site and step; end: lowest "
        "site at the last probe; <%d %%: number of sites below it at any probe, at "
        "the last\n",
        COLLAPSE_PERCENT);
    print_definitions(sweep, out);
}

void sweep_print(const Sweep *sweep, FILE *out) {
    size_t seeds = sweep_axis(sweep, "train.seed");
    print_cells(sweep, out);
    if (seeds < sweep->axis_count) sweep_print_seeds(sweep, seeds, out);
    if (sweep->fail) sweep_print_failures(sweep, out);
    print_meaning(sweep, out);
    if (sweep->fail) sweep_print_criterion(sweep, out);
    if (sweep->plan) sweep_print_plan(sweep, out);
    origin_print(sweep, 1, out);
}

/* ---- CSV ---- */

void sweep_print_csv(const Sweep *sweep, FILE *out) {
    Column columns[COLUMNS_MOST];
    size_t count = columns_of_csv(columns), key_count;
    SweepKey *keys = sweep_keys(sweep, sweep->axis_count, true, &key_count);
    Sheet sheet = sheet_new(sweep->cell_count + 1, key_count + count);
    for (size_t c = 0; c <= sweep->cell_count; c++) {
        sweep_put_keys(&sheet, sweep, keys, key_count, c, c ? c - 1 : 0);
        for (size_t k = 0; k < count; k++) {
            char text[COLUMN_TEXT];
            if (c) column_csv(&columns[k], &sweep->cells[c - 1], text);
            sheet_put(&sheet, c, key_count + k, c ? text : columns[k].title);
        }
    }
    sheet_print_csv(&sheet, out);
    sheet_free(&sheet);
    mem_free(keys);
}

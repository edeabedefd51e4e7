#include "tools/sweep/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/openfile.h"
#include "tools/program/shell.h"
#include "tools/program/textstream.h"
#include "tools/run/rundir.h"
#include "tools/run/runstate.h"
#include "tools/sweep/column.h"

/* ---- the first screen ---- */

static void write_verdicts(const Sweep *sweep, FILE *out) {
    size_t count[VERDICT_KINDS] = {0};
    for (size_t c = 0; c < sweep->cell_count; c++) {
        const char *name = sweep->cells[c].result.verdict;
        VerdictKind kind = name ? verdict_find(name) : VERDICT_KINDS;
        if (sweep_has_ended(&sweep->cells[c]) && kind < VERDICT_KINDS) count[kind]++;
    }
    const char *before = "<p class=score>";
    for (size_t k = 0; k < VERDICT_KINDS; k++) {
        if (!count[k]) continue;
        fprintf(out, "%s<strong>%zu</strong> %s", before, count[k], verdicts[k].name);
        before = ", ";
    }
    if (*before == ',') fputs("</p>\n", out);
}

static bool is_better(const SweepResult *a, const SweepResult *b) {
    Metric metric = metric_find(a->metric);
    return metrics[metric].better == BETTER_HIGH ? a->score > b->score
                                                 : a->score < b->score;
}

static void write_best(const Sweep *sweep, FILE *out) {
    const SweepCell *best = NULL;
    for (size_t c = 0; c < sweep->cell_count; c++) {
        const SweepCell *cell = &sweep->cells[c];
        if (!sweep_has_ended(cell) || !cell->result.metric ||
            !isfinite(cell->result.score))
            continue;
        bool same = best && !strcmp(best->result.metric, cell->result.metric);
        if (!best || (same && is_better(&cell->result, &best->result))) best = cell;
    }
    if (!best) return;
    const MetricFacts *m = &metrics[metric_find(best->result.metric)];
    char score[120];
    if (m->line) snprintf(score, sizeof score, m->line, m->factor * best->result.score);
    else
        text_format(score, sizeof score, "%s %.4g", m->label,
                    m->factor * best->result.score);
    fprintf(out, "<p class=score>Best run: <strong>%s</strong> <span class=soft>(",
            score);
    page_text(out, best->result.split);
    fputs(") ", out);
    page_text(out, best->name);
    fputs("</span></p>\n", out);
}

void sweep_page_top(const Sweep *sweep, FILE *out) {
    const char *slash = strrchr(sweep->dir, '/');
    size_t ended = 0, broken = 0;
    for (size_t c = 0; c < sweep->cell_count; c++) {
        const SweepCell *cell = &sweep->cells[c];
        bool over = sweep_has_ended(cell);
        ended += over;
        broken +=
            !over && cell->exit != SWEEP_OPEN && cell->exit != (int)FAIL_INTERRUPTED;
    }
    bool all = ended == sweep->cell_count;
    page_begin(out, slash && slash[1] ? slash + 1 : sweep->dir, "report of a sweep");
    fprintf(out, "<p class=\"verdict%s\"><strong>%zu of %zu runs have ended.</strong>",
            broken ? " bad" : "", ended, sweep->cell_count);
    if (broken)
        fprintf(out, " %zu failed; see cells/NAME.log for their messages.", broken);
    if (!all && runstate_in_use(sweep->dir)) fputs(" The sweep is running.", out);
    fputs("</p>\n", out);
    write_verdicts(sweep, out);
    write_best(sweep, out);
}

/* ---- runs ---- */

static void write_name(const Sweep *sweep, size_t cell, const char *links, FILE *out) {
    char dir[PATH_SIZE], path[PATH_SIZE];
    const char *name = sweep->cells[cell].name;
    sweep_cell_dir(sweep, cell, dir, sizeof dir);
    rundir_path(path, dir, "report.html");
    bool report = openfile_exists(path, dir);
    fputs("<th scope=row>", out);
    if (!report && !openfile_exists(dir, NULL)) {
        page_text(out, name);
        return;
    }
    fputs("<a href=\"", out);
    page_address(out, links);
    fputs(*links ? "/cells/" : "cells/", out);
    page_address(out, name);
    fputs(report ? "/report.html\">" : "/\">", out);
    page_text(out, name);
    fputs("</a>", out);
}

void sweep_page_runs(const Sweep *sweep, const char *links, FILE *out) {
    Column shown[COLUMNS_MOST];
    char text[COLUMN_TEXT];
    size_t columns = columns_of_table(sweep, shown);
    page_section(out, "runs", "Runs");
    page_table_begin(out, "A row for each run; names lead to reports or folders");
    fputs("<thead><tr><th scope=col>run", out);
    for (size_t k = 0; k < columns; k++) {
        column_title(&shown[k], text);
        fprintf(out, "<th scope=col%s>", shown[k].left ? "" : " class=n");
        page_text(out, text);
    }
    fputs("</tr></thead>\n", out);
    for (size_t c = 0; c < sweep->cell_count; c++) {
        fputs("<tr>", out);
        write_name(sweep, c, links, out);
        for (size_t k = 0; k < columns; k++) {
            column_cell(&shown[k], &sweep->cells[c], text);
            fprintf(out, "<td%s>", shown[k].left ? "" : " class=n");
            page_text(out, *text ? text : "–");
        }
        fputs("</tr>\n", out);
    }
    page_table_end(out);
    page_section_end(out);
}

/* ---- the rest ---- */

/* What `print` prints, under a heading; nothing where that is nothing. */
static void write_lines(const Sweep *sweep, const char *id, const char *heading,
                        void (*print)(const Sweep *, FILE *), FILE *out) {
    TextStream text;
    if (textstream_open(&text, NULL)) return;
    print(sweep, text.file);
    if (textstream_close(&text, NULL)) return;
    if (text.size) {
        page_section(out, id, heading);
        page_lines(out, heading, text.text);
        page_section_end(out);
    }
    free(text.text);
}

static void print_seeds(const Sweep *sweep, FILE *out) {
    size_t seeds = sweep_axis(sweep, "train.seed");
    if (seeds < sweep->axis_count) sweep_print_seeds(sweep, seeds, out);
}

static void print_failures(const Sweep *sweep, FILE *out) {
    if (!sweep->fail) return;
    sweep_print_failures(sweep, out);
    sweep_print_criterion(sweep, out);
}

static void print_plan(const Sweep *sweep, FILE *out) {
    if (sweep->plan) sweep_print_plan(sweep, out);
}

static void print_words(const Sweep *sweep, FILE *out) {
    fputs("steady sweep", out);
    char word[SHELL_WORD];
    for (size_t w = 0; w < sweep->word_count; w++)
        fprintf(out, " %s", shell_word(sweep->words[w], word));
    fputs("\n", out);
}

void sweep_page_rest(const Sweep *sweep, const char *comparison, FILE *out) {
    write_lines(sweep, "seeds", "Over seeds", print_seeds, out);
    if (*comparison) {
        page_section(out, "statistics", "Statistics");
        page_lines(out, "Methods compared", comparison);
        page_section_end(out);
    }
    write_lines(sweep, "failures", "Failures", print_failures, out);
    write_lines(sweep, "plan", "Plan", print_plan, out);
    write_lines(sweep, "grid", "Grid", print_words, out);
    page_section(out, "definitions", "Definitions");
    page_paragraphs(out, verdict_definition());
    page_section_end(out);
    page_end(out);
}

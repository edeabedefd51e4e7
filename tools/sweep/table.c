/* table: the tables of a sweep as text, and as CSV (tools/sweep/sweep.h). */
#include <stddef.h>
#include <string.h>

#include "tools/program/progress.h"
#include "tools/run/verdict.h"
#include "tools/sweep/sweep.h"

enum { TEXT = 200 };

/* ---- columns ---- */

/* Text of one cell of the table; "" is shown as "-". */
typedef void CellText(const SweepCell *cell, char text[TEXT]);

/* A column is a text, or a number of the result. */
typedef struct Column {
    const char *title;
    CellText *text; /* NULL: a number */
    size_t offset;  /* of the number in SweepResult */
    double factor;  /* tables; CSV has the number itself */
    int digits;
    bool left, optional; /* optional: left out where it is empty */
} Column;

#define NUMBER(member) .offset = offsetof(SweepResult, member)
#define KIND(kind)                                                                       \
    NUMBER(kind_entropy[kind]), .factor = 100, .digits = 1, .optional = true
#define SCORE(metric) NUMBER(scores[metric]), .factor = 1, .digits = 2, .optional = true

static void real_text(double x, double factor, int digits, char text[TEXT]) {
    if (isfinite(x)) text_format(text, TEXT, "%.*f", digits, factor * x);
}

static double number_of(const Column *column, const SweepCell *cell) {
    return *(const double *)((const char *)&cell->result + column->offset);
}

/* As people read it: top-1 in per cent. */
static void score_text(const SweepResult *r, double x, char text[TEXT]) {
    Metric metric = metric_find(r->metric);
    real_text(x, metric < METRIC_COUNT ? metrics[metric].factor : 1, 2, text);
}

static void show_score(const SweepCell *c, char t[TEXT]) {
    score_text(&c->result, c->result.score, t);
}
static void show_best(const SweepCell *c, char t[TEXT]) {
    score_text(&c->result, c->result.best, t);
}
static void show_logit(const SweepCell *c, char t[TEXT]) {
    if (isfinite(c->result.max_logit)) text_format(t, TEXT, "%.3g", c->result.max_logit);
}
static void show_site(const SweepCell *c, char t[TEXT]) {
    text_format(t, TEXT, "%s", c->result.site);
}
static void show_steps(const SweepCell *c, char t[TEXT]) {
    if (sweep_has_ended(c)) text_format(t, TEXT, "%zu", c->result.steps);
}
static void show_seconds(const SweepCell *c, char t[TEXT]) {
    if (c->exit != SWEEP_OPEN) text_format(t, TEXT, "%.1f", c->seconds);
}
static void show_diverged(const SweepCell *c, char t[TEXT]) {
    if (sweep_has_ended(c)) text_format(t, TEXT, "%s", c->result.diverged ? "yes" : "no");
}
static void show_collapsed(const SweepCell *c, char t[TEXT]) {
    if (sweep_has_ended(c))
        text_format(t, TEXT, "%s", c->result.collapsed ? "yes" : "no");
}
static void show_verdict(const SweepCell *c, char t[TEXT]) {
    text_format(t, TEXT, "%s", c->result.verdict);
}

/* "no", "yes: at chance", "no: collapsed", "no: stopped by the guard", "failed: exit 3" */
static void show_fate(const SweepCell *c, char t[TEXT]) {
    const SweepResult *r = &c->result;
    const char *answer = r->diverged ? "yes" : "no";
    const char *kind = c->exit == FAIL_COLLAPSED ? "stopped by the guard" : r->verdict;
    if (c->exit == SWEEP_OPEN || c->exit == FAIL_INTERRUPTED)
        text_format(t, TEXT, "not run");
    else if (!sweep_has_ended(c)) text_format(t, TEXT, "failed: exit %d", c->exit);
    else if (!strcmp(kind, "learned")) text_format(t, TEXT, "%s", answer);
    else text_format(t, TEXT, "%s: %s", answer, kind);
}

static void show_name(const SweepCell *c, char t[TEXT]) {
    text_format(t, TEXT, "%s", c->name);
}
static void show_metric(const SweepCell *c, char t[TEXT]) {
    if (c->result.metric) text_format(t, TEXT, "%s", c->result.metric);
}
static void show_split(const SweepCell *c, char t[TEXT]) {
    text_format(t, TEXT, "%s", c->result.split);
}
static void show_exit(const SweepCell *c, char t[TEXT]) {
    if (c->exit != SWEEP_OPEN) text_format(t, TEXT, "%d", c->exit);
}

static const Column COLUMNS[] = {
    {"score", .text = show_score},
    {"best", .text = show_best},
    {"ppl", SCORE(METRIC_PPL)},
    {"bleu", SCORE(METRIC_BLEU)},
    {"bleu_tokens", SCORE(METRIC_BLEU_TOKENS)},
    {"loss", NUMBER(loss), .factor = 1, .digits = 3},
    {"val loss", NUMBER(val_loss), .factor = 1, .digits = 3, .optional = true},
    {"entropy %", NUMBER(entropy), .factor = 100, .digits = 1},
    {"encoder %", KIND(KIND_ENCODER)},
    {"cross %", KIND(KIND_CROSS)},
    {"decoder %", KIND(KIND_DECODER)},
    {"at", .text = show_site, .left = true},
    {"logit", .text = show_logit},
    {"diverged", .text = show_fate, .left = true},
    {"steps", .text = show_steps},
    {"seconds", .text = show_seconds},
};

static const Column CSV[] = {
    {"metric", .text = show_metric},
    {"split", .text = show_split},
    {"score", NUMBER(score)},
    {"best", NUMBER(best)},
    {"loss", NUMBER(loss)},
    {"val_loss", NUMBER(val_loss)},
    {"ppl", NUMBER(scores[METRIC_PPL])},
    {"bleu", NUMBER(scores[METRIC_BLEU])},
    {"bleu_tokens", NUMBER(scores[METRIC_BLEU_TOKENS])},
    {"entropy", NUMBER(entropy)},
    {"entropy_site", .text = show_site},
    {"entropy_encoder", NUMBER(kind_entropy[KIND_ENCODER])},
    {"entropy_cross", NUMBER(kind_entropy[KIND_CROSS])},
    {"entropy_decoder", NUMBER(kind_entropy[KIND_DECODER])},
    {"max_logit", NUMBER(max_logit)},
    {"diverged", .text = show_diverged},
    {"collapsed", .text = show_collapsed},
    {"verdict", .text = show_verdict},
    {"steps", .text = show_steps},
    {"exit", .text = show_exit},
    {"name", .text = show_name},
    {"seconds", .text = show_seconds},
};

static void cell_text(const Column *column, const SweepCell *cell, char text[TEXT]) {
    *text = 0;
    if (column->text) column->text(cell, text);
    else real_text(number_of(column, cell), column->factor, column->digits, text);
}

static void csv_text(const Column *column, const SweepCell *cell, char text[TEXT]) {
    *text = 0;
    if (column->text) column->text(cell, text);
    else if (isfinite(number_of(column, cell)))
        text_format(text, TEXT, "%.9g", number_of(column, cell));
}

/* ---- a table of texts ---- */

typedef struct Table {
    size_t rows, columns; /* row 0: titles */
    char **text;          /* [rows, columns] */
    bool *left;           /* [columns] aligned to the left */
} Table;

static Table table_new(size_t rows, size_t columns) {
    return (Table){rows, columns, mem_zalloc(rows * columns * sizeof(char *)),
                   mem_zalloc(columns * sizeof(bool))};
}

static void table_put(Table *table, size_t row, size_t column, const char *text) {
    table->text[row * table->columns + column] = mem_strdup(*text ? text : "-");
}

/* Width on a terminal: bytes that do not continue a UTF-8 character. */
static size_t width_of(const char *text) {
    size_t width = 0;
    for (; *text; text++) width += (*text & 0xC0) != 0x80;
    return width;
}

static size_t column_width(const Table *table, size_t column) {
    size_t width = 0;
    for (size_t r = 0; r < table->rows; r++)
        width = MAX(width, width_of(table->text[r * table->columns + column]));
    return width;
}

static void table_print(const Table *table, FILE *out) {
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            const char *text = table->text[r * table->columns + c];
            int space = (int)(column_width(table, c) - width_of(text));
            bool last = c + 1 == table->columns;
            if (table->left[c]) fprintf(out, "%s%*s", text, last ? 0 : space, "");
            else fprintf(out, "%*s%s", space, "", text);
            fputs(last ? "\n" : "  ", out);
        }
    }
}

static void table_free(Table *table) {
    for (size_t i = 0; i < table->rows * table->columns; i++) mem_free(table->text[i]);
    mem_free(table->text);
    mem_free(table->left);
}

/* ---- what stands in it ---- */

/* Axes that stand in a table: the swept ones, without the seeds where they are summed up. */
static size_t shown_axes(const Sweep *sweep, size_t left_out, size_t *axes) {
    size_t count = 0;
    for (size_t a = 0; a < sweep->axis_count; a++)
        if (a != left_out && sweep_is_swept(sweep, a)) axes[count++] = a;
    if (!count) axes[count++] = 0;
    return count;
}

static void put_axes(Table *table, const Sweep *sweep, const size_t *axes, size_t count,
                     size_t row, size_t cell) {
    for (size_t i = 0; i < count; i++)
        table_put(table, row, i,
                  row ? sweep_label(sweep, cell, axes[i]) : sweep->axes[axes[i]].key);
}

/* The cell that says what kind of score there is: one that was evaluated. */
static const SweepResult *scored(const Sweep *sweep) {
    for (size_t c = 0; c < sweep->cell_count; c++)
        if (sweep->cells[c].result.metric) return &sweep->cells[c].result;
    return &sweep->cells[0].result;
}

/* An optional column is shown where it has something to say that the score does not. */
static bool is_shown(const Sweep *sweep, const Column *column) {
    const char *metric = scored(sweep)->metric;
    if (!column->optional) return true;
    if (metric && !strcmp(metric, column->title)) return false;
    for (size_t c = 0; c < sweep->cell_count; c++)
        if (isfinite(number_of(column, &sweep->cells[c]))) return true;
    return false;
}

static size_t shown_columns(const Sweep *sweep, const Column **shown) {
    size_t count = 0;
    for (size_t k = 0; k < COUNT(COLUMNS); k++)
        if (is_shown(sweep, &COLUMNS[k])) shown[count++] = &COLUMNS[k];
    return count;
}

static void print_cells(const Sweep *sweep, FILE *out) {
    const Column *shown[COUNT(COLUMNS)];
    size_t *axes = mem_alloc(sweep->axis_count * sizeof *axes);
    size_t count = shown_axes(sweep, sweep->axis_count, axes);
    size_t columns = shown_columns(sweep, shown);
    Table table = table_new(sweep->cell_count + 1, count + columns);
    for (size_t i = 0; i < count; i++) table.left[i] = true;
    for (size_t k = 0; k < columns; k++) {
        table_put(&table, 0, count + k, shown[k]->title);
        table.left[count + k] = shown[k]->left;
    }
    put_axes(&table, sweep, axes, count, 0, 0);
    for (size_t c = 0; c < sweep->cell_count; c++) {
        put_axes(&table, sweep, axes, count, c + 1, c);
        for (size_t k = 0; k < columns; k++) {
            char text[TEXT];
            cell_text(shown[k], &sweep->cells[c], text);
            table_put(&table, c + 1, count + k, text);
        }
    }
    table_print(&table, out);
    table_free(&table);
    mem_free(axes);
}

/* ---- over seeds ---- */

/* A column of the groups' table: a spread, a lowest share, or how many seeds. */
typedef enum { OF_SPREAD, OF_SHARE, OF_COUNT } GroupPart;

typedef struct GroupColumn {
    const char *title;
    GroupPart part;
    size_t offset; /* in SweepGroup */
    int digits;
    bool optional;
} GroupColumn;

#define GROUP(part, member) part, offsetof(SweepGroup, member)

static const GroupColumn GROUP_COLUMNS[] = {
    {"score", GROUP(OF_SPREAD, score), 2, false},
    {"ppl", GROUP(OF_SPREAD, scores[METRIC_PPL]), 2, true},
    {"bleu", GROUP(OF_SPREAD, scores[METRIC_BLEU]), 2, true},
    {"bleu_tokens", GROUP(OF_SPREAD, scores[METRIC_BLEU_TOKENS]), 2, true},
    {"loss", GROUP(OF_SPREAD, loss), 3, false},
    {"val loss", GROUP(OF_SPREAD, val_loss), 3, true},
    {"lowest entropy %", GROUP(OF_SHARE, entropy), 1, false},
    {"encoder %", GROUP(OF_SHARE, kind_entropy[KIND_ENCODER]), 1, true},
    {"cross %", GROUP(OF_SHARE, kind_entropy[KIND_CROSS]), 1, true},
    {"decoder %", GROUP(OF_SHARE, kind_entropy[KIND_DECODER]), 1, true},
    {"diverged", GROUP(OF_COUNT, diverged), 0, false},
    {"collapsed", GROUP(OF_COUNT, collapsed), 0, false},
};

static void spread_text(const SweepSpread *spread, double factor, int digits,
                        char text[TEXT]) {
    char mean[TEXT / 3] = "", sd[TEXT / 3] = "";
    if (isfinite(spread->mean))
        text_format(mean, sizeof mean, "%.*f", digits, factor * spread->mean);
    if (isfinite(spread->sd))
        text_format(sd, sizeof sd, " ± %.*f", digits, factor * spread->sd);
    text_format(text, TEXT, "%s%s", mean, sd);
}

static void group_text(const GroupColumn *column, const SweepGroup *group,
                       const SweepResult *like, char text[TEXT]) {
    const void *at = (const char *)group + column->offset;
    Metric metric = metric_find(like->metric);
    bool scaled = at == &group->score && metric < METRIC_COUNT;
    *text = 0;
    switch (column->part) {
    case OF_SPREAD:
        spread_text(at, scaled ? metrics[metric].factor : 1, column->digits, text);
        break;
    case OF_SHARE: real_text(*(const double *)at, 100, column->digits, text); break;
    case OF_COUNT:
        text_format(text, TEXT, "%zu of %zu", *(const size_t *)at, group->count);
        break;
    }
}

/* The same columns as in the table of cells. */
static size_t shown_group_columns(const Sweep *sweep, const GroupColumn **shown) {
    size_t count = 0;
    for (size_t k = 0; k < COUNT(GROUP_COLUMNS); k++) {
        const GroupColumn *column = &GROUP_COLUMNS[k];
        bool wanted = !column->optional;
        for (size_t i = 0; i < COUNT(COLUMNS) && !wanted; i++)
            wanted =
                !strcmp(COLUMNS[i].title, column->title) && is_shown(sweep, &COLUMNS[i]);
        if (wanted) shown[count++] = column;
    }
    return count;
}

static void print_groups(const Sweep *sweep, size_t seeds, FILE *out) {
    const GroupColumn *shown[COUNT(GROUP_COLUMNS)];
    size_t *axes = mem_alloc(sweep->axis_count * sizeof *axes);
    size_t count = shown_axes(sweep, seeds, axes);
    size_t columns = shown_group_columns(sweep, shown);
    SweepGroup *groups = mem_zalloc(sweep->cell_count * sizeof *groups);
    size_t rows = sweep_group(sweep, groups);
    Table table = table_new(rows + 1, count + columns);
    for (size_t i = 0; i < count; i++) table.left[i] = true;
    put_axes(&table, sweep, axes, count, 0, 0);
    for (size_t k = 0; k < columns; k++) table_put(&table, 0, count + k, shown[k]->title);
    for (size_t g = 0; g < rows; g++) {
        put_axes(&table, sweep, axes, count, g + 1, groups[g].first);
        for (size_t k = 0; k < columns; k++) {
            char text[TEXT];
            group_text(shown[k], &groups[g], scored(sweep), text);
            table_put(&table, g + 1, count + k, text);
        }
    }
    fprintf(out, "\nover train.seed: mean ± standard deviation of the seeds with a "
                 "value; entropy: the lowest of them\n\n");
    table_print(&table, out);
    table_free(&table);
    mem_free(groups);
    mem_free(axes);
}

static void print_meaning(const Sweep *sweep, FILE *out) {
    const SweepResult *like = scored(sweep);
    Metric metric = metric_find(like->metric);
    const char *what = metric < METRIC_COUNT ? metrics[metric].label : "none";
    bool lower = metric < METRIC_COUNT && !metrics[metric].better_high;
    fprintf(out, "\nscore, best: %s%s, of split %s, last and best evaluation%s\n", what,
            lower ? " (lower is better)" : "", *like->split ? like->split : "-",
            metric == METRIC_BLEU ? "; ppl of the same split" : "");
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
    for (size_t c = 0; c <= sweep->cell_count; c++) {
        for (size_t a = 0; a < sweep->axis_count; a++)
            csv_field(c ? sweep_label(sweep, c - 1, a) : sweep->axes[a].key, ',', out);
        for (size_t k = 0; k < COUNT(CSV); k++) {
            char text[TEXT];
            if (c) csv_text(&CSV[k], &sweep->cells[c - 1], text);
            csv_field(c ? text : CSV[k].title, k + 1 < COUNT(CSV) ? ',' : '\n', out);
        }
    }
}

/* sweep_table: the tables of a sweep as text, and as CSV (tools/sweep.h). */
#include <string.h>

#include "tools/progress.h"
#include "tools/sweep.h"
#include "tools/verdict.h"

enum { TEXT = 200 };

/* ---- columns ---- */

/* Text of one cell of the table; "" is shown as "-". */
typedef void CellText(const SweepCell *cell, char text[TEXT]);

static void real_text(double x, double factor, int digits, char text[TEXT]) {
    if (isfinite(x)) text_format(text, TEXT, "%.*f", digits, factor * x);
}

static void exact_text(double x, char text[TEXT]) {
    if (isfinite(x)) text_format(text, TEXT, "%.9g", x);
}

/* top-1 is shown in per cent. */
static void score_text(const SweepResult *r, double x, char text[TEXT]) {
    bool share = r->metric && !strcmp(r->metric, "top1");
    real_text(x, share ? 100 : 1, 2, text);
}

static void show_score(const SweepCell *c, char t[TEXT]) {
    score_text(&c->result, c->result.score, t);
}
static void show_best(const SweepCell *c, char t[TEXT]) {
    score_text(&c->result, c->result.best, t);
}
static void show_loss(const SweepCell *c, char t[TEXT]) {
    real_text(c->result.loss, 1, 3, t);
}
static void show_entropy(const SweepCell *c, char t[TEXT]) {
    real_text(c->result.entropy, 100, 1, t);
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
    else if (!sweep_has_ended(c))
        text_format(t, TEXT, "failed: exit %d", c->exit);
    else if (!strcmp(kind, "learned"))
        text_format(t, TEXT, "%s", answer);
    else
        text_format(t, TEXT, "%s: %s", answer, kind);
}

static void csv_name(const SweepCell *c, char t[TEXT]) {
    text_format(t, TEXT, "%s", c->name);
}
static void csv_metric(const SweepCell *c, char t[TEXT]) {
    if (c->result.metric) text_format(t, TEXT, "%s", c->result.metric);
}
static void csv_split(const SweepCell *c, char t[TEXT]) {
    text_format(t, TEXT, "%s", c->result.split);
}
static void csv_score(const SweepCell *c, char t[TEXT]) {
    exact_text(c->result.score, t);
}
static void csv_best(const SweepCell *c, char t[TEXT]) { exact_text(c->result.best, t); }
static void csv_loss(const SweepCell *c, char t[TEXT]) { exact_text(c->result.loss, t); }
static void csv_entropy(const SweepCell *c, char t[TEXT]) {
    exact_text(c->result.entropy, t);
}
static void csv_logit(const SweepCell *c, char t[TEXT]) {
    exact_text(c->result.max_logit, t);
}
static void csv_exit(const SweepCell *c, char t[TEXT]) {
    if (c->exit != SWEEP_OPEN) text_format(t, TEXT, "%d", c->exit);
}

typedef struct Column {
    const char *title;
    bool left;
    CellText *text;
} Column;

static const Column COLUMNS[] = {
    {"score", false, show_score},     {"best", false, show_best},
    {"loss", false, show_loss},       {"entropy %", false, show_entropy},
    {"at", true, show_site},          {"logit", false, show_logit},
    {"diverged", true, show_fate},    {"steps", false, show_steps},
    {"seconds", false, show_seconds},
};

static const Column CSV[] = {
    {"metric", 0, csv_metric},      {"split", 0, csv_split},
    {"score", 0, csv_score},        {"best", 0, csv_best},
    {"loss", 0, csv_loss},          {"entropy", 0, csv_entropy},
    {"entropy_site", 0, show_site}, {"max_logit", 0, csv_logit},
    {"diverged", 0, show_diverged}, {"collapsed", 0, show_collapsed},
    {"verdict", 0, show_verdict},   {"steps", 0, show_steps},
    {"exit", 0, csv_exit},          {"name", 0, csv_name},
    {"seconds", 0, show_seconds},
};

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
            if (table->left[c])
                fprintf(out, "%s%*s", text, last ? 0 : space, "");
            else
                fprintf(out, "%*s%s", space, "", text);
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

static void print_cells(const Sweep *sweep, FILE *out) {
    size_t *axes = mem_alloc(sweep->axis_count * sizeof *axes);
    size_t count = shown_axes(sweep, sweep->axis_count, axes);
    Table table = table_new(sweep->cell_count + 1, count + COUNT(COLUMNS));
    for (size_t i = 0; i < count; i++) table.left[i] = true;
    put_axes(&table, sweep, axes, count, 0, 0);
    for (size_t k = 0; k < COUNT(COLUMNS); k++) {
        table_put(&table, 0, count + k, COLUMNS[k].title);
        table.left[count + k] = COLUMNS[k].left;
    }
    for (size_t c = 0; c < sweep->cell_count; c++) {
        put_axes(&table, sweep, axes, count, c + 1, c);
        for (size_t k = 0; k < COUNT(COLUMNS); k++) {
            char text[TEXT] = "";
            COLUMNS[k].text(&sweep->cells[c], text);
            table_put(&table, c + 1, count + k, text);
        }
    }
    table_print(&table, out);
    table_free(&table);
    mem_free(axes);
}

static void put_group(Table *table, size_t row, size_t at, const SweepGroup *group,
                      const SweepResult *like) {
    char mean[TEXT] = "", sd[TEXT] = "", text[2 * TEXT + 8] = "";
    score_text(like, group->mean, mean);
    score_text(like, group->sd, sd);
    text_format(text, sizeof text, "%s%s%s", mean, *sd ? " ± " : "", sd);
    table_put(table, row, at, text);
    *mean = *sd = 0;
    real_text(group->loss, 1, 3, mean);
    table_put(table, row, at + 1, mean);
    real_text(group->entropy, 100, 1, sd);
    table_put(table, row, at + 2, sd);
    text_format(text, sizeof text, "%zu of %zu", group->diverged, group->count);
    table_put(table, row, at + 3, text);
}

/* The cell of the group that says what kind of score it has: one that was evaluated. */
static const SweepResult *scored(const Sweep *sweep) {
    for (size_t c = 0; c < sweep->cell_count; c++)
        if (sweep->cells[c].result.metric) return &sweep->cells[c].result;
    return &sweep->cells[0].result;
}

static void print_groups(const Sweep *sweep, size_t seeds, FILE *out) {
    static const char *const titles[] = {"score", "loss", "lowest entropy %", "diverged"};
    size_t *axes = mem_alloc(sweep->axis_count * sizeof *axes);
    size_t count = shown_axes(sweep, seeds, axes);
    SweepGroup *groups = mem_zalloc(sweep->cell_count * sizeof *groups);
    size_t rows = sweep_group(sweep, groups);
    Table table = table_new(rows + 1, count + COUNT(titles));
    for (size_t i = 0; i < count; i++) table.left[i] = true;
    put_axes(&table, sweep, axes, count, 0, 0);
    for (size_t k = 0; k < COUNT(titles); k++) table_put(&table, 0, count + k, titles[k]);
    for (size_t g = 0; g < rows; g++) {
        put_axes(&table, sweep, axes, count, g + 1, groups[g].first);
        put_group(&table, g + 1, count, &groups[g], scored(sweep));
    }
    fprintf(out, "\nover train.seed: mean ± standard deviation of the scores\n\n");
    table_print(&table, out);
    table_free(&table);
    mem_free(groups);
    mem_free(axes);
}

void sweep_print(const Sweep *sweep, FILE *out) {
    const SweepResult *like = scored(sweep);
    size_t seeds = sweep_axis(sweep, "train.seed");
    print_cells(sweep, out);
    if (seeds < sweep->axis_count) print_groups(sweep, seeds, out);
    bool share = like->metric && !strcmp(like->metric, "top1");
    fprintf(out, "\nscore, best: %s%s of split %s, last and best evaluation\n",
            share          ? "top-1"
            : like->metric ? like->metric
                           : "none",
            share ? " in %" : "", *like->split ? like->split : "-");
    fprintf(out, "loss: mean of the last fifth of the steps\n");
    fprintf(out,
            "entropy: lowest at any probe, mean over the heads of a site, as a share of "
            "ln(keys)\n");
    fprintf(out, "%s\n", verdict_definition());
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
            char text[TEXT] = "";
            if (c) CSV[k].text(&sweep->cells[c - 1], text);
            csv_field(c ? text : CSV[k].title, k + 1 < COUNT(CSV) ? ',' : '\n', out);
        }
    }
}

#include "tools/sweep/column.h"

#include <stddef.h>
#include <string.h>

#define NUMBER(member) .offset = offsetof(SweepCell, result.member)
#define OF_CELL(member) .offset = offsetof(SweepCell, member)
#define KIND(kind)                                                                       \
    NUMBER(kind_entropy[kind]), .factor = 100, .digits = 1, .optional = true

void column_number(double x, double factor, int digits, char text[COLUMN_TEXT]) {
    static const double LONG = 1e6; /* from here on three digits and a power of ten */
    if (!isfinite(x)) return;
    if (fabs(factor * x) < LONG)
        text_format(text, COLUMN_TEXT, "%.*f", digits, factor * x);
    else text_format(text, COLUMN_TEXT, "%.3g", factor * x);
}

static double number_of(const Column *column, const SweepCell *cell) {
    return *(const double *)((const char *)cell + column->offset);
}

/* As people read it: top-1 in per cent. */
static void score_text(const SweepResult *r, double x, char text[COLUMN_TEXT]) {
    Metric metric = metric_find(r->metric);
    column_number(x, metric < METRIC_COUNT ? metrics[metric].factor : 1, 2, text);
}

static void show_score(const SweepCell *c, char *t) {
    score_text(&c->result, c->result.score, t);
}
static void show_best(const SweepCell *c, char *t) {
    score_text(&c->result, c->result.best, t);
}
static void show_logit(const SweepCell *c, char *t) {
    if (isfinite(c->result.max_logit))
        text_format(t, COLUMN_TEXT, "%.3g", c->result.max_logit);
}
static void show_site(const SweepCell *c, char *t) {
    text_format(t, COLUMN_TEXT, "%s", c->result.site);
}
static void show_steps(const SweepCell *c, char *t) {
    if (sweep_has_ended(c)) text_format(t, COLUMN_TEXT, "%zu", c->result.steps);
}
static void show_low_step(const SweepCell *c, char *t) {
    if (isfinite(c->result.entropy))
        text_format(t, COLUMN_TEXT, "%zu", c->result.entropy_step);
}
static void show_fails(const SweepCell *c, char *t) {
    if (c->fate != FATE_UNKNOWN)
        text_format(t, COLUMN_TEXT, "%s", c->fate == FATE_FAILED ? "yes" : "no");
}
/* "3, 1 at the end" */
static void show_low_sites(const SweepCell *c, char *t) {
    const SweepResult *r = &c->result;
    if (isfinite(r->sites_low))
        text_format(t, COLUMN_TEXT, "%.0f, %.0f", r->sites_low, r->sites_low_end);
}
static void show_seconds(const SweepCell *c, char *t) {
    if (c->exit != SWEEP_OPEN && isfinite(c->seconds))
        text_format(t, COLUMN_TEXT, "%.1f", c->seconds);
}
static void show_diverged(const SweepCell *c, char *t) {
    if (sweep_has_ended(c))
        text_format(t, COLUMN_TEXT, "%s", c->result.diverged ? "yes" : "no");
}
static void show_collapsed(const SweepCell *c, char *t) {
    if (sweep_has_ended(c))
        text_format(t, COLUMN_TEXT, "%s", c->result.collapsed ? "yes" : "no");
}
static void show_verdict(const SweepCell *c, char *t) {
    text_format(t, COLUMN_TEXT, "%s", c->result.verdict);
}

static void show_grade(const SweepCell *c, char *t) {
    if (sweep_has_ended(c))
        text_format(t, COLUMN_TEXT, "%s", grade_name(c->result.grade));
}

/* "no", "yes: at chance (uniform)", "no: collapsed", "yes: stopped by the guard",
 * "failed: exit 3" */
static void show_fate(const SweepCell *c, char *t) {
    const SweepResult *r = &c->result;
    const char *answer = r->diverged ? "yes" : "no";
    const char *kind = c->exit == FAIL_COLLAPSED ? "stopped by the guard" : r->verdict;
    if (c->exit == SWEEP_OPEN || c->exit == FAIL_INTERRUPTED)
        text_format(t, COLUMN_TEXT, "not run");
    else if (!sweep_has_ended(c)) text_format(t, COLUMN_TEXT, "failed: exit %d", c->exit);
    else if (verdict_find(kind) == VERDICT_LEARNED)
        text_format(t, COLUMN_TEXT, "%s", answer);
    else text_format(t, COLUMN_TEXT, "%s: %s", answer, kind);
}

static void show_name(const SweepCell *c, char *t) {
    text_format(t, COLUMN_TEXT, "%s", c->name);
}
static void show_metric(const SweepCell *c, char *t) {
    if (c->result.metric) text_format(t, COLUMN_TEXT, "%s", c->result.metric);
}
static void show_split(const SweepCell *c, char *t) {
    text_format(t, COLUMN_TEXT, "%s", c->result.split);
}
static void show_exit(const SweepCell *c, char *t) {
    if (c->exit != SWEEP_OPEN) text_format(t, COLUMN_TEXT, "%d", c->exit);
}

static const Column COLUMNS[] = {
    {"score", .text = show_score},
    {"best", .text = show_best},
    {.scores = true},
    {"loss", NUMBER(loss), .factor = 1, .digits = 3},
    {"val loss", NUMBER(val_loss), .factor = 1, .digits = 3, .optional = true},
    {"site entropy %", NUMBER(entropy), .factor = 100, .digits = 1},
    {"encoder %", KIND(KIND_ENCODER)},
    {"cross %", KIND(KIND_CROSS)},
    {"decoder %", KIND(KIND_DECODER)},
    {"at", .text = show_site, .left = true},
    {"step", .text = show_low_step},
    {"end %", NUMBER(entropy_end), .factor = 100, .digits = 1},
    {"<10 %", .text = show_low_sites},
    {"logit", .text = show_logit},
    {"fails", .text = show_fails, .fails = true},
    {"diverged", .text = show_fate, .left = true},
    {"steps", .text = show_steps},
    {"seconds", .text = show_seconds},
    {"cpu s", OF_CELL(cpu_seconds), .factor = 1, .digits = 1, .optional = true},
};

static const Column CSV[] = {
    {"metric", .text = show_metric},
    {"split", .text = show_split},
    {"score", NUMBER(score)},
    {"best", NUMBER(best)},
    {"loss", NUMBER(loss)},
    {"val_loss", NUMBER(val_loss)},
    {.scores = true},
    {"site_entropy", NUMBER(entropy), .factor = 100},
    {"entropy_site", .text = show_site},
    {"site_entropy_encoder", NUMBER(kind_entropy[KIND_ENCODER]), .factor = 100},
    {"site_entropy_cross", NUMBER(kind_entropy[KIND_CROSS]), .factor = 100},
    {"site_entropy_decoder", NUMBER(kind_entropy[KIND_DECODER]), .factor = 100},
    {"max_logit", NUMBER(max_logit)},
    {"diverged", .text = show_diverged},
    {"collapsed", .text = show_collapsed},
    {"verdict", .text = show_verdict},
    {"steps", .text = show_steps},
    {"exit", .text = show_exit},
    {"name", .text = show_name},
    {"seconds", .text = show_seconds},
    {"cpu_seconds", OF_CELL(cpu_seconds)},
    {"site_entropy_step", .text = show_low_step},
    {"site_entropy_end", NUMBER(entropy_end), .factor = 100},
    {"sites_low", NUMBER(sites_low)},
    {"sites_low_end", NUMBER(sites_low_end)},
    {"failed", .text = show_fails},
    {"spike_depth", NUMBER(spike_depth)},
    {"spike_steps", NUMBER(spike_steps)},
    {"probe_fall", NUMBER(probe_fall), .factor = 100},
    {"probe_epochs", NUMBER(probe_epochs)},
    {"grade", .text = show_grade},
};

/* Former names, which criteria of older plans have. */
static const struct {
    const char *old, *now;
} RENAMED[] = {{"entropy", "site_entropy"},
               {"entropy_encoder", "site_entropy_encoder"},
               {"entropy_cross", "site_entropy_cross"},
               {"entropy_decoder", "site_entropy_decoder"},
               {"entropy_end", "site_entropy_end"}};

_Static_assert(COUNT(COLUMNS) <= COLUMNS_MOST - METRIC_COUNT, "the table needs room");
_Static_assert(COUNT(CSV) <= COLUMNS_MOST - METRIC_COUNT, "the CSV needs room");

static Column score_column(Metric metric) {
    return (Column){.title = metrics[metric].key,
                    .offset =
                        offsetof(SweepCell, result.scores) + metric * sizeof(double),
                    .factor = metrics[metric].factor,
                    .digits = SCORE_DIGITS,
                    .optional = true,
                    .scores = true,
                    .metric = metric};
}

/* The list with a column for each metric where it says so; `all` has room for them. */
static size_t all_columns(const Column *list, size_t count, Column *all) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!list[i].scores) all[n++] = list[i];
        for (size_t m = 0; list[i].scores && m < METRIC_COUNT; m++)
            if (metrics[m].sweep) all[n++] = score_column((Metric)m);
    }
    return n;
}

void column_score_title(Metric metric, char text[COLUMN_TEXT]) {
    text_format(text, COLUMN_TEXT, "%s%s", metrics[metric].key,
                metrics[metric].factor == 100 ? " %" : "");
}

void column_title(const Column *column, char text[COLUMN_TEXT]) {
    if (column->scores) column_score_title(column->metric, text);
    else text_format(text, COLUMN_TEXT, "%s", column->title);
}

void column_cell(const Column *column, const SweepCell *cell, char text[COLUMN_TEXT]) {
    *text = 0;
    if (column->text) column->text(cell, text);
    else column_number(number_of(column, cell), column->factor, column->digits, text);
}

void column_csv(const Column *column, const SweepCell *cell, char text[COLUMN_TEXT]) {
    *text = 0;
    if (column->text) column->text(cell, text);
    else if (isfinite(number_of(column, cell)))
        text_format(text, COLUMN_TEXT, "%.9g", number_of(column, cell));
}

/* ---- which of them ---- */

const SweepResult *sweep_scored(const Sweep *sweep) {
    const SweepCell *best = &sweep->cells[0];
    for (size_t c = 1; c < sweep->cell_count; c++)
        if (sweep_scored_as(&sweep->cells[c]) > sweep_scored_as(best))
            best = &sweep->cells[c];
    return &best->result;
}

/* An optional column is shown where it has something to say that the score does not. */
static bool is_shown(const Sweep *sweep, const Column *column) {
    if (column->fails) return sweep->fail;
    if (!column->optional) return true;
    if (column->scores && column->metric == metric_find(sweep_scored(sweep)->metric))
        return false;
    for (size_t c = 0; c < sweep->cell_count; c++)
        if (isfinite(number_of(column, &sweep->cells[c]))) return true;
    return false;
}

size_t columns_of_table(const Sweep *sweep, Column *shown) {
    size_t all = all_columns(COLUMNS, COUNT(COLUMNS), shown), count = 0;
    for (size_t k = 0; k < all; k++)
        if (is_shown(sweep, &shown[k])) shown[count++] = shown[k];
    return count;
}

static bool is_among(const char *name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], name)) return true;
    return false;
}

size_t column_names(const char **names) {
    Column all[COLUMNS_MOST];
    size_t columns = columns_of_csv(all), count = 0;
    for (size_t k = 0; k < columns; k++)
        if (!all[k].text) names[count++] = all[k].title;
    for (size_t i = 0; metric_shown(i) < METRIC_COUNT; i++) {
        const char *key = metrics[metric_shown(i)].key;
        if (!is_among(key, names, count)) names[count++] = key;
    }
    return count;
}

/* The column of sweep.csv with that number, by its name or a former one; false: none. */
static bool find_number(const char *name, Column *column) {
    for (size_t i = 0; i < COUNT(RENAMED); i++)
        if (!strcmp(name, RENAMED[i].old)) name = RENAMED[i].now;
    Column all[COLUMNS_MOST];
    size_t count = columns_of_csv(all), k = 0;
    while (k < count && (all[k].text || strcmp(all[k].title, name))) k++;
    if (k < count) *column = all[k];
    return k < count;
}

/* METRIC_COUNT: no score that is shown. */
static Metric shown_metric(const char *name) {
    Metric metric = metric_find(name);
    return metric == METRIC_COUNT || metrics[metric].rank == RANK_NONE ? METRIC_COUNT
                                                                       : metric;
}

size_t column_offset(const char *name) {
    Column column;
    Metric metric = shown_metric(name);
    if (find_number(name, &column)) return column.offset;
    return metric == METRIC_COUNT
               ? SIZE_MAX
               : offsetof(SweepCell, result.scores) + metric * sizeof(double);
}

double column_factor(const char *name) {
    Column column;
    Metric metric = shown_metric(name);
    bool scores = !strcmp(name, "score") || !strcmp(name, "best");
    if (!scores && find_number(name, &column))
        return column.factor > 0 ? column.factor : 1;
    return metric == METRIC_COUNT ? 0 : metrics[metric].factor;
}

size_t columns_of_csv(Column *all) { return all_columns(CSV, COUNT(CSV), all); }

/* ---- keys ---- */

SweepKey *sweep_keys(const Sweep *sweep, size_t left_out, bool all, size_t *count) {
    size_t most = 0;
    for (size_t a = 0; a < sweep->axis_count; a++) most += sweep->axes[a].key_count;
    SweepKey *keys = mem_alloc(most * sizeof *keys);
    *count = 0;
    for (size_t a = 0; a < sweep->axis_count; a++)
        for (size_t k = 0; k < sweep->axes[a].key_count; k++)
            if (a != left_out && (all || sweep_is_swept(sweep, a)))
                keys[(*count)++] = (SweepKey){a, k};
    if (!*count) keys[(*count)++] = (SweepKey){0, 0};
    return keys;
}

void sweep_put_keys(Sheet *sheet, const Sweep *sweep, const SweepKey *keys, size_t count,
                    size_t row, size_t cell) {
    for (size_t i = 0; i < count; i++) {
        size_t a = keys[i].axis, k = keys[i].key;
        sheet_put(sheet, row, i,
                  row ? sweep_part(sweep, cell, a, k) : sweep->axes[a].keys[k]);
    }
}

/* compare_print: a comparison as tables (tools/sweep/compare.h). */
#include <string.h>

#include "tools/sweep/compare.h"
#include "tools/sweep/sheet.h"

enum {
    TEXT = 200,
    SCORE_DIGITS = 2,
    LOSS_DIGITS = 3,
    FAILURES_FROM = 5, /* runs of a sweep of one method, to say how often they fail */
};

static const int DIGITS[COMPARE_MEASURES] = {SCORE_DIGITS, LOSS_DIGITS};

typedef enum { PLAIN, SIGNED } Form;

/* ---- numbers as text ---- */

static const char *number_text(double x, int digits, Form form, char text[40]) {
    if (fabs(x) >= 1e6) text_format(text, 40, form == SIGNED ? "%+.3g" : "%.3g", x);
    else text_format(text, 40, form == SIGNED ? "%+.*f" : "%.*f", digits, x);
    return text;
}

/* "1.20 [0.80, 1.60]", or the mean alone, or "". */
static void mean_text(double mean, Interval interval, int digits, Form form,
                      char text[TEXT]) {
    char a[40], b[40], c[40];
    *text = 0;
    if (!isfinite(mean)) return;
    number_text(mean, digits, form, a);
    if (!isfinite(interval.low)) text_format(text, TEXT, "%s", a);
    else
        text_format(text, TEXT, "%s [%s, %s]", a,
                    number_text(interval.low, digits, form, b),
                    number_text(interval.high, digits, form, c));
}

static void p_text(double p, char text[TEXT]) {
    *text = 0;
    if (isfinite(p)) text_format(text, TEXT, p < 0.00095 ? "%.1e" : "%.3g", p);
}

static void add_mean(Sheet *sheet, double mean, Interval interval, int digits,
                     Form form) {
    char text[TEXT];
    mean_text(mean, interval, digits, form, text);
    sheet_add(sheet, text);
}

static void add_p(Sheet *sheet, double p) {
    char text[TEXT];
    p_text(p, text);
    sheet_add(sheet, text);
}

/* ---- differences ---- */

static bool is_told(const PoolList *list) { return list->count > 1; }

/* Columns that say where: the rest, the rate, the method. */
static size_t place_columns(const Pool *pool, bool rate) {
    return 1 + is_told(&pool->rests) + (rate && is_told(&pool->rates));
}

static void add_place(Sheet *sheet, const Pool *pool, const char *rest, const char *rate,
                      const char *method) {
    if (is_told(&pool->rests)) sheet_add(sheet, rest);
    if (rate && is_told(&pool->rates)) sheet_add(sheet, rate);
    sheet_add(sheet, method);
}

static Sheet new_sheet(const Pool *pool, size_t rows, bool rate, size_t columns) {
    size_t places = place_columns(pool, rate);
    Sheet sheet = sheet_new(rows + 1, places + columns);
    for (size_t i = 0; i < places; i++) sheet.left[i] = true;
    add_place(&sheet, pool, pool->rests.title, rate ? pool->rates.title : NULL,
              pool->methods.title);
    return sheet;
}

static void close_sheet(Sheet *sheet, FILE *out) {
    sheet_print(sheet, out);
    sheet_free(sheet);
}

/* "0.02 against 0.01" of rows at the best rates. */
static void rate_text(const Pool *pool, const CompareRow *row, char text[TEXT]) {
    const char *own = pool->rates.text[row->rate],
               *base = pool->rates.text[row->base_rate];
    if (row->best) text_format(text, TEXT, "%s against %s", own, base);
    else text_format(text, TEXT, "%s", own);
}

static void add_pairs(Sheet *sheet, const CompareRow *row) {
    char text[TEXT];
    size_t score = row->of[COMPARE_SCORE].pairs, loss = row->of[COMPARE_LOSS].pairs;
    if (score == loss) text_format(text, TEXT, "%zu", score);
    else text_format(text, TEXT, "%zu, %zu", score, loss);
    sheet_add(sheet, text);
}

/* "score, test top-1 %" */
static void score_title(const Pool *pool, char text[TEXT]) {
    Metric metric = metric_find(pool->like->metric);
    text_format(text, TEXT, "score");
    if (metric < METRIC_COUNT)
        text_format(text, TEXT, "score, %s %s", pool->like->split, metrics[metric].label);
}

static void print_rows(const Pool *pool, const Comparison *c, FILE *out) {
    char text[TEXT], loss[40];
    Sheet sheet = new_sheet(pool, c->row_count, true, 2 * COMPARE_MEASURES + 1);
    score_title(pool, text);
    pool_loss_name(pool, loss);
    const char *const titles[] = {text, "p", loss, "p", "pairs"};
    for (size_t i = 0; i < COUNT(titles); i++) sheet_add(&sheet, titles[i]);
    for (const CompareRow *row = c->rows; row < c->rows + c->row_count; row++) {
        rate_text(pool, row, text);
        add_place(&sheet, pool, pool->rests.text[row->rest], text,
                  pool->methods.text[row->method]);
        for (size_t m = 0; m < COMPARE_MEASURES; m++) {
            const Paired *paired = &row->of[m];
            add_mean(&sheet, paired->mean, paired->interval, DIGITS[m], SIGNED);
            add_p(&sheet, paired->p);
        }
        add_pairs(&sheet, row);
    }
    fprintf(
        out,
        "\n%s against %s, %sall else equal: mean difference [95 %% interval], p of the "
        "sign-flip test\n\n",
        pool->methods.title, pool->methods.text[pool->base],
        strstr(pool->methods.title, "train.seed") ? "" : "same seeds, ");
    close_sheet(&sheet, out);
}

static void print_row_notes(const Pool *pool, const Comparison *c, FILE *out) {
    size_t fewest = SIZE_MAX;
    bool best = false;
    char loss[40];
    pool_loss_name(pool, loss);
    for (const CompareRow *row = c->rows; row < c->rows + c->row_count; row++) {
        best |= row->best;
        for (size_t m = 0; m < COMPARE_MEASURES; m++)
            if (row->of[m].pairs) fewest = MIN(fewest, row->of[m].pairs);
    }
    if (best)
        fprintf(
            out,
            "A against B: each method at its own best learning rate, the one with "
            "the lowest mean %s among those with the largest share of finite runs; it is "
            "chosen on the same runs%s\n",
            loss,
            pool->loss == LOSS_SPLIT && !strcmp(pool->like->split, "test")
                ? "; chosen on the test split, which favours both"
                : "");
    if (fewest < INTERVAL_LEAST)
        fprintf(out, "fewer than %d pairs have no interval and no p\n", INTERVAL_LEAST);
    else if (fewest < 6)
        fprintf(out, "with %zu pairs p cannot be below %.3g\n", fewest,
                2 / pow(2, (double)fewest));
}

/* Runs of another kind of task, say: differences mean nothing there. */
static void print_other_scores(const Pool *pool, FILE *out) {
    const char *wanted = pool->like->metric, *other = NULL;
    size_t count = 0;
    bool mixed = false;
    for (size_t c = 0; wanted && c < pool->count; c++) {
        const SweepCell *cell = pool->cells[c].cell;
        const char *metric = cell->result.metric;
        if (!sweep_has_ended(cell) || cell->result.nonfinite) continue;
        if (!metric || !strcmp(metric, wanted)) continue;
        mixed |= other && strcmp(metric, other);
        other = metric;
        count++;
    }
    if (count)
        fprintf(out,
                "%zu run%s scored by %s%s, not by %s, and compared by the latter where "
                "available; between tasks or sets of classes losses are not comparable\n",
                count, count == 1 ? " is" : "s are", other, mixed ? " and others" : "",
                wanted);
}

/* The first of them is named. */
typedef struct Counted {
    size_t count;
    const SweepCell *first;
} Counted;

static void count_run(Counted *of, const SweepCell *cell) {
    if (!of->count++) of->first = cell;
}

/* Runs that ended finite and yet are in no difference, and why. */
static void print_left_out(const Pool *pool, FILE *out) {
    Counted split = {0}, loss = {0};
    char name[40], run[POOL_NAME];
    pool_loss_name(pool, name);
    for (size_t c = 0; c < pool->count; c++) {
        const SweepCell *cell = pool->cells[c].cell;
        if (!sweep_has_ended(cell) || cell->result.nonfinite) continue;
        if (!pool_same_split(pool, cell)) count_run(&split, cell);
        else if (!isfinite(pool_final_loss(pool, cell))) count_run(&loss, cell);
    }
    if (split.count) {
        pool_name(pool, split.first, run);
        fprintf(out,
                "%zu run%s scored on split %s, not %s, and left out of the score%s "
                "(first: %s)\n",
                split.count, split.count == 1 ? " is" : "s are",
                split.first->result.split, pool->like->split,
                pool->loss == LOSS_SPLIT ? " and the loss" : "", run);
    }
    if (loss.count) {
        pool_name(pool, loss.first, run);
        fprintf(out,
                "%zu run%s no %s and %s left out of it and of the sensitivity (first: "
                "%s)\n",
                loss.count, loss.count == 1 ? " has" : "s have", name,
                loss.count == 1 ? "is" : "are", run);
    }
}

/* Where it matters: what stands for the numbers of runs that have none. */
static void print_nonfinite(const Pool *pool, FILE *out) {
    size_t count = 0;
    double chance = NAN;
    for (size_t c = 0; c < pool->count; c++) {
        const SweepCell *cell = pool->cells[c].cell;
        if (!sweep_has_ended(cell) || !cell->result.nonfinite) continue;
        chance = cell->result.chance;
        count++;
    }
    if (count && isfinite(chance))
        fprintf(out, "%zu run%s became non-finite and count%s as chance (loss %.3f)\n",
                count, count == 1 ? "" : "s", count == 1 ? "s" : "", chance);
    else if (count)
        fprintf(out,
                "%zu run%s became non-finite and %s left out: the loss at chance is "
                "unknown\n",
                count, count == 1 ? "" : "s", count == 1 ? "is" : "are");
}

/* ---- means ---- */

void compare_print_groups(const Pool *pool, const Comparison *c, FILE *out) {
    char text[TEXT], loss[40];
    Sheet sheet = new_sheet(pool, c->group_count, true, COMPARE_MEASURES + 1);
    score_title(pool, text);
    pool_loss_name(pool, loss);
    sheet_add(&sheet, text);
    sheet_add(&sheet, loss);
    sheet_add(&sheet, pool->criterion ? "fails" : "diverged");
    for (const CompareGroup *g = c->groups; g < c->groups + c->group_count; g++) {
        add_place(&sheet, pool, pool->rests.text[g->rest], pool->rates.text[g->rate],
                  pool->methods.text[g->method]);
        for (size_t m = 0; m < COMPARE_MEASURES; m++)
            add_mean(&sheet, g->of[m].mean, g->of[m].interval, DIGITS[m], PLAIN);
        text_format(text, TEXT, "%zu of %zu", g->failed, g->runs);
        sheet_add(&sheet, text);
    }
    fprintf(out, "mean over seeds [95 %% interval of the mean, from %d seeds on]\n\n",
            INTERVAL_LEAST);
    close_sheet(&sheet, out);
}

/* ---- failures ---- */

/* "88 [47, 100]" */
static void share_text(const CompareFailures *one, char text[TEXT]) {
    *text = 0;
    if (one->runs)
        text_format(text, TEXT, "%.0f [%.*f, %.*f]",
                    100 * (double)one->failed / (double)one->runs, one->failed > 0,
                    100 * one->share.low, one->failed < one->runs, 100 * one->share.high);
}

/* A run without the number that the criterion asks for. */
static void print_unjudged(const Pool *pool, FILE *out) {
    Counted unknown = {0};
    char name[POOL_NAME];
    for (size_t c = 0; c < pool->count; c++) {
        const SweepCell *cell = pool->cells[c].cell;
        if (sweep_has_ended(cell) && pool_fate(pool, cell) == FATE_UNKNOWN)
            count_run(&unknown, cell);
    }
    if (!unknown.count) return;
    pool_name(pool, unknown.first, name);
    fprintf(out,
            "%zu run%s no number for this criterion and %s not counted (first: %s)\n",
            unknown.count, unknown.count == 1 ? " has" : "s have",
            unknown.count == 1 ? "is" : "are", name);
}

static void print_stopped(const Pool *pool, FILE *out) {
    size_t count = 0;
    for (size_t c = 0; c < pool->count; c++)
        count += pool->cells[c].cell->exit == FAIL_COLLAPSED;
    if (count)
        fprintf(out, "%zu run%s stopped by the collapse guard and count%s as failed\n",
                count, count == 1 ? " was" : "s were", count == 1 ? "s" : "");
}

static void print_failures(const Pool *pool, const Comparison *c, FILE *out) {
    char text[TEXT], p[TEXT];
    const CompareFailures *base = &c->failures[pool->base];
    Sheet sheet = sheet_new(pool->methods.count + 1, 4);
    for (size_t i = 0; i < 4; i++) sheet.left[i] = true;
    sheet_add(&sheet, pool->methods.count > 1 ? pool->methods.title : "");
    sheet_add(&sheet, "failed");
    sheet_add(&sheet, "% [95 %]");
    sheet_add(&sheet, "p");
    for (size_t m = 0; m < pool->methods.count; m++) {
        const CompareFailures *one = &c->failures[m];
        sheet_add(&sheet, pool->methods.text[m]);
        text_format(text, TEXT, "%zu of %zu", one->failed, one->runs);
        sheet_add(&sheet, text);
        share_text(one, text);
        sheet_add(&sheet, text);
        p_text(one->p, p);
        *text = 0;
        if (*p)
            text_format(text, TEXT, "%s (%zu of %zu against %zu of %zu)", p, one->failed,
                        one->runs, base->failed, base->runs);
        sheet_add(&sheet, text);
    }
    fprintf(out, "\nfailures (%s): share with its exact 95 %% interval%s\n\n",
            pool->criterion ? pool->criterion : "diverged",
            pool->methods.count > 1 ? ", two-sided p of Fisher's exact test" : "");
    close_sheet(&sheet, out);
    print_unjudged(pool, out);
    print_stopped(pool, out);
}

/* ---- learning rates ---- */

static bool any_sensitivity(const Comparison *c) {
    for (size_t i = 0; i < c->curve_count; i++)
        if (c->curves[i].spread.count) return true;
    return false;
}

static void add_curve(Sheet *sheet, const Pool *pool, const CompareCurve *curve) {
    char text[TEXT];
    bool known = curve->best < SIZE_MAX;
    add_place(sheet, pool, pool->rests.text[curve->rest], NULL,
              pool->methods.text[curve->method]);
    add_mean(sheet, known ? curve->loss.mean : NAN, curve->loss.interval, LOSS_DIGITS,
             PLAIN);
    sheet_add(sheet, known ? pool->rates.text[curve->best] : "");
    add_mean(sheet, curve->spread.mean, curve->spread.interval, LOSS_DIGITS, PLAIN);
    if (pool->methods.count > 1) {
        bool base = curve->method == pool->base;
        add_mean(sheet, base ? NAN : curve->against.mean, curve->against.interval,
                 LOSS_DIGITS, SIGNED);
        add_p(sheet, base ? NAN : curve->against.p);
    }
    text_format(text, TEXT, "%zu", curve->spread.count);
    sheet_add(sheet, text);
    if (curve->rate_count > 1)
        text_format(text, TEXT, "%zu, %.4g to %.4g", curve->rate_count, curve->low,
                    curve->high);
    else text_format(text, TEXT, "%zu in common", curve->rate_count);
    sheet_add(sheet, text);
}

static void print_curves(const Pool *pool, const Comparison *c, FILE *out) {
    char loss[40], best[60];
    bool several = pool->methods.count > 1;
    pool_loss_name(pool, loss);
    text_format(best, sizeof best, "lowest %s", loss);
    Sheet sheet = new_sheet(pool, c->curve_count, false, several ? 7 : 5);
    const char *const titles[] = {best, "at",    "sensitivity", "difference",
                                  "p",  "seeds", "rates"};
    for (size_t i = 0; i < COUNT(titles); i++)
        if (several || (i != 3 && i != 4)) sheet_add(&sheet, titles[i]);
    for (size_t i = 0; i < c->curve_count; i++) add_curve(&sheet, pool, &c->curves[i]);
    fprintf(out,
            "\n"
            "learning-rate sensitivity (arXiv 2309.14322): for each seed, the mean "
            "over the learning rates of min(%s, chance), minus the lowest\n"
            "\n",
            loss);
    close_sheet(&sheet, out);
    for (size_t i = 0; i < c->curve_count; i++)
        if (c->curves[i].spread.count && !isfinite(c->curves[i].start)) {
            fprintf(out, "the loss at chance is unknown: losses are not capped\n");
            break;
        }
    for (size_t i = 0; i < c->curve_count; i++)
        if (c->curves[i].passed) {
            fprintf(out,
                    "a learning rate with a lower mean %s is passed over: fewer of its "
                    "runs stayed finite, it has half as many runs as another or less, or "
                    "its mean is higher on the seeds in common\n",
                    loss);
            break;
        }
    for (size_t i = 0; i < c->curve_count; i++)
        if (c->curves[i].spread.count && c->curves[i].loss.mean >= c->curves[i].start) {
            fprintf(out, "a method that is no better than chance at any learning rate "
                         "also has a sensitivity near 0\n");
            break;
        }
}

void compare_print(const Pool *pool, const Comparison *comparison, FILE *out) {
    if (*pool->along)
        fprintf(out,
                "\n"
                "%s: different for every method, so differences may be due to these as "
                "well\n",
                pool->along);
    if (comparison->row_count) {
        print_rows(pool, comparison, out);
        print_row_notes(pool, comparison, out);
        print_other_scores(pool, out);
        print_nonfinite(pool, out);
        print_left_out(pool, out);
    } else if (pool->methods.count > 1) {
        fprintf(out, "\n"
                     "nothing is paired: no two runs of different methods have the "
                     "same seed and are otherwise equal\n");
        print_left_out(pool, out);
    }
    if (pool->methods.count > 1 || pool->count >= FAILURES_FROM)
        print_failures(pool, comparison, out);
    if (any_sensitivity(comparison)) print_curves(pool, comparison, out);
}

/* metrics: the list is consistent, and each line of it reaches rows, logs,
 * reports and tables. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/files.h"
#include "tools/chart/parts.h"
#include "tools/figure/figures.h"
#include "tools/figure/report.h"
#include "tools/run/runlog.h"
#include "tools/sweep/sweep.h"
#include "tools/task/score.h"

#define KEY_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_"

/* ---- the list ---- */

static void keys_are_words_and_each_is_found(void **state) {
    (void)state;
    static const char *const TAKEN[] = {"step",      "split",         "count",
                                        "nll",       "skipped",       "words",
                                        "deletions", "substitutions", "insertions",
                                        "signature", "worst",         "checkpoint"};
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        const char *key = metrics[m].key;
        assert_true(*key && strlen(key) < 40 && !key[strspn(key, KEY_LETTERS)]);
        assert_int_equal(metric_find(key), m); /* unique */
        for (size_t i = 0; i < COUNT(TAKEN); i++) assert_string_not_equal(key, TAKEN[i]);
        assert_true(metrics[m].tasks && !(metrics[m].tasks & ~(unsigned)FOR_ALL));
    }
    assert_int_equal(metric_find("accuracy"), METRIC_COUNT);
    assert_int_equal(metric_find(NULL), METRIC_COUNT);
}

static void what_is_shown_has_a_label_and_a_factor(void **state) {
    (void)state;
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        const MetricFacts *f = &metrics[m];
        if (f->rank) assert_non_null(f->label);
        if (f->rank || f->line) assert_true(f->factor == 1 || f->factor == 100);
        if (f->sweep || f->alone) assert_true(f->rank != RANK_NONE);
    }
}

/* In Zhai et al., sacreBLEU and everywhere. */
static void directions_are_those_of_the_field(void **state) {
    (void)state;
    static const Metric HIGH[] = {METRIC_TOP1, METRIC_TOP5, METRIC_BLEU,
                                  METRIC_BLEU_TOKENS};
    static const Metric LOW[] = {METRIC_LOSS, METRIC_PPL, METRIC_WER, METRIC_CER};
    for (size_t i = 0; i < COUNT(HIGH); i++) assert_true(metric_turned(HIGH[i], 3) == -3);
    for (size_t i = 0; i < COUNT(LOW); i++) assert_true(metric_turned(LOW[i], 3) == 3);
}

static void the_shown_are_all_of_a_rank_the_first_before_the_second(void **state) {
    (void)state;
    size_t ranked = 0, i = 0;
    for (size_t m = 0; m < METRIC_COUNT; m++) ranked += metrics[m].rank != RANK_NONE;
    for (; metric_shown(i) < METRIC_COUNT; i++)
        if (i)
            assert_true(metrics[metric_shown(i)].rank >=
                        metrics[metric_shown(i - 1)].rank);
    assert_int_equal(i, ranked);
    assert_int_equal(metric_shown(0), METRIC_TOP1);
}

static void choices_have_no_gaps_and_mean_a_metric(void **state) {
    (void)state;
    const char *const *lists[] = {metric_best_names, metric_watch_names};
    assert_string_equal(metric_best_names[0], "auto");
    assert_int_equal(metric_best(0), METRIC_COUNT);
    assert_int_equal(metric_watch(0), METRIC_LOSS);
    for (size_t l = 0; l < COUNT(lists); l++) {
        size_t count = 0, named = 0;
        while (lists[l][count]) count++;
        for (size_t i = 0; i < METRIC_COUNT + 2; i++) named += lists[l][i] != NULL;
        assert_int_equal(named, count);
        for (size_t i = 0; i < count; i++)
            assert_true(l + i == 0 || metric_find(lists[l][i]) < METRIC_COUNT);
    }
    for (int i = 0; metric_watch_names[i]; i++)
        assert_int_equal(metric_watch_place(metric_watch_names[i]), i);
    assert_int_equal(metric_watch_place("hue"), 0);
}

/* Does a built-in recipe take these words? */
static bool takes(const char *name, const char *first, const char *second) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    *recipe = recipe_default();
    assert_int_equal(recipe_load(recipe, name, NULL), OK);
    assert_int_equal(recipe_set(recipe, first, NULL), OK);
    assert_int_equal(recipe_set(recipe, second, NULL), OK);
    bool good = recipe_check(recipe, NULL) == OK;
    mem_free(recipe);
    return good;
}

static void a_run_is_judged_by_what_its_task_measures(void **state) {
    (void)state;
    static const struct {
        const char *recipe;
        unsigned task;
    } CASES[] = {{"demo", FOR_CLASSIFY},
                 {"grammar", FOR_LANGUAGE},
                 {"numbers-pre", FOR_TRANSLATE},
                 {"tones", FOR_TRANSCRIBE}};
    for (size_t c = 0; c < COUNT(CASES); c++)
        for (int i = 0; metric_watch_names[i]; i++) {
            char word[80];
            text_format(word, sizeof word, "schedule.watch=%s", metric_watch_names[i]);
            assert_int_equal(takes(CASES[c].recipe, "schedule.name=plateau", word),
                             (metrics[metric_watch(i)].tasks & CASES[c].task) != 0);
        }
    for (size_t c = 0; c < COUNT(CASES); c++)
        for (int i = 1; metric_best_names[i]; i++) {
            char word[80];
            text_format(word, sizeof word, "train.best=%s", metric_best_names[i]);
            assert_int_equal(takes(CASES[c].recipe, "train.best=auto", word),
                             (metrics[metric_best(i)].tasks & CASES[c].task) != 0);
        }
    assert_false(takes("numbers-pre", "train.beam=0", "train.best=bleu"));
    assert_true(takes("numbers-pre", "train.beam=0", "train.best=auto"));
}

/* ---- from a score to whoever reads it ---- */

/* Numbers that differ from metric to metric. */
static double value_of(size_t m) { return 0.125 + (double)m; }

static void write_json(const char *dir, const char *name, json_t *row) {
    char *text = json_dumps(row, JSON_COMPACT);
    strcat(text = realloc(text, strlen(text) + 2), "\n");
    files_write(dir, name, text, strlen(text));
    free(text);
    json_decref(row);
}

/* A run whose one evaluation has metric m, or all of them. */
static RunLog *run_with(const char *dir, size_t m) {
    Err err = ERR_NONE;
    Score score = score_begin(SPLIT_TEST, TASK_CLASSIFY);
    for (size_t i = 0; i < METRIC_COUNT; i++)
        score.value[i] = m == METRIC_COUNT || m == i ? value_of(i) : NAN;
    write_json(dir, "eval.jsonl", score_row(&score, 20));
    RunLog *run = runlog_open(dir, &err);
    if (!run) fail_msg("%s", err.text);
    assert_int_equal(run->eval_count, 1);
    return run;
}

static void each_comes_back_from_its_row(void **state) {
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        RunLog *run = run_with(*state, m);
        const EvalRow *row = &run->evals[0];
        assert_true(runlog_scored(run, (Metric)m));
        for (size_t i = 0; i < METRIC_COUNT; i++)
            assert_true(i == m ? row->scores[i] == value_of(m) : isnan(row->scores[i]));
        if (metrics[m].rank) assert_string_equal(row->metric, metrics[m].key);
        else assert_null(row->metric);
        if (metrics[m].rank) assert_true(row->score == value_of(m));
        runlog_free(run);
    }
}

static void of_all_the_first_stands_for_the_row(void **state) {
    RunLog *run = run_with(*state, METRIC_COUNT);
    assert_string_equal(run->evals[0].metric, metrics[metric_shown(0)].key);
    for (size_t i = 0; i < METRIC_COUNT; i++)
        assert_true(run->evals[0].scores[i] == value_of(i));
    runlog_free(run);
}

static void the_report_has_a_column_for_each_that_is_shown(void **state) {
    static const char TRAIN[] = "{\"step\":20,\"loss\":1}\n";
    Err err = ERR_NONE;
    size_t size;
    files_write(*state, "train.jsonl", TRAIN, sizeof TRAIN - 1);
    runlog_free(run_with(*state, METRIC_COUNT));
    if (report_write(*state, NULL, NULL, &err)) fail_msg("%s", err.text);
    char *html = (char *)files_read(*state, "report.html", &size);
    char *table = strstr(html, ">Scores</h2>");
    assert_non_null(table);
    *strstr(table, "</table>") = 0;
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        char title[80], number[80];
        if (!metrics[m].rank) continue;
        text_format(title, sizeof title, "<th scope=col class=n>%s<", metrics[m].label);
        text_format(number, sizeof number, "<td class=n>%.2f<",
                    metrics[m].factor * value_of(m));
        assert_non_null(strstr(table, title));
        assert_non_null(strstr(table, number));
    }
    mem_free(html);
}

/* Those that say little beside another have none. */
static void the_figure_has_a_panel_for_each_that_is_shown(void **state) {
    static const char TRAIN[] = "{\"step\":20,\"loss\":1}\n";
    Err err = ERR_NONE;
    files_write(*state, "train.jsonl", TRAIN, sizeof TRAIN - 1);
    RunLog *run = run_with(*state, METRIC_COUNT);
    const RunLog *runs[] = {run};
    Chart *chart = figure_training(runs, 1, &(FigureOptions){.rows = "score"}, &err);
    if (!chart) fail_msg("%s", err.text);
    size_t row = 0;
    for (size_t i = 0; metric_shown(i) < METRIC_COUNT; i++) {
        const MetricFacts *facts = &metrics[metric_shown(i)];
        if (facts->alone) continue;
        assert_true(row < chart->rows);
        const Panel *panel = chart_panel(chart, row++, 0);
        assert_string_equal(panel->y.label, facts->label);
        assert_true(panel->y.log == (facts->axis == AXIS_LOG));
    }
    assert_int_equal(row, chart->rows);
    chart_free(chart);
    runlog_free(run);
}

/* ---- sweeps ---- */

static char *printed(const Sweep *sweep, void (*print)(const Sweep *, FILE *)) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    print(sweep, out);
    fclose(out);
    char *copy = mem_strdup(text);
    free(text);
    return copy;
}

/* Two runs, as seeds of one, that have every metric. */
static void open_sweep(Sweep *sweep) {
    static const char *const WORDS[] = {"demo", "train.seed=0,1"};
    Err err = ERR_NONE;
    if (sweep_open(sweep, WORDS, COUNT(WORDS), &err)) fail_msg("%s", err.text);
    for (size_t c = 0; c < 2; c++) {
        SweepResult *r = &sweep->cells[c].result;
        sweep->cells[c].exit = OK;
        r->metric = metrics[metric_shown(0)].key;
        for (size_t m = 0; m < METRIC_COUNT; m++) r->scores[m] = value_of(m);
    }
}

/* Field `column` of a line of a CSV without quotes. */
static void field_of(const char *line, size_t column, char field[80]) {
    while (column--) line = strchr(line, ',') + 1;
    text_format(field, 80, "%.*s", (int)strcspn(line, ",\n"), line);
}

/* How many columns have the title; *last: the last of them. */
static size_t columns_named(const char *csv, const char *title, size_t *last) {
    size_t commas = 0, found = 0;
    for (const char *c = csv; *c != '\n'; c++) commas += *c == ',';
    for (size_t i = 0; i <= commas; i++) {
        char field[80];
        field_of(csv, i, field);
        if (!strcmp(field, title)) *last = i, found++;
    }
    return found;
}

static void a_sweep_has_a_column_for_each_that_asks_for_one(void **state) {
    (void)state;
    Sweep sweep;
    open_sweep(&sweep);
    char *csv = printed(&sweep, sweep_print_csv), *table = printed(&sweep, sweep_print);
    const char *row = strchr(csv, '\n') + 1, *groups = strstr(table, "over train.seed");
    assert_non_null(groups);
    for (size_t m = METRIC_LOSS + 1; m < METRIC_COUNT; m++) {
        char title[80], field[80];
        size_t column = 0;
        assert_int_equal(columns_named(csv, metrics[m].key, &column), metrics[m].sweep);
        if (!metrics[m].sweep) continue;
        field_of(row, column, field);
        assert_true(atof(field) == value_of(m));
        text_format(title, sizeof title, " %s%s ", metrics[m].key,
                    metrics[m].factor == 100 ? " %" : "");
        assert_non_null(strstr(table, title));
        assert_non_null(strstr(groups, title));
        text_format(field, sizeof field, " %.2f ± 0.00", metrics[m].factor * value_of(m));
        assert_non_null(strstr(groups, field));
    }
    mem_free(csv);
    mem_free(table);
    sweep_close(&sweep);
}

/* The score's own column would say the same twice. */
static void the_score_of_a_sweep_is_not_shown_twice(void **state) {
    (void)state;
    Sweep sweep;
    open_sweep(&sweep);
    for (size_t c = 0; c < 2; c++)
        for (size_t m = 0; m < METRIC_COUNT; m++)
            if (m != METRIC_WER && m != METRIC_CER) sweep.cells[c].result.scores[m] = NAN;
    for (size_t c = 0; c < 2; c++) sweep.cells[c].result.metric = "wer";
    char *table = printed(&sweep, sweep_print);
    assert_non_null(strstr(table, " cer % "));
    assert_null(strstr(table, " wer % "));
    assert_non_null(strstr(table,
                           "score, best: WER % (lower is better), of split -, last "
                           "and best evaluation; cer of the same split\n"));
    mem_free(table);
    sweep_close(&sweep);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_words_and_each_is_found),
        cmocka_unit_test(what_is_shown_has_a_label_and_a_factor),
        cmocka_unit_test(directions_are_those_of_the_field),
        cmocka_unit_test(the_shown_are_all_of_a_rank_the_first_before_the_second),
        cmocka_unit_test(choices_have_no_gaps_and_mean_a_metric),
        cmocka_unit_test(a_run_is_judged_by_what_its_task_measures),
        FOLDER_TEST(each_comes_back_from_its_row),
        FOLDER_TEST(of_all_the_first_stands_for_the_row),
        FOLDER_TEST(the_report_has_a_column_for_each_that_is_shown),
        FOLDER_TEST(the_figure_has_a_panel_for_each_that_is_shown),
        cmocka_unit_test(a_sweep_has_a_column_for_each_that_asks_for_one),
        cmocka_unit_test(the_score_of_a_sweep_is_not_shown_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

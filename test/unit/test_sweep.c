/* Sweeps: what is read from run folders, tables, going on (tools/sweep/sweep.h). */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sweep_words.h"
#include "tools/run/rundir.h"
#include "tools/sweep/column.h"
#include "tools/sweep/compare.h"

/* ---- helpers ---- */

static char folder[] = "/tmp/steady-sweep-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : 1;
}

static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *where) {
    (void)info, (void)kind, (void)where;
    return remove(path);
}

static int remove_folder(void **state) {
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *dir, const char *name, const char *text) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "%s", name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static char *printed(const Sweep *sweep, void (*print)(const Sweep *, FILE *)) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    print(sweep, out);
    fclose(out);
    return text;
}

static void has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("lacks `%s`:\n%s", part, text);
}

/* ---- cells from run folders ---- */

enum { ROWS = 20 };

static void write_logs(const char *dir, double first, double last, double entropy,
                       double score) {
    char text[4000] = "", line[300];
    for (int i = 1; i <= ROWS; i++) {
        double loss = first + (last - first) * MIN(i, ROWS - 4) / (ROWS - 4);
        text_format(line, sizeof line, "{\"step\":%d,\"loss\":%.3f}\n", i, loss);
        strcat(text, line);
    }
    write_file(dir, "train.jsonl", text);
    text_format(
        line, sizeof line,
        "{\"step\":5,\"attention\":[{\"site\":\"blocks.3.attn\",\"entropy\":[%.6f],"
        "\"max_logit\":12.5,\"keys\":17}]}\n",
        entropy * log(17));
    write_file(dir, "probe.jsonl", line);
    text_format(
        text, sizeof text,
        "{\"step\":10,\"split\":\"test\",\"loss\":2,\"top1\":%g}\n"
        "{\"step\":20,\"split\":\"test\",\"loss\":2,\"top1\":%g,\"grade\":\"%s\"}\n",
        score + 0.01, score, score > 0.75 ? "learned" : "hardly learned");
    write_file(dir, "eval.jsonl", text);
}

/* A run folder as `steady train` leaves it. */
static void write_run(const Sweep *sweep, size_t cell, double last, double entropy,
                      double score) {
    char dir[PATH_SIZE], path[PATH_SIZE];
    Err err = ERR_NONE;
    Recipe recipe;
    sweep_cell_dir(sweep, cell, dir, sizeof dir);
    MadeFolders made;
    assert_int_equal(rundir_make_folders(dir, &made, &err), OK);
    assert_int_equal(rundir_create(dir, &err), OK);
    assert_int_equal(sweep_recipe(sweep, cell, &recipe, &err), OK);
    recipe.train.threads = 3; /* what --jobs decides is no difference */
    rundir_path(path, dir, "recipe.ini");
    assert_int_equal(recipe_save(&recipe, path, NULL, &err), OK);
    write_file(dir, "checkpoints/step-00000020.safetensors", "");
    write_file(dir, "task.json", "{\"kind\":\"classify\",\"classes\":10}");
    write_logs(dir, 2.4, last, entropy, score);
}

#define GRID "demo,demo-sigma", "optim.lr=0.01,0.02", "train.seed=0,1"

/* Four runs of the first recipe: two fail, one of them by a NaN; one of the second. */
static void make_sweep(Sweep *sweep, const char *name) {
    Err err = ERR_NONE;
    char dir[PATH_SIZE];
    text_format(dir, sizeof dir, "%s/%s", folder, name);
    OPEN(sweep, GRID);
    if (sweep_begin(sweep, dir, &err)) fail_msg("%s", err.text);
    static const struct {
        int exit;
        double last, entropy, score;
    } runs[] = {{OK, 0.5, 0.50, 0.80},
                {OK, 0.7, 0.05, 0.70},
                {OK, 2.3, 0.03, 0.10},
                {FAIL_DIVERGED, 1.5, 0.20, 0.10},
                {OK, 0.4, 0.60, 0.90}};
    for (size_t c = 0; c < COUNT(runs); c++) {
        write_run(sweep, c, runs[c].last, runs[c].entropy, runs[c].score);
        sweep->cells[c].exit = runs[c].exit;
        sweep->cells[c].seconds = 1.5;
        assert_int_equal(sweep_read_result(sweep, c, &err), OK);
    }
    sweep->cells[5].exit = FAIL_DATA;
}

static void a_run_folder_says_how_its_cell_went(void **state) {
    (void)state;
    Sweep sweep;
    make_sweep(&sweep, "results");
    const SweepResult *r = &sweep.cells[0].result;
    assert_string_equal(r->verdict, "learned");
    assert_string_equal(r->split, "test");
    assert_string_equal(r->site, "blocks.3.attn");
    assert_true(r->score == 0.80 && r->best == 0.81 && r->max_logit == 12.5);
    assert_true(fabs(r->entropy - 0.5) < 1e-5 && fabs(r->loss - 0.5) < 1e-9);
    assert_int_equal(r->steps, ROWS);
    assert_true(r->entropy_end == r->entropy && r->sites_low == 0);
    assert_true(sweep.cells[1].result.sites_low == 1);
    assert_true(!sweep.cells[1].result.diverged && sweep.cells[1].result.collapsed);
    assert_string_equal(sweep.cells[2].result.verdict, "at chance (collapsed)");
    assert_string_equal(sweep.cells[3].result.verdict, "non-finite");
    sweep_close(&sweep);
}

static void the_csv_has_the_grade_in_its_last_column(void **state) {
    (void)state;
    Sweep sweep;
    make_sweep(&sweep, "grades");
    char *csv = printed(&sweep, sweep_print_csv);
    has(csv, ",cer,site_entropy,entropy_site,"), has(csv, ",hardly learned\n");
    has(csv, ",grade\n"), has(csv, ",learned\n"), has(csv, ",not learned\n");
    free(csv);
    sweep_close(&sweep);
}

static void the_table_shows_diverged_failed_and_open_cells(void **state) {
    (void)state;
    Sweep sweep;
    make_sweep(&sweep, "table");
    char *text = printed(&sweep, sweep_print);
    has(text, "recipe      optim.lr  train.seed  score   best   loss  site entropy %");
    has(text, "demo        0.01      0           80.00  81.00  0.500            50.0  "
              "blocks.3.attn");
    has(text, "no: collapsed");
    has(text, "yes: at chance");
    has(text, "yes: non-finite");
    has(text, "failed: exit 3");
    has(text, "not run");
    has(text, "75.00 ± 7.07");
    has(text, "    2 of 2     1 of 2\n"); /* diverged, collapsed */
    has(text, "diverged: ");
    free(text);
    sweep_close(&sweep);
}

static void seeds_are_summed_up_and_cells_that_did_not_end_are_left_out(void **state) {
    (void)state;
    Sweep sweep;
    SweepGroup groups[8];
    make_sweep(&sweep, "groups");
    assert_int_equal(sweep_group(&sweep, groups), 4);
    assert_true(fabs(groups[0].score.mean - 0.75) < 1e-12 &&
                fabs(groups[0].score.sd - sqrt(0.005)) < 1e-9);
    assert_true(fabs(groups[0].loss.mean - 0.6) < 1e-9);
    assert_int_equal(groups[0].collapsed, 1);
    assert_int_equal(groups[1].diverged, 2);
    assert_true(fabs(groups[1].entropy - 0.03) < 1e-5);
    assert_int_equal(groups[2].count, 1);
    assert_true(isnan(groups[2].score.sd));
    assert_true(!groups[3].count && isnan(groups[3].score.mean));
    sweep_close(&sweep);
}

/* ---- texts ---- */

/* A translator's logs: entropy shares of its three kinds of attention. */
static void write_translator(const Sweep *sweep, size_t cell, double last, double ppl,
                             const double share[3]) {
    static const char *const sites[] = {"encoder.blocks.1.attn", "decoder.blocks.0.cross",
                                        "decoder.blocks.0.attn"};
    char dir[PATH_SIZE], text[2000] = "";
    write_run(sweep, cell, last, 0.5, 0.5);
    sweep_cell_dir(sweep, cell, dir, sizeof dir);
    write_file(dir, "task.json", "{\"kind\":\"translate\",\"chance\":9}");
    for (size_t i = 0; i < COUNT(sites); i++) {
        size_t used = strlen(text);
        text_format(text + used, sizeof text - used,
                    "%s{\"site\":\"%s\",\"entropy\":[%g],\"max_logit\":1,\"keys\":99,"
                    "\"uniform\":2}",
                    i ? "," : "{\"step\":5,\"attention\":[", sites[i], 2 * share[i]);
    }
    strcat(text, "]}\n");
    write_file(dir, "probe.jsonl", text);
    text_format(text, sizeof text,
                "{\"step\":10,\"split\":\"val\",\"loss\":2.25,\"ppl\":%g}\n"
                "{\"step\":20,\"split\":\"val\",\"loss\":2.5,\"ppl\":%g}\n",
                ppl - 1, ppl);
    write_file(dir, "eval.jsonl", text);
}

static void make_translators(Sweep *sweep, const char *name) {
    static const double shares[3][3] = {{0.5, 0.4, 0.7},
                                        {0.5, 0.04, 0.7},
                                        {0.03, 0.4, 0.6}};
    Err err = ERR_NONE;
    char dir[PATH_SIZE];
    text_format(dir, sizeof dir, "%s/%s", folder, name);
    OPEN(sweep, "demo", "model.depth=6,18", "train.seed=0,1,2");
    if (sweep_begin(sweep, dir, &err)) fail_msg("%s", err.text);
    for (size_t c = 0; c < 3; c++) {
        write_translator(sweep, c, c < 2 ? 0.5 : 8.95, c < 2 ? 10 : 8000, shares[c]);
        sweep->cells[c].exit = OK;
        assert_int_equal(sweep_read_result(sweep, c, &err), OK);
    }
}

static void
a_text_is_judged_by_its_chance_and_its_best_perplexity_is_the_lowest(void **state) {
    (void)state;
    Sweep sweep;
    make_translators(&sweep, "translators");
    const SweepResult *r = &sweep.cells[0].result;
    assert_string_equal(r->metric, "ppl");
    assert_true(r->score == 10 && r->best == 9 && r->val_loss == 2.5);
    assert_true(fabs(r->kind_entropy[KIND_ENCODER] - 0.5) < 1e-9);
    assert_true(fabs(r->kind_entropy[KIND_CROSS] - 0.4) < 1e-9);
    assert_true(fabs(r->kind_entropy[KIND_DECODER] - 0.7) < 1e-9);
    assert_true(isnan(r->kind_entropy[KIND_PLAIN]));
    assert_string_equal(sweep.cells[1].result.verdict, "collapsed");
    assert_string_equal(sweep.cells[2].result.verdict, "at chance (collapsed)");
    assert_true(sweep.cells[2].result.diverged && sweep.cells[2].result.collapsed);
    sweep_close(&sweep);
}

static void the_tables_of_texts_have_a_column_for_each_kind_of_attention(void **state) {
    (void)state;
    Sweep sweep;
    make_translators(&sweep, "kinds");
    char *text = printed(&sweep, sweep_print);
    has(text, "loss  val loss  site entropy %  encoder %  cross %  decoder %  at");
    assert_true(sweep.cells[1].result.sites_low == 1);
    has(text, "score, best: perplexity (lower is better), of split val");
    has(text, "2673.33 [10.00, 8000.00]  3.317 [0.500, 8.950]  2.500 [2.500, 2.500]      "
              "              3.0        "
              "3.0      4.0       60.0    1 of 3     2 of 3\n");
    free(text);
    assert_int_equal(sweep_save(&sweep, NULL), OK);
    sweep_close(&sweep);
}

static void a_huge_number_is_short(void **state) {
    (void)state;
    char text[COLUMN_TEXT];
    column_number(1e30, 1, 3, text);
    assert_string_equal(text, "1e+30");
    column_number(-2345678.9, 1, 3, text);
    assert_string_equal(text, "-2.35e+06");
    column_number(999999.9, 1, 1, text);
    assert_string_equal(text, "999999.9");
}

static void
three_seeds_have_an_interval_in_table_csv_and_json_and_two_have_none(void **state) {
    (void)state;
    Sweep sweep;
    Err err = ERR_NONE;
    make_translators(&sweep, "intervals");
    if (sweep_save_results(&sweep, json_null(), &err)) fail_msg("%s", err.text);
    json_t *json = rundir_load_json_if_any(sweep.dir, "sweep.json", &err), *none = NULL;
    double low = 0, high = 0;
    assert_int_equal(json_unpack(json, "{s:[{s:[F, F]}, {s:o}]}", "over_seeds",
                                 "score_interval", &low, &high, "score_interval", &none),
                     0);
    assert_true(low == 10 && high == 8000 && json_is_null(none)); /* was not run */
    json_decref(json);
    char *text = printed(&sweep, sweep_print);
    has(text, "a value [95 % interval of the mean, bootstrap over seeds]; site entropy");
    has(text, "75 % (3 seeds)");
    free(text);
    text = printed(&sweep, sweep_print_seeds_csv);
    has(text, "recipe,model.depth,runs,diverged,collapsed,site_entropy_lowest,score_mean,"
              "score_sd,score_low,score_high,loss_mean,");
    has(text, "\ndemo,6,3,1,2,0.03,2673.33333,4613.02");
    has(text, ",10,8000,3.31666667,");
    has(text, "\ndemo,18,0,0,0,,,,,,");
    free(text);
    sweep_close(&sweep);
    make_sweep(&sweep, "pairs");
    text = printed(&sweep, sweep_print);
    has(text, "fewer than 3 seeds have no interval; ± is");
    assert_null(strstr(text, "too narrow"));
    free(text);
    sweep_close(&sweep);
}

static void csv_has_a_row_a_cell_and_quotes_what_has_commas(void **state) {
    (void)state;
    Sweep sweep;
    make_sweep(&sweep, "csv");
    char *text = printed(&sweep, sweep_print_csv);
    size_t lines = 0;
    for (char *c = text; *c; c++) lines += *c == '\n';
    assert_int_equal(lines, 9);
    has(text, "recipe,optim.lr,train.seed,metric,split,score,");
    has(text, "\ndemo,0.01,0,top1,test,0.8,0.81,0.5,,");
    has(text, ",blocks.3.attn,,,,12.5,no,");
    has(text, ",learned,20,0,\"demo,optim.lr=0.01,train.seed=0\",1.5,,5,");
    free(text);
    sweep_close(&sweep);
    OPEN(&sweep, "demo", "train.init={a\"b;c}");
    text = printed(&sweep, sweep_print_csv);
    has(text, "\ndemo,\"a\"\"b\",");
    free(text);
    sweep_close(&sweep);
}

static void the_figure_has_a_line_a_method_and_crosses_for_diverged(void **state) {
    (void)state;
    Sweep sweep;
    SweepPoint points[8];
    char names[8][SWEEP_NAME];
    const char *x = "";
    make_sweep(&sweep, "figure");
    assert_int_equal(sweep_points(&sweep, points, names, &x), 5);
    assert_string_equal(x, "optim.lr");
    assert_string_equal(points[0].method, "demo");
    assert_string_equal(points[4].method, "demo-sigma");
    assert_true(points[2].failed && points[3].failed && !points[1].failed);
    assert_true(points[2].rate == 0.02 && points[0].score == 80);
    sweep_close(&sweep);
    OPEN(&sweep, "demo", "model.norm=pre,post", "train.seed=1,2",
         "optim.weight_decay=0,0.1");
    assert_int_equal(sweep_points(&sweep, points, names, &x), 0);
    sweep_close(&sweep);
}

/* ---- going on ---- */

static void a_sweep_that_is_opened_again_knows_what_has_ended(void **state) {
    (void)state;
    Sweep sweep, again;
    Err err = ERR_NONE;
    char dir[SWEEP_DIR];
    make_sweep(&sweep, "again");
    assert_int_equal(sweep_save(&sweep, &err), OK);
    text_format(dir, sizeof dir, "%s", sweep.dir);
    char *before = printed(&sweep, sweep_print_csv);
    sweep_close(&sweep);
    OPEN(&again, GRID);
    if (sweep_begin(&again, dir, &err)) fail_msg("%s", err.text);
    for (size_t c = 0; c < 8; c++)
        assert_int_equal(sweep_has_ended(&again.cells[c]), c < 5);
    /* A cell that failed without a run folder is as good as new. */
    again.cells[5].exit = FAIL_DATA;
    char *after = printed(&again, sweep_print_csv);
    assert_string_equal(before, after);
    free(before), free(after);
    sweep_close(&again);
}

/* Names in the logs of another program: their room ends inside of a character. */
static void names_that_are_cut_inside_a_character_are_written(void **state) {
    (void)state;
    Sweep sweep;
    SweepResult *r;
    Err err = ERR_NONE;
    char dir[PATH_SIZE], site[120] = "", text[PATH_SIZE];
    make_sweep(&sweep, "cut");
    r = &sweep.cells[0].result;
    sweep_cell_dir(&sweep, 0, dir, sizeof dir);
    for (size_t i = 0; i < 48; i++) strcat(site, "\xC3\xA9");
    text_format(text, sizeof text,
                "{\"step\":5,\"attention\":[{\"site\":\"%s\",\"entropy\":[0.5],"
                "\"max_logit\":12.5,\"keys\":17}]}\n",
                site);
    write_file(dir, "probe.jsonl", text);
    text_format(text, sizeof text,
                "{\"step\":20,\"split\":\"%.20s\",\"loss\":2,\"top1\":0.5}\n", site);
    write_file(dir, "eval.jsonl", text);
    assert_int_equal(sweep_read_result(&sweep, 0, &err), OK);
    assert_int_equal(strlen(r->site), sizeof r->site - 1);
    assert_int_equal(strlen(r->split), sizeof r->split - 1);
    if (sweep_save(&sweep, &err)) fail_msg("%s", err.text);
    rundir_path(text, sweep.dir, "sweep.json");
    json_t *saved = json_load_file(text, 0, NULL);
    json_t *cell = json_array_get(json_object_get(saved, "cells"), 0);
    json_t *entropy = json_object_get(cell, "entropy");
    assert_true(json_is_string(json_object_get(entropy, "site")));
    assert_true(json_is_string(json_object_get(cell, "split")));
    json_decref(saved);
    sweep_close(&sweep);
}

static void another_grid_or_a_changed_recipe_is_refused(void **state) {
    (void)state;
    Sweep sweep;
    Err err = ERR_NONE;
    char dir[SWEEP_DIR], cell[PATH_SIZE];
    make_sweep(&sweep, "other");
    assert_int_equal(sweep_save(&sweep, &err), OK);
    text_format(dir, sizeof dir, "%s", sweep.dir);
    sweep_cell_dir(&sweep, 0, cell, sizeof cell);
    sweep_close(&sweep);

    OPEN(&sweep, "demo,demo-sigma", "optim.lr=0.01,0.02", "train.seed=0,2,3");
    assert_int_equal(sweep_look(&sweep, dir, &err), FAIL_USAGE);
    has(err.text, "another sweep, steady sweep demo,demo-sigma optim.lr=0.01,0.02");
    has(err.text, "lacks the run demo,optim.lr=0.01,train.seed=1");
    sweep_close(&sweep);

    Recipe recipe;
    rundir_path(cell, dir, "cells/demo,optim.lr=0.01,train.seed=0/recipe.ini");
    OPEN(&sweep, GRID);
    assert_int_equal(sweep_recipe(&sweep, 0, &recipe, &err), OK);
    recipe.model.depth = 3;
    assert_int_equal(recipe_save(&recipe, cell, NULL, &err), OK);
    assert_int_equal(sweep_look(&sweep, dir, &err), FAIL_USAGE);
    has(err.text, "depth = 3 before, depth = 12 now");
    sweep_close(&sweep);
}

static void a_run_folder_is_not_taken_for_a_sweep(void **state) {
    (void)state;
    Sweep sweep;
    Err err = ERR_NONE;
    write_file(folder, "recipe.ini", "");
    OPEN(&sweep, "demo");
    assert_int_equal(sweep_begin(&sweep, folder, &err), FAIL_USAGE);
    has(err.text, "contains a run, not a sweep");
    sweep_close(&sweep);
    size_t count;
    assert_null(sweep_load_words(folder, &count, &err));
    has(err.text, "no sweep.json");
}

static void the_words_of_a_sweep_come_back_from_its_folder(void **state) {
    (void)state;
    Sweep sweep;
    make_sweep(&sweep, "words");
    Err err = ERR_NONE;
    size_t count = 0;
    char **words = sweep_load_words(sweep.dir, &count, &err);
    assert_non_null(words);
    assert_int_equal(count, 3);
    assert_string_equal(words[1], "optim.lr=0.01,0.02");
    for (size_t i = 0; i < count; i++) mem_free(words[i]);
    mem_free(words);
    write_file(sweep.dir, "sweep.json", "{\"words\":[\"demo");
    assert_null(sweep_load_words(sweep.dir, &count, &err));
    assert_int_equal(err.status, FAIL_DATA);
    sweep_close(&sweep);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_run_folder_says_how_its_cell_went),
        cmocka_unit_test(the_csv_has_the_grade_in_its_last_column),
        cmocka_unit_test(the_table_shows_diverged_failed_and_open_cells),
        cmocka_unit_test(seeds_are_summed_up_and_cells_that_did_not_end_are_left_out),
        cmocka_unit_test(
            a_text_is_judged_by_its_chance_and_its_best_perplexity_is_the_lowest),
        cmocka_unit_test(the_tables_of_texts_have_a_column_for_each_kind_of_attention),
        cmocka_unit_test(a_huge_number_is_short),
        cmocka_unit_test(
            three_seeds_have_an_interval_in_table_csv_and_json_and_two_have_none),
        cmocka_unit_test(csv_has_a_row_a_cell_and_quotes_what_has_commas),
        cmocka_unit_test(the_figure_has_a_line_a_method_and_crosses_for_diverged),
        cmocka_unit_test(a_sweep_that_is_opened_again_knows_what_has_ended),
        cmocka_unit_test(names_that_are_cut_inside_a_character_are_written),
        cmocka_unit_test(another_grid_or_a_changed_recipe_is_refused),
        cmocka_unit_test(a_run_folder_is_not_taken_for_a_sweep),
        cmocka_unit_test(the_words_of_a_sweep_come_back_from_its_folder),
    };
    return cmocka_run_group_tests_name("sweep", cases, make_folder, remove_folder);
}

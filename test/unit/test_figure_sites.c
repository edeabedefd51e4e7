/* Figures and report of what sites measured beside their entropy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/chart/parts.h"
#include "tools/figure/figures.h"
#include "tools/figure/report.h"

static const char OLD[] =
    "{\"step\":1,\"attention\":[{\"site\":\"blocks.0.attn\",\"entropy\":["
    "2],\"max_logit\":3,\"keys\":17}]}\n";

static FILE *create(const char *dir, const char *name) {
    char path[160];
    text_format(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

static void put(const char *dir, const char *name, const char *text) {
    FILE *file = create(dir, name);
    fputs(text, file);
    fclose(file);
}

static char *read_text(const char *dir, const char *name) {
    char path[160], *text = mem_zalloc(8 << 20);
    text_format(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, (8 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

static int set_up(void **state) {
    char *dir = mem_strdup("/tmp/figure-XXXXXX");
    *state = dir;
    if (!mkdtemp(dir)) return -1;
    put(dir, "train.jsonl",
        "{\"step\":1,\"epoch\":0,\"loss\":2,\"lr\":1,\"grad_norm\":1}\n");
    return 0;
}

static int tear_down(void **state) {
    char command[80];
    text_format(command, sizeof command, "rm -rf %s", (const char *)*state);
    int status = system(command);
    mem_free(*state);
    return status;
}

static size_t dashed_lines(const Chart *chart, size_t row) {
    const Panel *panel = chart_panel((Chart *)(uintptr_t)chart, row, 0);
    size_t count = 0;
    for (size_t i = 0; i < panel->count; i++)
        count += panel->items[i].kind == ITEM_LINE && panel->items[i].style.dashed;
    return count;
}

/* Heads are looked at in each second row: a line goes through what points there are. */
static void what_sites_measured_has_rows_and_bounds_are_dashed(void **state) {
    const char *dir = *state;
    put(dir, "probe.jsonl", OLD);
    RunLog *run = runlog_open(dir, NULL);
    char rows[200];
    figure_rows_present((const RunLog *const[]){run}, 1, rows, sizeof rows);
    assert_string_equal(rows, "loss,entropy,logit,grad,lr");
    runlog_free(run);
    FILE *file = create(dir, "probe.jsonl");
    for (size_t s = 1; s <= 6; s++)
        fprintf(
            file,
            "{\"step\":%zu,\"attention\":[{\"site\":\"blocks.0.attn\",\"entropy\":[2,1],"
            "\"max_logit\":3,\"keys\":17,\"input\":%zu,\"sigma2\":2,\"logit_bound\":9%s}]"
            "}\n",
            s, 60 + s,
            s % 2 ? ""
                  : ",\"rank\":1.5,\"bound\":[0.5,0.25],\"sec\":[0.5,0.75],"
                    "\"pair\":[1,2.5]");
    fclose(file);
    run = runlog_open(dir, NULL);
    figure_rows_present((const RunLog *const[]){run}, 1, rows, sizeof rows);
    assert_string_equal(rows, "loss,entropy,logit,grad,lr,input,sigma2,sec,rank");
    const RunLog *const runs[] = {run};
    FigureOptions options = {.rows = "entropy,logit,input,sigma2,sec,rank"};
    Chart *chart = figure_training(runs, 1, &options, NULL);
    assert_non_null(chart);
    assert_int_equal(dashed_lines(chart, 0), 1);
    assert_int_equal(dashed_lines(chart, 1), 1);
    for (size_t r = 2; r < 6; r++) {
        const Panel *panel = chart_panel(chart, r, 0);
        assert_int_equal(panel->items[0].count, r < 4 ? 6 : 3);
    }
    chart_free(chart);
    runlog_free(run);
    Err err = ERR_NONE;
    assert_int_equal(report_write(dir, NULL, NULL, &err), OK);
    char *html = read_text(dir, "report.html");
    assert_non_null(strstr(html, "<th scope=col class=n>bound of the entropy"));
    assert_non_null(strstr(html, "<td class=n>0.25<td class=n>2.5<td class=n>0.75"));
    assert_non_null(strstr(html, "largest over sites: input"));
    mem_free(html);
}

/* A frozen patch embedding has null: no line, and no zero on a log axis. */
static void gradients_of_attention_and_of_the_front_end_have_rows(void **state) {
    const char *dir = *state;
    for (int frozen = 0; frozen < 2; frozen++) {
        FILE *file = create(dir, "probe.jsonl");
        for (size_t s = 1; s <= 3; s++)
            fprintf(
                file,
                "{\"step\":%zu,\"attention\":[{\"site\":\"blocks.0.attn\",\"entropy\":[1]"
                ",\"keys\":17}],\"weights\":[{\"name\":\"patch_embed.proj\",\"grad_inf\""
                ":%s},{\"name\":\"blocks.0.attn.qkv\",\"grad_inf\":0.5}]}\n",
                s, frozen ? "null" : "0.25");
        fclose(file);
        RunLog *run = runlog_open(dir, NULL);
        char rows[200];
        figure_rows_present((const RunLog *const[]){run}, 1, rows, sizeof rows);
        assert_string_equal(rows, frozen
                                      ? "loss,entropy,logit,grad,grad-inf,lr"
                                      : "loss,entropy,logit,grad,grad-inf,front-grad,lr");
        FigureOptions options = {.rows = "grad-inf,front-grad"};
        Chart *chart = figure_training((const RunLog *const[]){run}, 1, &options, NULL);
        const Panel *attention = chart_panel(chart, 0, 0);
        assert_true(attention->count == 1 && attention->items[0].y[2] == 0.5);
        const Panel *front = chart_panel(chart, 1, 0);
        assert_int_equal(front->count, !frozen);
        assert_true(frozen ? *front->empty != 0 : front->items[0].y[0] == 0.25);
        chart_free(chart);
        runlog_free(run);
    }
}

/* Two probes of 12 blocks: those of `low` blocks are low at the second one. */
static void put_blocks(const char *dir, size_t first_low, size_t low) {
    FILE *file = create(dir, "probe.jsonl");
    for (size_t step = 1; step <= 2; step++) {
        fprintf(file, "{\"step\":%zu,\"attention\":[", step);
        for (size_t b = 0; b < 12; b++) {
            bool fell = step == 2 && b >= first_low && b < first_low + low;
            fprintf(file, "%s{\"site\":\"blocks.%zu.attn\",\"entropy\":[%g],\"keys\":17}",
                    b ? "," : "", b, fell ? 0.2 - 0.01 * (double)b : 2.5);
        }
        fputs("]}\n", file);
    }
    fclose(file);
}

static bool has_label(const Chart *chart, size_t row, const char *label) {
    const Panel *panel = chart_panel((Chart *)(uintptr_t)chart, row, 0);
    for (size_t i = 0; i < panel->count; i++)
        if (!strcmp(panel->items[i].label, label)) return true;
    return false;
}

static Chart *draw_entropy(const char *dir, const char *layers) {
    Err err = ERR_NONE;
    RunLog *run = runlog_open(dir, &err);
    FigureOptions options = {.rows = "entropy", .layers = layers};
    Chart *chart = figure_training((const RunLog *const[]){run}, 1, &options, &err);
    if (!chart) fail_msg("%s", err.text);
    runlog_free(run);
    return chart;
}

/* blocks.11 is the lowest at a probe, blocks.4 fell between them. */
static void layers_that_collapsed_are_drawn(void **state) {
    const char *dir = *state;
    put_blocks(dir, 11, 1);
    put(dir, "train.jsonl",
        "{\"step\":1,\"epoch\":0,\"loss\":2,\"lr\":1,\"grad_norm\":1}\n"
        "{\"step\":1,\"event\":\"alarm\",\"text\":\"\",\"site\":\"blocks.4.attn\","
        "\"share\":0.05}\n"
        "{\"step\":2,\"epoch\":0,\"loss\":2,\"lr\":1,\"grad_norm\":1}\n");
    Chart *chart = draw_entropy(dir, NULL);
    assert_true(has_label(chart, 0, "blocks.4"));
    assert_true(has_label(chart, 0, "4 of 12 layers")); /* 0, 4, 6, 11 */
    chart_free(chart);
    chart = draw_entropy(dir, "all");
    assert_false(has_label(chart, 0, "12 of 12 layers"));
    chart_free(chart);
}

static void of_many_that_collapsed_the_first_are_drawn(void **state) {
    put_blocks(*state, 1, 11);
    Chart *chart = draw_entropy(*state, "collapsed");
    assert_true(has_label(chart, 0, "6 of 12 layers"));
    assert_true(has_label(chart, 0, "blocks.1"));
    assert_false(has_label(chart, 0, "blocks.0"));
    chart_free(chart);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test_setup_teardown(
            what_sites_measured_has_rows_and_bounds_are_dashed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            gradients_of_attention_and_of_the_front_end_have_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(layers_that_collapsed_are_drawn, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(of_many_that_collapsed_the_first_are_drawn,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests_name("figure_sites", cases, NULL, NULL);
}

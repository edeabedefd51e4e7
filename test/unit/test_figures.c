/* From run folders to figures, report and `steady plot`. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/chart/parts.h"
#include "tools/commands.h"
#include "tools/figure/figures.h"
#include "tools/figure/layers.h"
#include "tools/figure/report.h"

static const char *const names[] = {"recipe.ini",
                                    "task.json",
                                    "train.jsonl",
                                    "probe.jsonl",
                                    "eval.jsonl",
                                    "report.html",
                                    "plot.png",
                                    "figures/training.png",
                                    "figures/entropy-heads.png",
                                    "figures/entropy-layers.png",
                                    "figures/weights.png"};

typedef struct Folder {
    char dir[64];
} Folder;

static int set_up(void **state) {
    Folder *folder = mem_zalloc(sizeof *folder);
    strcpy(folder->dir, "/tmp/figures-XXXXXX");
    *state = folder;
    return mkdtemp(folder->dir) ? 0 : -1;
}

static const char *path_in(void **state, const char *name, char path[160]) {
    text_format(path, 160, "%s/%s", ((Folder *)*state)->dir, name);
    return path;
}

static int tear_down(void **state) {
    char path[160];
    for (size_t i = 0; i < COUNT(names); i++) unlink(path_in(state, names[i], path));
    rmdir(path_in(state, "figures", path));
    rmdir(((Folder *)*state)->dir);
    mem_free(*state);
    return 0;
}

static bool exists(void **state, const char *name) {
    char path[160];
    return access(path_in(state, name, path), R_OK) == 0;
}

static FILE *create(void **state, const char *name) {
    char path[160];
    FILE *file = fopen(path_in(state, name, path), "w");
    assert_non_null(file);
    return file;
}

static void write_losses(void **state, size_t steps) {
    FILE *file = create(state, "train.jsonl");
    for (size_t s = 1; s <= steps; s++)
        fprintf(file,
                "{\"step\":%zu,\"epoch\":0,\"loss\":%.9g,\"lr\":0.02,\"grad_norm\":1}\n",
                s, 2.3 - (double)s / (double)steps);
    fclose(file);
}

/* Sites of two kinds, of which the first block of the first kind falls to 2 % of ln
 * 17. */
static void write_probes(void **state, size_t steps, size_t blocks) {
    FILE *file = create(state, "probe.jsonl");
    for (size_t s = 1; s <= steps; s++) {
        fprintf(file, "{\"step\":%zu,\"attention\":[", s);
        for (size_t b = 0; b < blocks; b++) {
            double share = b ? 0.9 : 1 - 0.98 * (double)s / (double)steps;
            fprintf(file,
                    "%s{\"site\":\"encoder.blocks.%zu.attn\",\"entropy\":[%.6f,%.6f],"
                    "\"max_logit\":3,\"keys\":17},{\"site\":\"decoder.blocks.%zu.cross\","
                    "\"entropy\":[1,1.5],\"max_logit\":2,\"keys\":9}",
                    b ? "," : "", b, share * log(17), share * log(17) * 0.9, b);
        }
        fprintf(file,
                "],\"weights\":[{\"name\":\"encoder.blocks.0.attn.qkv\",\"sigma\":1.5,"
                "\"gamma\":null,\"grad_inf\":0.1},{\"name\":\"head\",\"sigma\":2}]}\n");
    }
    fclose(file);
}

static void write_run(void **state) {
    write_losses(state, 60);
    write_probes(state, 12, 4);
    FILE *file = create(state, "eval.jsonl");
    fputs("{\"step\":60,\"split\":\"<val>\",\"loss\":1.3,\"top1\":0.5}\n", file);
    fclose(file);
    file = create(state, "recipe.ini");
    fputs("[model]\nreparam = none ; <script>alert(\"&\")</script>\n", file);
    fclose(file);
}

static char *read_text(void **state, const char *name) {
    char path[160];
    FILE *file = fopen(path_in(state, name, path), "r");
    assert_non_null(file);
    char *text = mem_zalloc(8 << 20);
    assert_true(fread(text, 1, (8 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

static void a_run_gets_all_its_figures(void **state) {
    write_run(state);
    Err err = ERR_NONE;
    for (int again = 0; again < 2; again++) /* the second time over the first */
        if (figures_write_run(((Folder *)*state)->dir, &err)) fail_msg("%s", err.text);
    for (size_t i = 7; i < COUNT(names); i++) assert_true(exists(state, names[i]));
}

static void a_run_without_probes_gets_the_training_figure_alone(void **state) {
    write_losses(state, 1);
    assert_int_equal(figures_write_run(((Folder *)*state)->dir, NULL), OK);
    assert_true(exists(state, "figures/training.png"));
    assert_false(exists(state, "figures/weights.png"));
    assert_false(exists(state, "figures/entropy-heads.png"));
}

static void one_probe_of_one_layer_is_enough_for_every_figure(void **state) {
    write_losses(state, 2);
    write_probes(state, 1, 1);
    assert_int_equal(figures_write_run(((Folder *)*state)->dir, NULL), OK);
    assert_true(exists(state, "figures/entropy-layers.png"));
}

static void a_run_without_rows_is_bad_data(void **state) {
    Err err = ERR_NONE;
    assert_int_equal(figures_write_run(((Folder *)*state)->dir, &err), FAIL_DATA);
    assert_non_null(strstr(err.text, "no rows yet"));
    assert_false(exists(state, "figures"));
}

static void layers_are_chosen_by_word_and_number_in_every_kind_of_site(void **state) {
    write_run(state);
    RunLog *run = runlog_open(((Folder *)*state)->dir, NULL);
    static const struct {
        const char *text;
        size_t count;
    } cases[] = {{"all", 8}, {"first", 2},  {"first,last", 4},    {"middle", 2},
                 {"1,2", 4}, {"lowest", 2}, {"first,0,lowest", 2}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        LayerChoice choice = {0};
        assert_int_equal(layer_choose(&choice, run, cases[i].text, NULL), OK);
        assert_int_equal(choice.count, cases[i].count);
        layer_choice_free(&choice);
    }
    static const char *const wrong[] = {"lats", "99", "", "first,", "-1", "1x"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        LayerChoice choice = {0};
        assert_int_equal(layer_choose(&choice, run, wrong[i], NULL), FAIL_USAGE);
        layer_choice_free(&choice);
    }
    runlog_free(run);
}

static void a_name_comes_apart_into_prefix_block_and_suffix(void **state) {
    (void)state;
    LayerName name = layer_name("decoder.blocks.13.cross.kv");
    assert_true(name.in_block);
    assert_int_equal(name.block, 13);
    assert_string_equal(name.prefix, "decoder.");
    assert_string_equal(name.suffix, "cross.kv");
    assert_false(layer_name("patch_embed.proj").in_block);
    assert_false(layer_name("blocks.").in_block);
    assert_false(layer_name("blocks.7").in_block);
}

static void an_unknown_row_is_a_usage_error_that_lists_the_rows(void **state) {
    write_run(state);
    const RunLog *run = runlog_open(((Folder *)*state)->dir, NULL);
    Err err = ERR_NONE;
    assert_null(figure_training(&run, 1, &(FigureOptions){.rows = "loss,entorpy"}, &err));
    assert_int_equal(err.status, FAIL_USAGE);
    assert_non_null(strstr(err.text, "loss,entropy,encoder"));
    runlog_free((RunLog *)run);
}

static void
the_report_is_one_file_that_loads_nothing_and_escapes_what_it_shows(void **state) {
    write_run(state);
    Err err = ERR_NONE;
    if (report_write(((Folder *)*state)->dir, NULL, "stopped at <b>step 9</b>", &err))
        fail_msg("%s", err.text);
    char *html = read_text(state, "report.html");
    static const char *const wanted[] = {
        "</html>",
        "data:image/png;base64,iVBOR",
        "prefers-color-scheme:dark",
        "encoder.blocks.0.attn fell below 10 % of uniform attention&#39;s entropy",
        "model.reparam=sigma",
        "stopped at &lt;b&gt;step 9&lt;/b&gt;",
        "&lt;val&gt;",
        "&lt;script&gt;"};
    static const char *const unwanted[] = {"http:", "https:", "<script",
                                           "<link", "<val>",  "@import"};
    for (size_t i = 0; i < COUNT(wanted); i++)
        if (!strstr(html, wanted[i])) fail_msg("the report has no %s", wanted[i]);
    for (size_t i = 0; i < COUNT(unwanted); i++)
        if (strstr(html, unwanted[i])) fail_msg("the report has a %s", unwanted[i]);
    mem_free(html);
}

static void a_run_that_never_took_a_step_still_has_a_report(void **state) {
    assert_int_equal(report_write(((Folder *)*state)->dir, NULL, "no data", NULL), OK);
    char *html = read_text(state, "report.html");
    assert_non_null(strstr(html, "too short to judge"));
    mem_free(html);
}

static int plot(const char *a, const char *b, const char *c, const char *d,
                const char *e) {
    char *words[] = {"plot", (char *)a, (char *)b, (char *)c, (char *)d, (char *)e, NULL};
    int count = 1;
    while (words[count]) count++;
    return plot_command.run(count, words);
}

static void plot_ends_with_the_exit_code_of_what_went_wrong(void **state) {
    const char *dir = ((Folder *)*state)->dir;
    char path[160];
    path_in(state, "plot.png", path);
    assert_int_equal(plot(dir, "-o", path, NULL, NULL), FAIL_DATA); /* no rows yet */
    write_run(state);
    assert_int_equal(plot(NULL, NULL, NULL, NULL, NULL), FAIL_USAGE);
    assert_int_equal(plot(dir, NULL, NULL, NULL, NULL), FAIL_USAGE);
    assert_int_equal(plot(dir, "-o", NULL, NULL, NULL), FAIL_USAGE);
    assert_int_equal(plot(dir, "--rwos=loss", "-o", path, NULL), FAIL_USAGE);
    assert_int_equal(plot("/tmp/there-is-no-such-run", "-o", path, NULL, NULL),
                     FAIL_USAGE);
    assert_int_equal(plot(dir, "-o", "/nowhere/plot.png", NULL, NULL), FAIL_RUN);
    assert_false(exists(state, "plot.png"));
    assert_int_equal(plot(dir, dir, "-o", path, "--rows=present"), OK);
    assert_true(exists(state, "plot.png"));
}

/* ---- encoder and decoder ---- */

/* A translator of `blocks` a side; uniform attention has less than ln(keys), and in cross
 * attention it changes with the batch. */
static void write_translator(void **state, size_t blocks) {
    write_losses(state, 40);
    FILE *file = create(state, "probe.jsonl");
    for (size_t s = 1; s <= 4; s++) {
        fprintf(file, "{\"step\":%zu,\"attention\":[", s);
        for (size_t b = 0; b < 3 * blocks; b++) {
            static const char *const sites[] = {"encoder.blocks.%zu.attn",
                                                "decoder.blocks.%zu.attn",
                                                "decoder.blocks.%zu.cross"};
            char name[64];
            snprintf(name, sizeof name, sites[b / blocks], b % blocks);
            double uniform = b / blocks == 2 ? 2 + 0.1 * (double)s : 2;
            fprintf(file,
                    "%s{\"site\":\"%s\",\"entropy\":[1,1.5],\"max_logit\":2,\"keys\":50,"
                    "\"uniform\":%g}",
                    b ? "," : "", name, uniform);
        }
        fprintf(file, "],\"weights\":[");
        for (size_t b = 0; b < blocks; b++)
            fprintf(file,
                    "{\"name\":\"encoder.blocks.%zu.attn.qkv\",\"sigma\":1.5},"
                    "{\"name\":\"encoder.blocks.%zu.mlp.fc1\",\"sigma\":1.5},"
                    "{\"name\":\"decoder.blocks.%zu.cross.q\",\"sigma\":1.5},"
                    "{\"name\":\"decoder.blocks.%zu.attn.qkv\",\"sigma\":1.5},",
                    b, b, b, b);
        fprintf(file, "{\"name\":\"decoder.head\",\"sigma\":2}]}\n");
    }
    fclose(file);
    file = create(state, "eval.jsonl");
    fputs("{\"step\":20,\"split\":\"val\",\"loss\":2,\"ppl\":7.4}\n"
          "{\"step\":40,\"split\":\"val\",\"loss\":1.5,\"ppl\":4.5,\"bleu\":30,"
          "\"bleu_tokens\":31}\n",
          file);
    fclose(file);
}

static Chart *training(void **state, const char *rows, const char *layers) {
    const RunLog *run = runlog_open(((Folder *)*state)->dir, NULL);
    Err err = ERR_NONE;
    Chart *chart =
        figure_training(&run, 1, &(FigureOptions){.rows = rows, .layers = layers}, &err);
    if (!chart) fail_msg("%s", err.text);
    runlog_free((RunLog *)run);
    return chart;
}

static void expect_rows(void **state, const char *rows, const char *const *labels,
                        size_t count) {
    Chart *chart = training(state, rows, NULL);
    assert_int_equal(chart->rows, count);
    for (size_t r = 0; r < count; r++)
        assert_string_equal(chart_panel(chart, r, 0)->y.label, labels[r]);
    chart_free(chart);
}

#define ROWS(state, rows, ...)                                                           \
    expect_rows(state, rows, (const char *const[]){__VA_ARGS__},                         \
                COUNT(((const char *const[]){__VA_ARGS__})))

static void each_kind_of_attention_and_each_score_has_a_row_of_its_own(void **state) {
    write_translator(state, 3);
    ROWS(state, "loss,entropy", "loss (nats)", "encoder self-attention (nats)",
         "cross attention (nats)", "decoder self-attention (nats)");
    ROWS(state, "decoder,loss,encoder,encoder", "decoder self-attention (nats)",
         "loss (nats)", "encoder self-attention (nats)");
    ROWS(state, "cross,entropy", "cross attention (nats)",
         "encoder self-attention (nats)", "decoder self-attention (nats)");
    ROWS(state, "score,lr", "BLEU", "perplexity", "learning rate");
    write_run(state);
    ROWS(state, "score", "top-1 %");
    unlink(path_in(state, "eval.jsonl", (char[160]){0}));
    ROWS(state, "score", "score");
}

static double lightness(Colour c) { return 0.3 * c.r + 0.6 * c.g + 0.1 * c.b; }

static void deeper_layers_are_lighter_and_the_legend_of_a_hundred_is_short(void **state) {
    write_translator(state, 100);
    Chart *chart = training(state, "encoder,cross,decoder,logit", "all");
    for (size_t r = 0; r < 3; r++) {
        const Panel *panel = chart_panel(chart, r, 0);
        double before = 0, first = 0;
        size_t layers = 0, named = 0;
        for (size_t i = 0; i < panel->count; i++) {
            const Item *item = &panel->items[i];
            if (item->kind != ITEM_LINE || item->style.dashed) continue;
            /* the gamut's edges bend the ramp a little */
            assert_true(lightness(item->style.colour) > before - 0.01);
            before = lightness(item->style.colour);
            if (!layers) first = before;
            named += *item->label != '\0';
            layers++;
        }
        assert_true(before > first + 0.3);
        assert_int_equal(layers, 100);
        assert_int_equal(named, 6);
    }
    size_t named = 0; /* two of each of three kinds */
    const Panel *logits = chart_panel(chart, 3, 0);
    for (size_t i = 0; i < logits->count; i++) named += *logits->items[i].label != '\0';
    assert_int_equal(named, 6);
    chart_free(chart);
}

static const Item *find_item(const Panel *panel, ItemKind kind, const char *label) {
    for (size_t i = 0; i < panel->count; i++)
        if (panel->items[i].kind == kind && !strcmp(panel->items[i].label, label))
            return &panel->items[i];
    fail_msg("no item \"%s\"", label);
    return NULL;
}

static void uniform_attention_is_a_level_or_a_curve_as_the_batches_have_it(void **state) {
    write_translator(state, 2);
    Chart *chart = training(state, "encoder,cross", NULL);
    const Item *level = find_item(chart_panel(chart, 0, 0), ITEM_LEVEL, "uniform");
    assert_true(level->y[0] == 2);
    const Item *curve =
        find_item(chart_panel(chart, 1, 0), ITEM_LINE, "uniform attention");
    assert_int_equal(curve->count, 4);
    assert_true(curve->style.dashed && fabs(curve->y[3] - 2.4) < 1e-12);
    chart_free(chart);
    write_run(state); /* an old log of full attention */
    chart = training(state, "encoder", NULL);
    find_item(chart_panel(chart, 0, 0), ITEM_LEVEL, "uniform (ln 17)");
    chart_free(chart);
}

static void validation_losses_are_dashed_beside_those_of_training(void **state) {
    write_translator(state, 2);
    Chart *chart = training(state, "loss", NULL);
    const Panel *panel = chart_panel(chart, 0, 0);
    const Item *line = find_item(panel, ITEM_LINE, "validation");
    assert_true(line->style.dashed && line->count == 2 && line->y[1] == 1.5);
    assert_false(find_item(panel, ITEM_LINE, "training, moving mean")->style.dashed);
    chart_free(chart);
}

static void maps_and_weights_of_encoder_and_decoder_stand_in_groups(void **state) {
    static const char *const kinds[] = {"encoder self-attention", "cross attention",
                                        "decoder self-attention"};
    write_translator(state, 2);
    RunLog *run = runlog_open(((Folder *)*state)->dir, NULL);
    Chart *maps[] = {figure_entropy_heads(run, THEME_LIGHT),
                     figure_entropy_layers(run, THEME_LIGHT)};
    for (size_t m = 0; m < COUNT(maps); m++) {
        assert_int_equal(maps[m]->rows, 3);
        for (size_t r = 0; r < 3; r++) {
            const Panel *panel = chart_panel(maps[m], r, 0);
            assert_string_equal(panel->heading, kinds[r]);
            assert_int_equal(panel->heat->map.rows, 2);
            assert_string_equal(panel->heat->row_names[1], "blocks.1");
            double uniform = r == 1 ? 2.4 : 2, first = m == 0 ? 1 : 1.25;
            double last =
                panel->heat->map.value[m == 0 ? 0 : panel->heat->map.columns - 1];
            assert_true(fabs(last - first / uniform) < 1e-9);
        }
        chart_free(maps[m]);
    }
    Chart *weights = figure_weights(run, THEME_LIGHT);
    assert_int_equal(weights->rows, 3);
    assert_int_equal(weights->columns, 2);
    static const char *const headings[] = {"encoder.attn.qkv", "encoder.mlp.fc1",
                                           "decoder.cross.q",  "",
                                           "decoder.attn.qkv", "outside the blocks"};
    for (size_t p = 0; p < COUNT(headings); p++) {
        assert_string_equal(weights->panels[p].heading, headings[p]);
        assert_int_equal(weights->panels[p].hidden, !*headings[p]);
    }
    chart_free(weights);
    runlog_free(run);
}

static void a_translator_gets_all_its_figures_and_its_scores_in_the_report(void **state) {
    write_translator(state, 100);
    Err err = ERR_NONE;
    if (report_write(((Folder *)*state)->dir, NULL, NULL, &err)) fail_msg("%s", err.text);
    char *html = read_text(state, "report.html");
    static const char *const wanted[] = {
        "loss<th scope=col class=n>BLEU<th scope=col class=n>BLEU of tokens",
        "<td class=n>30.00<td class=n>31.00<td class=n>4.50</tr>",
        "<td class=n>–<td class=n>–<td class=n>7.40</tr>",
        "lowest site entropy, cross attention (%)<td class=n>52.1"};
    for (size_t i = 0; i < COUNT(wanted); i++)
        if (!strstr(html, wanted[i])) fail_msg("the report has no %s", wanted[i]);
    mem_free(html);
}

static void wide(const double *y, size_t n, double *low, double *high) {
    *low = n > 1 ? y[0] - 1 : NAN;
    *high = n > 1 ? y[0] + 1 : NAN;
}

static void a_sweep_is_drawn_though_cells_have_no_score(void **state) {
    char path[160];
    const SweepPoint points[] = {{"none", 0.01, 0.9, .flawed = true},
                                 {"none", 0.02, 0.1, .failed = true},
                                 {"none", 0.02, 0.5, .failed = false},
                                 {"sigma", 0.02, NAN, .failed = true},
                                 {"sigma", 0.01, 0.8, .flawed = false}};
    for (size_t count = 0; count <= COUNT(points); count++)
        for (int cap = 0; cap < 2; cap++) {
            const SweepPanel panel = {.points = points,
                                      .count = count,
                                      .x = "optim.lr",
                                      .y = "top-1",
                                      .cross = "diverged",
                                      .chance = 0.1,
                                      .cap = cap,
                                      .interval = wide};
            Chart *chart = figure_sweep((SweepPanel[]){panel, panel}, 2, "t", THEME_DARK);
            assert_int_equal(chart_write(chart, path_in(state, "plot.png", path), NULL,
                                         NULL),
                             OK);
            chart_free(chart);
        }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_run_gets_all_its_figures),
        CASE(a_run_without_probes_gets_the_training_figure_alone),
        CASE(one_probe_of_one_layer_is_enough_for_every_figure),
        CASE(a_run_without_rows_is_bad_data),
        CASE(layers_are_chosen_by_word_and_number_in_every_kind_of_site),
        CASE(a_name_comes_apart_into_prefix_block_and_suffix),
        CASE(an_unknown_row_is_a_usage_error_that_lists_the_rows),
        CASE(the_report_is_one_file_that_loads_nothing_and_escapes_what_it_shows),
        CASE(a_run_that_never_took_a_step_still_has_a_report),
        CASE(plot_ends_with_the_exit_code_of_what_went_wrong),
        CASE(each_kind_of_attention_and_each_score_has_a_row_of_its_own),
        CASE(deeper_layers_are_lighter_and_the_legend_of_a_hundred_is_short),
        CASE(uniform_attention_is_a_level_or_a_curve_as_the_batches_have_it),
        CASE(validation_losses_are_dashed_beside_those_of_training),
        CASE(maps_and_weights_of_encoder_and_decoder_stand_in_groups),
        CASE(a_translator_gets_all_its_figures_and_its_scores_in_the_report),
        CASE(a_sweep_is_drawn_though_cells_have_no_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

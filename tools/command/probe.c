/* probe: `steady probe RUN` - entropies, bounds, norms and gradients of a checkpoint, or
 * its sharpness. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tools/command/runwords.h"
#include "tools/commands.h"
#include "tools/probe/checkpoints.h"
#include "tools/probe/figure.h"
#include "tools/probe/print.h"
#include "tools/probe/probing.h"
#include "tools/probe/sharpness.h"
#include "tools/program/apart.h"
#include "tools/program/double.h"
#include "tools/program/output.h"
#include "tools/program/stop.h"
#include "tools/run/rundir.h"
#include "tools/task/openrecipe.h"

typedef struct Options {
    RunChoice choice;
    int split;
    size_t sample;  /* 0: the default */
    bool all, json; /* all: every checkpoint of the run */
    bool sharpness;
    const char *out;
    json_t *rows; /* of the checkpoints probed */
    PrintOptions print;
} Options;

static const char *const SPLITS[] = {
    [SPLIT_TRAIN] = "train", [SPLIT_VAL] = "val", [SPLIT_TEST] = "test", NULL};
static const char *const CHECKPOINTS[] = {"best", "all", NULL};
static const unsigned USES[] = {[SPLIT_TRAIN] = USE_PROBE_TRAIN,
                                [SPLIT_VAL] = USE_PROBE_VAL,
                                [SPLIT_TEST] = USE_PROBE_TEST};

static const Option OPTIONS[] = {
    {"--checkpoint", "X", OPTION_NAME, offsetof(Options, choice.checkpoint),
     .sentence = "checkpoint: a step, best, all, average:N (of the N newest) or a "
                 ".safetensors\n"
                 "file (default: the newest; of a recipe: initial weights)",
     .choices = CHECKPOINTS, .offers = OFFER_FILE,
     .wants = "a step, best, all, average:N, or a file"},
    {"--split", "NAME", OPTION_CHOICE, offsetof(Options, split),
     .sentence = "split to take examples from (default train)", .choices = SPLITS},
    {"--sample", "N", OPTION_WHOLE, offsetof(Options, sample),
     .sentence = "number of examples, spread over the split (default 64; for "
                 "sharpness\n"
                 "probe.sharpness_sample)",
     .min = 1, .max = 1e9},
    {"--sharpness", NULL, OPTION_FLAG, offsetof(Options, sharpness),
     .sentence = "print the five Hessian eigenvalues of largest magnitude instead"},
    {"--heads", NULL, OPTION_FLAG, offsetof(Options, print.heads),
     .sentence = "print a row per head"},
    {"--tensors", NULL, OPTION_FLAG, offsetof(Options, print.tensors),
     .sentence = "print a row per trained tensor, instead of one for all blocks"},
    {"--json", NULL, OPTION_FLAG, offsetof(Options, json),
     .sentence = "print one JSON object per checkpoint, with all numbers"},
    {"--out", "FILE", OPTION_NAME, offsetof(Options, out),
     .sentence = "figure to write; the suffix sets the format: .png (double "
                 "resolution), .svg\n"
                 "or .pdf",
     .letter = "-o", .offers = OFFER_FILE},
    RUN_OPTION_EMA(Options),
    OPTION_HELP,
    {0},
};

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    if (command_read(&probe_command, o, argc, argv, NULL, err)) return err->status;
    bool more = o->print.heads || o->print.tensors || o->out;
    if (o->sharpness && more)
        return err_set(err, FAIL_USAGE,
                       "--sharpness prints only eigenvalues; leave out --heads, "
                       "--tensors and --out (to draw: steady plot RUN --rows sharpness)");
    o->all = o->choice.checkpoint && !strcmp(o->choice.checkpoint, "all");
    if (o->all && (o->print.heads || o->print.tensors))
        return err_set(err, FAIL_USAGE,
                       "--checkpoint all prints one row per checkpoint; leave out %s, "
                       "or name one checkpoint",
                       o->print.heads ? "--heads" : "--tensors");
    if (!o->choice.dir)
        return err_set(err, FAIL_USAGE,
                       "no run and no recipe given: steady probe RUN, "
                       "or steady probe RECIPE");
    if (o->out && chart_check_name(o->out, err)) return err->status;
    return command_check_name("RUN", o->choice.dir, err);
}

static Status open_model(Options *o, OpenRun *run, Err *err) {
    if (o->all && run_is_folder(o->choice.dir)) o->choice.checkpoint = NULL;
    o->choice.use = USES[o->split];
    return run_open_either(run, &o->choice, err);
}

/* Takes the row over. */
static void keep(const Options *o, json_t *row) {
    json_array_append(o->rows, row);
    if (o->json) {
        output_json(row, JSON_COMPACT | JSON_REAL_PRECISION(9));
        fflush(stdout);
    } else {
        json_decref(row);
    }
}

static Status turn_to(OpenRun *run, const Options *o, const char *path, Err *err) {
    text_format(run->checkpoint, sizeof run->checkpoint, "%s", path);
    if (run_load(run, o->choice.ema, err)) return err->status;
    model_freeze(run->task->model);
    return OK;
}

static Status show_all(const Options *o, Probing *m, Err *err) {
    Checkpoints all = checkpoints_of(o->choice.dir);
    for (size_t i = 0; i < all.count && !turn_to(m->run, o, all.path[i], err); i++)
        keep(o, probing_row(m));
    checkpoints_free(&all);
    return err->status;
}

static Status probe(const Options *o, OpenRun *run, Err *err) {
    enum { SAMPLE = 64 };
    Probing m;
    size_t sample = o->sample ? o->sample : SAMPLE;
    if (!probing_begin(&m, run, (Split)o->split, sample, err)) {
        m.ema = o->choice.ema;
        if (o->all) show_all(o, &m, err);
        else keep(o, probing_row(&m));
    }
    probing_end(&m);
    return err->status;
}

typedef struct Figure {
    const Options *options;
    Probed **probed; /* [count] */
    size_t count;
} Figure;

static void figure_title(const Figure *f, char title[PROBED_WEIGHTS]) {
    const char *dir = f->options->choice.dir;
    if (f->count > 1) text_format(title, PROBED_WEIGHTS, "%.1400s", dir);
    else probed_weights(f->probed[0], dir, title);
}

static Status draw(void *input, Err *err) {
    const Figure *f = input;
    char title[PROBED_WEIGHTS];
    figure_title(f, title);
    RunLog *log = f->count > 1 ? runlog_open(f->options->choice.dir, NULL) : NULL;
    Chart *chart = probe_figure(f->probed, f->count, log, title);
    runlog_free(log);
    chart_write(chart, f->options->out, NULL, err);
    chart_free(chart);
    return err->status;
}

/* What is not for machines alone: tables, and the figure. */
static Status show(const Options *o, Err *err) {
    size_t count = json_array_size(o->rows);
    Probed **p = mem_alloc(MAX(count, (size_t)1) * sizeof *p);
    for (size_t i = 0; i < count; i++) p[i] = probed_read(json_array_get(o->rows, i));
    if (!o->json && count > 1) probe_print_all(p, count, &o->print, stdout);
    if (!o->json && count == 1) probe_print(p[0], &o->print, stdout);
    fflush(stdout);
    if (o->out && count) apart_run(draw, &(Figure){o, p, count}, err);
    for (size_t i = 0; i < count; i++) probed_free(p[i]);
    mem_free(p);
    return err->status;
}

/* ---- sharpness ---- */

static Status show_sharpness(const Options *o, OpenRun *run, Err *err) {
    Sharpness s;
    SharpnessWish wish = {.dir = o->choice.dir,
                          .averaged = o->choice.ema,
                          .split = (Split)o->split,
                          .sample = o->sample ? o->sample
                                              : run->recipe->probe.sharpness_sample};
    if (sharpness_of_run(run, &wish, &s, err)) return err->status;
    if (o->json) output_json(sharpness_row(&s), JSON_COMPACT | JSON_REAL_PRECISION(9));
    else sharpness_print(&s);
    fflush(stdout);
    return OK;
}

static Status sharpness(const Options *o, OpenRun *run, Err *err) {
    stop_listen(NULL);
    if (!o->all) return show_sharpness(o, run, err);
    Checkpoints all = checkpoints_of(o->choice.dir);
    for (size_t i = 0; i < all.count && !turn_to(run, o, all.path[i], err); i++)
        if (show_sharpness(o, run, err)) break;
    checkpoints_free(&all);
    return err->status;
}

static int run_probe(int argc, char **argv) {
    Err err = ERR_NONE;
    OpenRun run = {0};
    Options o = {.choice = run_choice(argc, "probe", 0)};
    bool failed = read_options(&o, argc, argv, &err);
    o.print.of = o.choice.dir;
    if (!failed && o.sharpness && sizeof(real) < sizeof(double))
        failed = sharpness_check(&err) || double_become(argc, argv, &err);
    o.rows = json_array();
    failed = failed || open_model(&o, &run, &err);
    if (!failed && o.sharpness) failed = sharpness(&o, &run, &err);
    else if (!failed) failed = probe(&o, &run, &err) || show(&o, &err);
    json_decref(o.rows);
    return run_finish("probe", &run, &o.choice, failed, &err);
}

const Command probe_command = {
    .name = "probe",
    .sentence = "measure entropies, bounds, norms, gradients, sharpness of a checkpoint",
    .run = run_probe,
    .options = OPTIONS,
    .word = run_word_only,
    .offers = OFFER_RUN | OFFER_RECIPE | OFFER_KEY,
    .computes = true,
};

/* plot: `steady plot RUN ... -o FILE` - figures of runs, side by side, of the trials of
 * sweeps, and of what a recipe does to its pictures. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "data/file/openfile.h"
#include "tools/command/plot_sheet.h"
#include "tools/commands.h"
#include "tools/figure/figures.h"
#include "tools/figure/trials.h"
#include "tools/program/apart.h"
#include "tools/run/rundir.h"
#include "tools/sweep/sweep.h"

enum { RUNS_MAX = 16 };

typedef struct Options {
    const char *runs[RUNS_MAX]; /* with --augment section.key=value */
    size_t run_count;
    const char *output;
    int theme;  /* Theme */
    int trials; /* TrialsKind + 1; 0: words are runs */
    SweepTrialsFigure sweeps;
    const char *augment; /* a recipe */
    size_t pictures, draws;
    FigureOptions figure;
} Options;

/* What completion offers; figure_training reads lists of these. */
static const char *const ROWS[] = {"present",   "loss",    "entropy",   "encoder",
                                   "cross",     "decoder", "logit",     "sigma",
                                   "score",     "grad",    "sharpness", "raw-sharpness",
                                   "gradients", "updates", "grad-inf",  "front-grad",
                                   "lr",        "input",   "sigma2",    "sec",
                                   "rank",      NULL};
static const char *const LAYERS[] = {"all",    "first",     "middle", "last",
                                     "lowest", "collapsed", NULL};
static const char *const TRIALS[] = {"none", [TRIALS_BEST_WORST + 1] = "best-worst",
                                     [TRIALS_ALL + 1] = "all", [TRIALS_RANK + 1] = "rank",
                                     NULL};
static const char *const THEMES[] = {
    [THEME_LIGHT] = "light", [THEME_DARK] = "dark", NULL};

static const Option OPTIONS[] = {
    {"--out", "FILE", OPTION_NAME, offsetof(Options, output),
     .sentence =
         "figure to write; the suffix sets the format: .png (double resolution), .svg\n"
         "or .pdf",
     .letter = "-o", .offers = OFFER_FILE},
    {"--rows", "LIST", OPTION_TEXT, offsetof(Options, figure.rows),
     .sentence =
         "panels from top to bottom, some of loss, entropy, encoder, cross, decoder,\n"
         "logit, sigma, score, grad, sharpness, raw-sharpness, gradients, updates,\n"
         "grad-inf, front-grad, lr, input, sigma2, sec, rank; \"present\" draws\n"
         "all for which the runs have numbers (default loss,entropy).  entropy draws "
         "a\n"
         "panel per kind of attention (encoder-decoder: encoder, cross, decoder).\n"
         "sharpness also draws the raw spectrum.  gradients and updates draw a line "
         "per\n"
         "block: norm of its gradient, largest relative update of its weights.  "
         "grad-inf\n"
         "is the largest gradient entry of the query weights, front-grad that of "
         "patch\n"
         "embedding, token embedding or speech convolution",
     .choices = ROWS},
    {"--layers", "LIST", OPTION_TEXT, offsetof(Options, figure.layers),
     .sentence = "layers to draw: all, or some of first, middle, last, lowest (entropy), "
                 "collapsed\n"
                 "(the first six to do so) and block numbers\n"
                 "(default first,middle,last,lowest,collapsed)",
     .choices = LAYERS},
    {"--trials", "KIND", OPTION_CHOICE, offsetof(Options, trials),
     .sentence = "draw the runs of sweeps by method (arguments are folders of sweeps): "
                 "best-worst\n"
                 "(the best and the worst of each method), all (a line per run) or rank "
                 "(final\n"
                 "score against rank)",
     .choices = TRIALS},
    {"--method", "KEYS", OPTION_TEXT, offsetof(Options, sweeps.method),
     .sentence =
         "with --trials: swept keys whose values are methods, as in steady sweep"},
    {"--score", "NAME", OPTION_TEXT, offsetof(Options, sweeps.score),
     .sentence = "with --trials: score that orders the trials, such as top1, loss, bleu\n"
                 "(default: the score in the table of the sweep)"},
    {"--fail", "CRITERION", OPTION_NAME, offsetof(Options, sweeps.fail),
     .sentence = "with --trials: definition of a failure, as in steady sweep (default:\n"
                 "the criterion of the sweeps or, without one, divergence)",
     .wants = "a criterion, such as 'loss>1.48'"},
    {"--title", "TEXT", OPTION_TEXT, offsetof(Options, figure.title),
     .sentence = "title of the figure (default: none)"},
    {"--theme", "NAME", OPTION_CHOICE, offsetof(Options, theme),
     .sentence = "colours: light or dark (default light)", .choices = THEMES},
    {"--augment", "RECIPE", OPTION_NAME, offsetof(Options, augment),
     .sentence = "draw a contact sheet of what data.augment does to training pictures "
                 "of a recipe\n"
                 "instead; section.key=value arguments change the recipe",
     .offers = OFFER_RECIPE | OFFER_FILE},
    {"--pictures", "N", OPTION_WHOLE, offsetof(Options, pictures),
     .sentence = "rows of the contact sheet (default 8)", .min = 1,
     .max = AUGMENTED_MOST},
    {"--draws", "N", OPTION_WHOLE, offsetof(Options, draws),
     .sentence = "augmented columns of the contact sheet (default 8); train.seed=N "
                 "changes\n"
                 "the draws",
     .min = 1, .max = AUGMENTED_MOST},
    OPTION_HELP,
    {0},
};

static Status read_word(void *options, char *word, Err *err) {
    Options *o = options;
    if (o->run_count == RUNS_MAX)
        return err_set(err, FAIL_USAGE,
                       "too many arguments: at most %d runs, or words "
                       "for a recipe",
                       RUNS_MAX);
    o->runs[o->run_count++] = word;
    return OK;
}

/* What is for figures of runs alone has no effect on a contact sheet, and is refused. */
static Status check_sheet(const Options *o, Err *err) {
    const char *runs = o->figure.rows     ? "--rows"
                       : o->figure.layers ? "--layers"
                       : o->trials        ? "--trials"
                       : o->sweeps.method ? "--method"
                       : o->sweeps.score  ? "--score"
                       : o->sweeps.fail   ? "--fail"
                                          : NULL;
    if (!runs) return OK;
    return err_set(err, FAIL_USAGE,
                   "%s has no effect with --augment, which draws pictures; leave it out",
                   runs);
}

static Status check_runs(const Options *o, Err *err) {
    if (!o->run_count)
        return err_set(err, FAIL_USAGE,
                       "no run given: steady plot RUN "
                       "-o FILE");
    if (!o->pictures && !o->draws) return OK;
    return err_set(err, FAIL_USAGE, "%s needs --augment RECIPE",
                   o->pictures ? "--pictures" : "--draws");
}

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    if (command_read(&plot_command, o, argc, argv, NULL, err)) return err->status;
    if (o->augment ? check_sheet(o, err) : check_runs(o, err)) return err->status;
    if (!o->output)
        return err_set(err, FAIL_USAGE, "no output file: add -o FILE.png, .svg or .pdf");
    const char *alone = o->trials          ? NULL
                        : o->sweeps.method ? "--method"
                        : o->sweeps.score  ? "--score"
                        : o->sweeps.fail   ? "--fail"
                                           : NULL;
    if (alone)
        return err_set(err, FAIL_USAGE, "%s needs --trials KIND and folders of sweeps",
                       alone);
    if (o->trials == TRIALS_RANK + 1 && (o->figure.rows || o->figure.layers))
        return err_set(err, FAIL_USAGE, "--trials rank has one panel; leave out %s",
                       o->figure.rows ? "--rows" : "--layers");
    o->figure.theme = (Theme)o->theme;
    return OK;
}

static Status draw_sheet(const Options *o, Err *err) {
    PlotSheet sheet = {.recipe = o->augment,
                       .words = o->runs,
                       .count = o->run_count,
                       .options = {.title = o->figure.title,
                                   .pictures = o->pictures,
                                   .draws = o->draws,
                                   .theme = o->figure.theme},
                       .output = o->output};
    return plot_sheet(&sheet, err);
}

static Status plot_trials(Options *o, Err *err) {
    o->sweeps.kind = o->trials - 1;
    o->sweeps.figure = o->figure;
    o->sweeps.output = o->output;
    return sweep_draw_trials(o->runs, o->run_count, &o->sweeps, stderr, err);
}

/* The folder of a sweep looks like a run that has just begun. */
static RunLog *open_run(const char *dir, Err *err) {
    char path[PATH_SIZE];
    if (command_check_name("RUN", dir, err)) return NULL;
    rundir_path(path, dir, "sweep.json");
    if (!openfile_exists(path, dir)) return runlog_open(dir, err);
    err_set(err, FAIL_USAGE,
            "%s is a sweep; to draw its runs add --trials best-worst, all or rank", dir);
    return NULL;
}

static Status plot(void *input, Err *err) {
    Options *o = input;
    if (o->augment) return draw_sheet(o, err);
    if (o->trials) return plot_trials(o, err);
    RunLog *runs[RUNS_MAX] = {0};
    char present[200];
    Status status = OK;
    for (size_t r = 0; r < o->run_count && !status; r++)
        if ((runs[r] = open_run(o->runs[r], err))) runlog_say(runs[r]);
        else status = err->status;
    const RunLog *const *list = (const RunLog *const *)runs;
    if (!status && o->figure.rows && !strcmp(o->figure.rows, "present")) {
        figure_rows_present(list, o->run_count, present, sizeof present);
        o->figure.rows = *present ? present : NULL;
    }
    if (!status) {
        Chart *chart = figure_training(list, o->run_count, &o->figure, err);
        status = chart ? chart_write(chart, o->output, NULL, err) : err->status;
        chart_free(chart);
    }
    for (size_t r = 0; r < o->run_count; r++) runlog_free(runs[r]);
    return status;
}

static int run_plot(int argc, char **argv) {
    Err err = ERR_NONE;
    Options o = {0};
    if (read_options(&o, argc, argv, &err) || apart_run(plot, &o, &err))
        return command_fail("plot", &err);
    return OK;
}

const Command plot_command = {
    .name = "plot",
    .sentence = "draw figures of runs, sweeps and augmentations",
    .run = run_plot,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_RUN,
};

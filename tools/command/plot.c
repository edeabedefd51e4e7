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
static const char *const LAYERS[] = {"all", "first", "middle", "last", "lowest", NULL};
static const char *const TRIALS[] = {"none", [TRIALS_BEST_WORST + 1] = "best-worst",
                                     [TRIALS_ALL + 1] = "all", [TRIALS_RANK + 1] = "rank",
                                     NULL};
static const char *const THEMES[] = {
    [THEME_LIGHT] = "light", [THEME_DARK] = "dark", NULL};

static const Option OPTIONS[] = {
    {"--out", "FILE", OPTION_NAME, offsetof(Options, output),
     .sentence =
         "figure to write: .png (twice the resolution), .svg or .pdf by its ending",
     .letter = "-o", .offers = OFFER_FILE},
    {"--rows", "LIST", OPTION_TEXT, offsetof(Options, figure.rows),
     .sentence =
         "panels from top to bottom, some of loss, entropy, encoder, cross, decoder,\n"
         "logit, sigma, score, grad, sharpness, raw-sharpness, gradients, updates,\n"
         "grad-inf, front-grad, lr, input, sigma2, sec, rank; \"present\" is all that\n"
         "the runs have numbers for (default loss,entropy).  entropy is a panel for\n"
         "each kind of attention: of an encoder-decoder, encoder, cross and decoder;\n"
         "sharpness has the raw spectrum below it; gradients and updates have a line\n"
         "for each block: the norm of its gradient, and the largest relative update of\n"
         "its weights; grad-inf is the largest entry of the gradient of weights that\n"
         "make queries, front-grad that of patch embedding, table of embeddings, speech\n"
         "convolution",
     .choices = ROWS},
    {"--layers", "LIST", OPTION_TEXT, offsetof(Options, figure.layers),
     .sentence = "all, or some of first, middle, last, lowest and numbers of blocks\n"
                 "(default first,middle,last,lowest)",
     .choices = LAYERS},
    {"--trials", "KIND", OPTION_CHOICE, offsetof(Options, trials),
     .sentence =
         "words are folders of sweeps, whose runs are drawn by method: best-worst, the\n"
         "best and the worst of each; all, a line each; rank, final score against rank",
     .choices = TRIALS},
    {"--method", "KEYS", OPTION_TEXT, offsetof(Options, sweeps.method),
     .sentence =
         "with --trials: swept keys whose values are methods, as in steady sweep"},
    {"--score", "NAME", OPTION_TEXT, offsetof(Options, sweeps.score),
     .sentence =
         "with --trials: score that trials are ordered by, such as top1, loss, bleu\n"
         "(default: what the table of the sweep has)"},
    {"--fail", "CRITERION", OPTION_NAME, offsetof(Options, sweeps.fail),
     .sentence =
         "with --trials: what makes a run a failure, as in steady sweep (default:\n"
         "the criterion of the sweeps, else that it diverged)",
     .wants = "a criterion, such as 'loss>1.48'"},
    {"--title", "TEXT", OPTION_TEXT, offsetof(Options, figure.title),
     .sentence = "above everything (default: none)"},
    {"--theme", "NAME", OPTION_CHOICE, offsetof(Options, theme),
     .sentence = "light or dark (default light)", .choices = THEMES},
    {"--augment", "RECIPE", OPTION_NAME, offsetof(Options, augment),
     .sentence = "instead, a contact sheet of what data.augment does to training "
                 "pictures of\na recipe, changed by section.key=value words",
     .offers = OFFER_RECIPE | OFFER_FILE},
    {"--pictures", "N", OPTION_WHOLE, offsetof(Options, pictures),
     .sentence = "its rows (default 8)", .min = 1, .max = AUGMENTED_MOST},
    {"--draws", "N", OPTION_WHOLE, offsetof(Options, draws),
     .sentence = "its columns behind the picture as it was read (default 8); other "
                 "draws\nwith train.seed=N",
     .min = 1, .max = AUGMENTED_MOST},
    OPTION_HELP,
    {0},
};

static Status read_word(void *options, char *word, Err *err) {
    Options *o = options;
    if (o->run_count == RUNS_MAX)
        return err_set(err, FAIL_USAGE, "more than %d runs, or words for a recipe",
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
                   "--augment draws pictures; leave out %s, which is for runs", runs);
}

static Status check_runs(const Options *o, Err *err) {
    if (!o->run_count) return err_set(err, FAIL_USAGE, "which run folder?");
    if (!o->pictures && !o->draws) return OK;
    return err_set(err, FAIL_USAGE, "%s is for --augment RECIPE",
                   o->pictures ? "--pictures" : "--draws");
}

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    if (command_read(&plot_command, o, argc, argv, NULL, err)) return err->status;
    if (o->augment ? check_sheet(o, err) : check_runs(o, err)) return err->status;
    if (!o->output)
        return err_set(err, FAIL_USAGE, "no output given: -o FILE.png, .svg or .pdf");
    const char *alone = o->trials          ? NULL
                        : o->sweeps.method ? "--method"
                        : o->sweeps.score  ? "--score"
                        : o->sweeps.fail   ? "--fail"
                                           : NULL;
    if (alone)
        return err_set(err, FAIL_USAGE, "%s is for sweeps; add --trials KIND", alone);
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
            "%s holds a sweep; to draw its runs: --trials best-worst, all or rank", dir);
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
    .sentence = "figures of runs and sweeps; what the augmentations do",
    .run = run_plot,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_RUN,
};

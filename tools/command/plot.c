/* plot: `steady plot RUN ... -o FILE` - figures of runs, side by side. */
#include <stddef.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/figure/figures.h"
#include "tools/program/apart.h"

enum { RUNS_MAX = 16 };

typedef struct Options {
    const char *runs[RUNS_MAX];
    size_t run_count;
    const char *output;
    int theme; /* Theme */
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
         "grad-inf, front-grad, lr, input, sigma2, sec, rank; \"present\" is all that "
         "the\n"
         "runs have numbers for (default loss,entropy).  entropy is a panel for each "
         "kind\n"
         "of attention: of an encoder-decoder, encoder, cross and decoder; sharpness "
         "has\n"
         "the raw spectrum below it; gradients and updates have a line for each block:\n"
         "the norm of its gradient, and the largest relative update of its weights;\n"
         "grad-inf is the largest entry of the gradient of weights that make queries,\n"
         "front-grad that of patch embedding, table of embeddings, speech convolution",
     .choices = ROWS},
    {"--layers", "LIST", OPTION_TEXT, offsetof(Options, figure.layers),
     .sentence = "all, or some of first, middle, last, lowest and numbers of blocks\n"
                 "(default first,middle,last,lowest)",
     .choices = LAYERS},
    {"--title", "TEXT", OPTION_TEXT, offsetof(Options, figure.title),
     .sentence = "above everything (default: none)"},
    {"--theme", "NAME", OPTION_CHOICE, offsetof(Options, theme),
     .sentence = "light or dark (default light)", .choices = THEMES},
    OPTION_HELP,
    {0},
};

static Status read_word(void *options, char *word, Err *err) {
    Options *o = options;
    if (o->run_count == RUNS_MAX)
        return err_set(err, FAIL_USAGE, "more than %d runs in one figure", RUNS_MAX);
    o->runs[o->run_count++] = word;
    return OK;
}

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    if (command_read(&plot_command, o, argc, argv, NULL, err)) return err->status;
    if (!o->run_count) return err_set(err, FAIL_USAGE, "which run folder?");
    if (!o->output)
        return err_set(err, FAIL_USAGE, "no output given: -o FILE.png, .svg or .pdf");
    o->figure.theme = (Theme)o->theme;
    return OK;
}

static Status plot(void *input, Err *err) {
    Options *o = input;
    RunLog *runs[RUNS_MAX] = {0};
    char present[200];
    Status status = OK;
    for (size_t r = 0; r < o->run_count && !status; r++)
        if ((runs[r] = runlog_open(o->runs[r], err))) runlog_say(runs[r]);
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
    .sentence = "losses, entropies, norms of one run or several, as a picture",
    .run = run_plot,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_RUN,
};

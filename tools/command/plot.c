#include <stdio.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/figure/figures.h"
#include "tools/program/apart.h"
#include "tools/program/command.h"

#define RUNS_MAX 16

static const char help[] =
    "steady plot RUN ... -o FILE [options]     losses, entropies and norms of runs, side "
    "by side\n"
    "\n"
    "  RUN             a run folder; a run that is still going on is fine (at most 16)\n"
    "  -o FILE         figure to write: .png (twice the resolution), .svg or .pdf by its "
    "ending\n"
    "  --rows LIST     panels from top to bottom, some of loss, entropy, encoder, cross, "
    "decoder,\n"
    "                  logit, sigma, score, grad, lr; \"present\" is all that the runs "
    "have\n"
    "                  numbers for (default loss,entropy).  entropy is a panel for each "
    "kind of\n"
    "                  attention: of an encoder-decoder, encoder, cross and decoder\n"
    "  --layers LIST   all, or some of first, middle, last, lowest and numbers of "
    "blocks\n"
    "                  (default first,middle,last,lowest)\n"
    "  --title TEXT    above everything (default: none)\n"
    "  --theme NAME    light or dark (default light)\n"
    "  -h, --help      this text\n"
    "\n"
    "Entropy is in nats: the mean over heads is a line, the deeper its layer the "
    "lighter; "
    "all\n"
    "heads are a band.  What uniform attention would have is dashed (ln of the keys, "
    "where "
    "every\n"
    "query sees all of them), and under 10 % of it attention has collapsed.  Losses of "
    "validation\n"
    "are dashed.  y axes are shared by the runs.\n"
    "\n"
    "  steady plot runs/first -o first.png --rows present\n"
    "  steady plot runs/depth-6 runs/depth-18 runs/depth-50 --layers all\n"
    "              --rows loss,encoder,cross,decoder -o depth.png\n";

typedef struct PlotWords {
    const char *runs[RUNS_MAX];
    size_t run_count;
    const char *output, *theme;
    bool help;
    FigureOptions options;
} PlotWords;

static Status parse_option(PlotWords *words, int argc, char **argv, int *i, Err *err) {
    const struct {
        const char *name;
        const char **value;
    } options[] = {{"-o", &words->output},
                   {"--rows", &words->options.rows},
                   {"--layers", &words->options.layers},
                   {"--title", &words->options.title},
                   {"--theme", &words->theme}};
    const char *word = argv[*i];
    for (size_t k = 0; k < COUNT(options); k++) {
        size_t length = strlen(options[k].name);
        bool joined = !strncmp(word, options[k].name, length) && word[length] == '=';
        if (!joined && strcmp(word, options[k].name)) continue;
        if (!joined && *i + 1 >= argc)
            return err_set(err, FAIL_USAGE, "%s needs a value", word);
        *options[k].value = joined ? word + length + 1 : argv[++*i];
        return OK;
    }
    return err_set(err, FAIL_USAGE, "unknown option %s (steady plot -h lists them)",
                   word);
}

static Status parse_words(PlotWords *words, int argc, char **argv, Err *err) {
    for (int i = 1; i < argc; i++) {
        Status status = OK;
        if (is_help(argv[i])) words->help = true;
        else if (argv[i][0] == '-' && argv[i][1])
            status = parse_option(words, argc, argv, &i, err);
        else if (words->run_count == RUNS_MAX)
            status =
                err_set(err, FAIL_USAGE, "more than %d runs in one figure", RUNS_MAX);
        else words->runs[words->run_count++] = argv[i];
        if (status) return status;
    }
    if (words->help) return OK;
    if (!words->run_count)
        return err_set(err, FAIL_USAGE, "no run given (steady plot -h)");
    if (!words->output)
        return err_set(err, FAIL_USAGE, "no output given: -o FILE.png, .svg or .pdf");
    if (words->theme && strcmp(words->theme, "light") && strcmp(words->theme, "dark"))
        return err_set(err, FAIL_USAGE, "--theme %s: wanted light or dark", words->theme);
    words->options.theme =
        words->theme && *words->theme == 'd' ? THEME_DARK : THEME_LIGHT;
    return OK;
}

static Status plot(void *input, Err *err) {
    PlotWords *words = input;
    RunLog *runs[RUNS_MAX] = {0};
    char present[128];
    Status status = OK;
    for (size_t r = 0; r < words->run_count && !status; r++)
        if ((runs[r] = runlog_open(words->runs[r], err))) runlog_say(runs[r]);
        else status = err->status;
    const RunLog *const *list = (const RunLog *const *)runs;
    if (!status && words->options.rows && !strcmp(words->options.rows, "present")) {
        figure_rows_present(list, words->run_count, present, sizeof present);
        words->options.rows = *present ? present : NULL;
    }
    if (!status) {
        Chart *chart = figure_training(list, words->run_count, &words->options, err);
        status = chart ? chart_write(chart, words->output, NULL, err) : err->status;
        chart_free(chart);
    }
    for (size_t r = 0; r < words->run_count; r++) runlog_free(runs[r]);
    return status;
}

int plot_main(int argc, char **argv) {
    Err err = ERR_NONE;
    PlotWords words = {0};
    Status status = parse_words(&words, argc, argv, &err);
    if (!status && words.help) {
        fputs(help, stdout);
        return OK;
    }
    if (!status) status = apart_run(plot, &words, &err);
    if (status) return command_fail("plot", &err);
    return OK;
}

/* bench: the command line of `steady bench`. */
#include <stdlib.h>
#include <string.h>

#include "tools/bench/bench.h"
#include "tools/commands.h"
#include "tools/program/command.h"
#include "tools/program/rate.h"
#include "tools/program/start.h"
#include "tools/program/stop.h"

static const char HELP[] =
    "usage: steady bench [kernels] [ops] [steps] [norms] [growth] [options] "
    "[section.key=value ...]\n"
    "\n"
    "Measures on a batch of noise how fast this machine trains, and as which share of "
    "its\n"
    "matrix product (GEMM) or of its memory's bandwidth, both measured in the same run.\n"
    "\n"
    "  kernels           products at the model's shapes, rows, activations, optimizer\n"
    "  ops               what models are made of, forward and backward\n"
    "  steps             whole training steps: time, rate, memory, page faults\n"
    "  norms             steps without norm, pre, post, sigma, sigma + post, in turn\n"
    "  growth            steps against tokens (64 to 4,096 of pictures) and depth (2 to "
    "100), with "
    "fits\n"
    "                    (nothing named: kernels, ops and steps)\n"
    "  --model NAME,..   one or several of those below, or all (default vit-s16)\n"
    "  --batch N         pictures, blocks, pairs or utterances a step (the same as "
    "train.batch=N)\n"
    "  --threads N       threads (the same as train.threads=N)\n"
    "  --repeat N        calls of a kernel at least, and steps that are timed (default "
    "9)\n"
    "  --seconds S       time for a kernel, an op, or GEMM (default 0.2)\n"
    "  -o FILE           growth: draw it (.png, .svg or .pdf)\n"
    "  --json            an object a line: the machine, then each measurement\n"
    "  -h, --help        this text\n"
    "\n"
    "Recipe keys change the model and the step: model.norm=none model.reparam=sigma\n"
    "train.recompute=block probe.every=1 data.image_size=64 model.depth=100 "
    "optim.name=lamb.\n"
    "GFLOP/s of a step count 3 forward passes of matrix products.  Memory of activations "
    "is\n"
    "peak RSS - RSS before the model - 16 bytes a parameter (4 numbers each).\n"
    "\n"
    "Models (LayerNorm before the branches, AdamW; of pictures, text, pairs of "
    "sentences,\nspeech):\n";

enum { KERNELS, OPS, STEPS, NORMS, GROWTH, LEVELS };
static const char *const LEVEL_NAMES[LEVELS] = {"kernels", "ops", "steps", "norms",
                                                "growth"};

enum { MODELS_MAX = 16, WORDS_MAX = 64, WORD_SIZE = 64 };

typedef struct Options {
    bool level[LEVELS];
    const BenchModel *models[MODELS_MAX];
    size_t model_count;
    char *words[WORDS_MAX]; /* section.key=value */
    size_t word_count;
    char batch[WORD_SIZE], threads[WORD_SIZE]; /* --batch and --threads as such words */
    const char *output;
    Bench bench;
} Options;

/* ---- reading the command line ---- */

static Status unknown(const char *what, const char *word, Err *err) {
    err_set(err, FAIL_USAGE, "there is no %s %.60s; -h lists what there is", what, word);
    return FAIL_USAGE;
}

static Status add_word(Options *o, char *word, Err *err) {
    if (o->word_count == WORDS_MAX)
        return err_set(err, FAIL_USAGE, "more than %d section.key=value words",
                       WORDS_MAX);
    o->words[o->word_count++] = word;
    return OK;
}

static Status add_model(Options *o, const char *name, Err *err) {
    const BenchModel *model = bench_model_find(name);
    if (!model) {
        fprintf(stderr, "Models:\n");
        bench_model_list(stderr);
        return unknown("model", name, err);
    }
    if (o->model_count == MODELS_MAX)
        return err_set(err, FAIL_USAGE, "more than %d models", MODELS_MAX);
    o->models[o->model_count++] = model;
    return OK;
}

static Status read_models(Options *o, const char *list, Err *err) {
    static const char ALL[] = "vit-ti16,vit-s16,vit-b16,cifar-vit,gpt2-124m,"
                              "shakespeare-char,mt-6l,mt-18l,asr-12l";
    char *copy = mem_strdup(strcmp(list, "all") ? list : ALL), *rest = copy;
    Status status = OK;
    for (char *name; !status && (name = strsep(&rest, ","));)
        status = add_model(o, name, err);
    mem_free(copy);
    return status;
}

static Status read_number(const char *option, const char *text, double least, double most,
                          double *number, Err *err) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= least && value <= most))
        return err_set(err, FAIL_USAGE, "%s %.60s: wanted a number from %g to %g", option,
                       text, least, most);
    *number = value;
    return OK;
}

static Status read_valued(Options *o, const char *option, const char *value, Err *err) {
    double number = 0;
    if (!strcmp(option, "--model")) return read_models(o, value, err);
    if (!strcmp(option, "-o")) return o->output = value, OK;
    if (!strcmp(option, "--batch")) {
        snprintf(o->batch, sizeof o->batch, "train.batch=%s", value);
        return add_word(o, o->batch, err);
    }
    if (!strcmp(option, "--threads")) {
        snprintf(o->threads, sizeof o->threads, "train.threads=%s", value);
        return add_word(o, o->threads, err);
    }
    if (!strcmp(option, "--repeat")) {
        if (read_number(option, value, 1, 1000, &number, err)) return err->status;
        o->bench.steps = o->bench.effort.repeat = (size_t)number;
        return OK;
    }
    if (!strcmp(option, "--seconds"))
        return read_number(option, value, 0, 3600, &o->bench.effort.seconds, err);
    return unknown("option", option, err);
}

/* `--option VALUE` or `--option=VALUE`. */
static Status read_option(Options *o, int argc, char **argv, int *i, Err *err) {
    char option[24];
    const char *word = argv[*i], *equals = strchr(word, '=');
    if (!strcmp(word, "--json")) return o->bench.json = true, OK;
    snprintf(option, sizeof option, "%.*s",
             (int)(equals ? (size_t)(equals - word) : strlen(word)), word);
    const char *value = equals ? equals + 1 : *i + 1 < argc ? argv[++*i] : "";
    if (!*value) return err_set(err, FAIL_USAGE, "%s needs a value; see -h", option);
    return read_valued(o, option, value, err);
}

static Status read_level(Options *o, const char *word, Err *err) {
    for (size_t i = 0; i < LEVELS; i++)
        if (!strcmp(word, LEVEL_NAMES[i])) return o->level[i] = true, OK;
    return unknown("level", word, err);
}

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    Status status = OK;
    for (int i = 1; i < argc && !status; i++) {
        if (*argv[i] == '-') status = read_option(o, argc, argv, &i, err);
        else if (strchr(argv[i], '=')) status = add_word(o, argv[i], err);
        else status = read_level(o, argv[i], err);
    }
    if (status) return status;
    if (o->output && !o->level[GROWTH])
        return err_set(err, FAIL_USAGE, "-o is the picture of growth; name that level");
    bool *l = o->level;
    if (!l[KERNELS] && !l[OPS] && !l[STEPS] && !l[NORMS] && !l[GROWTH])
        l[KERNELS] = l[OPS] = l[STEPS] = true;
    return o->model_count ? OK : add_model(o, "vit-s16", err);
}

/* ---- running ---- */

static Status run_model(Options *o, const BenchModel *model, Err *err) {
    BenchSubject subject;
    Bench *bench = &o->bench;
    if (bench_subject(&subject, model, o->words, o->word_count, err)) return err->status;
    recipe_notes(&subject.recipe, stderr);
    bool pictures = model->task == TASK_CLASSIFY;
    if (!pictures && !o->level[STEPS] && !o->level[NORMS])
        return err_set(
            err, FAIL_USAGE,
            "%s: kernels and ops are measured on models of pictures; steps and "
            "norms on all",
            model->name);
    if (pictures && o->level[KERNELS]) bench_kernels(bench, &subject);
    if (pictures && o->level[OPS]) bench_ops(bench, &subject);
    if (o->level[STEPS] && !stop_requested()) {
        BenchSteps steps;
        if (!bench_steps(bench, &subject, &steps, err))
            bench_print_steps(bench, &subject, &steps);
        bench_steps_release(&steps);
    }
    if (!err->status && o->level[NORMS] && !stop_requested())
        return bench_norms(bench, model, o->words, o->word_count, err);
    return err->status;
}

static Status run(Options *o, Err *err) {
    BenchSubject first;
    Bench *bench = &o->bench;
    if (bench_subject(&first, o->models[0], o->words, o->word_count, err))
        return err->status;
    bench->rate = machine_rate_measure(first.threads, bench->effort.seconds);
    machine_rate_store(first.threads, bench->rate); /* for mfu; no matter if it cannot */
    if (o->level[KERNELS] || o->level[OPS])
        bench->bandwidth = bench_bandwidth(bench->effort.seconds);
    bench_print_machine(bench, first.threads);
    bool models =
        o->level[KERNELS] || o->level[OPS] || o->level[STEPS] || o->level[NORMS];
    for (size_t i = 0; models && i < o->model_count && !stop_requested(); i++)
        if (run_model(o, o->models[i], err)) return err->status;
    if (o->level[GROWTH] && bench_growth(bench, o->words, o->word_count, o->output, err))
        return err->status;
    return stop_requested() ? err_set(err, FAIL_INTERRUPTED, "interrupted") : OK;
}

int bench_main(int argc, char **argv) {
    Err err = ERR_NONE;
    Options options = {.bench = {.effort = {.repeat = 9, .seconds = 0.2},
                                 .steps = 9,
                                 .age = bench_process_age()}};
    for (int i = 1; i < argc; i++)
        if (is_help(argv[i])) {
            fputs(HELP, stdout);
            bench_model_list(stdout);
            return OK;
        }
    if (read_options(&options, argc, argv, &err)) return command_fail("bench", &err);
    stop_listen("after this measurement");
    if (run(&options, &err)) return command_fail("bench", &err);
    return OK;
}

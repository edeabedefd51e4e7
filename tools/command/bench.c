/* bench: the command line of `steady bench`. */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "tools/bench/bench.h"
#include "tools/chart/chart.h"
#include "tools/commands.h"
#include "tools/program/rate.h"
#include "tools/program/stop.h"
#include "tools/program/units.h"

enum { KERNELS, OPS, PICTURES, STEPS, NORMS, PROBES, GROWTH, THEORY, LEVELS };
static const char *const LEVEL_NAMES[LEVELS + 1] = {"kernels", "ops",   "pictures",
                                                    "steps",   "norms", "probes",
                                                    "growth",  "theory"};

enum { MODELS_MAX = 16, WORD_SIZE = 64 };

typedef struct Options {
    bool level[LEVELS];
    const BenchModel *models[MODELS_MAX];
    size_t model_count;
    char **words; /* section.key=value; room for every word of the command line */
    size_t word_count;
    char batch[WORD_SIZE], threads[WORD_SIZE]; /* --batch and --threads as such words */
    size_t repeat;
    const char *output;
    Bench bench;
} Options;

/* ---- reading the command line ---- */

static Status unknown(const char *what, const char *word, Err *err) {
    err_set(err, FAIL_USAGE, "unknown %s %.60s; -h lists the known ones", what, word);
    return FAIL_USAGE;
}

static Status add_word(Options *o, char *word) {
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
        return err_set(err, FAIL_USAGE, "too many models: at most %d", MODELS_MAX);
    o->models[o->model_count++] = model;
    return OK;
}

static Status read_models(const Option *option, void *options, const char *list,
                          Err *err) {
    char *copy = mem_strdup(strcmp(list, "all") ? list : bench_models_all);
    char *rest = copy;
    Status status = OK;
    (void)option;
    for (char *name; !status && (name = strsep(&rest, ","));)
        status = add_model(options, name, err);
    mem_free(copy);
    return status;
}

/* --batch N is the word train.batch=N, in its place among the others. */
static Status read_key(const Option *option, void *options, const char *value, Err *err) {
    char *word = (char *)options + option->place;
    const char *key = option->name + strlen("--");
    if (strlen(key) + strlen(value) + sizeof "train.=" > WORD_SIZE)
        return err_set(err, FAIL_USAGE, "%s %.60s: expected a whole number", option->name,
                       value);
    text_format(word, WORD_SIZE, "train.%s=%s", key, value);
    return add_word(options, word);
}

static Status read_word(void *options, char *word, Err *err) {
    Options *o = options;
    if (strchr(word, '=')) return add_word(o, word);
    for (size_t i = 0; i < LEVELS; i++)
        if (!strcmp(word, LEVEL_NAMES[i])) return o->level[i] = true, OK;
    return unknown("level", word, err);
}

static const Option OPTIONS[] = {
    {"--model", "NAME,..", OPTION_OWN, 0,
     .sentence = "one or more of the models below, or all (default vit-s16)",
     .choice = bench_model_name, .read = read_models},
    {"--batch", "N", OPTION_OWN, offsetof(Options, batch),
     .sentence = "pictures, blocks, pairs or utterances per step (same as train.batch=N)",
     .read = read_key},
    {"--threads", "N", OPTION_OWN, offsetof(Options, threads),
     .sentence = "threads (same as train.threads=N)", .read = read_key},
    {"--repeat", "N", OPTION_WHOLE, offsetof(Options, repeat),
     .sentence = "minimum calls per kernel, and number of timed steps (default 9);\n"
                 "of theory the number of seeds (default 3; 2 to 20)",
     .min = 1, .max = 1000},
    {"--seconds", "S", OPTION_NUMBER, offsetof(Options, bench.effort.seconds),
     .sentence = "seconds per kernel, op or GEMM (default 0.2)", .max = 3600},
    {"--force", NULL, OPTION_FLAG, offsetof(Options, bench.force),
     .sentence = "train.precision=bf16 on a processor without bf16: plain loops, slower "
                 "than fp32"},
    {"--out", "FILE", OPTION_NAME, offsetof(Options, output),
     .sentence = "figure of growth or theory to write (.png, .svg or .pdf)",
     .letter = "-o", .offers = OFFER_FILE},
    {"--json", NULL, OPTION_FLAG, offsetof(Options, bench.json),
     .sentence = "one JSON object per line: the machine, then each measurement"},
    OPTION_HELP,
    {0},
};

/* Before anything is measured: the figure comes last. */
static Status check_output(const char *path, Err *err) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (chart_check_name(path, err)) return err->status;
    if (length >= sizeof folder)
        return err_set(err, FAIL_USAGE, "-o: a name of %zu bytes is too long",
                       strlen(path));
    if (!slash) text_format(folder, sizeof folder, ".");
    else if (!length) text_format(folder, sizeof folder, "/");
    else text_format(folder, sizeof folder, "%.*s", (int)length, path);
    if (!access(folder, W_OK | X_OK)) return OK;
    return err_set(err, FAIL_RUN, "%.390s: folder %.390s: %s; choose another -o", path,
                   folder, strerror(errno));
}

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    if (command_read(&bench_command, o, argc, argv, NULL, err)) return err->status;
    bool *l = o->level, any = false;
    if (o->output && l[GROWTH] == l[THEORY])
        return err_set(err, FAIL_USAGE,
                       "-o writes the figure of one level, growth or theory; name one "
                       "of the two");
    if (o->output && check_output(o->output, err)) return err->status;
    for (size_t i = 0; i < LEVELS; i++) any |= l[i];
    if (!any) l[KERNELS] = l[OPS] = l[STEPS] = true;
    o->bench.seeds = o->repeat ? o->repeat : 3;
    if (!o->repeat) o->repeat = 9;
    o->bench.steps = o->bench.effort.repeat = o->repeat;
    return o->model_count ? OK : add_model(o, "vit-s16", err);
}

/* ---- running ---- */

static Status run_model(Options *o, const BenchModel *model, Err *err) {
    BenchSubject subject;
    Bench *bench = &o->bench;
    if (bench_subject(bench, &subject, model, o->words, o->word_count, err))
        return err->status;
    recipe_notes(&subject.recipe, stderr);
    bool layers = task_bench(model->task)->layers;
    if (!layers && !o->level[STEPS] && !o->level[NORMS] && !o->level[PROBES])
        return err_set(err, FAIL_USAGE,
                       "%s: this model has only the levels steps, norms and probes; "
                       "kernels, ops and pictures need a model of pictures",
                       model->name);
    if (layers && o->level[KERNELS]) bench_kernels(bench, &subject);
    if (layers && o->level[OPS]) bench_ops(bench, &subject);
    if (layers && o->level[PICTURES] && bench_pictures(bench, &subject, err))
        return err->status;
    if (o->level[STEPS] && !stop_requested()) {
        BenchSteps steps;
        if (!bench_steps(bench, &subject, &steps, err)) {
            bench_print_steps(bench, &subject, &steps);
            bench_note_losses(&steps, subject.name);
        }
        bench_steps_release(&steps);
    }
    if (!err->status && o->level[NORMS] && !stop_requested())
        bench_norms(bench, model, o->words, o->word_count, err);
    if (!err->status && o->level[PROBES] && !stop_requested())
        bench_probes(bench, model, o->words, o->word_count, err);
    return err->status;
}

/* Kept for mfu; no matter if they cannot be. */
static void measure_rates(Bench *bench, const BenchSubject *first) {
    size_t threads = first->threads;
    double seconds = bench->effort.seconds;
    bench->rate = machine_rate_measure(PRECISION_FP32, threads, seconds);
    machine_rate_store(PRECISION_FP32, threads, bench->rate);
    if (!units_here().bf16) return;
    bench->rate_bf16 = machine_rate_measure(PRECISION_BF16, threads, seconds);
    machine_rate_store(PRECISION_BF16, threads, bench->rate_bf16);
}

static Status run(Options *o, Err *err) {
    BenchSubject first;
    Bench *bench = &o->bench;
    if (bench_subject(bench, &first, o->models[0], o->words, o->word_count, err))
        return err->status;
    measure_rates(bench, &first);
    if (o->level[KERNELS] || o->level[OPS])
        bench->bandwidth = bench_bandwidth(bench->effort.seconds);
    bench_print_machine(bench, first.threads);
    bool models = false;
    for (size_t i = 0; i < LEVELS; i++) models |= i < GROWTH && o->level[i];
    for (size_t i = 0; models && i < o->model_count && !stop_requested(); i++)
        if (run_model(o, o->models[i], err)) return err->status;
    const char *path = o->output;
    if (o->level[GROWTH] && bench_growth(bench, o->words, o->word_count, path, err))
        return err->status;
    if (o->level[THEORY] && bench_theory(bench, o->words, o->word_count, path, err))
        return err->status;
    return stop_requested() ? err_set(err, FAIL_INTERRUPTED, "interrupted") : OK;
}

static int run_bench(int argc, char **argv) {
    Err err = ERR_NONE;
    Options o = {.words = mem_alloc((size_t)argc * sizeof(char *)),
                 .bench = {.effort = {.seconds = 0.2}, .age = bench_process_age()}};
    bool failed = read_options(&o, argc, argv, &err);
    if (!failed) stop_listen("after this measurement");
    failed = failed || run(&o, &err);
    mem_free(o.words);
    return failed ? command_fail("bench", &err) : OK;
}

const Command bench_command = {
    .name = "bench",
    .sentence = "measure kernels, ops and steps against this machine's GEMM; theory",
    .run = run_bench,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_KEY,
    .choices = LEVEL_NAMES,
    .more = bench_model_list,
    .computes = true,
};

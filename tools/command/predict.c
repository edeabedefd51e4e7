/* predict: `steady predict RUN [INPUT ...]` - classes, text, translations or transcripts. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/program/command.h"
#include "tools/task/predict.h"

static const char HELP[] =
    "usage: steady predict RUN [INPUT ...] [--checkpoint STEP|best|average:N|FILE] "
    "[--ema]\n"
    "                      [--logits] [--limit N] [section.key=value ...]\n"
    "\n"
    "Pictures (task.kind = classify): a line for each PNG or JPEG file with name, class "
    "and\n"
    "probability, tab-separated; without INPUT the recipe's test split.  A folder is "
    "its\n"
    "pictures in order of their names, or, where it holds none, those of its folders.\n"
    "\n"
    "Text (language): continues the --prompt.\n"
    "  --prompt TEXT     default: the start of a line\n"
    "  --tokens N        how many to write (default 200)\n"
    "  --temperature T   0 takes the most likely token each time (default 1)\n"
    "  --top-k K         sample from the K most likely tokens (default: all)\n"
    "  --seed S          random seed (default 0)\n"
    "  With INPUT and --logits: a JSON object for each line with the logits of every "
    "place.\n"
    "\n"
    "Translations (translate): line in, line out; from stdin where no INPUT is given.\n"
    "  --beam N          hypotheses of the search (default: train.beam, 5 at least)\n"
    "  --nbest N         N lines for each: number of the line, score, text, "
    "tab-separated\n"
    "\n"
    "Transcripts (transcribe): a line for each recording (WAV, FLAC, ...) with name and "
    "text,\n"
    "tab-separated; without INPUT those of the recipe's test split.  A folder is its\n"
    "recordings, or those of its folders.\n"
    "\n"
    "  --logits          one JSON object per line, with logits\n"
    "  --checkpoint X    a step, best, average:N (of the N newest), or a .safetensors "
    "file\n"
    "                    (default: the newest)\n"
    "  --limit N         only the first N inputs\n"
    "  --ema             the averaged weights (train.ema)\n"
    "  -h, --help        this text\n";

static Status read_whole(const char *option, const char *word, size_t *value, Err *err) {
    char *end;
    *value = strtoull(word, &end, 10);
    if (*word >= '0' && *word <= '9' && !*end) return OK;
    return err_set(err, FAIL_USAGE, "%s %s: wanted a whole number", option, word);
}

enum { BEAM_MOST = 1000 };

static Status check_beam(const PredictOptions *o, Err *err) {
    if (o->beam <= BEAM_MOST && o->nbest <= BEAM_MOST) return OK;
    return err_set(err, FAIL_USAGE, "--beam and --nbest are at most %d", BEAM_MOST);
}

static Status read_temperature(const char *word, double *value, Err *err) {
    char *end;
    *value = strtod(word, &end);
    if (end > word && !*end && isfinite(*value) && *value >= 0) return OK;
    return err_set(err, FAIL_USAGE, "--temperature %s: wanted a number >= 0", word);
}

/* ---- options ---- */

/* Options with a word behind them, and who uses them. */
static const struct {
    const char *name;
    size_t at; /* of a whole number in PredictOptions; 0: read apart */
    unsigned users;
} OPTIONS[] = {
    {"--limit", offsetof(PredictOptions, limit), PREDICT_LIMITS},
    {"--tokens", offsetof(PredictOptions, tokens), PREDICT_SAMPLES},
    {"--top-k", offsetof(PredictOptions, top_k), PREDICT_SAMPLES},
    {"--seed", offsetof(PredictOptions, seed), PREDICT_SAMPLES},
    {"--temperature", 0, PREDICT_SAMPLES},
    {"--prompt", 0, PREDICT_SAMPLES},
    {"--beam", offsetof(PredictOptions, beam), PREDICT_SEARCHES},
    {"--nbest", offsetof(PredictOptions, nbest), PREDICT_SEARCHES},
};

/* An option and the word behind it. */
static Status read_pair(PredictOptions *o, const char *option, const char *word,
                        bool *known, Err *err) {
    size_t i = 0;
    while (i < COUNT(OPTIONS) && strcmp(option, OPTIONS[i].name)) i++;
    *known = i < COUNT(OPTIONS);
    if (!*known) return OK;
    o->given |= 1u << i;
    if (OPTIONS[i].at)
        return read_whole(option, word, (size_t *)((char *)o + OPTIONS[i].at), err);
    if (!strcmp(option, "--temperature"))
        return read_temperature(word, &o->temperature, err);
    o->prompt = word;
    return OK;
}

/* An option that the run's kind does not use is refused, as a key is. */
static Status check_given(const PredictOptions *o, TaskKind task, Err *err) {
    size_t with = o->input_count > 0;
    unsigned used = task_predict(task)->use[with].options;
    const char *name = task_predict(task)->use[with].name;
    for (size_t i = 0; i < COUNT(OPTIONS); i++)
        if (o->given >> i & 1 && !(OPTIONS[i].users & used))
            return err_set(err, FAIL_USAGE,
                           "%s has no effect: %s%s does not use it; leave it out",
                           OPTIONS[i].name,
                           name ? "" : "task.kind = ", name ? name : task_name(task));
    return OK;
}

static Status read_options(PredictOptions *o, int argc, char **argv, Err *err) {
    for (int i = 1, used; i < argc; i += used) {
        if (run_choice_read(&o->choice, argc, argv, i, &used, err)) return err->status;
        if (used) continue;
        bool known = false;
        used = 1;
        if (!strcmp(argv[i], "--logits")) {
            o->logits = true;
            continue;
        }
        if (*argv[i] != '-' || !argv[i][1]) {
            o->inputs[o->input_count++] = argv[i];
            continue;
        }
        if (i + 1 < argc && read_pair(o, argv[i], argv[i + 1], &known, err))
            return err->status;
        if (!known)
            return err_set(err, FAIL_USAGE, "%s: unknown option; see -h", argv[i]);
        used = 2;
    }
    if (check_beam(o, err)) return err->status;
    return o->choice.dir ? OK : err_set(err, FAIL_USAGE, "which run folder?");
}

static Status run_it(PredictOptions *o, OpenRun *run, Err *err) {
    o->choice.command = o->input_count ? "predict with INPUT" : "predict";
    o->choice.use = o->input_count ? USE_PREDICT_INPUT : USE_PREDICT_SPLIT;
    if (run_open(run, &o->choice, false, err) || check_given(o, run->recipe->task, err))
        return err->status;
    PredictRun answering = {run->task, run->tape, run_mode(run)};
    return task_predict(run->recipe->task)->answer(o, &answering, err);
}

int predict_main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (is_help(argv[i])) return fputs(HELP, stdout), OK;
    Err err = ERR_NONE;
    OpenRun run = {0};
    PredictOptions o = {.choice.words = mem_alloc((size_t)argc * sizeof(char *)),
                        .inputs = mem_alloc((size_t)argc * sizeof(char *)),
                        .tokens = 200,
                        .temperature = 1,
                        .nbest = 1};
    bool failed = read_options(&o, argc, argv, &err) || run_it(&o, &run, &err);
    run_close(&run);
    mem_free(o.inputs);
    mem_free(o.choice.words);
    return failed ? command_fail("predict", &err) : OK;
}

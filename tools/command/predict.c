/* predict: `steady predict RUN [INPUT ...]` - classes, text, translations or transcripts. */
#include <stddef.h>
#include <string.h>

#include "tools/command/runwords.h"
#include "tools/commands.h"
#include "tools/task/predict.h"

enum { BEAM_MOST = 1000 };

#define AT(member) offsetof(PredictOptions, member)

/* Their tags: who uses them; 0: all. */
static const Option OPTIONS[] = {
    {"--prompt", "TEXT", OPTION_TEXT, AT(prompt),
     .sentence = "default: the start of a line", .tag = PREDICT_SAMPLES},
    {"--tokens", "N", OPTION_WHOLE, AT(tokens),
     .sentence = "how many to write (default 200)", .tag = PREDICT_SAMPLES},
    {"--temperature", "T", OPTION_NUMBER, AT(temperature),
     .sentence = "0 takes the most likely token each time (default 1)",
     .tag = PREDICT_SAMPLES},
    {"--top-k", "K", OPTION_WHOLE, AT(top_k),
     .sentence = "sample from the K most likely tokens (default: all)",
     .tag = PREDICT_SAMPLES},
    {"--seed", "S", OPTION_WHOLE, AT(seed), .sentence = "random seed (default 0)",
     .tag = PREDICT_SAMPLES},
    {"--beam", "N", OPTION_WHOLE, AT(beam),
     .sentence = "hypotheses of the search (default: train.beam, 5 at least)",
     .max = BEAM_MOST, .tag = PREDICT_SEARCHES},
    {"--nbest", "N", OPTION_WHOLE, AT(nbest),
     .sentence = "N lines for each: number of the line, score, text, tab-separated",
     .max = BEAM_MOST, .tag = PREDICT_SEARCHES},
    {"--logits", NULL, OPTION_FLAG, AT(logits),
     .sentence = "one JSON object per line, with logits"},
    RUN_OPTION_CHECKPOINT(PredictOptions),
    {"--limit", "N", OPTION_WHOLE, AT(limit), .sentence = "only the first N inputs",
     .tag = PREDICT_LIMITS},
    RUN_OPTION_EMA(PredictOptions),
    OPTION_HELP,
    {0},
};

/* An option that the run's kind does not use is refused, as a key is. */
static Status check_given(const PredictOptions *o, TaskKind task, Err *err) {
    size_t with = o->input_count > 0;
    unsigned used = task_predict(task)->use[with].options;
    const char *name = task_predict(task)->use[with].name;
    for (size_t i = 0; OPTIONS[i].name; i++)
        if (o->given >> i & 1 && OPTIONS[i].tag && !(OPTIONS[i].tag & used))
            return err_set(err, FAIL_USAGE,
                           "%s has no effect: %s%s does not use it; leave it out",
                           OPTIONS[i].name,
                           name ? "" : "task.kind = ", name ? name : task_name(task));
    return OK;
}

static Status read_word(void *options, char *word, Err *err) {
    PredictOptions *o = options;
    (void)err;
    if (!strcmp(word, "-") || !run_take_word(&o->choice, word))
        o->inputs[o->input_count++] = word;
    return OK;
}

static Status read_options(PredictOptions *o, int argc, char **argv, Err *err) {
    if (command_read(&predict_command, o, argc, argv, &o->given, err)) return err->status;
    return run_check_chosen(&o->choice, err);
}

static Status run_it(PredictOptions *o, OpenRun *run, Err *err) {
    o->choice.command = o->input_count ? "predict with INPUT" : "predict";
    o->choice.use = o->input_count ? USE_PREDICT_INPUT : USE_PREDICT_SPLIT;
    if (run_open(run, &o->choice, false, err) || check_given(o, run->recipe->task, err))
        return err->status;
    PredictRun answering = {run->task, run->tape, run_mode(run)};
    return task_predict(run->recipe->task)->answer(o, &answering, err);
}

static int run_predict(int argc, char **argv) {
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

const Command predict_command = {
    "predict",         "classify, generate, translate or transcribe",
    run_predict,       .options = OPTIONS,
    .word = read_word, .offers = OFFER_RUN | OFFER_FILE | OFFER_KEY,
    .computes = true,
};

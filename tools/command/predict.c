/* predict: `steady predict RUN [INPUT ...]` - classes, text, translations or
 * transcripts. */
#include <stddef.h>
#include <string.h>

#include "tools/command/runwords.h"
#include "tools/commands.h"
#include "tools/task/predict.h"

enum { BEAM_MOST = 1000, TOP_MOST = 1000000 };

typedef struct Words {
    RunChoice choice;
    PredictOptions predict;
    uint64_t given; /* which options are, a bit each */
} Words;

#define AT(member) offsetof(Words, predict.member)

/* Their tags: who uses them; 0: all. */
static const Option OPTIONS[] = {
    {"--prompt", "TEXT", OPTION_TEXT, AT(prompt),
     .sentence = "text to continue (default: start of a line)", .tag = PREDICT_SAMPLES},
    {"--tokens", "N", OPTION_WHOLE, AT(tokens),
     .sentence = "number of tokens to write (default 200)", .tag = PREDICT_SAMPLES},
    {"--temperature", "T", OPTION_NUMBER, AT(temperature),
     .sentence = "sampling temperature; 0: always the most likely token (default 1)",
     .tag = PREDICT_SAMPLES},
    {"--top-k", "K", OPTION_WHOLE, AT(top_k),
     .sentence = "sample from the K most likely tokens (default: all)",
     .tag = PREDICT_SAMPLES},
    {"--seed", "S", OPTION_WHOLE, AT(seed), .sentence = "random seed (default 0)",
     .tag = PREDICT_SAMPLES},
    {"--beam", "N", OPTION_WHOLE, AT(beam),
     .sentence = "beam size (default: train.beam, but at least 5)", .max = BEAM_MOST,
     .tag = PREDICT_SEARCHES},
    {"--nbest", "N", OPTION_WHOLE, AT(nbest),
     .sentence = "print N hypotheses per input line: line number, score, text, "
                 "tab-separated",
     .max = BEAM_MOST, .tag = PREDICT_SEARCHES},
    {"--top", "N", OPTION_WHOLE, AT(top),
     .sentence = "number of most likely classes to print per picture, with "
                 "probabilities\n"
                 "(default 1)",
     .min = 1, .max = TOP_MOST, .tag = PREDICT_RANKS},
    {"--logits", NULL, OPTION_FLAG, AT(logits),
     .sentence = "print one JSON object per line, with logits"},
    RUN_OPTION_CHECKPOINT(Words),
    {"--limit", "N", OPTION_WHOLE, AT(limit), .sentence = "read only the first N inputs",
     .min = 1, .tag = PREDICT_LIMITS},
    RUN_OPTION_EMA(Words),
    OPTION_HELP,
    {0},
};

/* An option that the run's kind does not use is refused, as a key is. */
static Status check_given(const Words *w, TaskKind task, Err *err) {
    size_t with = w->predict.input_count > 0;
    if (with && w->predict.logits && task_predict(task)->use[2].name) with = 2;
    unsigned used = task_predict(task)->use[with].options;
    const char *name = task_predict(task)->use[with].name;
    const char *single = task_predict(task)->single;
    for (size_t i = 0; OPTIONS[i].name; i++)
        if (w->given >> i & 1 && OPTIONS[i].tag && !(OPTIONS[i].tag & used))
            return err_set(err, FAIL_USAGE, "%s has no effect: %s%s does not use it; %s",
                           OPTIONS[i].name,
                           name ? "" : "task.kind = ", name ? name : task_name(task),
                           single && !strcmp(OPTIONS[i].name, "--prompt")
                               ? single
                               : "leave it out");
    return OK;
}

static Status read_word(void *options, char *word, Err *err) {
    Words *w = options;
    (void)err;
    if (!strcmp(word, "-") || !run_take_word(&w->choice, word))
        w->predict.inputs[w->predict.input_count++] = word;
    return OK;
}

static Status read_options(Words *w, int argc, char **argv, Err *err) {
    if (command_read(&predict_command, w, argc, argv, &w->given, err)) return err->status;
    return run_check_chosen(&w->choice, err);
}

static Status run_it(Words *w, OpenRun *run, Err *err) {
    bool with = w->predict.input_count > 0;
    w->choice.command = with ? "predict with INPUT" : "predict";
    w->choice.use = with ? USE_PREDICT_INPUT : USE_PREDICT_SPLIT;
    if (w->predict.top && w->predict.logits)
        return err_set(err, FAIL_USAGE, "--logits prints all classes; leave out --top");
    if (run_open(run, &w->choice, false, err) || check_given(w, run->recipe->task, err))
        return err->status;
    const TaskPredict *predict = task_predict(run->recipe->task);
    PredictRun answering = {run->task, run->tape, run_mode(run)};
    if (predict->answer(&w->predict, &answering, err) && !with && predict->split)
        run_explain_unscored(&w->choice, "name INPUT, such as a file", err);
    return err->status;
}

static int run_predict(int argc, char **argv) {
    Err err = ERR_NONE;
    OpenRun run = {0};
    Words w = {.choice = run_choice(argc, "predict", 0),
               .predict = {.inputs = mem_alloc((size_t)argc * sizeof(char *)),
                           .tokens = 200,
                           .temperature = 1,
                           .nbest = 1}};
    bool failed = read_options(&w, argc, argv, &err) || run_it(&w, &run, &err);
    mem_free(w.predict.inputs);
    return run_finish("predict", &run, &w.choice, failed, &err);
}

const Command predict_command = {
    .name = "predict",
    .sentence = "classify, generate, translate or transcribe",
    .run = run_predict,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_RUN | OFFER_FILE | OFFER_KEY,
    .computes = true,
};

/* eval: `steady eval RUN` - one JSON object with the score of a checkpoint. */
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "tools/command/runwords.h"
#include "tools/commands.h"
#include "tools/program/output.h"
#include "tools/run/datafacts.h"
#include "tools/run/rundir.h"
#include "tools/task/openrun.h"

typedef struct Options {
    RunChoice choice;
    int split; /* -1: test, or val where there is no test split */
} Options;

static const char *const SPLITS[] = {
    [SPLIT_TRAIN] = "train", [SPLIT_VAL] = "val", [SPLIT_TEST] = "test", NULL};

static const Option OPTIONS[] = {
    RUN_OPTION_CHECKPOINT(Options),
    {"--split", "NAME", OPTION_CHOICE, offsetof(Options, split),
     .sentence = "default: test, or val where there is no test split", .choices = SPLITS},
    RUN_OPTION_EMA(Options),
    OPTION_HELP,
    {0},
};

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    if (command_read(&eval_command, o, argc, argv, NULL, err)) return err->status;
    return run_check_chosen(&o->choice, err);
}

/* What words can be for, by split. */
static const unsigned USES[] = {[SPLIT_TRAIN] = USE_EVAL_TRAIN,
                                [SPLIT_VAL] = USE_EVAL_VAL,
                                [SPLIT_TEST] = USE_EVAL_TEST};

static Status score(OpenRun *run, int wanted, Score *score, Err *err) {
    bool val = !run->task->has_test && run->task->has_val;
    Split split = wanted >= 0 ? (Split)wanted : val ? SPLIT_VAL : SPLIT_TEST;
    char command[40];
    text_format(command, sizeof command, "eval --split %s", split_name(split));
    if (run_check_words(run, command, USES[split], err)) return err->status;
    ForwardMode mode = run_mode(run);
    if (run->task->ops->evaluate(run->task, run->tape, &mode, split, true, score, err))
        return err->status;
    task_say_split(run->task, split);
    if (score->count) return OK;
    return err_set(err, FAIL_DATA, "the %s split is empty", split_name(split));
}

static void print(const OpenRun *run, const Score *s) {
    json_t *row = score_row(s, run->at.step);
    json_object_set_new(row, "checkpoint", json_text(run->checkpoint));
    if (run->average)
        json_object_set_new(row, "average", json_integer((json_int_t)run->average));
    output_json(row, JSON_COMPACT | JSON_REAL_PRECISION(9));
}

static int run_eval(int argc, char **argv) {
    Err err = ERR_NONE;
    OpenRun run = {0};
    unsigned use = USE_EVAL_TRAIN | USE_EVAL_VAL | USE_EVAL_TEST;
    Options o = {.choice = run_choice(argc, "eval", use), .split = -1};
    Score result = {0};
    bool failed = read_options(&o, argc, argv, &err) ||
                  run_open(&run, &o.choice, false, &err) ||
                  score(&run, o.split, &result, &err);
    if (!failed) print(&run, &result);
    score_clear(&result);
    return run_finish("eval", &run, &o.choice, failed, &err);
}

const Command eval_command = {
    .name = "eval",
    .sentence = "score a run's checkpoint: one JSON object",
    .run = run_eval,
    .options = OPTIONS,
    .word = run_word_only,
    .offers = OFFER_RUN | OFFER_KEY,
    .computes = true,
};

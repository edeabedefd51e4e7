/* eval: `steady eval RUN` - one JSON object with the score of a checkpoint. */
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "tools/command/runwords.h"
#include "tools/commands.h"
#include "tools/probe/linear_probe.h"
#include "tools/program/output.h"
#include "tools/run/datafacts.h"
#include "tools/run/rundir.h"
#include "tools/task/openrecipe.h"

typedef struct Options {
    RunChoice choice;
    int split; /* -1: test, or val where there is no test split */
    bool linear;
    LinearProbe probe;
    int scale; /* FeatureForm */
    size_t seed;
} Options;

static const char *const SPLITS[] = {
    [SPLIT_TRAIN] = "train", [SPLIT_VAL] = "val", [SPLIT_TEST] = "test", NULL};

enum { OF_PROBE = 1 }; /* tag of options that --linear-probe has */

static const Option OPTIONS[] = {
    RUN_OPTION_CHECKPOINT(Options),
    {"--split", "NAME", OPTION_CHOICE, offsetof(Options, split),
     .sentence = "split to score (default: test, or val if there is no test split)",
     .choices = SPLITS},
    RUN_OPTION_EMA(Options),
    {"--linear-probe", NULL, OPTION_FLAG, offsetof(Options, linear),
     .sentence = "train a linear classifier on the frozen encoder's features"},
    {"--random", NULL, OPTION_FLAG, offsetof(Options, probe.random),
     .sentence = "also score random weights, for comparison", .tag = OF_PROBE},
    {"--epochs", "N", OPTION_WHOLE, offsetof(Options, probe.plan.epochs),
     .sentence = "epochs of the classifier (default 90)", .min = 1, .max = 1e6,
     .tag = OF_PROBE},
    {"--batch", "N", OPTION_WHOLE, offsetof(Options, probe.plan.batch),
     .sentence = "batch of the classifier (default: 1024, or all training pictures "
                 "if\nfewer)",
     .min = 1, .max = 1e9, .tag = OF_PROBE},
    {"--lr", "BASE", OPTION_NUMBER, offsetof(Options, probe.plan.base),
     .sentence = "learning rate for a batch of 256 (default 0.1)", .min = 1e-9,
     .max = 1e6, .tag = OF_PROBE},
    {"--augment", "LIST", OPTION_TEXT, offsetof(Options, probe.augment),
     .sentence = "augmentation of training pictures, as in data.augment; each epoch "
                 "then\n"
                 "passes all pictures through the encoder (default: none, one pass)",
     .tag = OF_PROBE},
    {"--scale", "NAME", OPTION_CHOICE, offsetof(Options, scale),
     .sentence =
         "scaling of features: standard (mean 0, variance 1 each; default) or none",
     .choices = feature_forms, .tag = OF_PROBE},
    {"--seed", "S", OPTION_WHOLE, offsetof(Options, seed),
     .sentence = "random seed of the classifier's weights and the order of "
                 "pictures\n(default 0)",
     .tag = OF_PROBE},
    OPTION_HELP,
    {0},
};

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    uint64_t given;
    if (command_read(&eval_command, o, argc, argv, &given, err)) return err->status;
    for (size_t i = 0; OPTIONS[i].name && !o->linear; i++)
        if (given >> i & 1 && OPTIONS[i].tag == OF_PROBE)
            return err_set(err, FAIL_USAGE, "%s has no effect without --linear-probe",
                           OPTIONS[i].name);
    return run_check_chosen(&o->choice, err);
}

/* What words can be for, by split. */
static const unsigned USES[] = {[SPLIT_TRAIN] = USE_EVAL_TRAIN,
                                [SPLIT_VAL] = USE_EVAL_VAL,
                                [SPLIT_TEST] = USE_EVAL_TEST};

static Split split_of(const OpenRun *run, int wanted) {
    return wanted >= 0 ? (Split)wanted : task_scored_split(run->task);
}

static Status score(OpenRun *run, int wanted, Score *score, Err *err) {
    Split split = split_of(run, wanted);
    char command[40];
    text_format(command, sizeof command, "eval --split %s", split_name(split));
    if (run_check_words(run, command, USES[split], err)) return err->status;
    ForwardMode mode = run_mode(run);
    if (task_evaluate(run->task, run->tape, &mode, split, true, score, err))
        return err->status;
    task_say_split(run->task, split);
    if (score->count) return OK;
    return err_set(err, FAIL_DATA, "the %s split is empty", split_name(split));
}

static void print(const OpenRun *run, json_t *row) {
    json_object_set_new(row, "step", run_step_json(run));
    json_object_set_new(row, "checkpoint", json_text(run->checkpoint));
    if (run->average)
        json_object_set_new(row, "average", json_integer((json_int_t)run->average));
    output_json(row, JSON_COMPACT | JSON_REAL_PRECISION(9));
}

static Status eval(const Options *o, OpenRun *run, Err *err) {
    Score result = {0};
    bool failed =
        run_open(run, &o->choice, false, err) || score(run, o->split, &result, err);
    if (!failed) print(run, score_row(&result, run->step));
    score_clear(&result);
    return err->status;
}

static Status probe(const Options *o, OpenRun *run, Err *err) {
    LinearProbe wish = o->probe;
    if (run_open_either(run, &o->choice, err)) return err->status;
    wish.split = split_of(run, o->split);
    wish.form = (FeatureForm)o->scale;
    wish.plan.seed = o->seed;
    unsigned use = USE_EVAL_TRAIN | USES[wish.split];
    if (run_is_folder(o->choice.dir) &&
        run_check_words(run, "eval --linear-probe", use, err))
        return err->status;
    json_t *row = linear_probe_row(run, &wish, err);
    if (row) print(run, row);
    return err->status;
}

static int run_eval(int argc, char **argv) {
    Err err = ERR_NONE;
    OpenRun run = {0};
    unsigned use = USE_EVAL_TRAIN | USE_EVAL_VAL | USE_EVAL_TEST;
    Options o = {.choice = run_choice(argc, "eval", use),
                 .split = -1,
                 .probe = linear_probe_default()};
    bool failed = read_options(&o, argc, argv, &err) ||
                  (o.linear ? probe(&o, &run, &err) : eval(&o, &run, &err));
    if (failed && o.split < 0)
        run_explain_unscored(&o.choice, "to score the training examples: --split train",
                             &err);
    return run_finish("eval", &run, &o.choice, failed, &err);
}

const Command eval_command = {
    .name = "eval",
    .sentence = "score a checkpoint, or its features (linear probe): one JSON object",
    .run = run_eval,
    .options = OPTIONS,
    .word = run_word_only,
    .offers = OFFER_RUN | OFFER_RECIPE | OFFER_KEY,
    .computes = true,
};

/* eval: `steady eval RUN` - one JSON object with the score of a checkpoint. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/program/command.h"
#include "tools/program/output.h"
#include "tools/run/datafacts.h"
#include "tools/run/rundir.h"
#include "tools/task/openrun.h"

static const char HELP[] =
    "usage: steady eval RUN [--checkpoint STEP|best|average:N|FILE]\n"
    "                   [--split test|val|train] [--ema] [section.key=value ...]\n"
    "\n"
    "Scores a run's model and prints one JSON object: step, split, loss (nats, mean "
    "over\n"
    "examples or target tokens, label smoothing included; nll is without it), count, "
    "and\n"
    "  classify    top1, top5\n"
    "  language    ppl; train.eval_stride says how much each token sees\n"
    "  translate   ppl, bleu (sacreBLEU's 13a, with its signature), bleu_tokens; "
    "train.beam = 0:\n"
    "              no translations\n"
    "  transcribe  wer, cer (greedy decoding), errors of each kind, the worst "
    "transcripts;\n"
    "              data.test_split=dev-other scores another folder\n"
    "Only the split that is scored is opened.  section.key=value names other data, a "
    "batch, a\n"
    "beam, threads; what has no effect, or is another model's, is refused.\n"
    "\n"
    "  --checkpoint X  a step, best, average:N (of the N newest), or a .safetensors "
    "file\n"
    "                  (default: the newest)\n"
    "  --split NAME    default: test, or val where there is no test split\n"
    "  --ema           the averaged weights (train.ema)\n"
    "  -h, --help      this text\n";

static Status split_of(const char *name, Split *split, Err *err) {
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
        if (!strcmp(name, split_name(s))) return *split = s, OK;
    return err_set(err, FAIL_USAGE, "--split %s: wanted train, val or test", name);
}

static Status read_options(RunChoice *c, const char **split, int argc, char **argv,
                           Err *err) {
    for (int i = 1, used; i < argc; i += used) {
        if (run_choice_read(c, argc, argv, i, &used, err)) return err->status;
        if (used) continue;
        if (strcmp(argv[i], "--split") || i + 1 >= argc)
            return err_set(err, FAIL_USAGE, "%s: unknown option; see -h", argv[i]);
        *split = argv[i + 1];
        used = 2;
    }
    return c->dir ? OK : err_set(err, FAIL_USAGE, "which run folder?");
}

/* What words can be for, by split. */
static const unsigned USES[] = {[SPLIT_TRAIN] = USE_EVAL_TRAIN,
                                [SPLIT_VAL] = USE_EVAL_VAL,
                                [SPLIT_TEST] = USE_EVAL_TEST};

static Status score(OpenRun *run, const char *wanted, Score *score, Err *err) {
    bool val = !run->task->has_test && run->task->has_val;
    Split split = val ? SPLIT_VAL : SPLIT_TEST;
    if (wanted && split_of(wanted, &split, err)) return err->status;
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

int eval_main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (is_help(argv[i])) return fputs(HELP, stdout), OK;
    Err err = ERR_NONE;
    OpenRun run = {0};
    RunChoice choice = {.words = mem_alloc((size_t)argc * sizeof(char *)),
                        .command = "eval",
                        .use = USE_EVAL_TRAIN | USE_EVAL_VAL | USE_EVAL_TEST};
    const char *split = NULL;
    Score result = {0};
    bool failed = read_options(&choice, &split, argc, argv, &err) ||
                  run_open(&run, &choice, false, &err) ||
                  score(&run, split, &result, &err);
    if (!failed) print(&run, &result);
    score_clear(&result);
    run_close(&run);
    mem_free(choice.words);
    return failed ? command_fail("eval", &err) : OK;
}

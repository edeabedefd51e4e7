/* runwords: what eval, predict and export read alike of their command lines.  Their
 * options begin with a member `RunChoice choice`. */
#ifndef STEADY_RUNWORDS_H
#define STEADY_RUNWORDS_H

#include <stddef.h>

#include "tools/program/command.h"
#include "tools/task/openrun.h"

extern const char *const run_checkpoints[]; /* names, for completion */

/* Rows of a table; `type` is that of the command's options. */
#define RUN_OPTION_CHECKPOINT(type)                                                      \
    {                                                                                    \
        "--checkpoint", "X", OPTION_NAME, offsetof(type, choice.checkpoint),             \
            .sentence = "checkpoint: a step, best, average:N (of the N newest) or a "    \
                        ".safetensors\nfile (default: the newest)",                      \
            .choices = run_checkpoints, .offers = OFFER_FILE,                            \
            .wants = "a step, best, average:N, or a file"                                \
    }
#define RUN_OPTION_EMA(type)                                                             \
    {                                                                                    \
        "--ema", NULL, OPTION_FLAG, offsetof(type, choice.ema),                          \
            .sentence = "use the averaged weights (train.ema)"                           \
    }

/* What a command begins with; `use`: what words of its are for (USE_EVAL_VAL and its
 * like), `argc`: of its command line. */
RunChoice run_choice(int argc, const char *command, unsigned use);

/* Takes the run folder, the first word, and section.key=value, unless it is a file's
 * name.  False: it is none of these, and left to the command. */
bool run_take_word(RunChoice *choice, char *word);

/* Command.word of those that take no other words: FAIL_USAGE. */
Status run_word_only(void *options, char *word, Err *err);

/* FAIL_USAGE where no folder was given, or its name is too long for one. */
Status run_check_chosen(const RunChoice *choice, Err *err);

/* Of data that cannot be opened where no split is named: if the run was trained without
 * one to score, the message says so, and what can be done instead. */
void run_explain_unscored(const RunChoice *choice, const char *instead, Err *err);

/* Data of the run `dir` that were not found under a path relative to this folder, but are
 * where the run was trained (run.json): their path is added to the message. */
void run_advise_path(const char *dir, Err *err);

/* Frees what both hold, prints a failure, and returns the exit code. */
int run_finish(const char *command, OpenRun *run, RunChoice *choice, bool failed,
               Err *err);

#endif

#include "tools/command/runwords.h"

#include <string.h>
#include <unistd.h>

#include "tools/program/say.h"
#include "tools/program/start.h"
#include "tools/task/precision.h"

const char *const run_checkpoints[] = {"best", NULL};

static Status follow_precision(Task *task, const char *was, Err *err) {
    char note[PRECISION_NOTE];
    Units units = units_here();
    if (precision_follow(task, &units, was, note, err)) return err->status;
    if (*note) say("steady: note: %s", note);
    return OK;
}

RunChoice run_choice(int argc, const char *command, unsigned use) {
    return (RunChoice){.words = mem_alloc((size_t)argc * sizeof(char *)),
                       .threads = start_threads_checked,
                       .precision = follow_precision,
                       .command = command,
                       .use = use};
}

bool run_take_word(RunChoice *choice, char *word) {
    if (strchr(word, '=') && access(word, F_OK))
        choice->words[choice->word_count++] = word;
    else if (!choice->dir) choice->dir = word;
    else return false;
    return true;
}

Status run_word_only(void *options, char *word, Err *err) {
    RunChoice *choice = options;
    return run_take_word(choice, word) ? OK : command_unexpected(word, choice->dir, err);
}

Status run_check_chosen(const RunChoice *choice, Err *err) {
    if (!choice->dir)
        return err_set(err, FAIL_USAGE,
                       "no run given; name its folder, "
                       "such as runs/demo");
    return command_check_name("RUN", choice->dir, err);
}

int run_finish(const char *command, OpenRun *run, RunChoice *choice, bool failed,
               const Err *err) {
    run_close(run);
    mem_free(choice->words);
    return failed ? command_fail(command, err) : OK;
}

#include "tools/command/runwords.h"

#include <string.h>
#include <unistd.h>

const char *const run_checkpoints[] = {"best", NULL};

bool run_take_word(RunChoice *choice, char *word) {
    if (strchr(word, '=') && access(word, F_OK))
        choice->words[choice->word_count++] = word;
    else if (!choice->dir) choice->dir = word;
    else return false;
    return true;
}

Status run_word_only(RunChoice *choice, char *word, Err *err) {
    return run_take_word(choice, word) ? OK : command_unexpected(word, choice->dir, err);
}

Status run_check_chosen(const RunChoice *choice, Err *err) {
    if (!choice->dir) return err_set(err, FAIL_USAGE, "which run folder?");
    return command_check_name("RUN", choice->dir, err);
}

#include "tools/command/runwords.h"

#include <string.h>
#include <unistd.h>

#include "tools/program/say.h"
#include "tools/program/shell.h"
#include "tools/program/start.h"
#include "tools/recipe/keys.h"
#include "tools/run/datafacts.h"
#include "tools/run/rundir.h"
#include "tools/run/runlog.h"
#include "tools/task/openrecipe.h"
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

void run_explain_unscored(const RunChoice *choice, const char *instead, Err *err) {
    DataRecord record;
    Err was = *err;
    bool known = was.status == FAIL_DATA && run_is_folder(choice->dir) &&
                 !datafacts_load(choice->dir, &record, NULL);
    if (!known) return;
    bool scored = record.split[SPLIT_VAL].count || record.split[SPLIT_TEST].count ||
                  !record.there[SPLIT_TRAIN];
    datarecord_free(&record);
    if (!scored)
        err_set(err, was.status,
                "%.300s was trained without a validation or test split (%.400s); %s",
                choice->dir, was.text, instead);
}

/* "data.path" of "data.path: pics: no such folder; ...", if the message is of this form
 * and its path is not absolute; NULL: else. */
static const char *missing_key(const char *text, char *name, size_t size) {
    size_t length = strcspn(text, ":");
    const char *path = text[length] ? text + length + 2 : "";
    text_format(name, size, "%.*s", (int)MIN(length, size - 1), text);
    bool fits = key_find(name) && *path && *path != '/' && strstr(path, ": no such ");
    return fits ? path : NULL;
}

static void add_path(const char *name, const char *from, const char *value, Err *err) {
    char whole[2 * PATH_SIZE], word[SHELL_WORD];
    Err was = *err;
    text_format(whole, sizeof whole, "%s=%.300s/%.300s", name, from, value);
    err_set(err, was.status, "%.400s; where the run was trained it is there: %s",
            was.text, shell_word(whole, word));
}

void run_advise_path(const char *dir, Err *err) {
    char name[80], there[2 * PATH_SIZE];
    Err was = *err;
    const char *path = missing_key(was.text, name, sizeof name);
    RunLog *run = path ? runlog_open_recipe(dir, NULL) : NULL;
    if (!run) return;
    const char *value = runlog_setting(run, name);
    size_t count = run->sessions.count;
    const char *from = count ? run->sessions.list[count - 1].cwd : NULL;
    bool same = value && *value && !strncmp(path, value, strlen(value));
    if (same && from) {
        int length = (int)MIN(strcspn(path, ":"), (size_t)1200);
        text_format(there, sizeof there, "%.1200s/%.*s", from, length, path);
        if (!access(there, F_OK)) add_path(name, from, value, err);
    }
    runlog_free(run);
}

int run_finish(const char *command, OpenRun *run, RunChoice *choice, bool failed,
               Err *err) {
    if (failed && choice->dir && err->status == FAIL_DATA)
        run_advise_path(choice->dir, err);
    run_close(run);
    mem_free(choice->words);
    return failed ? command_fail(command, err) : OK;
}

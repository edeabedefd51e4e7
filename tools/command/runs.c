/* runs: `steady runs [DIR]` - a table of the runs and sweeps in a folder. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/commands.h"
#include "tools/program/say.h"
#include "tools/sweep/runlist.h"

typedef struct Options {
    const char *dir; /* NULL: runs */
    bool recursive, json;
} Options;

static const Option OPTIONS[] = {
    {"--recursive", NULL, OPTION_FLAG, offsetof(Options, recursive),
     .sentence = "also list the runs of sweeps and of subfolders", .letter = "-r"},
    {"--json", NULL, OPTION_FLAG, offsetof(Options, json),
     .sentence = "print one JSON object per run"},
    OPTION_HELP,
    {0},
};

static Status read_word(void *options, char *word, Err *err) {
    Options *o = options;
    if (o->dir) return command_unexpected(word, o->dir, err);
    o->dir = word;
    return OK;
}

static int run_runs(int argc, char **argv) {
    Err err = ERR_NONE;
    Options o = {0};
    RunList list = {0};
    if (command_read(&runs_command, &o, argc, argv, NULL, &err))
        return command_fail("runs", &err);
    const char *dir = o.dir ? o.dir : "runs";
    bool none = !o.dir && access(dir, F_OK);
    if (!none && runlist_of(dir, o.recursive, &list, &err)) {
        runlist_free(&list);
        return command_fail("runs", &err);
    }
    if (o.json) runlist_print_json(&list);
    else if (list.count) runlist_print(&list, stdout);
    fflush(stdout); /* notes come below the table where both are one file */
    runlist_say(&list);
    if (!list.count) say("no runs in %s", dir);
    runlist_free(&list);
    return OK;
}

const Command runs_command = {
    .name = "runs",
    .sentence = "list the runs in a folder: state, score, verdict",
    .run = run_runs,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_FOLDER,
};

/* diff: `steady diff A B` - in what two runs differ, and from which step on. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "data/file/openfile.h"
#include "tools/commands.h"
#include "tools/run/rundiff.h"
#include "tools/run/rundir.h"

typedef struct Options {
    const char *runs[2];
    size_t count;
    RunDiffOptions diff;
    bool json, quiet;
} Options;

/* "recipe,train" */
static Status read_parts(const Option *option, void *options, const char *text,
                         Err *err) {
    Options *o = options;
    o->diff.parts = 0;
    for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        size_t length = strcspn(at, ","), p = 0;
        while (p < RUNDIFF_PARTS && (strncmp(rundiff_names[p], at, length) ||
                                     rundiff_names[p][length] != '\0'))
            p++;
        if (p == RUNDIFF_PARTS)
            return err_set(err, FAIL_USAGE,
                           "%s %.60s: expected some of recipe, version, data, train, "
                           "events, eval, probe, comma-separated",
                           option->name, text);
        o->diff.parts |= 1u << p;
    }
    return OK;
}

static const Option OPTIONS[] = {
    {"--only", "LIST", OPTION_OWN, offsetof(Options, diff.parts),
     .sentence =
         "compare only some of recipe, version, data, train, events, eval, probe\n"
         "(comma-separated)",
     .choices = rundiff_names, .read = read_parts},
    {"--tolerance", "X", OPTION_NUMBER, offsetof(Options, diff.tolerance),
     .sentence = "numbers are equal if they differ by at most X times the larger one\n"
                 "(default 0: all logged digits)",
     .min = 0, .max = 1},
    {"--quiet", NULL, OPTION_FLAG, offsetof(Options, quiet),
     .sentence = "print nothing, only set the exit status", .letter = "-q"},
    {"--json", NULL, OPTION_FLAG, offsetof(Options, json),
     .sentence = "one JSON object with all differences"},
    OPTION_HELP,
    {0},
};

static Status read_word(void *options, char *word, Err *err) {
    Options *o = options;
    if (o->count == COUNT(o->runs)) return command_unexpected(word, o->runs[1], err);
    o->runs[o->count++] = word;
    return OK;
}

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    if (command_read(&diff_command, o, argc, argv, NULL, err)) return err->status;
    if (o->count < COUNT(o->runs))
        return err_set(err, FAIL_USAGE,
                       "two run folders are needed: steady diff RUN "
                       "RUN");
    return OK;
}

static Status refuse(const char *dir, Err *err) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "sweep.json");
    if (openfile_exists(path, dir))
        return err_set(err, FAIL_USAGE,
                       "%.700s is a sweep; name two of its runs, in %.700s/cells, or "
                       "compare sweeps: steady sweep --compare SWEEP SWEEP",
                       dir, dir);
    return err_set(err, FAIL_USAGE,
                   "%.800s is not a run folder (no recipe.ini, no train.jsonl)", dir);
}

static Status compare(const Options *o, bool *equal, Err *err) {
    RunLog *runs[2] = {0};
    for (size_t i = 0; i < 2 && !err->status; i++)
        if ((runs[i] = runlog_open(o->runs[i], err))) runlog_say(runs[i]);
    for (size_t i = 0; i < 2 && !err->status; i++)
        if (!*runs[i]->recipe && !runs[i]->train.count) refuse(o->runs[i], err);
    if (!err->status) {
        RunDiff diff;
        rundiff(runs[0], runs[1], &o->diff, &diff);
        *equal = diff.equal;
        if (o->json) rundiff_print_json(&diff);
        else if (!o->quiet) rundiff_print(&diff, stdout);
        rundiff_check(&diff, err);
        rundiff_free(&diff);
    }
    runlog_free(runs[0]);
    runlog_free(runs[1]);
    return err->status;
}

/* 1 says that the runs differ, so that a fault is another code. */
static int run_diff(int argc, char **argv) {
    enum { DIFFER = 1 };
    Err err = ERR_NONE;
    Options o = {.diff = {.parts = RUNDIFF_ALL}};
    bool equal = false;
    if (!read_options(&o, argc, argv, &err) && !compare(&o, &equal, &err))
        return equal ? OK : DIFFER;
    if (err.status == FAIL_RUN) err.status = FAIL_DATA;
    return command_fail("diff", &err);
}

const Command diff_command = {
    .name = "diff",
    .sentence = "show what differs between two runs, and the first step that does",
    .run = run_diff,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_RUN,
};

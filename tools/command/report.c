/* report: `steady report RUN|SWEEP` - report.html and the figures, made afresh. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "data/file/openfile.h"
#include "tools/commands.h"
#include "tools/figure/figures.h"
#include "tools/figure/report.h"
#include "tools/program/apart.h"
#include "tools/program/say.h"
#include "tools/run/rundir.h"
#include "tools/sweep/sweep.h"

typedef struct Options {
    const char *dir, *out; /* out: NULL: in the folder */
} Options;

static const Option OPTIONS[] = {
    {"--out", "FILE", OPTION_NAME, offsetof(Options, out),
     .sentence = "write only the report, to FILE (default: report.html and figures/ in "
                 "the\n"
                 "folder)",
     .letter = "-o", .offers = OFFER_FILE},
    OPTION_HELP,
    {0},
};

static Status read_word(void *options, char *word, Err *err) {
    Options *o = options;
    if (o->dir) return command_unexpected(word, o->dir, err);
    o->dir = word;
    return OK;
}

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    if (command_read(&report_command, o, argc, argv, NULL, err)) return err->status;
    if (!o->dir)
        return err_set(err, FAIL_USAGE,
                       "no run and no sweep given: steady "
                       "report RUN, or steady report SWEEP");
    return command_check_name("RUN", o->dir, err);
}

static bool holds(const char *dir, const char *name) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "%s", name);
    return openfile_exists(path, dir);
}

/* A run that has no row yet has a report and no figures. */
static Status write_run(void *input, Err *err) {
    const Options *o = input;
    Err why = ERR_NONE;
    if (!o->out && holds(o->dir, "train.jsonl") && figures_write_run(o->dir, &why) &&
        why.status != FAIL_DATA)
        return err_set(err, why.status, "%s", why.text);
    return report_write(o->dir, o->out, NULL, err);
}

/* Figures are made apart by the sweep itself. */
static Status write_report(Options *o, Err *err) {
    if (holds(o->dir, "sweep.json")) return sweep_report_folder(o->dir, o->out, err);
    return apart_run(write_run, o, err);
}

static Status check_folder(const char *dir, Err *err) {
    if (holds(dir, "sweep.json") || holds(dir, "recipe.ini") || holds(dir, "train.jsonl"))
        return OK;
    return err_set(err, FAIL_USAGE,
                   "%s is not the folder of a run or sweep (no recipe.ini, train.jsonl "
                   "or sweep.json)",
                   dir);
}

static int run_report(int argc, char **argv) {
    Err err = ERR_NONE;
    Options o = {0};
    if (read_options(&o, argc, argv, &err) || check_folder(o.dir, &err) ||
        write_report(&o, &err))
        return command_fail("report", &err);
    if (o.out) printf("%s\n", o.out);
    else printf("%s/report.html\n", o.dir);
    return OK;
}

const Command report_command = {
    .name = "report",
    .sentence = "write report and figures of a run or sweep, finished or not",
    .run = run_report,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_RUN,
};

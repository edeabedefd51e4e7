/* train: `steady train RECIPE [key=value ...] [--out DIR]` and `steady
 * train --resume DIR`. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <omp.h>

#include "tools/command/ending.h"
#include "tools/command/runwords.h"
#include "tools/commands.h"
#include "tools/figure/figures.h"
#include "tools/figure/report.h"
#include "tools/program/apart.h"
#include "tools/program/join.h"
#include "tools/program/launch.h"
#include "tools/program/say.h"
#include "tools/program/shell.h"
#include "tools/program/start.h"
#include "tools/program/stop.h"
#include "tools/recipe/keys.h"
#include "tools/run/session.h"
#include "tools/task/init.h"
#include "tools/task/precision.h"
#include "tools/task/predict.h"
#include "tools/train/trainer.h"

enum { RUN_NAME = 1100 }; /* "runs/NAME" */

typedef struct Options {
    const char *recipe, *out, *resume, *checkpoint;
    char **words; /* section.key=value, [word_count] */
    size_t word_count;
    bool no_report, force, dry_run;
    int argc; /* as they were given, for run.json */
    char **argv;
} Options;

static const Option OPTIONS[] = {
    {"--out", "DIR", OPTION_NAME, offsetof(Options, out),
     .sentence = "run folder, new or empty (default: runs/NAME, or runs/NAME-2 ... if "
                 "it\n"
                 "exists)",
     .offers = OFFER_FOLDER},
    {"--resume", "DIR", OPTION_NAME, offsetof(Options, resume),
     .sentence = "resume from the newest checkpoint, bit for bit as if never stopped",
     .offers = OFFER_RUN},
    {"--checkpoint", "STEP", OPTION_NAME, offsetof(Options, checkpoint),
     .sentence = "with --resume: go back to this checkpoint of DIR, a step or best, and\n"
                 "continue in a new folder (--out; default: runs/NAME-from-STEP); DIR\n"
                 "stays as it is",
     .choices = run_checkpoints, .wants = "a step or best"},
    {"--no-report", NULL, OPTION_FLAG, offsetof(Options, no_report),
     .sentence = "write no figures and no report.html at the end"},
    {"--dry-run", NULL, OPTION_FLAG, offsetof(Options, dry_run),
     .sentence = "check recipe, data and model, print memory, disk and time; write "
                 "nothing"},
    {"--force", NULL, OPTION_FLAG, offsetof(Options, force),
     .sentence = "train.precision=bf16 on a processor without bf16: plain loops, slower "
                 "than fp32"},
    {"--help-keys", "[NAME]", OPTION_SHOW, 0,
     .sentence = "list recipe keys with values, default and meaning: all, a section "
                 "(optim),\n"
                 "or a name (lr)",
     .show = recipe_help_keys, .show_of = recipe_help_of, .choices = key_sections},
    {"--help-keys-markdown", NULL, OPTION_SHOW, 0,
     .sentence = "list every recipe key as Markdown (docs/recipe-keys.md)",
     .show = recipe_help_keys_markdown},
    OPTION_HELP,
    {0},
};

static Status read_word(void *options, char *word, Err *err) {
    Options *o = options;
    if (strchr(word, '=')) o->words[o->word_count++] = word;
    else if (!o->recipe && !key_find(word)) o->recipe = word;
    else if (!access(word, F_OK))
        return err_set(err, FAIL_USAGE,
                       "unexpected argument %.200s after the recipe %.60s; give data as "
                       "data.path=%.200s",
                       word, o->recipe, word);
    else if (key_find(word))
        return err_set(err, FAIL_USAGE, "%s has no value: write %s=VALUE", word, word);
    else
        return err_set(
            err, FAIL_USAGE,
            "unexpected argument %.60s after the recipe %.60s; write section.key=value "
            "without spaces",
            word, o->recipe);
    return OK;
}

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    if (command_read(&train_command, o, argc, argv, NULL, err)) return err->status;
    if (o->checkpoint && !o->resume)
        return err_set(err, FAIL_USAGE,
                       "--checkpoint needs --resume RUN; to start a new run from weights "
                       "alone: train.init=FILE");
    if (o->resume && o->recipe)
        return err_set(err, FAIL_USAGE, "--resume takes its recipe from %s; leave out %s",
                       o->resume, o->recipe);
    if (o->resume && o->out && !o->checkpoint)
        return err_set(err, FAIL_USAGE,
                       "--resume continues in %s; leave out --out, or continue in a new "
                       "folder from a checkpoint: --checkpoint STEP",
                       o->resume);
    if (!o->resume && !o->recipe)
        return err_set(err, FAIL_USAGE, "no recipe given; `steady recipes` lists them");
    return OK;
}

/* "runs/mnist/" -> "mnist"; a run's own recipe is always called recipe.ini. */
static void name_after_folder(Recipe *recipe, const char *dir) {
    size_t end = strlen(dir);
    while (end && dir[end - 1] == '/') end--;
    size_t from = end;
    while (from && dir[from - 1] != '/') from--;
    text_format(recipe->name, sizeof recipe->name, "%.*s",
                (int)MIN(end - from, sizeof recipe->name - 1), dir + from);
}

/* --resume RUN/checkpoints/step-00000030.safetensors */
static Status explain_file(const char *path, Err *err) {
    static const char MIDDLE[] = "/checkpoints/";
    char run[RUN_NAME], word[SHELL_WORD];
    const char *end = strstr(path, MIDDLE);
    text_format(run, sizeof run, "%.*s", (int)MIN(end ? end - path : 0, RUN_NAME - 1),
                path);
    if (!end || !rundir_holds_run(run)) return err->status;
    const char *name = end + sizeof MIDDLE - 1;
    size_t step = strtoul(name + strcspn(name, "0123456789"), NULL, 10);
    char from[24] = "best";
    if (step) text_format(from, sizeof from, "%zu", step);
    return err_set(err, FAIL_USAGE,
                   "%.600s is a checkpoint; to go back to it: steady train --resume %s "
                   "--checkpoint %s",
                   path, shell_word(run, word), from);
}

/* The recipe of a run's folder; *was: what the checkpoint that is resumed, its newest or
 * `from`, was trained by. */
static Status load_run(const char *dir, const Branch *from, Recipe *recipe, Recipe *was,
                       bool *begun, Err *err) {
    char path[PATH_SIZE];
    if (rundir_check_run(dir, err)) return explain_file(dir, err);
    rundir_path(path, dir, "recipe.ini");
    if (recipe_load_file(recipe, path, dir, err)) return err->status;
    name_after_folder(recipe, dir);
    *was = *recipe;
    *begun = from || trainer_recipe_was(dir, was);
    if (from) trainer_recipe_at(from->path, dir, was);
    return recipe_check(was, err);
}

/* Of a new run, before its data are opened; a resumed one first looks where it is. */
static Status check_precision(const Recipe *recipe, bool force, Err *err) {
    Units units = units_here();
    return precision_check(recipe, &units, force, err);
}

/* *from: the checkpoint to go back to, if there is --checkpoint. */
static Status load_recipe(const Options *o, Branch *from, Recipe *recipe, Recipe *was,
                          Err *err) {
    bool begun = false;
    const Branch *back = o->checkpoint ? from : NULL;
    *recipe = recipe_default();
    if (back && branch_find(o->resume, o->checkpoint, from, err)) return err->status;
    if (o->resume ? load_run(o->resume, back, recipe, was, &begun, err)
                  : recipe_load(recipe, o->recipe, err))
        return err->status;
    for (size_t i = 0; i < o->word_count; i++)
        if (recipe_set(recipe, o->words[i], err)) return err->status;
    if (recipe_check(recipe, err) || !begun) return err->status;
    RecipeChanges changes = recipe_compare(was, recipe);
    recipe_check_resumed(&changes, recipe, o->resume, err);
    recipe_changes_free(&changes);
    return err->status;
}

/* "data.path: pictures: no such folder; give ..." where pictures is the built-in recipe's
 * word: nobody typed it. */
static void explain_path(const Options *o, const Recipe *recipe, Err *err) {
    static const char START[] = "data.path: ", FORM[] = "data.path=";
    const Err was = *err;
    const char *path = was.text + sizeof START - 1;
    const char *lacks = strstr(was.text, ": no such "), *give;
    if (o->resume || keyset_has(recipe->own, key_find("data.path")) ||
        strncmp(was.text, START, sizeof START - 1) || !lacks || lacks < path ||
        !(give = strstr(lacks, "; give ")))
        return;
    const char *form = strstr(give, FORM);
    size_t length = form ? strcspn(form, " ;,") : 0;
    err_set(err, was.status,
            "data.path is needed: %s%sthe recipe's own, %.*s, does not exist%s%s%s%.*s",
            give + 2, "; ", (int)(lacks - path), path,
            length ? "; for example: steady train " : "", length ? recipe->name : "",
            length ? " " : "", (int)length, form ? form : "");
}

typedef struct ReportOf {
    const char *dir, *message; /* message: how the run ended; NULL: well */
} ReportOf;

/* Figures need at least one logged step; the report is there without them too. */
static Status draw_report(void *input, Err *err) {
    const ReportOf *of = input;
    Err why = ERR_NONE;
    if (figures_write_run(of->dir, &why) == FAIL_RUN)
        fprintf(stderr, "steady: note: figures not written: %s\n", why.text);
    return report_write(of->dir, NULL, of->message, err);
}

static void say_report(const char *dir) {
    fprintf(stderr, "report: %s/report.html\n", dir);
}

static void write_report(const char *dir, const Err *ending) {
    Err err = ERR_NONE;
    ReportOf of = {dir, ending->status ? ending->text : NULL};
    if (apart_run(draw_report, &of, &err))
        fprintf(stderr, "steady train: report not written: %s\n", err.text);
    else say_report(dir);
}

static bool has_report(const char *dir) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "report.html");
    return !access(path, F_OK);
}

/* From where a run continues that an error or a signal stopped at `step`. */
static void say_resume(const char *dir, size_t step, Status status) {
    char word[SHELL_WORD];
    size_t saved = checkpoint_newest(dir, SIZE_MAX);
    shell_word(dir, word);
    if (status == FAIL_INTERRUPTED)
        fprintf(stderr, "%sto resume: steady train --resume %s\n", step ? "saved; " : "",
                word);
    else if (saved)
        fprintf(stderr,
                "stopped by this error at step %zu; once its cause is removed, to resume "
                "from step %zu: steady train --resume %s\n",
                step, saved, word);
    else
        fprintf(stderr,
                "stopped by this error at step %zu with nothing saved; once its cause is "
                "removed, to start again: steady train --resume %s\n",
                step, word);
}

/* Did it end because of what it computed, and not because something failed? */
static bool ended_by_itself(Status status) {
    return !status || status == FAIL_DIVERGED || status == FAIL_COLLAPSED;
}

/* What is left to say of a run that ended in `err`: rank 0's part. */
static int say_error(const char *dir, size_t step, const Err *err) {
    Status status = err->status;
    if (!status) return OK;
    command_fail("train", err);
    bool failed = (status == FAIL_DATA || status == FAIL_RUN) && step;
    if (failed || status == FAIL_INTERRUPTED) say_resume(dir, step, status);
    return (int)status;
}

/* A dry run: what it would take; nothing is left. */
static int try_out(Trainer *trainer, bool work, Err *err) {
    bool lead = ranks_lead(trainer->ranks);
    if (work) trainer_estimate(trainer, err);
    trainer_close(trainer);
    return err->status && lead ? command_fail("train", err) : (int)err->status;
}

static bool is_taken(const char *dir) {
    struct stat info;
    return !lstat(dir, &info) && rundir_check_free(dir, NULL);
}

/* runs/NAME, or, where that is taken, runs/NAME-2 and so on; of a run that goes back,
 * runs/NAME-from-STEP. */
static void choose_folder(const Recipe *recipe, const Options *o, const Branch *from,
                          bool lead, char dir[], size_t size) {
    enum { MOST = 10000 };
    char first[RUN_NAME], word[SHELL_WORD];
    bool unnamed = !strcmp(recipe->name, ".") || !strcmp(recipe->name, "..");
    const char *name = from && unnamed ? "run" : recipe->name;
    text_format(first, sizeof first, "runs/%.1000s", name);
    if (from) text_format(first, sizeof first, "runs/%.1000s-from-%zu", name, from->step);
    text_format(dir, size, "%s", first);
    for (size_t n = 2; n < MOST && is_taken(dir); n++)
        text_format(dir, size, "%s-%zu", first, n);
    if (!lead || !strcmp(dir, first)) return;
    bool holds = rundir_holds_run(first);
    say("steady: note: %s %s: this run %s written to %s%s%s%s", first,
        holds ? "already contains a run" : "is not empty", o->dry_run ? "would be" : "is",
        dir, holds ? " (to resume that one: steady train --resume " : "",
        holds ? shell_word(first, word) : "", holds ? ")" : "");
}

/* Into run.json.  Training needs nothing of it: what cannot be written is a note. */
static void begin_session(const Options *o, const Trainer *t) {
    Err why = ERR_NONE;
    const char *init = t->at.step ? "" : t->recipe->train.init;
    char crc[SAFETENSORS_CRC];
    bool known = *init && !init_crc(init, crc, &why);
    if (why.status) say("steady: note: %s", why.text);
    why = ERR_NONE;
    SessionStart start = {.argc = o->argc,
                          .argv = o->argv,
                          .threads = (size_t)omp_get_max_threads(),
                          .ranks = ranks_count(t->ranks),
                          .parameters = params_trained_count(t->task->model->params),
                          .from = t->at.step,
                          .steps = t->steps,
                          .init_crc = known ? crc : NULL};
    if (session_begin(t->dir, &start, &why)) say("steady: note: %s", why.text);
}

static void end_session(const char *dir, size_t step, double since, const Ending *ending,
                        const Err *err) {
    Err why = ERR_NONE;
    SessionEnd end = {.step = step,
                      .seconds = clock_now() - since,
                      .exit = (int)err->status,
                      .message = err->status ? err->text : NULL,
                      .verdict = ending->known ? ending->verdict.name : NULL,
                      .loss = ending->verdict.tail};
    if (!rundir_holds_run(dir)) return; /* it did not begin, and was removed */
    if (session_end(dir, &end, &why)) say("steady: note: %s", why.text);
}

/* On all ranks: what became of the run, and whether that is a failure. */
static void judge(Ending *ending, const Recipe *recipe, const char *dir, size_t step,
                  Ranks *ranks, Err *err) {
    Status status = err->status;
    bool told = ended_by_itself(status) && (step || status == FAIL_DIVERGED);
    if (told && ranks_lead(ranks)) ending_open(ending, dir);
    if (status) return;
    ending_judge(ending, recipe->guard.exit, err);
    ranks_agree(ranks, err);
}

/* The rest that is said of a run that has taken `step` steps, some of them now (`moved`):
 * rank 0's part. */
static int conclude(const Options *o, const char *dir, size_t step, bool moved,
                    const char *input, const Ending *ending, const Err *err) {
    Status status = err->status;
    bool told = status != FAIL_INTERRUPTED && (step || status == FAIL_DIVERGED);
    bool drawn = moved || status == FAIL_DIVERGED || !has_report(dir);
    Err ended = ending->diverged ? ERR_NONE : *err; /* the report has the verdict */
    if (!o->no_report && told && drawn) write_report(dir, &ended);
    else if (!o->no_report && told) say_report(dir);
    if (told && ended_by_itself(status)) ending_say_next(ending, dir, input);
    return say_error(dir, step, err);
}

static Status open_trainer(Trainer *t, const Recipe *recipe, const Recipe *was,
                           const Options *o, const Branch *from, const char *dir,
                           Ranks *ranks, Err *err) {
    if (from)
        return trainer_open_branch(t, recipe, was, from, dir, ranks, o->force, o->dry_run,
                                   err);
    return (o->dry_run ? trainer_open_dry : trainer_open)(t, recipe,
                                                          o->resume ? was : NULL, dir,
                                                          ranks, o->force, err);
}

static int run(Recipe *recipe, const Recipe *was, const Options *o, const Branch *from,
               Ranks *ranks) {
    Err err = ERR_NONE;
    Trainer trainer;
    char named[RUN_NAME + 40];
    bool lead = ranks_lead(ranks);
    const char *dir = o->resume && !from ? o->resume : o->out ? o->out : named;
    if (dir == named) choose_folder(recipe, o, from, lead, named, sizeof named);
    Status opened = open_trainer(&trainer, recipe, was, o, from, dir, ranks, &err);
    if (opened) explain_path(o, recipe, &err);
    if (opened && o->resume) run_advise_path(o->resume, &err);
    if (opened) return lead ? command_fail("train", &err) : (int)err.status;
    bool work = trainer_has_work(&trainer);
    if (lead && !work)
        fprintf(stderr, "%s is finished (%zu steps)%s; to extend: train.steps=N\n", dir,
                trainer.steps,
                recipe_changes_course(&trainer.changes, recipe)
                    ? "; the changed keys have no effect"
                    : "");
    if (lead && work) trainer_introduce(&trainer);
    if (o->dry_run) return try_out(&trainer, work, &err);
    char word[SHELL_WORD];
    if (lead && work && isatty(STDERR_FILENO))
        say("to watch: steady watch %s", shell_word(dir, word));
    const char *after = getenv("STEADY_CHECKPOINT_AFTER");
    if (after) trainer.first_save = strtod(after, NULL);
    double since = clock_now();
    if (lead && work) begin_session(o, &trainer);
    trainer_run(&trainer, &err);
    size_t step = trainer.at.step;
    Ending ending = {0};
    judge(&ending, recipe, dir, step, ranks, &err);
    if (lead && work) end_session(dir, step, since, &ending, &err);
    trainer_close(&trainer);
    const char *input = task_predict(recipe->task)->input;
    return lead ? conclude(o, dir, step, work && step, input, &ending, &err)
                : (int)err.status;
}

/* Every rank reads the command line and the recipe; where one cannot, none goes on. */
static int train(Options *o, int argc, char **argv, Ranks *ranks) {
    Err err = ERR_NONE;
    Recipe *recipe = mem_alloc(sizeof *recipe), *was = mem_alloc(sizeof *was);
    Branch *from = mem_alloc(sizeof *from);
    int code;
    /* Ranks agree on their end before they leave; a single process has nothing to save
     * until its folder is made (trainer_open), and main has said so. */
    if (ranks) stop_listen(ranks_lead(ranks) ? TRAINER_PROMISE : NULL);
    if (!read_options(o, argc, argv, &err) && !load_recipe(o, from, recipe, was, &err) &&
        (o->resume || !check_precision(recipe, o->force, &err)))
        start_threads_checked(recipe->train.threads, &err);
    const char *way = o->dry_run  ? o->resume ? "--resume --dry-run" : "--dry-run"
                      : o->resume ? "--resume"
                                  : "a new run";
    if (ranks_agree(ranks, &err) || trainer_check_ranks(ranks, recipe, way, &err)) {
        code = ranks_lead(ranks) ? command_fail("train", &err) : (int)err.status;
    } else {
        if (ranks_lead(ranks)) recipe_notes(recipe, stderr);
        code = run(recipe, was, o, o->checkpoint ? from : NULL, ranks);
    }
    mem_free(from);
    mem_free(recipe);
    mem_free(was);
    return code;
}

static int run_train(int argc, char **argv) {
    Err err = ERR_NONE;
    Ranks *ranks;
    if (join_ranks(&ranks, &err)) return launch_fail("train", &err);
    Options o = {.words = mem_alloc((size_t)argc * sizeof(char *)),
                 .argc = argc,
                 .argv = argv};
    int code = train(&o, argc, argv, ranks);
    mem_free(o.words);
    ranks_finish(ranks);
    return code;
}

const Command train_command = {
    .name = "train",
    .sentence = "train from a recipe, or resume a run",
    .run = run_train,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_RECIPE | OFFER_KEY | OFFER_FILE,
    .computes = true,
    .resumes = true,
};

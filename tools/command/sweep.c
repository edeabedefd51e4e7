/* sweep: `steady sweep RECIPE[,RECIPE...] key=a,b,c ...` - a grid of runs and its
 * table. */
#include <stddef.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/program/shell.h"
#include "tools/program/start.h"
#include "tools/program/stop.h"
#include "tools/recipe/keys.h"
#include "tools/run/rundir.h"
#include "tools/sweep/sweep.h"
#include "tools/task/precision.h"

enum { COUNT_MOST = 4096 };

typedef struct Options {
    const char **words; /* recipe and settings, [word_count] */
    size_t word_count;
    const char *out, *resume, *fail, *plan;
    size_t jobs, threads;
    bool dry_run, reports, compare, force;
    int theme; /* Theme */
    SweepAcross across;
} Options;

/* ---- the command line ---- */

static const char *const THEMES[] = {
    [THEME_LIGHT] = "light", [THEME_DARK] = "dark", NULL};

static const Option OPTIONS[] = {
    {"--out", "DIR", OPTION_NAME, offsetof(Options, out),
     .sentence = "folder of the sweep: new, empty, or that of this sweep (default:\n"
                 "runs/sweep-RECIPE[+RECIPE...])",
     .offers = OFFER_FOLDER},
    {"--jobs", "N", OPTION_WHOLE, offsetof(Options, jobs),
     .sentence =
         "number of runs at a time (default: 1).  Small models are fastest with one\n"
         "run per core; each run takes its own memory",
     .min = 1, .max = COUNT_MOST},
    {"--threads", "N", OPTION_WHOLE, offsetof(Options, threads),
     .sentence = "total threads of all runs (default: the cores this process may use);\n"
                 "divided evenly unless train.threads is given",
     .min = 1, .max = COUNT_MOST},
    {"--resume", "DIR", OPTION_NAME, offsetof(Options, resume),
     .sentence = "resume the sweep in DIR; rerunning its command line does the same",
     .offers = OFFER_FOLDER},
    {"--fail", "CRITERION", OPTION_NAME, offsetof(Options, fail),
     .sentence =
         "definition of a failure, such as 'loss>1.48 or site_entropy<10%': columns of\n"
         "sweep.csv, scores (top1), diverged, collapsed, or midpoint (between lowest\n"
         "mean loss and chance).  The table counts failures by method and configuration",
     .wants = "a criterion, such as 'loss>1.48'"},
    {"--plan", "FILE", OPTION_NAME, offsetof(Options, plan),
     .sentence =
         "write grid, seeds, recipes and criterion to FILE before the first run (with\n"
         "--dry-run: run nothing).  If FILE exists, read them from it; the table says\n"
         "whether the sweep followed the plan",
     .offers = OFFER_FILE},
    {"--method", "KEYS", OPTION_TEXT, offsetof(Options, across.choice.method),
     .sentence =
         "swept keys, comma-separated, whose values are compared as methods\n"
         "(default: recipe, or the first swept key other than optim.lr and train.seed)"},
    {"--baseline", "METHOD", OPTION_TEXT, offsetof(Options, across.choice.base),
     .sentence = "method to compare the others with (default: the first)"},
    {"--compare", NULL, OPTION_FLAG, offsetof(Options, compare),
     .sentence = "run nothing; compare the runs of existing sweeps (arguments are "
                 "their folders)"},
    {"--figure", "FILE", OPTION_NAME, offsetof(Options, across.figure),
     .sentence = "with --compare: figure to write, loss and score against learning rate "
                 "(.png,\n"
                 ".svg or .pdf)",
     .letter = "-o", .offers = OFFER_FILE},
    {"--theme", "NAME", OPTION_CHOICE, offsetof(Options, theme),
     .sentence = "colours of that figure: light or dark (default light)",
     .choices = THEMES},
    {"--reports", NULL, OPTION_FLAG, offsetof(Options, reports),
     .sentence = "also write figures and report.html of each run"},
    {"--force", NULL, OPTION_FLAG, offsetof(Options, force),
     .sentence = "train.precision=bf16 on a processor without bf16: plain loops, slower "
                 "than fp32"},
    {"--dry-run", NULL, OPTION_FLAG, offsetof(Options, dry_run),
     .sentence = "list the runs and their state, run nothing"},
    OPTION_HELP,
    {0},
};

static Status read_word(void *options, char *word, Err *err) {
    Options *o = options;
    (void)err;
    o->words[o->word_count++] = word;
    return OK;
}

/* The first option that is about runs to be made; NULL: there is none. */
static const char *of_runs(const Options *o) {
    const struct {
        bool given;
        const char *name;
    } about[] = {{o->resume, "--resume"},   {o->out, "--out"},
                 {o->plan, "--plan"},       {o->jobs, "--jobs"},
                 {o->threads, "--threads"}, {o->dry_run, "--dry-run"},
                 {o->reports, "--reports"}, {o->force, "--force"}};
    for (size_t i = 0; i < COUNT(about); i++)
        if (about[i].given) return about[i].name;
    return NULL;
}

static bool names_recipe(const Options *o) {
    for (size_t i = 0; i < o->word_count; i++)
        if (!strchr(o->words[i], '=')) return true;
    return false;
}

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    if (command_read(&sweep_command, o, argc, argv, NULL, err)) return err->status;
    if (o->resume && (o->word_count || o->out))
        return err_set(err, FAIL_USAGE, "--resume takes its grid from %s; leave out %s",
                       o->resume, o->word_count ? o->words[0] : "--out");
    if (o->compare && of_runs(o))
        return err_set(err, FAIL_USAGE, "--compare runs nothing; leave out %s",
                       of_runs(o));
    if (o->compare && !o->word_count)
        return err_set(err, FAIL_USAGE,
                       "--compare needs folders of sweeps: steady "
                       "sweep --compare DIR DIR");
    if (!o->compare && o->across.figure)
        return err_set(err, FAIL_USAGE,
                       "-o names the figure of --compare; name the folder of a sweep "
                       "with --out");
    if (!o->resume && !o->plan && !o->word_count)
        return err_set(err, FAIL_USAGE, "no recipe given; `steady recipes` lists them");
    if (o->plan && o->word_count && !names_recipe(o))
        return err_set(err, FAIL_USAGE,
                       "words with --plan are the whole grid, but these name no recipe; "
                       "leave out %s to run the plan %s as it is, or give all of its "
                       "words (`words` in the file) and what is to be added",
                       o->words[0], o->plan);
    return OK;
}

static Status open_grid(const Options *o, Sweep *sweep, Err *err) {
    if (o->word_count) return sweep_open(sweep, o->words, o->word_count, err);
    size_t count = 0;
    char **words = o->resume ? sweep_load_words(o->resume, &count, err)
                             : sweep_plan_words(o->plan, &count, err);
    if (!words) return err->status;
    Status status = sweep_open(sweep, (const char *const *)words, count, err);
    sweep_free_words(words, count);
    return status ? err_wrap(err, "the words of %s", o->resume ? o->resume : o->plan)
                  : OK;
}

/* runs/sweep-demo+demo-sigma */
static void name_folder(const Sweep *sweep, char *dir, size_t size) {
    const SweepAxis *recipes = &sweep->axes[0];
    text_format(dir, size, "runs/sweep");
    for (size_t i = 0; i < recipes->count; i++) {
        size_t used = strlen(dir);
        if (used + strlen(recipes->labels[i]) + 2 > 200) break;
        text_format(dir + used, size - used, "%c%s", i ? '+' : '-', recipes->labels[i]);
    }
    for (char *c = dir + strlen("runs/"); *c; c++)
        if (*c == '/') *c = '_';
}

/* ---- what is done ---- */

static void announce(const Sweep *sweep, const SweepPace *pace) {
    if (sweep->plan_written)
        fprintf(stderr, "plan of %zu runs written: %s\n", sweep->cell_count,
                sweep->plan_path);
    if (sweep->kept && sweep->kept < sweep->cell_count)
        fprintf(stderr,
                "%s: the grid grows from %zu to %zu runs; the existing %zu are "
                "kept\n",
                sweep->dir, sweep->kept, sweep->cell_count, sweep->kept);
    size_t jobs = MIN(pace->jobs, sweep->cell_count), share = sweep_share(sweep, pace);
    fprintf(stderr, "%zu run%s, %zu at a time with %zu thread%s each, in %s\n",
            sweep->cell_count, sweep->cell_count == 1 ? "" : "s", jobs, share,
            share == 1 ? "" : "s", sweep->dir);
    sweep_print_choice(sweep, stderr);
    sweep_print_plan_ahead(sweep, stderr);
}

static void list_cells(const Sweep *sweep, const SweepPace *pace) {
    for (size_t c = 0; c < sweep->cell_count; c++) {
        char dir[PATH_SIZE];
        sweep_cell_dir(sweep, c, dir, sizeof dir);
        bool ended = sweep_has_ended(&sweep->cells[c]);
        bool begun = rundir_holds_run(dir) && checkpoint_newest(dir, SIZE_MAX);
        printf("%s  %s\n",
               ended   ? "done  "
               : begun ? "begun "
                       : "to run",
               sweep->cells[c].name);
    }
    announce(sweep, pace);
}

static void introduce(const Sweep *sweep, const SweepPace *pace) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Status status = sweep_recipe(sweep, 0, recipe, NULL);
    for (size_t a = 1; a < sweep->axis_count; a++) /* sweep_check has noted the words */
        for (size_t k = 0; k < sweep->axes[a].key_count; k++)
            keyset_remove(recipe->given, key_of_word(sweep->axes[a].keys[k]));
    if (!status) recipe_notes(recipe, stderr);
    mem_free(recipe);
    size_t ended = 0;
    for (size_t c = 0; c < sweep->cell_count; c++)
        ended += sweep_has_ended(&sweep->cells[c]);
    announce(sweep, pace);
    if (ended) fprintf(stderr, "%zu already finished\n", ended);
}

static int run(const Options *o, Sweep *sweep, const char *dir, const SweepPace *pace) {
    Err err = ERR_NONE, late = ERR_NONE;
    if (sweep_begin(sweep, dir, &err)) return command_fail("sweep", &err);
    introduce(sweep, pace);
    Status status = sweep_run(sweep, pace, &err);
    if (status == FAIL_INTERRUPTED) {
        command_fail("sweep", &err);
        char word[SHELL_WORD];
        fprintf(stderr, "saved; to resume: steady sweep --resume %s\n",
                shell_word(dir, word));
        return (int)status;
    }
    Status reported = sweep_report(sweep, &o->across.choice, stdout, &late);
    fflush(stdout); /* the table first, where both streams go into one file */
    if (reported) return command_fail("sweep", &late);
    fprintf(stderr, "\nreport: %s/report.html\nresults and runs: %s\n", dir, dir);
    return status ? command_fail("sweep", &err) : OK;
}

/* Before any run: each of them would be refused. */
static Status check_precision(const Sweep *sweep, bool force, Err *err) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    Units units = units_here();
    Status status = OK;
    for (size_t c = 0; c < sweep->cell_count && !status; c++) {
        status = sweep_recipe(sweep, c, recipe, err);
        if (!status) status = precision_check(recipe, &units, force, err);
    }
    mem_free(recipe);
    return status;
}

static Status check_runs(const Options *o, const Sweep *sweep, Err *err) {
    Status status = sweep_check(sweep, stderr, err);
    if (!status) status = sweep_check_fail(sweep, err);
    if (!status) status = sweep_check_twins(sweep, !o->resume, stderr, err);
    return status ? status : check_precision(sweep, o->force, err);
}

static int start(const Options *o, Sweep *sweep) {
    Err err = ERR_NONE;
    if (open_grid(o, sweep, &err)) return command_fail("sweep", &err);
    bool over = o->resume && sweep_take_over(sweep, o->resume);
    if (o->fail && sweep_set_fail(sweep, o->fail, &err))
        return command_fail("sweep", &err);
    sweep->methods = o->across.choice.method;
    sweep->base = o->across.choice.base;
    if (o->plan && sweep_read_plan(sweep, o->plan, &err))
        return command_fail("sweep", &err);
    SweepChoice choice = sweep_choice(sweep), any = {.method = choice.method};
    if ((!over && check_runs(o, sweep, &err)) ||
        sweep_check_choice(sweep, &any, &err)) /* its baseline: with the folder's */
        return command_fail("sweep", &err);
    char named[300];
    name_folder(sweep, named, sizeof named);
    const char *dir = o->resume ? o->resume : o->out ? o->out : named;
    SweepPace pace = {MAX(o->jobs, (size_t)1), start_threads(o->threads), o->reports,
                      o->force};
    if (!o->dry_run) return run(o, sweep, dir, &pace);
    if (sweep_look(sweep, dir, &err)) return command_fail("sweep", &err);
    choice = sweep_choice(sweep);
    /* a plan can be written, and looked at, where the data are not */
    if (sweep_note_places(sweep, stderr, &err) ||
        sweep_check_choice(sweep, &choice, &err) || sweep_write_plan(sweep, &err))
        return command_fail("sweep", &err);
    list_cells(sweep, &pace);
    return OK;
}

static int compare(Options *o) {
    Err err = ERR_NONE;
    o->across.theme = (Theme)o->theme;
    o->across.fail = o->fail;
    Status status = sweep_compare(o->words, o->word_count, &o->across, stdout, &err);
    fflush(stdout);
    return status ? command_fail("sweep", &err) : OK;
}

static int run_sweep(int argc, char **argv) {
    Err err = ERR_NONE;
    Options o = {
        .words = mem_alloc((size_t)argc * sizeof(char *)),
    };
    Sweep sweep = {.lock = -1};
    stop_listen("the runs are saved first");
    int code = read_options(&o, argc, argv, &err) ? command_fail("sweep", &err)
               : o.compare                        ? compare(&o)
                                                  : start(&o, &sweep);
    sweep_close(&sweep);
    mem_free(o.words);
    return code;
}

const Command sweep_command = {
    .name = "sweep",
    .sentence = "train a grid over recipe keys: table, statistics, figures",
    .run = run_sweep,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_RECIPE | OFFER_KEY,
    .computes = true,
    .resumes = true,
};

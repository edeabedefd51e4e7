/* sweep: `steady sweep RECIPE[,RECIPE...] key=a,b,c ...` - a grid of runs and its table. */
#include <stdlib.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/program/command.h"
#include "tools/program/start.h"
#include "tools/program/stop.h"
#include "tools/recipe/keys.h"
#include "tools/run/rundir.h"
#include "tools/sweep/sweep.h"

static const char HELP[] =
    "usage: steady sweep RECIPE[,RECIPE...] section.key=value[,value...] ... [options]\n"
    "       steady sweep --resume DIR [--jobs N] [--threads N] [--reports]\n"
    "\n"
    "Trains every combination of the values (each a run of its own) and ends with a "
    "table of\n"
    "scores, losses, lowest attention entropies and who diverged, a summary over "
    "seeds, and a\n"
    "figure of score against learning rate.  A key with one value is the same for all "
    "runs; "
    "several\n"
    "recipes are compared as methods.  All values are checked before anything runs.\n"
    "\n"
    "  --out DIR       folder of the sweep, a new or an empty one, or that of this sweep "
    "(default:\n"
    "                  runs/sweep-RECIPE[+RECIPE...])\n"
    "  --jobs N        runs at a time (default: 1).  Small models are fastest with as "
    "many runs\n"
    "                  as there are cores; each takes its own memory\n"
    "  --threads N     threads of all runs together (default: the cores this process may "
    "use);\n"
    "                  shared out evenly unless train.threads is given\n"
    "  --resume DIR    resume the sweep in DIR; so does the same command line\n"
    "  --reports       figures and a report.html for each run, too\n"
    "  --dry-run       list the runs and their state, run nothing\n"
    "  -h, --help      this text\n"
    "\n"
    "Commas separate values, but not those of text and list keys (data.path, "
    "data.augment, "
    "data.mean,\n"
    "schedule.step_at), which have commas themselves; for these, and for any key, braces "
    "list\n"
    "values:  'data.augment={none;crop,flip}'\n"
    "\n"
    "  steady sweep demo,demo-sigma optim.lr=0.005,0.01,0.02 train.seed=0,1,2 --jobs 2\n"
    "  steady sweep mnist data.path=mnist schedule.warmup_steps=0,50,200 "
    "train.steps=500\n"
    "\n"
    "DIR/cells/NAME is a run folder as `steady train` leaves it, NAME.log its messages;\n"
    "DIR/sweep.{csv,json,png} are table, state and figure.  A run that failed does not "
    "stop the\n"
    "others and is tried again by the next call; one that diverged has ended.\n"
    "\n"
    "Exit: 0 all runs came to their end (diverged or not), 1 some failed, 2 usage, "
    "recipe, or DIR\n"
    "      holds another sweep, 75 interrupted; state saved, rerun to continue.\n";

typedef struct Options {
    const char **words; /* recipe and settings, [word_count] */
    size_t word_count;
    const char *out, *resume;
    size_t jobs, threads;
    bool dry_run, reports;
} Options;

/* ---- the command line ---- */

static Status read_count(const char *name, const char *text, size_t *n, Err *err) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || !value || value > 4096)
        return err_set(err, FAIL_USAGE, "%s %s: wanted a whole number from 1 to 4096",
                       name, text);
    *n = value;
    return OK;
}

static Status read_option(Options *o, int argc, char **argv, int *i, Err *err) {
    const struct {
        const char *name, **text;
        size_t *number;
    } options[] = {{"--out", &o->out, NULL},
                   {"--resume", &o->resume, NULL},
                   {"--jobs", NULL, &o->jobs},
                   {"--threads", NULL, &o->threads}};
    const char *word = argv[*i];
    if (!strcmp(word, "--dry-run")) return o->dry_run = true, OK;
    if (!strcmp(word, "--reports")) return o->reports = true, OK;
    for (size_t k = 0; k < COUNT(options); k++) {
        if (strcmp(word, options[k].name)) continue;
        if (++*i >= argc) return err_set(err, FAIL_USAGE, "%s needs a value", word);
        if (options[k].number) return read_count(word, argv[*i], options[k].number, err);
        *options[k].text = argv[*i];
        return OK;
    }
    return err_set(err, FAIL_USAGE, "there is no option %s; -h lists them", word);
}

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    Status status = OK;
    for (int i = 1; i < argc && !status; i++) {
        if (*argv[i] == '-') status = read_option(o, argc, argv, &i, err);
        else o->words[o->word_count++] = argv[i];
    }
    if (!status && o->resume && (o->word_count || o->out))
        status = err_set(err, FAIL_USAGE, "--resume takes its grid from %s; leave out %s",
                         o->resume, o->word_count ? o->words[0] : "--out");
    if (!status && !o->resume && !o->word_count)
        status = err_set(err, FAIL_USAGE, "which recipe?  `steady recipes` lists them");
    return status;
}

static Status open_grid(const Options *o, Sweep *sweep, Err *err) {
    if (!o->resume) return sweep_open(sweep, o->words, o->word_count, err);
    size_t count = 0;
    char **words = sweep_load_words(o->resume, &count, err);
    if (!words) return err->status;
    Status status = sweep_open(sweep, (const char *const *)words, count, err);
    for (size_t i = 0; i < count; i++) mem_free(words[i]);
    mem_free(words);
    return status;
}

/* runs/sweep-demo+demo-sigma */
static void name_folder(const Sweep *sweep, char *dir, size_t size) {
    const SweepAxis *recipes = &sweep->axes[0];
    text_format(dir, size, "runs/sweep");
    for (size_t i = 0; i < recipes->count; i++) {
        size_t used = strlen(dir);
        if (used + strlen(recipes->labels[i]) + 2 > 200) return;
        text_format(dir + used, size - used, "%c%s", i ? '+' : '-', recipes->labels[i]);
    }
    for (char *c = dir + strlen("runs/"); *c; c++)
        if (*c == '/') *c = '_';
}

/* ---- what is done ---- */

static void announce(const Sweep *sweep, const SweepPace *pace) {
    size_t jobs = MIN(pace->jobs, sweep->cell_count), share = sweep_share(sweep, pace);
    fprintf(stderr, "%zu run%s, %zu at a time with %zu thread%s each, in %s\n",
            sweep->cell_count, sweep->cell_count == 1 ? "" : "s", jobs, share,
            share == 1 ? "" : "s", sweep->dir);
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
        keyset_remove(recipe->given, key_find(sweep->axes[a].key));
    if (!status) recipe_notes(recipe, stderr);
    mem_free(recipe);
    size_t ended = 0;
    for (size_t c = 0; c < sweep->cell_count; c++)
        ended += sweep_has_ended(&sweep->cells[c]);
    announce(sweep, pace);
    if (ended) fprintf(stderr, "%zu already finished\n", ended);
}

static int run(Sweep *sweep, const char *dir, const SweepPace *pace) {
    Err err = ERR_NONE, late = ERR_NONE;
    if (sweep_begin(sweep, dir, &err)) return command_fail("sweep", &err);
    introduce(sweep, pace);
    Status status = sweep_run(sweep, pace, &err);
    if (status == FAIL_INTERRUPTED) {
        command_fail("sweep", &err);
        fprintf(stderr, "saved; to resume: steady sweep --resume %s\n", dir);
        return (int)status;
    }
    if (sweep_report(sweep, stdout, &late)) return command_fail("sweep", &late);
    fprintf(stderr, "\nresults and runs: %s\n", dir);
    return status ? command_fail("sweep", &err) : OK;
}

static int start(const Options *o, Sweep *sweep) {
    Err err = ERR_NONE;
    if (open_grid(o, sweep, &err)) return command_fail("sweep", &err);
    if (sweep_check(sweep, stderr, &err)) return command_fail("sweep", &err);
    char named[300];
    name_folder(sweep, named, sizeof named);
    const char *dir = o->resume ? o->resume : o->out ? o->out : named;
    SweepPace pace = {o->jobs, start_threads(o->threads), o->reports};
    if (!o->dry_run) return run(sweep, dir, &pace);
    if (sweep_look(sweep, dir, &err)) return command_fail("sweep", &err);
    list_cells(sweep, &pace);
    return OK;
}

int sweep_main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (is_help(argv[i])) return fputs(HELP, stdout), OK;
    Err err = ERR_NONE;
    Options o = {.words = mem_alloc((size_t)argc * sizeof(char *)), .jobs = 1};
    Sweep sweep = {.lock = -1};
    stop_listen("the runs are saved first");
    int code = read_options(&o, argc, argv, &err) ? command_fail("sweep", &err)
                                                  : start(&o, &sweep);
    sweep_close(&sweep);
    mem_free(o.words);
    return code;
}

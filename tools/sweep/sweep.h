/* sweep: a grid of runs, each trained by a process of its own, and what came of them.
 *
 *     Sweep sweep;
 *     const char *words[] = {"demo,demo-sigma", "optim.lr=0.01,0.02", "train.seed=0,1"};
 *     sweep_open(&sweep, words, 3, &err);              8 cells
 *     sweep_check(&sweep, stderr, &err);               every cell's recipe, before any runs
 *     sweep_begin(&sweep, "runs/sweep-demo", &err);    folder, lock, what has ended before
 *     sweep_run(&sweep, &(SweepPace){.jobs = 2, .threads = 2}, &err);
 *     sweep_report(&sweep, stdout, &err);              tables, files
 *     sweep_close(&sweep);
 *
 * On disk:  DIR/sweep.json       state, results, intervals
 *           DIR/sweep.txt        what is printed, with its definitions
 *           DIR/sweep.csv        a row a cell
 *           DIR/sweep-seeds.csv  a row for each setting, over the seeds that are swept
 *           DIR/sweep.png        score against learning rate
 *           DIR/report.html      all of that as a page, with links to the runs
 *           DIR/sweep-loss.png   final loss against learning rate
 *           DIR/cells/NAME/      run folders, NAME.log their messages
 *
 * sweep.json is the state: the words of the grid, and how each cell ended.  It
 * is replaced as a whole after each cell, so a sweep can be killed at any
 * moment and called again. */
#ifndef STEADY_SWEEP_H
#define STEADY_SWEEP_H

#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "tools/figure/figures.h"
#include "tools/figure/layers.h"
#include "tools/recipe/recipe.h"
#include "tools/sweep/statistics.h"

enum {
    SWEEP_CELLS_MAX = 10000,
    SWEEP_NAME = 160,        /* bytes of a cell's name with the final 0 */
    SWEEP_DIR = 700,         /* bytes of the sweep's folder with the final 0 */
    SWEEP_DEFINITION = 1000, /* bytes of a criterion's definition with the final 0 */
    SWEEP_OPEN = -1,         /* exit of a cell that has not ended */
};

/* Values of an axis that the cells of one recipe have. */
typedef struct SweepList {
    size_t *index; /* [count] places among the axis's values */
    size_t count;
} SweepList;

/* One word of the grid, or several words of the same keys for different recipes.  An
 * axis that has one value in each recipe is fixed and appears in no name and no table. */
typedef struct SweepAxis {
    char *key; /* "recipe" (always the first axis), "section.key", or linked keys as one,
                  "section.key,section.key" */
    char **keys; /* [key_count] each of them */
    size_t key_count;
    char **values; /* [count] as given: recipe names and files, or text of values */
    char **labels; /* [count] as shown: values, but recipe files by their names */
    char **parts;  /* [count, key_count] a value's text for each key; recipes: labels */
    size_t count, room, label_room, part_room;
    size_t none; /* the value of cells that keep their recipe's, shown as ""; or count */
    SweepList *lists; /* [recipes]; of axis 0: NULL */
    SweepList common; /* those of the word for all recipes */
} SweepAxis;

/* What a run folder says; NaN and "" where it says nothing. */
typedef struct SweepResult {
    char split[16];              /* of the score: that of the last evaluation */
    const char *metric;          /* "top1"; NULL: never evaluated */
    double score, best;          /* last, and best on the same split */
    double scores[METRIC_COUNT]; /* all of that split, the last of each */
    double loss;      /* mean of the last fifth of the steps (verdict.h: tail) */
    double val_loss;  /* of the last evaluation on split val */
    double chance;    /* loss of guessing, or NaN */
    double guess_nll; /* the same without label smoothing (runlog.h) */
    /* lowest share of uniform attention's, mean over the heads of a site */
    double entropy;
    double entropy_end;   /* lowest of the sites at the last probe */
    double sites_low;     /* sites that were under COLLAPSE_SHARE at any probe, */
    double sites_low_end; /* at the last */
    double kind_entropy[KIND_COUNT]; /* the same for each kind of attention */
    char site[96];                   /* where that was */
    size_t entropy_step;
    double max_logit;
    const char *verdict;             /* name of a VerdictKind */
    Grade grade;                     /* of the verdict; unknown: no score, too short */
    double spike_depth, spike_steps; /* of Verdict.spikes.worst; NaN: no spike */
    double probe_fall, probe_epochs; /* of Verdict.probe: depth, from its bottom until it
                                      * was back; NaN: it did not fall, is not back */
    bool diverged, collapsed, nonfinite;
    size_t steps;
} SweepResult;

/* Where it comes from (origin.h).  Names are "" where a run does not say. */
typedef struct SweepOrigin {
    uint64_t keys;    /* of its recipe, that choose its data; 0: not known */
    uint64_t hash[3]; /* of the examples, by Split; 0: generated, not known */
    size_t count[3];
    uint64_t init;                          /* of its train.init; 0: it has none */
    char init_crc[9];                       /* of the weights in that file */
    char version[24], real[8], machine[80]; /* of the last process that trained it */
} SweepOrigin;

/* By the criterion of --fail.  Unknown: it has not ended, or the criterion asks for a
 * number that it does not have. */
typedef enum { FATE_UNKNOWN, FATE_PASSED, FATE_FAILED } SweepFate;
typedef struct SweepCriterion SweepCriterion;

typedef struct SweepCell {
    char name[SWEEP_NAME]; /* "demo-sigma,optim.lr=0.02,train.seed=1"; a file name */
    int exit;              /* of its process, 128 + signal, or SWEEP_OPEN */
    double seconds; /* wall time of its processes; of a session of its run that no sweep
                     * saw (this one was killed), what run.json has; NaN: not known */
    double cpu_seconds; /* processor time; NaN: not known, as of such a session */
    size_t sessions;    /* of its run that are in these numbers */
    SweepFate fate;     /* sweep_judge */
    SweepResult result;
    SweepOrigin origin; /* with the result */
} SweepCell;

typedef struct Sweep {
    char dir[SWEEP_DIR];
    char **words; /* the grid as given, [word_count] */
    size_t word_count;
    SweepAxis *axes; /* in the order of the words, the last varies fastest */
    size_t axis_count;
    SweepCell *cells;
    size_t cell_count;
    const char *methods;  /* of --method, or NULL */
    const char *base;     /* of --baseline, or NULL */
    json_t *choice;       /* what the folder says of these two; NULL: nothing */
    bool lost_base[2];    /* is the baseline of the plan, of the folder, no method of this
                             grid? */
    SweepCriterion *fail; /* NULL: none */
    size_t *index; /* [cell_count, axis_count] which value of each axis a cell has */
    const char *plan_path; /* of --plan, or NULL */
    json_t *plan;          /* what the sweep is to be; NULL: nobody said */
    bool plan_written;     /* by this call */
    bool plan_restored;    /* it is that of sweep.json, and a note has said so */
    json_t *told;          /* what the last call found of the plan; NULL: nothing */
    /* Whose runs say what the recipes are: of a folder that is read its own, of a plan's
     * grid those of the sweep; NULL: the recipes and the words do. */
    const struct Sweep *trained;
    size_t *begun; /* [recipes] first cell of each whose run says what its recipe is;
                    * SIZE_MAX: nobody has asked; cell_count: there is none */
    size_t kept;   /* cells of the smaller grid that the folder held; 0: the same grid */
    int lock;      /* descriptor of the folder, inherited by the runs; -1: none */
} Sweep;

/* ---- the grid (grid.c) ---- */

/* words: one "RECIPE[,RECIPE...]" and any number of
 *
 *     section.key=value[,value...]                 an axis
 *     section.key={value;value}                    the same, of values that have commas
 *     {key,key}={value,value;value,value}          linked keys: one axis of pairs
 *     RECIPE[,RECIPE...]:word                      any of these, for some recipes alone
 *
 * Commas do not separate values of text and list keys (data.path, data.mean,
 * schedule.step_at): for them, and for any key, braces list values.  Among linked keys a
 * value with commas has braces of its own, {{crop,flip},0.1;none,0.2}.  A word for some
 * recipes takes the place of the word of the same keys for all; a recipe without a word
 * keeps its own value.
 * FAIL_USAGE: unknown key or recipe, a key or value given twice, an empty value, braces
 * that do not match, more or fewer values than linked keys, more than SWEEP_CELLS_MAX
 * cells.  On failure *sweep is released. */
Status sweep_open(Sweep *sweep, const char *const *words, size_t count, Err *err);
void sweep_close(Sweep *sweep);
void sweep_free_words(char **words, size_t count);

/* recipe_check of every cell; the message names the first cell that cannot be run.  A
 * swept key that has no effect in any cell is FAIL_USAGE; one that has none in some, and
 * a word with one value that has none, are a line in `notes` (may be NULL). */
Status sweep_check(const Sweep *sweep, FILE *notes, Err *err);

/* Cells of two recipes that train the same run: two names of one recipe, or files of one
 * content.  FAIL_USAGE where all cells of a recipe do, if `refuse`; else, and for some
 * cells, a line in `notes`. */
Status sweep_check_twins(const Sweep *sweep, bool refuse, FILE *notes, Err *err);

/* Which value of an axis a cell has. */
size_t sweep_index(const Sweep *sweep, size_t cell, size_t axis);
const char *sweep_label(const Sweep *sweep, size_t cell, size_t axis);
/* The part of it that is of one of the axis's keys; "": as the recipe has it. */
const char *sweep_part(const Sweep *sweep, size_t cell, size_t axis, size_t key);
/* Does the axis say something of the cell, or does that keep what its recipe has? */
bool sweep_gives(const Sweep *sweep, size_t cell, size_t axis);

/* What its recipe and its words say.  In a folder that is read (sweep_read): what the run
 * was trained with; of a run that has not begun, that of another of its recipe and its
 * words.  Neither a moved nor a changed recipe stops what only reads. */
Status sweep_recipe(const Sweep *sweep, size_t cell, Recipe *recipe, Err *err);
/* Of its run's recipe.ini. */
Status sweep_trained_recipe(const Sweep *sweep, size_t cell, Recipe *recipe, Err *err);

/* Words of the cell's command line behind its recipe, [*count]: "optim.lr=0.02".  Freed
 * with sweep_free_words. */
char **sweep_cell_words(const Sweep *sweep, size_t cell, size_t *count);

/* The axis of that key alone if it is swept (has several values), or axis_count. */
size_t sweep_axis(const Sweep *sweep, const char *key);
bool sweep_is_swept(const Sweep *sweep, size_t axis);

/* ---- a cell (cell.c) ---- */

SweepResult sweep_result_none(void);

void sweep_cell_dir(const Sweep *sweep, size_t cell, char *path, size_t size);

/* The cells that have not ended, behind what the caller printed:
 * " NAME; NAME (failed: exit 3); and 2 more". */
void sweep_print_open(const Sweep *sweep, FILE *out);

/* Has the cell come to its end (trained, diverged, stopped by the collapse guard)? */
bool sweep_has_ended(const SweepCell *cell);

/* Did it end before its last step: not finite, or stopped by the collapse guard?  It
 * fails by every criterion, and its last numbers are in no mean. */
bool sweep_broke_off(const SweepCell *cell);

/* How well a run's metric and split say what runs beside it are scored by: of those that
 * say it best the first or most count.  One that the guard stopped may have no score of
 * the last split, only one of split val; one that became non-finite has none of its end,
 * and only what it had until then. */
typedef enum { SCORED_NOT, SCORED_BROKEN, SCORED_STOPPED, SCORED_WHOLE } SweepScored;
SweepScored sweep_scored_as(const SweepCell *cell);

/* ---- on disk (state.c) ---- */

/* Are the files and folders there that the [data] sections of the runs to be made name?
 * The first that is not, its run and the number of such runs are a line in `notes`: they
 * will fail.  After sweep_look; sweep_begin asks. */
Status sweep_note_places(const Sweep *sweep, FILE *notes, Err *err);

/* Makes or opens the folder, takes its lock (which the runs inherit, so that a sweep
 * that was killed is not continued before its runs are gone; waits a minute for them)
 * and reads how cells have ended.  A folder with a part of the grid is extended: its
 * cells keep their names.  FAIL_USAGE: the folder holds another grid, or cells of other
 * recipes, or the baseline is no method. */
Status sweep_begin(Sweep *sweep, const char *dir, Err *err);

/* The same without making, locking or waiting, for a look; a folder that is
 * not there is fine. */
Status sweep_look(Sweep *sweep, const char *dir, Err *err);

/* The same of a folder that is only read: each run has the recipe that it was trained
 * with.  Where the sweep's recipes are no longer those, a note says so. */
Status sweep_read(Sweep *sweep, const char *dir, Err *err);

/* Have all runs of the sweep in a folder ended?  Then nothing is left to train, and its
 * recipes are needed no more. */
bool sweep_is_over(const char *dir);
/* If so, what its runs were trained with counts from now on, as in sweep_read; true. */
bool sweep_take_over(Sweep *sweep, const char *dir);

/* The words of the sweep in a folder, [*count], each and the list freed with mem_free. */
char **sweep_load_words(const char *dir, size_t *count, Err *err);

Status sweep_save(const Sweep *sweep, Err *err);

/* ---- running (run.c) ---- */

typedef struct SweepPace {
    size_t jobs;    /* runs at a time */
    size_t threads; /* of all runs together */
    bool reports;   /* figures and a report.html for each run */
    bool force;     /* as of steady train */
} SweepPace;

/* Threads that each run gets. */
size_t sweep_share(const Sweep *sweep, const SweepPace *pace);

/* Runs every cell that has not ended.  A cell that fails (exit 1, 2, 3, a signal) is
 * reported on stderr and the others go on.  FAIL_INTERRUPTED: stopped by a signal;
 * the runs have saved. */
Status sweep_run(Sweep *sweep, const SweepPace *pace, Err *err);

/* ---- results (result.c), over seeds (group.c) ---- */

/* Reads the run folder of an ended cell into cell->result. */
Status sweep_read_result(Sweep *sweep, size_t cell, Err *err);

/* Of the cells that have the number. */
typedef struct SweepSpread {
    size_t count;
    double mean, sd;   /* NaN for fewer than one, two */
    Interval interval; /* of the mean; none before sweep_intervals */
} SweepSpread;

/* Cells that differ in train.seed alone. */
typedef struct SweepGroup {
    size_t first; /* a cell of it: shows the values of all other axes */
    size_t cells; /* all of it; those that have ended: */
    size_t count, diverged, collapsed;
    size_t nonfinite;      /* of those that diverged: */
    size_t stopped;        /* by the collapse guard; neither is in a spread */
    size_t judged, failed; /* of those with a fate */
    const SweepCell *like; /* whose split the scores are of; NULL: none has one */
    size_t unlike;         /* runs with another split: in no spread of scores */
    SweepSpread score, loss, val_loss;
    SweepSpread scores[METRIC_COUNT];
    double entropy; /* lowest */
    double kind_entropy[KIND_COUNT];
} SweepGroup;

/* Into groups[cell_count], in the order of their first cells; returns how many. */
size_t sweep_group(const Sweep *sweep, SweepGroup *groups);

/* 95 % intervals of the means over seeds (statistics.h), where at least INTERVAL_LEAST
 * cells have the number.  Dearer than sweep_group: for the end of a sweep. */
void sweep_intervals(const Sweep *sweep, SweepGroup *groups, size_t count);

/* ---- an own criterion of failure (criterion.c, failures.c) ---- */

/* "loss>1.48", "val_loss >= 2 or entropy < 10%, midpoint": numbers are those of sweep.csv
 * by the names of its columns; diverged and collapsed are as the table has them; midpoint
 * is a loss above the middle between chance and the lowest mean loss of a configuration
 * whose runs have all ended and stayed finite (level.h).
 * A run fails if one of them holds, or if its loss or gradient was not finite.
 * A bound of a share above 1 is written in per cent; others have none.
 * FAIL_USAGE: the sweep keeps the criterion that it has. */
Status sweep_set_fail(Sweep *sweep, const char *text, Err *err);
/* One that a file has, as sweep_fail_text wrote it: in any scale. */
Status sweep_restore_fail(Sweep *sweep, const char *text, Err *err);
/* FAIL_USAGE where it asks for a score that no run of the sweep will have, so that none
 * could fail or pass. */
Status sweep_check_fail(const Sweep *sweep, Err *err);
void sweep_clear_fail(Sweep *sweep);
const char *sweep_fail_text(const Sweep *sweep); /* "loss > 1.48 or midpoint"; "": none */
void sweep_fail_definition(const Sweep *sweep, char *text, size_t size);

/* Sets the fate of each cell; call it when one has ended, before tables. */
void sweep_judge(Sweep *sweep);
/* The same of several sweeps that have one criterion: the midpoint is that of all. */
void sweep_judge_together(Sweep *sweeps, size_t count);

/* Do the values of the axis tell methods apart, not configurations?  Those of the keys of
 * sweep_choice do; without them the recipes, or else the first swept key but optim.lr and
 * train.seed.  Those of a key that only some of the recipes have always do (factor.h). */
bool sweep_is_method(const Sweep *sweep, size_t axis);
void sweep_method(const Sweep *sweep, size_t cell, char name[SWEEP_NAME]);

/* Of a method.  A configuration is the cells that differ in train.seed alone, as far as
 * they have a fate. */
typedef struct SweepFailures {
    size_t first;        /* a cell of the method */
    size_t runs, failed; /* runs with a fate */
    size_t configurations;
    size_t any, most, every; /* in how many a run fails, more than half do, all do */
} SweepFailures;

/* Into list[cell_count]; how many methods. */
size_t sweep_failures(const Sweep *sweep, SweepFailures *list);

/* ---- a plan, written before the first run (plan.c, plan_follow.c) ---- */

/* A plan (JSON) has: plan ("steady sweep"), written (UTC), version, words, fail and
 * definition (left out without --fail), method and baseline (if given), runs, seeds,
 * recipes [{recipe, digest, keys}].  `keys` are the values that the words leave to the
 * recipe; plans of earlier versions lack them.  The file can be anywhere; DIR/plan.json
 * is a copy. */

/* The words of the plan in a file, for sweep_open, [*count]; sweep_free_words.  NULL: err
 * says why. */
char **sweep_plan_words(const char *path, size_t *count, Err *err);

/* After sweep_open and sweep_set_fail, before sweep_begin: the plan is that in the file,
 * whose criterion counts where there is no other; or there is no such file yet, and
 * sweep_begin writes it.  `path` stays with the caller.  FAIL_DATA: no plan, or one whose
 * runs, seeds, recipes, method or definition are not those of its words. */
Status sweep_read_plan(Sweep *sweep, const char *path, Err *err);

/* Parts of sweep_look and sweep_begin.  FAIL_USAGE: the folder has another plan, or runs
 * without one; the file is the plan of another grid.  FAIL_DATA: plan.json is not the
 * plan that `state`, sweep.json (may be NULL), has; one that is gone is taken from there.
 * sweep_write_plan writes the file where there is none, sweep_keep_plan the copy. */
Status sweep_take_plan(Sweep *sweep, const json_t *state, Err *err);
Status sweep_write_plan(Sweep *sweep, Err *err);
Status sweep_keep_plan(const Sweep *sweep, Err *err);

/* What is not as planned, a sentence each (json_decref): criterion and its definition,
 * methods, recipes, planned runs that did not end, seeds and values that were added.
 * NULL: err says why. */
json_t *sweep_deviations(const Sweep *sweep, Err *err);
/* "plan: followed (...)", or what was not, in one line. */
void sweep_print_plan(const Sweep *sweep, FILE *out);
/* Before the first run: a line of what is not as planned already, or nothing. */
void sweep_print_plan_ahead(const Sweep *sweep, FILE *out);

/* ---- tables (table.c), figure (figure.c) ---- */

void sweep_print(const Sweep *sweep, FILE *out); /* both tables and the definition */
void sweep_print_csv(const Sweep *sweep, FILE *out);
void sweep_print_seeds_csv(const Sweep *sweep, FILE *out); /* a row a group */

/* Points of DIR/sweep.png, [cell_count] at least; the methods' names are in `names`
 * [cell_count][SWEEP_NAME].  Returns their number, 0: no axis of positive numbers is
 * swept. */
size_t sweep_points(const Sweep *sweep, SweepPoint *points, char (*names)[SWEEP_NAME],
                    const char **x);

typedef struct SweepChoice {
    const char *method; /* keys, comma-separated, whose values are the methods; NULL: the
                           folder where sweeps have the same cells, else the recipe, else
                           the first swept key but optim.lr and train.seed */
    const char *base;   /* a method; NULL: the first */
} SweepChoice;

/* What is compared: as given (sweep->methods, sweep->base); else as the plan says; else
 * as the folder's last call had it, unless that baseline is no method of this grid. */
SweepChoice sweep_choice(const Sweep *sweep);
/* Of one sweep the same, with what is given now; of several what is given. */
SweepChoice sweep_choice_across(Sweep *sweeps, size_t count, const SweepChoice *given);
/* A line for each of the two that differs from the folder's last call. */
void sweep_print_choice(const Sweep *sweep, FILE *out);

/* Judges, prints, and writes the files above. */
Status sweep_report(Sweep *sweep, const SweepChoice *choice, FILE *out, Err *err);

/* report.html of the sweep in a folder, and its figures, from what has ended so far; with
 * `path` the report alone, in that file.  Nothing is run, locked or changed besides. */
Status sweep_report_folder(const char *dir, const char *path, Err *err);

/* ---- several sweeps (across.c) ---- */

typedef struct SweepAcross {
    SweepChoice choice;
    const char *fail;   /* a criterion in place of those that the sweeps have, or NULL */
    const char *figure; /* file to write, or NULL */
    Theme theme;
} SweepAcross;

/* Tables of the ended runs of all folders, compared: means over seeds, differences,
 * failures, learning rates.  Nothing is run, and nothing written but the figure. */
Status sweep_compare(const char *const *dirs, size_t count, const SweepAcross *across,
                     FILE *out, Err *err);

/* The sweeps in folders, with what their runs came to, judged by `fail` in place of the
 * criteria that they have, if there is one; nothing is locked.  sweep_close_folders
 * releases them, after a failure as well. */
Status sweep_open_folders(const char *const *dirs, size_t count, const char *fail,
                          Sweep **sweeps, Err *err);
void sweep_close_folders(Sweep *sweeps, size_t count);

/* ---- figures of their trials (trials_draw.c; tools/sweep/trials.h) ---- */

typedef enum { TRIALS_BEST_WORST, TRIALS_ALL, TRIALS_RANK } TrialsKind;

typedef struct SweepTrialsFigure {
    int kind;           /* TrialsKind */
    const char *method; /* as SweepChoice has it; NULL: of one sweep that of its folder */
    const char *fail;   /* a criterion in place of those that the sweeps have, or NULL */
    const char *score;  /* key of a metric; NULL: what the sweeps are judged by */
    FigureOptions figure; /* rows and layers are those of figure_trials */
    const char *output;
} SweepTrialsFigure;

/* Draws the ended runs of all folders; which are missing, and which is the best and the
 * worst of each method, are lines in `notes`. */
Status sweep_draw_trials(const char *const *dirs, size_t count,
                         const SweepTrialsFigure *options, FILE *notes, Err *err);

/* Does the choice fit?  FAIL_USAGE names what would. */
Status sweep_check_choice(const Sweep *sweep, const SweepChoice *choice, Err *err);

#endif

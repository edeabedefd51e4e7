/* trainer: the loop that takes a recipe to a trained, measured, saved model.
 *
 *   batch -> loss -> backward -> fold -> clip -> optimizer -> probes -> logs, checkpoint, score
 *
 * With several ranks each has a part of every batch; gradients are summed during
 * the backward pass, so all make the same update.  Rank 0 alone writes and
 * speaks.  What one rank meets alone - broken data, a full disk, a signal - it
 * keeps in err until ranks_agree, where all come together before the next step:
 * then all end in the same way. */
#ifndef STEADY_TRAINER_H
#define STEADY_TRAINER_H

#include <sys/types.h>

#include "tools/program/progress.h"
#include "tools/recipe/change.h"
#include "tools/run/checkpoint.h"
#include "tools/run/log.h"
#include "tools/run/probe.h"
#include "tools/run/rundir.h"
#include "tools/task/course.h"
#include "tools/train/branch.h"

/* Steps whose sharpness is still to be measured, ascending. */
typedef struct SharpnessQueue {
    size_t *step; /* [count] */
    size_t count, room;
    pid_t pid; /* of the process that measures the first; 0: none */
    bool said; /* that training waits for it */
} SharpnessQueue;

typedef struct Trainer {
    const Recipe *base; /* of the run: what recipe.ini and checkpoints keep */
    Recipe *recipe;     /* the same with the interventions that act: of the next step */
    const Recipe *was;  /* the recipe up to the checkpoint; NULL: a new run */
    RecipeChanges changes;  /* from it; none before a first checkpoint */
    size_t began;           /* the step that this process began behind */
    bool new_order;         /* of the examples, from there on */
    char *precision_note;   /* what train.precision came to; NULL: the recipe says it */
    bool lost_bf16;         /* auto was bf16 up to the checkpoint, and is fp32 */
    TextBuffer data_change; /* how the data differ from those up to the checkpoint; "" */
    bool other_data, other_scores; /* of training, of evaluations */
    DataMark data_was[3];          /* up to the checkpoint; of a new run: as they are */
    char dir[1024];
    Branch *from;   /* another run's checkpoint that it goes on from; NULL: of its own */
    bool away;      /* dir is that run's folder still, and out the one to be made */
    char out[1024]; /* "" without `from` */
    int lock;       /* on the folder; -1: none */
    bool fresh;     /* the folder was free: what is in it is of this process */
    bool force;     /* plain loops are fine (tools/task/precision.h) */
    bool dry;       /* nothing is written (trainer_open_dry) */
    MadeFolders made;
    Ranks *ranks; /* that train together; NULL: this process alone */
    Task *task;
    Step step; /* tape, optimizer, averaged weights; loss and norm of the last step */
    Prober *prober;
    Log train_log, probe_log, eval_log;
    Progress progress;
    Progressed at;  /* step, best score, ... */
    size_t stepped; /* groups of at.acted that a step was taken with */
    size_t steps, steps_per_epoch, warmup_steps;
    size_t rollbacks;
    SharpnessQueue sharpness; /* of rank 0; others know the count at the start */
    bool *warned;             /* [sites] the collapse guard has spoken */
    bool unscored;            /* a score that is no number has been told of */
    json_t *moves;           /* what the row of the step says of moved tensors, or NULL */
    bool *moved;             /* [parameters] guard.update_above has */
    double step_clock;       /* when the step began, by asking for its batch */
    double stepping, waited; /* seconds of steps, and of waiting, since the last row */
    double items, flops;     /* of all steps of this process so far (tools/task/task.h) */
    double amount;           /* the same as progress counts it */
    /* seconds of all steps, evaluations and checkpoints of this process so far, and how
     * many there were: what is to come takes as long */
    double spent[3];
    size_t done[3];
    /* Seconds after which a new run saves its first checkpoint, whatever
     * train.checkpoint_every is; 0: never.  TRAINER_FIRST_SAVE unless the caller changes
     * it. */
    double first_save;
    size_t early; /* step of that checkpoint, which the next one takes the place of; 0 */
    double logged_items, logged_flops;
    double product_rate[2]; /* FLOP/s by PrecisionKind; 0: not known */
} Trainer;

enum { TRAINER_FIRST_SAVE = 300 };

/* What a run that is asked to stop says (tools/program/stop.h). */
#define TRAINER_PROMISE "the run is saved first"

/* FAIL_USAGE on all ranks where one's recipe differs from rank 0's in more than names of
 * files and how it is computed, by the first key; `way`: what else they must share, such
 * as "--resume".  Called by all ranks; NULL: OK. */
Status trainer_check_ranks(Ranks *ranks, const Recipe *recipe, const char *way, Err *err);

/* Opens data and model, and, where `was` is given, the newest checkpoint of the run whose
 * recipe it is (trainer_recipe_was); NULL starts a new run.  Nothing is written before
 * everything fits, and nothing at all to a run that has its steps already; from then on
 * signals are asked for between the steps.  A folder belongs to one trainer at a time.
 * Both recipes are borrowed.  force: bf16 by plain loops is fine where a resumed run
 * needs it (a new one: precision_check).  On failure *trainer is released.  Called by all
 * of `ranks` (borrowed); they fail or succeed together, here and in trainer_run. */
Status trainer_open(Trainer *trainer, const Recipe *recipe, const Recipe *was,
                    const char *dir, Ranks *ranks, bool force, Err *err);

/* A run that goes on from a checkpoint of another one in the folder `dir`, which has to
 * be free; `was`: what led to that checkpoint (trainer_recipe_at).  The other run is not
 * changed.  dry: as trainer_open_dry. */
Status trainer_open_branch(Trainer *trainer, const Recipe *recipe, const Recipe *was,
                           const Branch *from, const char *dir, Ranks *ranks, bool force,
                           bool dry, Err *err);

/* The same without a folder, for `train --dry-run`: everything is opened and checked, and
 * nothing is written.  Such a trainer is for trainer_introduce and trainer_estimate. */
Status trainer_open_dry(Trainer *trainer, const Recipe *recipe, const Recipe *was,
                        const char *dir, Ranks *ranks, bool force, Err *err);

/* Takes a few steps in memory, and says what the run would take of time and disk.
 * Called by all ranks; the weights are then others. */
Status trainer_estimate(Trainer *trainer, Err *err);

/* The recipe that the newest checkpoint in `dir` was trained by, laid over
 * that of recipe.ini;
 * false: there is no checkpoint.  One that cannot be read leaves the recipe as it is. */
bool trainer_recipe_was(const char *dir, Recipe *recipe);
/* The same of the checkpoint at `path`. */
void trainer_recipe_at(const char *path, const char *dir, Recipe *recipe);

/* Is there a step, an evaluation or a measurement of sharpness left to take? */
bool trainer_has_work(const Trainer *trainer);

/* What a run with work is, on stderr: first what has changed since its
 * checkpoint.  For rank 0. */
void trainer_introduce(const Trainer *trainer);

/* Runs to the end.  FAIL_INTERRUPTED, FAIL_COLLAPSED and FAIL_DATA leave a checkpoint of
 * the last step, FAIL_DIVERGED keeps the last good one.  Data that fail before the first
 * step leave nothing behind: what was made goes, and no more than that. */
Status trainer_run(Trainer *trainer, Err *err);
void trainer_close(Trainer *trainer);

/* Scores a split with the present weights (or the averaged ones). */
Status trainer_score(Trainer *trainer, Split split, bool averaged, Score *score,
                     Err *err);

#endif

/* task: what the trainer needs to know of a kind of task, behind one table of functions.
 *
 * A task owns its data and its model.  tools/classify.c is the first; adding one is a file
 * with a TaskOps and a line in task_open. */
#ifndef STEADY_TASK_H
#define STEADY_TASK_H

#include <jansson.h>

#include "data/loader.h"
#include "engine/dist/ranks.h"
#include "models/vit.h"
#include "tools/recipe.h"

typedef struct Task Task;

/* One evaluation over a split. */
typedef struct Score {
    Split split;
    size_t count;      /* examples; 0: the split is empty */
    size_t skipped;    /* broken examples left out */
    double loss;       /* the objective, label smoothing included: mean in nats */
    double nll;        /* the same without smoothing */
    double top1, top5; /* shares, 0 ... 1 */
} Score;

typedef struct TaskOps {
    const char *name;
    /* Starts the sequence of training batches at number `first` (from 1). */
    Status (*start)(Task *task, size_t first, Err *err);
    Status (*next)(Task *task, Err *err);
    /* Loss of examples [from, to) of this rank's part of the present batch, as a share of the
     * whole batch's mean: the losses of all micro-batches of all ranks add up to the step's. */
    Tensor *(*loss)(Task *task, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to);
    /* Scores a split; the ranks share its examples out and all have the whole score.  A
     * failure is that of all ranks. */
    Status (*evaluate)(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                       Score *score, Err *err);
    void (*free)(Task *task);
} TaskOps;

struct Task {
    const TaskOps *ops;
    const Recipe *recipe;
    Model *model;
    Ranks *ranks;    /* that train together; NULL: this process alone */
    size_t examples; /* in the training split */
    size_t part;     /* examples of the present batch that are this rank's */
    bool has_val, has_test;
    double chance;  /* loss of a uniform guess, ln(classes) */
    size_t tokens;  /* of one example */
    double flops;   /* of one example's forward pass: matrix products */
    size_t skipped; /* broken training examples replaced so far */
};

/* Opens the data that the recipe names and builds the model, not yet initialised.  `ranks`
 * (borrowed) share the batches out. */
Task *task_open(const Recipe *recipe, Ranks *ranks, Err *err);
void task_free(Task *task); /* NULL is fine */

/* Gives every parameter its initial value from the recipe's seed. */
void task_initialize(Task *task);

/* What `predict` needs without the data: runs/NAME/task.json. */
Status task_save_facts(const Task *task, const char *run_dir, Err *err);

const char *split_name(Split split);

/* A row of eval.jsonl; `nll` is in it where smoothing makes it another number than `loss`. */
json_t *score_row(const Score *score, size_t step);

/* ---- classification ---- */

typedef struct ClassFacts {
    size_t channels, height, width, classes;
    char **class_names; /* [classes] or NULL; owned */
} ClassFacts;

Task *classify_open(const Recipe *recipe, Ranks *ranks, Err *err);
Status class_facts_load(const char *run_dir, ClassFacts *facts, Err *err);
void class_facts_free(ClassFacts *facts);
Vit *classify_vit(Task *task);
const ClassFacts *classify_facts(const Task *task);

/* Logits [B, classes] of a batch, without gradients. */
Tensor *classify_logits(Task *task, Tape *tape, const ForwardMode *mode,
                        const Batch *batch);

/* How the loader makes batches for this task: its pictures' size, the recipe's data keys, this
 * rank's part of each. */
LoaderConfig classify_loader(const Task *task, bool training, size_t batch);

/* A task without data, for predict and export: the model that a run's facts describe. */
Task *classify_open_bare(const Recipe *recipe, ClassFacts *facts /* taken over */,
                         Err *err);

#endif

/* task: what the program needs to know of a kind of task, behind one table of functions.
 *
 * A task owns its data and its model.  A kind is a line of TASK_LIST
 * (tools/recipe/tasks.h) and a folder, tools/task/NAME, that defines `const TaskOps
 * NAME_ops`; docs/adding.md says how. */
#ifndef STEADY_TASK_H
#define STEADY_TASK_H

#include <jansson.h>

#include "data/file/textbuffer.h"
#include "data/place.h"
#include "data/skips.h"
#include "engine/dist/ranks.h"
#include "models/layer.h"
#include "tools/recipe/precision.h"
#include "tools/run/datafacts.h"
#include "tools/task/score.h"

typedef struct Task Task;

typedef struct TaskOps {
    /* Opens the data that the recipe names and builds the model, not yet initialised. */
    Task *(*open)(const Recipe *recipe, Ranks *ranks, Err *err);
    /* The same without the data, from what save_facts left in a run's folder. */
    Task *(*open_bare)(const Recipe *recipe, const char *run_dir, Err *err);
    Metric best;        /* what train.best = auto chooses by */
    const char *unit;   /* of what progress counts a second: "examples" */
    ReparamScope scope; /* what model.reparam_scope = auto comes to; never SCOPE_AUTO */
    /* Keys with whose values losses do not compare, a NULL at the end; NULL: none. */
    const char *const *loss_keys;
    void (*initialize)(Task *task, uint64_t seed);
    /* Where the run is in its data (data/place.h), before start; *left: batches that are
     * left of that epoch.  Not called for a new run: all of it is. */
    Status (*go_on)(Task *task, const Place *place, size_t *left, Err *err);
    /* Starts the sequence of training batches at number `first` (from 1). */
    Status (*start)(Task *task, size_t first, Err *err);
    Status (*next)(Task *task, Err *err);
    /* Loss of examples [from, to) of this rank's part of the present batch, as a
     * share of the whole batch's mean: the losses of all micro-batches of all ranks
     * add up to the step's. */
    Tensor *(*loss)(Task *task, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to);
    /* Behind the gradients of a training step, on all ranks: the numbers of the step
     * become those of all ranks.  NULL: there are none. */
    void (*conclude)(Task *task);
    /* Adds those numbers to the step's row of train.jsonl; NULL: none. */
    void (*add_numbers)(const Task *task, json_t *row);
    /* `count` examples of a split, or as many as it has, from everywhere in the data's
     * order (data/spread.h) and as evaluation reads them: nothing augmented or mixed.
     * They are the present batch from then on, for `loss` and `edge`, and the same at
     * each call, whatever the seed.  Those that cannot be read are named and left out
     * (data.on_error = skip); the loss is the mean of the others.  For measuring:
     * training batches (`next`) need `start` again. */
    Status (*sample)(Task *task, Split split, size_t count, Err *err);
    /* Where micro-batch i of `parts` begins, 0 <= i <= parts; NULL: at equal shares. */
    size_t (*edge)(const Task *task, size_t i, size_t parts);
    /* Scores a split; the ranks share its examples out and all have the whole
     * score.  With `thorough` also what takes long: translations.  A failure is
     * that of all ranks. */
    Status (*evaluate)(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                       bool thorough, Score *score, Err *err);
    /* What the score says that was learned; NULL: nothing (GRADE_UNKNOWN). */
    Grade (*grade)(const Task *task, const Score *score);
    /* What the model says to some examples of the split that `evaluate` has just scored
     * (tools/task/answers.h): a new object, or NULL.  Cheap, and of this rank alone;
     * NULL: the task has none. */
    json_t *(*answers)(Task *task, Tape *tape, const ForwardMode *mode, Split split);
    /* Features [B, D] of pictures [B, C, Y, X] in front of the output layer, for linear
     * probes of a PictureTask; NULL: the task has none. */
    Tensor *(*features)(Task *task, Tape *tape, const ForwardMode *mode, Tensor *pixels);
    /* What is known of a split's data beside its items; NULL: the split is not open. */
    const DataFacts *(*facts)(const Task *task, Split split);
    /* What the weights mean besides the recipe, as lines NAME=VALUE
     * (tools/task/meaning.h); NULL: nothing. */
    void (*describe)(const Task *task, TextBuffer *text);
    /* What a stranger needs to give the weights inputs and to read their outputs: members
     * such as class_names, image_size, vocabulary (docs/runs.md); NULL: nothing. */
    void (*introduce)(const Task *task, json_t *facts);
    /* At a resume: notes, "class 3 was \"cat\", is \"dog\"", on what task.json has
     * otherwise and counts and hashes of the splits do not show; NULL: nothing. */
    void (*changes)(const Task *task, const char *run_dir, DataFacts *changes);
    /* At a resume: does what the data give fit what save_facts left?
     * NULL: nothing to ask. */
    Status (*check_facts)(const Task *task, const char *run_dir, Err *err);
    /* Can the task go on by the recipe that an intervention makes, without being opened
     * anew?  FAIL_USAGE says why not; NULL: it can. */
    Status (*check_change)(const Task *task, const Recipe *now, Err *err);
    /* What `predict` needs without the data, into the run's folder. */
    Status (*save_facts)(const Task *task, const char *run_dir, Err *err);
    void (*free)(Task *task);
} TaskOps;

struct Task {
    const TaskOps *ops;
    const Recipe *recipe;
    Model *model;
    Ranks *ranks;     /* that train together; NULL: this process alone */
    PrecisionWay way; /* tools/task/precision.h; all zero by the opening */
    size_t examples;  /* in the training split */
    size_t steps_per_epoch;
    bool has_val, has_test;
    double chance; /* loss of a guess: ln(classes), or from the frequencies of tokens */
    /* of texts: the same without label smoothing, as Score.nll is; 0: not known */
    double guess_nll;
    Skips skips;     /* broken training examples met so far, each once; may be empty */
    DataFacts notes; /* on how the task uses its data: notes alone, of no split */
    json_t *events;  /* that the present batch brought with it (task_event); NULL: none */
    double memory;   /* bytes of activations of a micro-batch: an estimate */
    double kept;     /* bytes of examples that will stay in memory (data.cache) */
    /* of the present batch */
    size_t part;   /* examples that are this rank's */
    double tokens; /* of one of them, padding included */
    double items;  /* that items_per_s counts: examples, or target tokens; of all ranks */
    double amount; /* the same in ops->unit, where that is another; 0: items */
    /* of the forward pass over all examples of all ranks: matrix products */
    double flops;
};

/* ---- the table (table.c) ---- */

#define TASK_OPS(KIND, name, examples, heading) extern const TaskOps name##_ops;
TASK_LIST(TASK_OPS)
#undef TASK_OPS

const TaskOps *task_ops(TaskKind kind);

/* Opens the data that the recipe names and builds the model, not yet initialised.
 * `ranks` (borrowed) share the batches out. */
Task *task_open(const Recipe *recipe, Ranks *ranks, Err *err);
/* The same without the data, from what task_save_facts left in a run's folder: for eval,
 * predict and export. */
Task *task_open_bare(const Recipe *recipe, const char *run_dir, Err *err);

/* ---- of any task (task.c) ---- */

void task_free(Task *task); /* NULL is fine */

/* Gives every parameter its initial value from the recipe's seed. */
void task_initialize(Task *task);
/* task.json and what goes with it, and data.json (tools/run/datafacts.h). */
Status task_save_facts(const Task *task, const char *run_dir, Err *err);

/* What the best checkpoint is chosen by: train.best, or what auto comes to. */
Metric task_best(const Task *task);

/* TaskOps.evaluate, and the grade of its score. */
Status task_evaluate(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                     bool thorough, Score *score, Err *err);

/* TaskOps.sample.  FAIL_DATA: no example of the sample can be read. */
Status task_sample(Task *task, Split split, size_t count, Err *err);

/* What is scored and answered where no split is named: the test split, or val where there
 * is no test split. */
Split task_scored_split(const Task *task);

/* What is known of a split's data; NULL: it is not open, or nothing is known. */
const DataFacts *task_facts(const Task *task, Split split);
/* Their notes on stderr: those of a split, for eval; of all splits and of the task
 * itself. */
void task_say_split(const Task *task, Split split);
void task_say_facts(const Task *task);

/* Something worth a row of train.jsonl came with the present batch: called within
 * `next` or `loss`; rank 0 alone writes rows.  The row has the step that the batch is
 * for, so that a resumed run writes it again: an event of a batch that was only
 * prepared belongs to a later call.
 *     task_event(task, "skip", fresh, "%s (%zu so far)", reason, count) */
void task_event(Task *task, const char *event, size_t count, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Counts the broken training examples that the present batch met: an event of
 * those that are new. */
void task_see_skips(Task *task, const SkipList *broken);

enum { TASK_SKIPS_TEXT = 160 };
/* ", and 2 more (8 of 60 so far)", behind the reason of the first of `fresh`. */
void task_skips_text(const Skips *skips, size_t fresh, char *text, size_t size);

#endif

/* pictures: what the tasks of pictures share: opening data or a run's task.json, batches,
 * evaluation, facts.  A task of them is a struct that begins with a PictureTask,
 * a model, and a loss (tools/task/classify).  Its files: pictures.c,
 * picture_sets.c, picture_facts.c, picture_predict.c. */
#ifndef STEADY_PICTURES_H
#define STEADY_PICTURES_H

#include "data/picture/loader.h"
#include "tools/task/predict.h"
#include "tools/task/supply.h"

/* What a model needs to know when its data are elsewhere: task.json. */
typedef struct PictureFacts {
    size_t channels, height, width, classes;
    char **class_names; /* [classes] or NULL; owned */
} PictureFacts;

typedef struct PictureTask {
    Task task;        /* first */
    Dataset *sets[3]; /* by Split; NULL: not open */
    PictureFacts facts;
    bool measured;            /* height and width are the first training picture's */
    bool pairs;               /* two views of each picture (LoaderConfig.pairs) */
    bool unlabelled;          /* pictures of one class will do */
    Loader *loader, *sampler; /* of training batches; of the present sample */
    Place place;              /* in the training data */
    const Batch *batch;
    /* of training batches: threads that make them, the number of the next one */
    Supply supply;
    size_t makers, next;
    Skips scored[3]; /* by Split: broken items that evaluations and samples met */
} PictureTask;

const PictureFacts *picture_facts(const Task *task);

/* Opens the recipe's splits: the facts are known then, and the model can be built. */
Status picture_task_open(Task *task, Err *err);
/* The rest: looks at the splits (rank 0), counts, notes what the data decide.  FAIL_DATA:
 * a training split of one class, a broken picture. */
Status picture_task_finish(Task *task, Err *err);
/* Facts alone, from a run's folder. */
Status picture_task_open_bare(Task *task, const char *run_dir, Err *err);
void picture_task_release(Task *task);

/* TaskOps */
Status picture_task_go_on(Task *task, const Place *place, size_t *left, Err *err);
Status picture_task_start(Task *task, size_t first, Err *err);
Status picture_task_next(Task *task, Err *err); /* task->flops is the caller's */
Status picture_task_sample(Task *task, Split split, size_t count, Err *err);
const DataFacts *picture_task_facts(const Task *task, Split split);
void picture_task_describe(const Task *task, TextBuffer *text);
void picture_task_introduce(const Task *task, json_t *facts);
void picture_task_changes(const Task *task, const char *run_dir, DataFacts *found);
Status picture_task_check_facts(const Task *task, const char *run_dir, Err *err);
Status picture_task_save_facts(const Task *task, const char *run_dir, Err *err);

const Batch *picture_task_batch(const Task *task);

/* Pictures [from, to) of a batch as a tensor [to - from, C, Y, X]; the batch is to
 * stay. */
Tensor *picture_tensor(Tape *tape, const Batch *batch, size_t from, size_t to);

/* How the loader makes batches for the task: its pictures' size, the recipe's data keys,
 * this rank's part of each. */
LoaderConfig picture_task_loader(const Task *task, bool training, size_t batch);

/* Adds what a batch of the split scores. */
typedef void PictureScorer(Task *task, Tape *tape, const ForwardMode *mode,
                           const Batch *batch, Score *score);

/* The most of `evaluate`: every batch of this rank's part of the split, then the
 * score of all ranks. */
Status picture_task_score(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                          PictureScorer *scorer, Score *score, Err *err);

/* ---- what predict prints (picture_predict.c) ---- */

/* Logits [B, classes] of a batch, without gradients. */
typedef Tensor *PictureLogits(Task *task, Tape *tape, const ForwardMode *mode,
                              const Batch *batch);

/* TaskPredict.answer: for each picture its class and the share that it has, or with
 * --logits the numbers. */
Status picture_predict(const PredictOptions *options, const PredictRun *run,
                       PictureLogits *logits, Err *err);

/* ---- the splits (picture_sets.c) ---- */

Status picture_open_sets(PictureTask *p, Err *err);

/* A task without data opens just the split that it is asked for. */
const Dataset *picture_task_set(PictureTask *p, Split split, Err *err);

/* Notes on labels and a sample of pictures (data/picture/survey.h). */
Status picture_survey(PictureTask *p, Err *err);

/* Counts the broken items that a training batch met, each once: they are events.
 * FAIL_DATA: a class of the training split has no good item left. */
Status picture_task_see_trained(PictureTask *p, const Batch *batch, Err *err);
/* Counts and names those that a batch of an evaluation, of features or of a sample met in
 * a split, each once.  Training's are counted apart, those of its split as well. */
void picture_task_see_scored(PictureTask *p, Split split, const Batch *batch);

/* ---- task.json (picture_facts.c) ---- */

Status picture_facts_load(const char *run_dir, PictureFacts *facts, Err *err);
void picture_facts_free(PictureFacts *facts);

#endif

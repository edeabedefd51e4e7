/* classify: what the files of the task share.  Opening its sets, looking at them and counting what
 * is broken is in data.c. */
#ifndef STEADY_CLASSIFY_H
#define STEADY_CLASSIFY_H

#include "data/picture/loader.h"
#include "models/vit.h"
#include "tools/task/task.h"

typedef struct ClassFacts {
    size_t channels, height, width, classes;
    char **class_names; /* [classes] or NULL; owned */
} ClassFacts;

typedef struct Classify {
    Task task;        /* first: a Task * is a Classify * */
    Dataset *sets[3]; /* by Split; NULL: not open */
    Vit *vit;
    ClassFacts facts;
    bool measured; /* height and width are the first training picture's */
    Loader *loader;
    Place place; /* in the training data */
    const Batch *batch;
    Skips scored[3]; /* by Split: broken items that evaluations met */
} Classify;

const ClassFacts *classify_facts(const Task *task);

/* Logits [B, classes] of a batch, without gradients. */
Tensor *classify_logits(Task *task, Tape *tape, const ForwardMode *mode,
                        const Batch *batch);

/* How the loader makes batches for this task: its pictures' size, the recipe's data keys, this
 * rank's part of each. */
LoaderConfig classify_loader(const Task *task, bool training, size_t batch);

Status classify_open_sets(Classify *c, Err *err);

/* A task without data opens just the split that it is asked for. */
const Dataset *classify_need_set(Classify *c, Split split, Err *err);

/* Notes on labels and a sample of pictures (data/picture/survey.h).  FAIL_DATA: a training split of one
 * class, a broken picture. */
Status classify_survey(Classify *c, Err *err);

/* Counts the broken items that the batch met and names them, each once; those of training are
 * events.  FAIL_DATA: a class of the training split has no good item left. */
Status classify_see_skips(Classify *c, Split split, const Batch *batch, Err *err);

#endif

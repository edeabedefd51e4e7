/* bench: what `steady bench` measures of a kind of task: models that have names, and the
 * loss that a training step begins with, on a batch of noise.  Each kind has a TaskBench,
 * in tools/task/NAME/bench.c; what is measured, and how, is in tools/bench/bench.h. */
#ifndef STEADY_TASK_BENCH_H
#define STEADY_TASK_BENCH_H

#include <stdio.h>

#include "models/embedding.h"
#include "models/vit.h"
#include "tools/recipe/recipe.h"

/* A model that can be named on the command line. */
typedef struct BenchModel {
    const char *name;
    TaskKind task;
    size_t width, depth, heads, batch;
    size_t image, patch, classes; /* pictures */
    /* texts: tokens that there are, and in a sequence; speech: labels, and rows behind
     * the convolution */
    size_t vocab, length;
} BenchModel;

/* A model with the words of the command line applied. */
typedef struct BenchSubject {
    const char *name;
    Recipe recipe; /* model, optim, train, probe, data.image_size are used */
    PictureShape picture;
    size_t classes;
    size_t vocab, length; /* of texts and speech */
    size_t tokens, rows;  /* rows = batch * tokens */
    size_t hidden;        /* of the MLP */
    size_t batch, threads;
    Precision precision;
    bool whole; /* do not cut a step into the micro-batches that fit the cache */
} BenchSubject;

/* The subject's model with a batch of noise. */
typedef struct BenchWork {
    const BenchSubject *subject;
    Model *model;
    void *owner;  /* what model is part of: the kind's */
    double flops; /* of the batch's forward pass */
    real *pixels; /* or rows of filters */
    size_t *labels, *frames, *label_count;
    uint32_t *ids, *input, *target;
} BenchWork;

typedef struct TaskBench {
    const BenchModel *models;
    size_t count;
    bool layers; /* the levels kernels and ops know its layers */
    /* Ends the model's line of a list: "224 px, patch 16, 1000 classes". */
    void (*print_size)(FILE *out, const BenchModel *model);
    /* The model's place in a recipe, where it is not model.width, depth and heads. */
    void (*fill)(Recipe *recipe, const BenchModel *model);
    /* Sizes and `tokens` of the subject from its recipe, which is checked. */
    Status (*shape)(BenchSubject *subject, const BenchModel *model, Err *err);
    void (*make_batch)(BenchWork *work);
    /* Initialised; sets owner and flops. */
    Model *(*make_model)(BenchWork *work);
    /* Of examples [from, to) of the batch, as a share of the whole batch's mean. */
    Tensor *(*loss)(BenchWork *work, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to);
    void (*free_owner)(void *owner);
} TaskBench;

#define TASK_BENCH(KIND, name, examples, heading) extern const TaskBench name##_bench;
TASK_LIST(TASK_BENCH)
#undef TASK_BENCH

const TaskBench *task_bench(TaskKind kind); /* of the table (table.c) */

/* ---- noise ---- */

/* The same normal numbers at every run. */
void bench_fill(real *x, size_t count, double std);

/* A label of example i, and an id of a token, are multiples of these. */
enum { BENCH_LABELS_STEP = 7, BENCH_IDS_STEP = 7919 };

/* A row of `models`, of pictures. */
#define BENCH_PICTURES(task_, name_, image_, patch_, width_, depth_, heads_, classes_,   \
                       batch_)                                                           \
    {                                                                                    \
        .name = name_, .task = task_, .image = image_, .patch = patch_, .width = width_, \
        .depth = depth_, .heads = heads_, .classes = classes_, .batch = batch_           \
    }

/* TaskBench of pictures; the batch has `views` pictures for each example. */
void bench_print_picture(FILE *out, const BenchModel *model);
void bench_fill_recipe(Recipe *recipe, const BenchModel *model);
Status bench_shape_pictures(BenchSubject *subject, const BenchModel *model, Err *err);
void bench_make_pictures(BenchWork *work, size_t views);

/* A row of `models`, of texts. */
#define BENCH_TEXTS(task_, name_, width_, depth_, heads_, vocab_, length_, batch_)       \
    {                                                                                    \
        .name = name_, .task = task_, .width = width_, .depth = depth_, .heads = heads_, \
        .vocab = vocab_, .length = length_, .batch = batch_                              \
    }

/* Of texts: random tokens, none of them padding. */
void bench_make_texts(BenchWork *work);
/* Sequences [from, to) of `ids`, and what they are to be followed by. */
TokenRows bench_rows(const BenchSubject *subject, const uint32_t *ids, size_t from,
                     size_t to);
VocabTarget bench_target(const BenchWork *work, size_t from);
void bench_print_tokens(FILE *out, const BenchModel *model);

#endif

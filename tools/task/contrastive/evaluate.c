/* evaluate: scores of a split (tools/task/contrastive/contrastive.h).  The probe and
 * the spread see each picture as it is, the loss two views of it, which belong to the
 * picture (LoaderConfig.pairs); all by running means and variances.  The loss compares
 * contrastive_compared pictures at a time, in the split's order: as many as a micro-batch
 * of a step does, so that guessing has the same loss in both, whatever the ranks; what
 * fills no such batch at the end is left out of it. */
#include <math.h>
#include <string.h>

#include "tools/task/contrastive/contrastive.h"

enum { ADD_AT_ONCE = 1 << 14 };

/* What the pictures of a split became. */
typedef struct Seen {
    size_t count, out; /* pictures of the split; D of an embedding */
    real *view[2];     /* [count, out] embeddings of the views */
    real *there;       /* [count] 1: it was read */
    FeatureSums sums;
} Seen;

static void seen_begin(Seen *s, const Contrastive *c, size_t count) {
    *s = (Seen){.count = count, .out = c->contrast->config.projector_out};
    for (size_t v = 0; v < 2; v++)
        s->view[v] = mem_zarray(MAX(count, (size_t)1), s->out * sizeof(real));
    s->there = mem_zalloc(MAX(count, (size_t)1) * sizeof *s->there);
    feature_sums_begin(&s->sums, c->sums.width);
}

static void seen_end(Seen *s) {
    for (size_t v = 0; v < 2; v++) mem_free(s->view[v]);
    mem_free(s->there);
    feature_sums_end(&s->sums);
}

/* ---- a batch ---- */

Tensor *contrastive_features(Contrastive *c, Tape *tape, const ForwardMode *mode,
                             const Batch *batch, real *pixels) {
    size_t shape[] = {batch->count, batch->channels, batch->height, batch->width};
    tape_begin(tape, (TapeMode){.precision = mode->precision});
    return vit_features(&c->contrast->vit, tape, mode, tape_wrap(tape, pixels, 4, shape));
}

static void score_batch(Task *task, Tape *tape, const ForwardMode *mode,
                        const Batch *batch, Score *score) {
    Contrastive *c = contrastive_of(task);
    Seen *s = c->seen;
    score->count += batch->count;
    Tensor *features = contrastive_features(c, tape, mode, batch, batch->pixels);
    feature_sums_add(&s->sums, c->contrast, tape, features, batch->label, 1);
    for (size_t v = 0; v < 2; v++) {
        features = contrastive_features(c, tape, mode, batch, batch->view[v]);
        const Tensor *h = contrast_project(c->contrast, tape, features, NULL);
        for (size_t i = 0; i < batch->count; i++)
            memcpy(s->view[v] + batch->item[i] * s->out, h->value + i * s->out,
                   s->out * sizeof(real));
    }
    for (size_t i = 0; i < batch->count; i++) s->there[batch->item[i]] = 1;
}

/* ---- the loss ---- */

/* x = the sum of all ranks', each of which has some of the numbers and 0 elsewhere. */
static void add_up(Ranks *ranks, real *x, size_t n) {
    double part[ADD_AT_ONCE];
    for (size_t first = 0; ranks && first < n; first += ADD_AT_ONCE) {
        size_t count = MIN((size_t)ADD_AT_ONCE, n - first);
        for (size_t i = 0; i < count; i++) part[i] = (double)x[first + i];
        ranks_add(ranks, part, count);
        for (size_t i = 0; i < count; i++) x[first + i] = (real)part[i];
    }
}

/* Of pictures item[0 .. count). */
static double loss_of(const Seen *s, Tape *tape, double temperature, const size_t *item,
                      size_t count) {
    tape_begin(tape, (TapeMode){0});
    Tensor *h = tape_tensor(tape, 2, (size_t[]){2 * count, s->out});
    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < count; i++)
            memcpy(h->value + (v * count + i) * s->out, s->view[v] + item[i] * s->out,
                   s->out * sizeof(real));
    return (double)op_nt_xent(tape, h, &(NtXentArgs){.temperature = temperature})
        ->value[0];
}

/* Mean over whole batches, or over the one that there is. */
static double mean_loss(const Seen *s, Tape *tape, const Recipe *recipe) {
    size_t *item = mem_alloc(MAX(s->count, (size_t)1) * sizeof *item), read = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->there[i] > 0) item[read++] = i;
    size_t batch = MIN(contrastive_compared(recipe), read),
           groups = batch ? read / batch : 0;
    double sum = 0;
    for (size_t g = 0; g < groups; g++)
        sum += loss_of(s, tape, recipe->contrast.temperature, item + g * batch, batch);
    mem_free(item);
    return sum / (double)groups;
}

/* ---- the whole ---- */

static Status score_split(Contrastive *c, Tape *tape, const ForwardMode *mode,
                          Split split, Score *score, Err *err) {
    Task *task = &c->pictures.task;
    Seen *s = c->seen;
    if (contrastive_check_compared(task->recipe, err)) return err->status;
    if (picture_task_score(task, tape, mode, split, score_batch, score, err))
        return err->status;
    if (score->count == 1)
        return err_set(err, FAIL_DATA,
                       "the %s split has only one readable picture: a contrastive loss "
                       "needs at least two",
                       split_name(split));
    if (!score->count)
        return err_set(err, FAIL_DATA, "the %s split is empty", split_name(split));
    for (size_t v = 0; v < 2; v++) add_up(task->ranks, s->view[v], s->count * s->out);
    add_up(task->ranks, s->there, s->count);
    FeatureNumbers n = feature_sums_numbers(&s->sums, task->ranks);
    score->value[METRIC_LOSS] = score->nll = mean_loss(s, tape, task->recipe);
    score->value[METRIC_FEATURE_STD] = n.std;
    score->value[METRIC_PROBE_TOP1] = n.top1;
    return OK;
}

Status contrastive_evaluate(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                            bool thorough, Score *score, Err *err) {
    (void)thorough;
    Contrastive *c = contrastive_of(task);
    Seen seen;
    const Dataset *set = picture_task_set(&c->pictures, split, err);
    if (ranks_agree(task->ranks, err)) return err->status;
    seen_begin(&seen, c, set->count);
    c->seen = &seen;
    score_split(c, tape, mode, split, score, err);
    c->seen = NULL;
    seen_end(&seen);
    return err->status;
}

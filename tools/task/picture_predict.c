/* picture_predict: a line for each picture (tools/task/pictures.h). */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/picture/dataset.h"
#include "data/picture/read.h"
#include "tools/program/output.h"
#include "tools/program/say.h"
#include "tools/run/datafacts.h"
#include "tools/run/rundir.h"
#include "tools/task/inputs.h"
#include "tools/task/pictures.h"

/* ---- the data set of given files ---- */

typedef struct Files {
    Inputs inputs;
    PictureReading reading; /* as the run read its own */
} Files;

static Status get_file(const Dataset *set, size_t i, Image *image, size_t *label,
                       Err *err) {
    const Files *files = set->state;
    *label = 0;
    return image_read(files->inputs.path[i], &files->reading, image, err);
}

/* Broken pictures that are left out are named; others end the command with their
 * name. */
static Status get_and_tell(const Dataset *set, size_t i, Image *image, size_t *label,
                           Err *err) {
    Status status = dataset_get(set->state, i, image, label, err);
    if (status == FAIL_DATA) fprintf(stderr, "steady predict: skipped: %s\n", err->text);
    return status;
}

static void keep_state(void *state) { (void)state; }

static Dataset *files_dataset(Files *files, const PredictRun *run) {
    const PictureFacts *facts = picture_facts(run->task);
    files->reading = picture_reading(&run->task->recipe->data);
    files->reading.channels = facts->channels;
    Dataset *set = mem_zalloc(sizeof *set);
    *set = (Dataset){.source = "files",
                     .count = files->inputs.count,
                     .classes = facts->classes,
                     .channels = facts->channels,
                     .state = files,
                     .get = get_file,
                     .free_state = keep_state};
    return set;
}

/* ---- output ---- */

static const char *class_text(const PictureFacts *facts, size_t k, char buffer[24]) {
    if (facts->class_names) return facts->class_names[k];
    text_format(buffer, 24, "%zu", k);
    return buffer;
}

static void print_logits(const char *name, const char *class, const real *z,
                         size_t classes) {
    json_t *row = json_pack("{s:o, s:o, s:o}", "input", json_text(name), "class",
                            json_text(class), "logits", predict_numbers(z, classes));
    predict_print(row);
}

/* A class with its logit. */
typedef struct Ranked {
    size_t class;
    double logit;
} Ranked;

/* The most likely first; of equal ones by their numbers. */
static int by_logit(const void *a, const void *b) {
    const Ranked *x = a, *y = b;
    if (x->logit != y->logit) return x->logit > y->logit ? -1 : 1;
    return x->class < y->class ? -1 : 1;
}

/* Name, then class and probability of each of the `top` most likely classes. */
static void print_classes(size_t top, const PictureFacts *facts, const char *name,
                          const real *z) {
    Ranked *ranked = mem_array(facts->classes, sizeof *ranked);
    for (size_t k = 0; k < facts->classes; k++) ranked[k] = (Ranked){k, (double)z[k]};
    qsort(ranked, facts->classes, sizeof *ranked, by_logit);
    double total = 0, most = ranked[0].logit;
    for (size_t k = 0; k < facts->classes; k++) total += exp((double)z[k] - most);
    print_field(name);
    for (size_t i = 0; i < MIN(MAX(top, (size_t)1), facts->classes); i++) {
        char number[24];
        putchar('\t');
        print_field(class_text(facts, ranked[i].class, number));
        printf("\t%.4f", exp(ranked[i].logit - most) / total);
    }
    putchar('\n');
    mem_free(ranked);
}

static void print_one(const PredictOptions *o, const PictureFacts *facts,
                      const char *name, const real *z) {
    size_t best = 0;
    for (size_t k = 1; k < facts->classes; k++)
        if (z[k] > z[best]) best = k;
    char number[24];
    if (o->logits) print_logits(name, class_text(facts, best, number), z, facts->classes);
    else print_classes(o->top, facts, name, z);
}

/* The file of an item where it is one, else its number. */
static void name_item(const Inputs *files, const Dataset *set, size_t item,
                      char name[DATASET_PATH]) {
    if (files->count) text_format(name, DATASET_PATH, "%s", files->path[item]);
    else if (set->path) set->path(set, item, name);
    else text_format(name, DATASET_PATH, "%zu", item);
}

static void print_batch(const PredictOptions *o, const Inputs *files, const Dataset *set,
                        const PredictRun *run, PictureLogits *logits_of,
                        const Batch *batch) {
    const PictureFacts *facts = picture_facts(run->task);
    ForwardMode mode = run->mode;
    Tensor *logits = logits_of(run->task, run->tape, &mode, batch);
    for (size_t i = 0; i < batch->count; i++) {
        char name[DATASET_PATH];
        name_item(files, set, batch->item[i], name);
        print_one(o, facts, name, logits->value + i * facts->classes);
    }
}

/* ---- the whole ---- */

static Status predict(const PredictOptions *o, const Inputs *files, const PredictRun *run,
                      PictureLogits *logits, Dataset *set, Err *err) {
    Dataset told = *set;
    told.state = set;
    told.get = get_and_tell;
    if (o->limit) set->count = told.count = MIN(set->count, o->limit);
    bool skip = run->task->recipe->data.on_error == ON_ERROR_SKIP;
    size_t batch = MIN(run->task->recipe->train.batch, MAX(set->count, (size_t)1));
    LoaderConfig config = picture_task_loader(run->task, false, batch);
    config.pairs = false;
    Loader *loader = loader_start(skip ? &told : set, &config, 1, err);
    if (!loader) return err->status;
    const Batch *now;
    Status status;
    while (!(status = loader_next(loader, &now, err)) && now->count) {
        print_batch(o, files, set, run, logits, now);
        if (output_failed()) break;
    }
    loader_stop(loader);
    return status;
}

static Status predict_set(const PredictOptions *o, Files *files, const PredictRun *run,
                          PictureLogits *logits, Err *err) {
    bool given = files->inputs.count;
    Split split = task_scored_split(run->task);
    Dataset *set = given ? files_dataset(files, run)
                         : dataset_open(&run->task->recipe->data, split, err);
    if (!set) return err->status;
    if (!given) datafacts_say_notes(&set->facts, split_name(split));
    Status status =
        set->count
            ? predict(o, &files->inputs, run, logits, set, err)
            : err_set(err, FAIL_DATA,
                      "the %s split is empty; name pictures: steady predict RUN FILE",
                      split_name(split));
    if (given) mem_free(set);
    else dataset_free(set);
    return status;
}

Status picture_predict(const PredictOptions *o, const PredictRun *run,
                       PictureLogits *logits, Err *err) {
    static InputEndings ENDINGS = {".png", ".jpg", ".jpeg", NULL};
    Files files = {.inputs = {.is_one = image_is_picture}};
    Status status = OK;
    for (size_t i = 0; i < o->input_count && !status; i++)
        status =
            inputs_add(&files.inputs, o->inputs[i], ENDINGS, "PNG or JPEG files", err);
    if (!status) inputs_say_passed(&files.inputs);
    if (!status) status = predict_set(o, &files, run, logits, err);
    inputs_free(&files.inputs);
    return status;
}

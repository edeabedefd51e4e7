#include "tools/task/classify/answers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/run/rundir.h"

static void drop(Seen *list, size_t *count) {
    for (size_t i = 0; i < *count; i++) mem_free(list[i].pixels);
    *count = 0;
}

void class_answers_free(ClassAnswers *a) {
    drop(a->first, &a->first_count);
    drop(a->worst, &a->worst_count);
    mem_free(a->confusion);
    *a = (ClassAnswers){0};
}

void class_answers_begin(ClassAnswers *a, size_t classes) {
    class_answers_free(a);
    a->classes = classes;
    if (classes <= ANSWER_CLASSES)
        a->confusion = mem_zalloc(classes * classes * sizeof *a->confusion);
}

/* ---- pictures ---- */

/* As it was before the normalisation, every `step`-th row and column. */
static void keep_pixels(Seen *seen, const Task *task, const Batch *batch, size_t i) {
    const DataConfig *data = &task->recipe->data;
    size_t step = (MAX(batch->height, batch->width) + ANSWER_SIDE - 1) / ANSWER_SIDE;
    size_t plane = batch->height * batch->width, channels = batch->channels;
    const real *from = batch->pixels + i * channels * plane;
    seen->height = (batch->height + step - 1) / step;
    seen->width = (batch->width + step - 1) / step;
    seen->pixels = mem_alloc(seen->height * seen->width * channels);
    uint8_t *to = seen->pixels;
    for (size_t y = 0; y < batch->height; y += step)
        for (size_t x = 0; x < batch->width; x += step)
            for (size_t c = 0; c < channels; c++) {
                double std = data->std[data->std_count == 1 ? 0 : c],
                       mean = data->mean[data->mean_count == 1 ? 0 : c];
                double p = (double)from[c * plane + y * batch->width + x] * std + mean;
                *to++ = (uint8_t)fmin(fmax(255 * p + 0.5, 0), 255);
            }
}

/* In front of those that are less sure; the last one goes where there is no room. */
static void keep_worst(ClassAnswers *a, Seen seen, const Task *task, const Batch *batch,
                       size_t i) {
    size_t at = a->worst_count;
    while (at && a->worst[at - 1].share < seen.share) at--;
    if (at == ANSWER_PICTURES) return;
    if (a->worst_count == ANSWER_PICTURES) mem_free(a->worst[--a->worst_count].pixels);
    memmove(a->worst + at + 1, a->worst + at, (a->worst_count - at) * sizeof *a->worst);
    keep_pixels(&seen, task, batch, i);
    a->worst[at] = seen;
    a->worst_count++;
}

static Seen see_one(const real *z, size_t classes, size_t item, size_t label) {
    size_t best = 0;
    double total = 0;
    for (size_t k = 1; k < classes; k++)
        if (z[k] > z[best]) best = k;
    for (size_t k = 0; k < classes; k++) total += exp((double)(z[k] - z[best]));
    return (Seen){.item = item, .label = label, .class = best, .share = 1 / total};
}

void class_answers_see(ClassAnswers *a, const Task *task, const Batch *batch,
                       const real *logits) {
    for (size_t i = 0; i < batch->count; i++) {
        Seen seen =
            see_one(logits + i * a->classes, a->classes, batch->item[i], batch->label[i]);
        if (a->confusion) a->confusion[seen.label * a->classes + seen.class]++;
        if (!isfinite(seen.share)) continue;
        if (seen.class != seen.label) keep_worst(a, seen, task, batch, i);
        if (a->first_count == ANSWER_PICTURES) continue;
        keep_pixels(&seen, task, batch, i);
        a->first[a->first_count++] = seen;
    }
}

void class_answers_finish(ClassAnswers *a, Ranks *ranks) {
    if (a->confusion) ranks_add(ranks, a->confusion, a->classes * a->classes);
}

/* ---- JSON ---- */

static json_t *class_json(const PictureFacts *facts, size_t k) {
    char number[24];
    text_format(number, sizeof number, "%zu", k);
    return json_text(facts->class_names ? facts->class_names[k] : number);
}

static json_t *seen_json(const Seen *seen, const PictureFacts *facts) {
    size_t bytes = seen->height * seen->width * facts->channels;
    char *hex = mem_alloc(2 * bytes + 1);
    for (size_t i = 0; i < bytes; i++) snprintf(hex + 2 * i, 3, "%02x", seen->pixels[i]);
    hex[2 * bytes] = 0;
    json_t *row =
        json_pack("{s:I, s:o, s:o, s:o, s:[I, I, I], s:s}", "item",
                  (json_int_t)seen->item, "label", class_json(facts, seen->label),
                  "class", class_json(facts, seen->class), "share",
                  json_number(seen->share), "size", (json_int_t)facts->channels,
                  (json_int_t)seen->height, (json_int_t)seen->width, "pixels", hex);
    mem_free(hex);
    return row;
}

static json_t *list_json(const Seen *list, size_t count, const PictureFacts *facts) {
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(rows, seen_json(&list[i], facts));
    return rows;
}

json_t *class_answers_json(const ClassAnswers *a, const Task *task) {
    const PictureFacts *facts = picture_facts(task);
    json_t *answers = json_object();
    if (a->confusion)
        answers_add_confusion(answers, facts->class_names, a->confusion, a->classes);
    size_t ranks = ranks_count(task->ranks);
    if (ranks > 1)
        answers_note(answers,
                     "The pictures are of the part of the split that the first of %zu "
                     "processes scored.",
                     ranks);
    json_object_set_new(answers, "pictures", list_json(a->first, a->first_count, facts));
    json_object_set_new(answers, "mistakes", list_json(a->worst, a->worst_count, facts));
    return answers;
}

#include "tools/task/score.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/core/base.h"
#include "tools/run/datafacts.h"
#include "tools/run/rundir.h"

/* ---- measuring ---- */

Score score_begin(Split split, TaskKind task) {
    Score score = {.split = split};
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        bool summed = metrics[m].reduce != REDUCE_NONE && task_is(task, metrics[m].tasks);
        score.value[m] = summed ? 0 : NAN;
    }
    return score;
}

static double reduced(const Score *s, size_t m) {
    switch (metrics[m].reduce) {
    case REDUCE_MEAN: return s->value[m] / (double)MAX(s->count, (size_t)1);
    case REDUCE_RATIO: return s->whole[m] > 0 ? s->value[m] / s->whole[m] : NAN;
    case REDUCE_EXP: return isnan(s->value[m]) ? NAN : exp(s->nll);
    case REDUCE_NONE: break;
    }
    return s->value[m];
}

void score_sums(const Score *s, double sum[SCORE_SUMS]) {
    const EditCount *w = &s->words;
    const double counts[SCORE_COUNTS] = {
        (double)s->count,     (double)s->skipped,       s->nll,
        (double)w->reference, (double)w->substitutions, (double)w->insertions,
        (double)w->deletions};
    memcpy(sum, counts, sizeof counts);
    memcpy(sum + SCORE_COUNTS, s->value, sizeof s->value);
    memcpy(sum + SCORE_COUNTS + METRIC_COUNT, s->whole, sizeof s->whole);
}

void score_of_sums(Score *s, const double sum[SCORE_SUMS]) {
    const double *value = sum + SCORE_COUNTS, *whole = value + METRIC_COUNT;
    s->count = (size_t)sum[0], s->skipped = (size_t)sum[1];
    s->nll = sum[2] / (double)MAX(s->count, (size_t)1);
    s->words =
        (EditCount){(size_t)sum[3], (size_t)sum[4], (size_t)sum[5], (size_t)sum[6]};
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        if (metrics[m].reduce == REDUCE_NONE) continue;
        s->value[m] = value[m], s->whole[m] = whole[m];
        s->value[m] = reduced(s, m);
    }
}

void score_reduce(Score *s, Ranks *ranks) {
    double sum[SCORE_SUMS];
    score_sums(s, sum);
    ranks_add(ranks, sum, SCORE_SUMS);
    score_of_sums(s, sum);
}

size_t score_rank(const real *logits, size_t classes, size_t label) {
    size_t rank = 0;
    for (size_t k = 0; k < classes; k++)
        if (k != label && !(logits[k] < logits[label])) rank++;
    return rank;
}

void score_clear(Score *s) {
    json_decref(s->worst);
    s->worst = NULL;
}

/* ---- as a row ---- */

static void add_edits(json_t *row, const EditCount *w) {
    json_object_set_new(row, "words", json_integer((json_int_t)w->reference));
    json_object_set_new(row, "substitutions", json_integer((json_int_t)w->substitutions));
    json_object_set_new(row, "insertions", json_integer((json_int_t)w->insertions));
    json_object_set_new(row, "deletions", json_integer((json_int_t)w->deletions));
}

/* The loss is in every row: null where it is not finite. */
static bool is_written(const Score *s, size_t m) {
    return m == METRIC_LOSS || !isnan(s->value[m]);
}

json_t *score_row(const Score *s, size_t step) {
    json_t *row =
        json_pack("{s:I, s:s}", "step", (json_int_t)step, "split", split_name(s->split));
    for (size_t m = 0; m < METRIC_COUNT; m++)
        if (is_written(s, m))
            json_object_set_new(row, metrics[m].key, json_number(s->value[m]));
    if (s->words.reference) add_edits(row, &s->words);
    if (*s->signature) json_object_set_new(row, "signature", json_string(s->signature));
    if (s->grade) json_object_set_new(row, "grade", json_string(grade_name(s->grade)));
    if (s->different[1]) {
        json_object_set_new(row, "different", json_integer((json_int_t)s->different[0]));
        json_object_set_new(row, "different_references",
                            json_integer((json_int_t)s->different[1]));
    }
    json_object_set_new(row, "count", json_integer((json_int_t)s->count));
    if (s->nll != s->value[METRIC_LOSS])
        json_object_set_new(row, "nll", json_number(s->nll));
    if (s->skipped)
        json_object_set_new(row, "skipped", json_integer((json_int_t)s->skipped));
    if (s->worst) json_object_set(row, "worst", s->worst);
    return row;
}

void score_add_average(json_t *row, const Score *averaged) {
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        char name[60];
        if (!metrics[m].average || !is_written(averaged, m)) continue;
        text_format(name, sizeof name, "ema_%s", metrics[m].key);
        json_object_set_new(row, name, json_number(averaged->value[m]));
    }
}

/* ---- judging ---- */

double score_watched(const Score *s, Metric metric) {
    return metric_turned(metric, s->value[metric]);
}

/* Label smoothing is a way to train, not what a model is chosen for. */
double score_goodness(const Score *s, Metric best) {
    return best == METRIC_LOSS ? -s->nll : -score_watched(s, best);
}

/* ---- for people ---- */

void score_names(Metric metric, bool averaged, bool smoothed, char text[SCORE_NAMES]) {
    const char *key = metrics[metric].key;
    char average[40] = "";
    if (averaged && metrics[metric].average)
        text_format(average, sizeof average, " or ema_%s", key);
    text_format(text, SCORE_NAMES, "%s%s%s", key, average,
                smoothed && metric == METRIC_LOSS ? " without label smoothing" : "");
}

void score_text(const Score *s, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "%s", split_name(s->split));
    const char *space = " ";
    for (size_t m = 0; m < METRIC_COUNT && used < size; m++) {
        char part[SCORE_METRIC_TEXT - 2];
        if (!metrics[m].line || isnan(s->value[m])) continue;
        text_format(part, sizeof part, metrics[m].line, metrics[m].factor * s->value[m]);
        text_format(text + used, size - used, "%s%s", space, part);
        used += strlen(text + used);
        space = "  ";
    }
}

#include "tools/task/score.h"

#include <math.h>
#include <stdio.h>

#include "engine/core/base.h"
#include "tools/run/datafacts.h"
#include "tools/run/rundir.h"

Score score_none(Split split) {
    return (Score){.split = split,
                   .top1 = NAN,
                   .top5 = NAN,
                   .ppl = NAN,
                   .unknown = NAN,
                   .unknown_source = NAN,
                   .bleu = NAN,
                   .bleu_tokens = NAN,
                   .wer = NAN,
                   .cer = NAN};
}

void score_clear(Score *s) {
    json_decref(s->worst);
    s->worst = NULL;
}

static void add_edits(json_t *row, const Score *s) {
    const EditCount *w = &s->words;
    json_object_set_new(row, "words", json_integer((json_int_t)w->reference));
    json_object_set_new(row, "substitutions", json_integer((json_int_t)w->substitutions));
    json_object_set_new(row, "insertions", json_integer((json_int_t)w->insertions));
    json_object_set_new(row, "deletions", json_integer((json_int_t)w->deletions));
}

static void add_measured(json_t *row, const char *name, double value) {
    if (!isnan(value)) json_object_set_new(row, name, json_number(value));
}

json_t *score_row(const Score *s, size_t step) {
    json_t *row = json_pack("{s:I, s:s, s:o}", "step", (json_int_t)step, "split",
                            split_name(s->split), "loss", json_number(s->loss));
    add_measured(row, "top1", s->top1);
    add_measured(row, "top5", s->top5);
    add_measured(row, "ppl", s->ppl);
    add_measured(row, "unknown", s->unknown);
    add_measured(row, "unknown_source", s->unknown_source);
    add_measured(row, "bleu", s->bleu);
    add_measured(row, "bleu_tokens", s->bleu_tokens);
    add_measured(row, "wer", s->wer);
    add_measured(row, "cer", s->cer);
    if (!isnan(s->wer)) add_edits(row, s);
    if (*s->signature) json_object_set_new(row, "signature", json_string(s->signature));
    json_object_set_new(row, "count", json_integer((json_int_t)s->count));
    if (s->nll != s->loss) json_object_set_new(row, "nll", json_number(s->nll));
    if (s->skipped)
        json_object_set_new(row, "skipped", json_integer((json_int_t)s->skipped));
    if (s->worst) json_object_set(row, "worst", s->worst);
    return row;
}

double score_goodness(const Score *s, BestScore best) {
    switch (best) {
    case BEST_TOP1: return s->top1;
    case BEST_BLEU: return s->bleu;
    case BEST_WER: return -s->wer;
    default: return -s->nll;
    }
}

double score_watched(const Score *s, WatchedScore watch) {
    switch (watch) {
    case WATCH_LOSS: return s->loss;
    case WATCH_WER: return s->wer;
    case WATCH_BLEU: return -s->bleu;
    case WATCH_TOP1: return -s->top1;
    case WATCH_PPL: return s->ppl;
    }
    CHECK(false, "score %d", (int)watch);
    return NAN;
}

static void append(char *text, size_t size, size_t *used, const char *format,
                   double value) {
    if (isnan(value) || *used >= size) return;
    int length = snprintf(text + *used, size - *used, format, value);
    *used += length > 0 ? (size_t)length : 0;
}

void score_text(const Score *s, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "%s", split_name(s->split));
    append(text, size, &used, " loss %.4f", s->loss);
    append(text, size, &used, "  top-1 %.2f%%", 100 * s->top1);
    append(text, size, &used, "  ppl %.4g", s->ppl);
    append(text, size, &used, "  BLEU %.2f", s->bleu);
    append(text, size, &used, "  WER %.2f%%", 100 * s->wer);
    append(text, size, &used, "  CER %.2f%%", 100 * s->cer);
}

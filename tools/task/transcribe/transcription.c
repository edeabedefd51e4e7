#include "tools/task/transcribe/transcription.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kern/ctc.h"
#include "tools/run/rundir.h"

/* ---- decoding ---- */

void transcript_greedy(const real *logits, size_t rows, TextBuffer *text) {
    uint32_t *best = mem_alloc(MAX(rows, (size_t)1) * sizeof *best);
    for (size_t t = 0; t < rows; t++) {
        const real *z = logits + t * SPEECH_LABELS;
        best[t] = 0;
        for (uint32_t k = 1; k < SPEECH_LABELS; k++)
            if (z[k] > z[best[t]]) best[t] = k;
    }
    speech_read_path(best, rows, text);
    mem_free(best);
}

const real *transcript_of(Speech *speech, Tape *tape, const ForwardMode *mode,
                          const char *name, const real *features, size_t frames,
                          TextBuffer *text, Err *err) {
    size_t count = speech_rows(frames), longest = (frames + 2) / SPEECH_STRIDE;
    const real *z = NULL;
    if (speech->position && longest > speech->position->tensor.shape[0]) {
        err_set(err, FAIL_DATA, "%s: %zu rows, more than the %zu positions of the model",
                name, longest, speech->position->tensor.shape[0]);
        return NULL;
    }
    if (count) {
        tape_begin(tape, (TapeMode){.precision = mode->precision});
        size_t shape[] = {1, frames, SPEECH_FILTERS};
        SpeechRows rows = {.x = tape_tensor(tape, 3, shape),
                           .frames = &frames,
                           .before =
                               frames_before_same(frames, SPEECH_KERNEL, SPEECH_STRIDE)};
        memcpy(rows.x->value, features, frames * SPEECH_FILTERS * sizeof *features);
        z = speech_logits(speech, tape, mode, &rows)->value;
    }
    transcript_greedy(z, count, text);
    return z;
}

/* ---- a batch as the model takes it ---- */

SpeechRows transcript_rows(Tape *tape, const SpeechBatch *batch, size_t from, size_t to,
                           size_t longest, bool alone) {
    /* `longest` only says where the grid of the convolution begins, a frame earlier or
     * later: in training any batch-mates decide that, so their speeds need not. */
    size_t count = to - from, length = speechbatch_longest(batch, from, to);
    SpeechRows rows = {.x = tape_tensor(tape, 3,
                                        (size_t[]){count, length, batch->filters}),
                       .frames = batch->frames + from,
                       .before =
                           frames_before_same(longest, SPEECH_KERNEL, SPEECH_STRIDE)};
    speechbatch_pad(batch, from, to, length, rows.x->value);
    if (!alone) return rows;
    size_t *before = tape_alloc(tape, count * sizeof *before);
    for (size_t b = 0; b < count; b++)
        before[b] = frames_before_same(rows.frames[b], SPEECH_KERNEL, SPEECH_STRIDE);
    rows.each_before = before;
    return rows;
}

CtcTarget transcript_target(Tape *tape, const SpeechBatch *batch, size_t from,
                            size_t to) {
    size_t count = to - from, length = 0;
    for (size_t k = from; k < to; k++) length = MAX(length, batch->item[k]->label_count);
    uint32_t *label = tape_alloc(tape, MAX(count * length, (size_t)1) * sizeof *label);
    size_t *label_count = tape_alloc(tape, 2 * count * sizeof *label_count);
    size_t *rows = label_count + count;
    for (size_t b = 0; b < count; b++) {
        const SpeechItem *item = batch->item[from + b];
        label_count[b] = item->label_count;
        rows[b] = speech_rows(batch->frames[from + b]);
        memcpy(label + b * length, item->labels, item->label_count * sizeof *label);
        memset(label + b * length + item->label_count, 0,
               (length - item->label_count) * sizeof *label);
    }
    return (CtcTarget){.label = label,
                       .length = length,
                       .label_count = label_count,
                       .frame_count = rows,
                       .blank = SPEECH_BLANK};
}

/* ---- the guess ---- */

enum { GUESS_UTTERANCES = 64, GUESS_ROUNDS = 24 };

typedef struct Guess {
    const SpeechSet *set;
    size_t count, rows, labels; /* the longest of each */
    double share[SPEECH_LABELS];
    real *logits;
    double *work;
} Guess;

static void count_labels(Guess *g) {
    double total = 0;
    for (size_t i = 0; i < g->set->count; i++) {
        const SpeechItem *item = &g->set->item[i];
        for (size_t k = 0; k < item->label_count; k++) g->share[item->labels[k]]++;
        total += (double)item->label_count;
    }
    for (size_t k = 0; k < SPEECH_LABELS; k++) g->share[k] /= fmax(total, 1);
}

/* Mean loss where each row is blank with probability `blank`. */
static double guess_at(Guess *g, double blank) {
    double sum = 0;
    for (size_t t = 0; t < g->rows; t++)
        for (size_t k = 0; k < SPEECH_LABELS; k++) {
            double p = k == SPEECH_BLANK ? blank : (1 - blank) * g->share[k];
            g->logits[t * SPEECH_LABELS + k] = (real)log(fmax(p, 1e-12));
        }
    for (size_t i = 0; i < g->count; i++) {
        const SpeechItem *item = &g->set->item[i * g->set->count / g->count];
        CtcUtterance u = {.logits = g->logits,
                          .frames = speech_rows(item->frames),
                          .classes = SPEECH_LABELS,
                          .labels = item->labels,
                          .count = item->label_count,
                          .blank = SPEECH_BLANK};
        sum += ctc_forward(&u, g->work, false);
    }
    return sum / (double)g->count;
}

/* The loss has one minimum over the share of blanks: a golden-section search. */
static double best_guess(Guess *g) {
    double ratio = (sqrt(5) - 1) / 2, low = 0.01, high = 0.99;
    double a = high - ratio * (high - low), b = low + ratio * (high - low);
    double at_a = guess_at(g, a), at_b = guess_at(g, b);
    for (size_t i = 0; i < GUESS_ROUNDS && high - low > 1e-3; i++) {
        if (at_a < at_b) {
            high = b, b = a, at_b = at_a;
            a = high - ratio * (high - low);
            at_a = guess_at(g, a);
        } else {
            low = a, a = b, at_a = at_b;
            b = low + ratio * (high - low);
            at_b = guess_at(g, b);
        }
    }
    return fmin(at_a, at_b);
}

double transcript_guess(const SpeechSet *set) {
    Guess g = {.set = set, .count = MIN(set->count, (size_t)GUESS_UTTERANCES)};
    for (size_t i = 0; i < set->count; i++) {
        g.rows = MAX(g.rows, speech_rows(set->item[i].frames));
        g.labels = MAX(g.labels, set->item[i].label_count);
    }
    count_labels(&g);
    g.logits = mem_alloc(MAX(g.rows, (size_t)1) * SPEECH_LABELS * sizeof *g.logits);
    g.work =
        mem_alloc(MAX(ctc_work(g.rows, g.labels, false), (size_t)1) * sizeof *g.work);
    double loss = best_guess(&g);
    mem_free(g.logits);
    mem_free(g.work);
    return loss;
}

/* ---- the worst ---- */

static size_t errors_of(const json_t *row) {
    return (size_t)json_integer_value(json_object_get(row, "errors"));
}

/* Behind those with as many errors; `row` is taken over. */
static void insert(Worst *w, json_t *row) {
    size_t errors = errors_of(row), at = json_array_size(w->rows);
    while (at && errors_of(json_array_get(w->rows, at - 1)) < errors) at--;
    if (!errors || at >= w->most) {
        json_decref(row);
        return;
    }
    json_array_insert_new(w->rows, at, row);
    if (json_array_size(w->rows) > w->most) json_array_remove(w->rows, w->most);
}

void worst_see(Worst *w, const char *id, const char *reference, const char *hypothesis) {
    Wer one = {0};
    wer_add(&one, reference, hypothesis);
    insert(w, json_pack("{s:o, s:o, s:o, s:I}", "id", json_text(id), "reference",
                        json_text(reference), "hypothesis", json_text(hypothesis),
                        "errors", (json_int_t)wer_edits(&one.words)));
}

void worst_add(Worst *w, const json_t *rows) {
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) insert(w, json_incref(row));
}

/* The rows of each rank as text, one behind the other; bytes: [ranks]. */
static char *gather(const json_t *rows, Ranks *ranks, size_t *bytes) {
    size_t count = ranks_count(ranks), all = 0;
    char *own = json_dumps(rows, JSON_COMPACT);
    CHECK(own, "transcripts that jansson does not print");
    double *length = mem_zarray(count, sizeof *length);
    length[ranks_number(ranks)] = (double)strlen(own);
    ranks_add(ranks, length, count);
    for (size_t r = 0; r < count; r++) all += bytes[r] = (size_t)length[r];
    char *text = mem_alloc(all);
    ranks_gather(ranks, own, text, bytes);
    mem_free(length);
    free(own);
    return text;
}

void worst_share(Worst *w, Ranks *ranks) {
    size_t count = ranks_count(ranks), at = 0;
    if (count == 1) return;
    size_t *bytes = mem_array(count, sizeof *bytes);
    char *text = gather(w->rows, ranks, bytes);
    json_decref(w->rows);
    w->rows = json_array();
    for (size_t r = 0; r < count; at += bytes[r++]) {
        json_t *rows = json_loadb(text + at, bytes[r], 0, NULL);
        worst_add(w, rows);
        json_decref(rows);
    }
    mem_free(text);
    mem_free(bytes);
}

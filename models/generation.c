#include "models/generation.h"

#include <math.h>
#include <string.h>

#include "engine/kern/rows.h"

struct Generation {
    Translator *pairs; /* one of the two */
    Language *text;
    Tape *tape;
    ForwardMode mode;
    size_t depth, vocab, rows;
    KeyCache *caches;             /* [2 depth] */
    Tensor *memory;               /* until the first step */
    size_t *memory_count, *owner; /* [rows] of each row's sentence, and its number */
};

static Generation *generation_new(Tape *tape, const ForwardMode *mode, size_t rows,
                                  size_t depth, size_t width) {
    Generation *g = mem_zalloc(sizeof *g);
    g->tape = tape;
    g->mode = *mode;
    g->rows = rows;
    g->depth = depth;
    g->caches = mem_zalloc(2 * depth * sizeof *g->caches);
    for (size_t i = 0; i < 2 * depth; i++) key_cache_init(&g->caches[i], rows, width);
    return g;
}

void generation_free(Generation *g) {
    if (!g) return;
    for (size_t i = 0; i < 2 * g->depth; i++) key_cache_release(&g->caches[i]);
    mem_free(g->caches);
    mem_free(g->memory_count);
    mem_free(g->owner);
    mem_free(g);
}

/* ---- pairs ---- */

Generation *generation_of_pairs(Translator *t, Tape *tape, const ForwardMode *mode,
                                const TokenRows *source) {
    Generation *g = generation_new(tape, mode, source->batch, t->decoder.spec.depth,
                                   t->model.config.width);
    g->pairs = t;
    g->vocab = t->target_vocab;
    g->memory_count = mem_alloc(source->batch * sizeof *g->memory_count);
    g->owner = mem_alloc(source->batch * sizeof *g->owner);
    for (size_t i = 0; i < source->batch; i++) {
        g->memory_count[i] = source->count ? source->count[i] : source->length;
        g->owner[i] = i;
    }
    tape_begin(tape, (TapeMode){.precision = mode->precision});
    g->memory = translator_encode(t, tape, mode, source);
    return g;
}

static size_t *selected(size_t *old, const size_t *from, size_t rows) {
    size_t *now = mem_alloc(rows * sizeof *now);
    for (size_t i = 0; i < rows; i++) now[i] = old[from[i]];
    mem_free(old);
    return now;
}

/* The memory's keys stay where they are as long as each row keeps its sentence. */
static void select_rows(Generation *g, size_t rows, const size_t *from) {
    bool moved = rows != g->rows;
    for (size_t i = 0; i < rows && !moved; i++) moved = g->owner[from[i]] != g->owner[i];
    for (size_t i = 0; i < g->depth; i++) {
        key_cache_select(&g->caches[2 * i], from, rows);
        if (moved) key_cache_select(&g->caches[2 * i + 1], from, rows);
    }
    if (moved) {
        g->memory_count = selected(g->memory_count, from, rows);
        g->owner = selected(g->owner, from, rows);
    }
    g->rows = rows;
}

/* logits become ln softmax of each row. */
static void log_softmax(real *out, const real *logits, size_t rows, size_t n) {
#pragma omp parallel for schedule(static) if (rows * n > 8192)
    for (size_t r = 0; r < rows; r++) {
        real entropy, largest, *y = out + r * n;
        memcpy(y, logits + r * n, n * sizeof(real));
        real lse = row_softmax(y, n, &entropy, &largest);
        for (size_t k = 0; k < n; k++) y[k] = logits[r * n + k] - lse;
    }
}

void generation_step(void *generation, size_t rows, const uint32_t *token,
                     const size_t *from, real *log_prob) {
    Generation *g = generation;
    bool first = g->memory;
    if (first) {
        for (size_t i = 0; i < rows; i++)
            CHECK(rows == g->rows && from[i] == i, "the first step has %zu rows",
                  g->rows);
    } else {
        select_rows(g, rows, from);
        tape_begin(g->tape, (TapeMode){.precision = g->mode.precision});
    }
    TokenRows input = {.ids = token, .batch = rows, .length = 1};
    Tensor *x = translator_decode(g->pairs, g->tape, &g->mode, g->memory, g->memory_count,
                                  &input, g->caches);
    g->memory = NULL;
    Tensor *logits = translator_output(g->pairs, g->tape, x);
    log_softmax(log_prob, logits->value, rows, g->vocab);
}

/* ---- text ---- */

Generation *generation_of_text(Language *lm, Tape *tape, const ForwardMode *mode) {
    Generation *g =
        generation_new(tape, mode, 1, lm->stack.spec.depth, lm->model.config.width);
    g->text = lm;
    g->vocab = lm->vocab;
    return g;
}

bool generation_read(Generation *g, const uint32_t *ids, size_t count, real *logits) {
    Language *lm = g->text;
    const Param *position = lm->embed.position;
    if (position && g->caches->used + count > position->tensor.shape[0]) return false;
    TokenRows rows = {.ids = ids, .batch = 1, .length = count};
    tape_begin(g->tape, (TapeMode){.precision = g->mode.precision});
    Tensor *x = language_features(lm, g->tape, &g->mode, &rows, g->caches);
    x = op_take_token(g->tape, x, count - 1);
    Tensor *y = language_output(lm, g->tape, x);
    memcpy(logits, y->value, g->vocab * sizeof(real));
    return true;
}

#include "tools/task/bench.h"

#include "engine/core/rng.h"

enum { IDS_FIRST = 4, NO_PAD = UINT32_MAX };

void bench_fill(real *x, size_t count, double std) {
    Rng rng = rng_make(7, 0, 0);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++) x[i] = (real)std * (real)rng_normal(rng, i);
}

static uint32_t *make_ids(const BenchSubject *s, size_t first) {
    size_t count = s->batch * s->length;
    uint32_t *ids = mem_alloc(count * sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] =
            (uint32_t)(IDS_FIRST + (first + i * BENCH_IDS_STEP) % (s->vocab - IDS_FIRST));
    return ids;
}

void bench_make_texts(BenchWork *w) {
    w->ids = make_ids(w->subject, 0);
    w->input = make_ids(w->subject, 1);
    w->target = make_ids(w->subject, 2);
}

TokenRows bench_rows(const BenchSubject *s, const uint32_t *ids, size_t from, size_t to) {
    return (TokenRows){.ids = ids + from * s->length,
                       .batch = to - from,
                       .length = s->length};
}

VocabTarget bench_target(const BenchWork *w, size_t from) {
    const BenchSubject *s = w->subject;
    return (VocabTarget){.label = w->target + from * s->length,
                         .ignore = NO_PAD,
                         .smoothing = s->recipe.train.label_smoothing,
                         .divisor = (double)(s->batch * s->length)};
}

void bench_print_tokens(FILE *out, const BenchModel *m) {
    fprintf(out, "%zu tokens, vocabulary %zu\n", m->length, m->vocab);
}

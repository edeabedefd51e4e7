#include "tools/task/translate/translation.h"

#include <stdlib.h>
#include <string.h>

#include "data/text/tokenizer.h"
#include "models/generation.h"
#include "tools/program/stop.h"

/* hypotheses at once, and their source tokens */
enum { ROWS_MOST = 320, SLOTS_MOST = 16384 };

SearchOptions search_options(const Recipe *recipe) {
    const TrainConfig *train = &recipe->train;
    return (SearchOptions){train->beam, train->length_penalty, train->max_decode};
}

Status sentence_encode(const Task *task, const Translator *t, const char *line,
                       size_t length, IdList *ids, Err *err) {
    if (tokenizer_encode(text_task_tokenizer(task, 0), line, length, ids, err))
        return err->status;
    idlist_add(ids, ID_EOS);
    size_t most = task->recipe->data.max_length + 1;
    if (t->source.position) most = MIN(most, t->source.position->tensor.shape[0]);
    if (ids->count <= most) return OK;
    return err_set(err, FAIL_DATA,
                   "%zu tokens; at most %zu are allowed (data.max_length, or learned "
                   "positions)",
                   ids->count, most);
}

/* Sentences [0, count) of one search, padded to the longest. */
static TokenRows pad_sentences(const Sentence *sentences, const size_t *order,
                               size_t count, uint32_t **ids, size_t **counts) {
    size_t length = sentences[order[count - 1]].count;
    *ids = mem_alloc(count * length * sizeof **ids);
    *counts = mem_alloc(count * sizeof **counts);
    for (size_t i = 0; i < count; i++) {
        const Sentence *s = &sentences[order[i]];
        (*counts)[i] = s->count;
        memcpy(*ids + i * length, s->ids, s->count * sizeof **ids);
        for (size_t j = s->count; j < length; j++) (*ids)[i * length + j] = ID_PAD;
    }
    return (TokenRows){*ids, count, length, *counts};
}

static BeamResult *search(Translator *t, Tape *tape, const ForwardMode *mode,
                          const TokenRows *source, const SearchOptions *o) {
    Generation *g = generation_of_pairs(t, tape, mode, source);
    BeamModel model = {t->target_vocab, generation_step, g};
    BeamConfig config = beam_config_default();
    config.beam = o->beam;
    config.length_penalty = o->length_penalty;
    config.max_length = o->max_decode;
    config.start = config.end = ID_EOS;
    config.pad = ID_PAD;
    config.sentences = source->batch;
    if (t->target.position)
        config.max_length =
            MIN(config.max_length, t->target.position->tensor.shape[0] - 1);
    BeamResult *results = beam_search(&model, &config);
    generation_free(g);
    return results;
}

typedef struct Ordered {
    size_t length, index;
} Ordered;

static int by_length(const void *a, const void *b) {
    const Ordered *x = a, *y = b;
    if (x->length != y->length) return x->length < y->length ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static size_t *length_order(const Sentence *sentences, size_t count) {
    Ordered *items = mem_alloc(count * sizeof *items);
    size_t *order = mem_alloc(count * sizeof *order);
    for (size_t i = 0; i < count; i++) items[i] = (Ordered){sentences[i].count, i};
    qsort(items, count, sizeof *items, by_length);
    for (size_t i = 0; i < count; i++) order[i] = items[i].index;
    mem_free(items);
    return order;
}

/* How many of the sentences order[0], order[1], ... go through together: one at least. */
static size_t group_size(const Sentence *sentences, const size_t *order, size_t count,
                         size_t beam) {
    size_t n = 1;
    while (n < count && (n + 1) * beam <= ROWS_MOST &&
           (n + 1) * beam * sentences[order[n]].count <= SLOTS_MOST)
        n++;
    return n;
}

BeamResult *translate_sentences(Translator *t, Tape *tape, const ForwardMode *mode,
                                const Sentence *sentences, size_t count,
                                const SearchOptions *o) {
    size_t *order = length_order(sentences, count);
    BeamResult *results = mem_zalloc(MAX(count, (size_t)1) * sizeof *results);
    size_t at = 0;
    while (at < count && !stop_requested()) {
        size_t n = group_size(sentences, order + at, count - at, o->beam), *counts;
        uint32_t *ids;
        TokenRows source = pad_sentences(sentences, order + at, n, &ids, &counts);
        BeamResult *found = search(t, tape, mode, &source, o);
        for (size_t i = 0; i < n; i++) results[order[at + i]] = found[i];
        mem_free(found);
        mem_free(ids);
        mem_free(counts);
        at += n;
    }
    mem_free(order);
    if (at == count) return results;
    beam_results_free(results, count);
    return NULL;
}

/* notes: what is said of a split of texts, and its hash (data/text/set.h). */
#include "data/text/set_parts.h"

/* ---- unknown tokens ---- */

static size_t count_unknown(const Tokenizer *t, const uint32_t *ids, size_t count) {
    size_t unknown = 0;
    for (size_t i = 0; tokenizer_has_specials(t) && i < count; i++)
        unknown += ids[i] == ID_UNK;
    return unknown;
}

double textset_unknown(const TextSet *set, size_t side) {
    const TextReport *r = &set->report;
    return r->tokens[side] ? (double)r->unknown[side] / (double)r->tokens[side] : 0;
}

/* A dictionary of the training text leaves to <unk> what data.min_count says; one that is
 * given may be another text's. */
static bool unknown_matters(const Texts *t, Split split, size_t side) {
    const DataConfig *c = t->config;
    return split != SPLIT_TRAIN ||
           *(side && !c->joint ? c->target_vocab : c->source_vocab);
}

/* Of val and test, beside that of the training text. */
static void note_unknown(const Texts *t, TextSet *set, size_t side) {
    static const char *const NAMES[] = {"source: ", "target: "};
    const TextSet *train = t->sets[SPLIT_TRAIN];
    char training[80] = "";
    if (train && train != set)
        text_format(training, sizeof training, "; the training text has %.3g %%",
                    100 * textset_unknown(train, side));
    bool first = *set->first_unknown[side];
    facts_note(&set->facts, set->report.unknown[side],
               "%s%zu tokens, %.3g %% <unk>%s%s%s%s", set->pairs ? NAMES[side] : "",
               set->report.tokens[side], 100 * textset_unknown(set, side), training,
               first ? " (first: " : "", set->first_unknown[side], first ? ")" : "");
}

/* ---- counts and hash ---- */

static void finish_stream(const Texts *t, TextSet *set) {
    set->stream = set->own.ids;
    set->stream_count = set->own.count;
    set->report.tokens[0] = set->own.count;
    set->report.unknown[0] = count_unknown(t->tokenizer[0], set->own.ids, set->own.count);
    set->facts.count = set->stream_count;
    set->facts.hash = facts_hash(0, set->own.ids, set->own.count * sizeof *set->own.ids);
}

uint64_t textnotes_hash_pair(uint64_t hash, const TextSet *set, size_t i) {
    size_t m, n, length;
    const uint32_t *x = textset_source(set, i, &m), *y = textset_target(set, i, &n);
    const char *line = textset_target_line(set, i, &length);
    hash = facts_hash(hash, x, m * sizeof *x);
    hash = facts_hash(hash, y, n * sizeof *y);
    return facts_hash_number(facts_hash(hash, line, length), length);
}

static void finish_pairs(const Texts *t, TextSet *set) {
    for (size_t s = 0; s < 2; s++) {
        size_t count = set->side[s].start[set->count];
        set->report.tokens[s] = count;
        set->report.unknown[s] =
            count_unknown(t->tokenizer[s], set->side[s].ids.ids, count);
    }
    set->facts.count = set->count;
    set->facts.hash = 0;
    for (size_t i = 0; i < set->count; i++)
        set->facts.hash = textnotes_hash_pair(set->facts.hash, set, i);
}

void textnotes_finish(const Texts *t, TextSet *set, Split split) {
    if (t->pairs) finish_pairs(t, set);
    else finish_stream(t, set);
    for (size_t s = 0; s < (t->pairs ? 2 : 1); s++)
        if (unknown_matters(t, split, s)) note_unknown(t, set, s);
}

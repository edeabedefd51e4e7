/* pairs: pairs of sentences from the lines of two files (data/text/set.h). */
#include <math.h>
#include <string.h>

#include "data/text/set_parts.h"
#include "engine/core/rng.h"

/* ---- which are kept ---- */

typedef enum { KEEP, EMPTY, LONG, RATIO, VERDICTS } Verdict;

static Verdict judge(const DataConfig *c, size_t source, size_t target) {
    if (!source || !target) return EMPTY;
    if (MAX(source, target) > c->max_length) return LONG;
    double ratio = (double)MAX(source, target) / (double)MIN(source, target);
    return c->max_ratio > 0 && ratio > c->max_ratio ? RATIO : KEEP;
}

static Status refuse(const DataConfig *c, Verdict verdict, const TextFile files[2],
                     size_t line, const size_t count[2], Err *err) {
    const TextFile *file = &files[count[1] > count[0]];
    switch (verdict) {
    case EMPTY:
        file = &files[count[1] == 0 && count[0] != 0];
        return err_set(err, FAIL_DATA,
                       "%s:%zu: empty line; to skip such pairs: data.on_error=skip",
                       file->path, line + 1);
    case LONG:
        return err_set(err, FAIL_DATA,
                       "%s:%zu: %zu tokens, more than data.max_length = %zu; to skip "
                       "such pairs: data.drop_long=true",
                       file->path, line + 1, MAX(count[0], count[1]), c->max_length);
    default:
        return err_set(err, FAIL_DATA,
                       "%s:%zu: %zu tokens against %zu, a ratio above data.max_ratio = "
                       "%g; to skip such pairs: data.drop_long=true",
                       file->path, line + 1, MAX(count[0], count[1]),
                       MIN(count[0], count[1]), c->max_ratio);
    }
}

/* Pairs of one kind: how many, and the line of the first. */
typedef struct Seen {
    size_t count, first;
} Seen;

typedef struct Filling {
    TextSet *set;
    const Texts *texts;
    const TextFile *files;
    Seen dropped[VERDICTS], same;
} Filling;

static void see(Seen *seen, size_t line) {
    if (!seen->count++) seen->first = line + 1;
}

static void see_same(Filling *f, size_t i) {
    size_t m, n;
    const char *source = textfile_line(&f->files[0], i, &m);
    const char *target = textfile_line(&f->files[1], i, &n);
    if (m == n && !memcmp(source, target, m)) see(&f->same, i);
}

/* Encodes line i on both sides; takes it back where the pair is left out. */
static Status add_pair(Filling *f, size_t i, Err *err) {
    const DataConfig *c = f->texts->config;
    TextSet *set = f->set;
    size_t before[2], count[2];
    for (size_t s = 0; s < 2; s++) {
        IdList *ids = &set->side[s].ids;
        before[s] = ids->count;
        if (textset_encode(set, f->texts, s, &f->files[s], i, ids, err))
            return err->status;
        count[s] = ids->count - before[s];
    }
    Verdict verdict = judge(c, count[0], count[1]);
    bool drop = verdict == EMPTY ? c->on_error == ON_ERROR_SKIP : c->drop_long;
    if (verdict != KEEP && !drop) return refuse(c, verdict, f->files, i, count, err);
    see(&f->dropped[verdict], i);
    for (size_t s = 0; s < 2; s++) {
        IdList *ids = &set->side[s].ids;
        if (verdict != KEEP) {
            ids->count = before[s];
            continue;
        }
        idlist_add(ids, ID_EOS);
        set->side[s].start[set->count + 1] = ids->count;
        set->report.longest[s] = MAX(set->report.longest[s], count[s] + 1);
    }
    if (verdict != KEEP) return OK;
    see_same(f, i);
    set->line[set->count++] = i;
    return OK;
}

static void note_kinds(const Filling *f) {
    static const char *const WHY[VERDICTS] = {
        [EMPTY] = "have an empty line and are skipped (data.on_error = skip)",
        [LONG] = "have more tokens than data.max_length and are skipped (data.drop_long)",
        [RATIO] = "differ in length by more than data.max_ratio and are skipped "
                  "(data.drop_long)"};
    DataFacts *facts = &f->set->facts;
    const char *path = f->files[1].path;
    size_t lines = f->files[0].count;
    for (Verdict v = EMPTY; v < VERDICTS; v++)
        facts_note(facts, f->dropped[v].count, "%zu of %zu pairs %s (first: %s:%zu)",
                   f->dropped[v].count, lines, WHY[v], path, f->dropped[v].first);
    facts_note(facts, f->same.count,
               "%zu of %zu pairs have the same text on both sides (first: %s:%zu)",
               f->same.count, lines, path, f->same.first);
}

Status pairs_fill(TextSet *set, const Texts *t, TextFile files[2], Err *err) {
    size_t most = files[0].count;
    Filling f = {.set = set, .texts = t, .files = files};
    for (size_t s = 0; s < 2; s++)
        set->side[s].start = mem_zalloc((most + 1) * sizeof(size_t));
    set->line = mem_alloc(MAX(most, (size_t)1) * sizeof *set->line);
    set->report.lines = most;
    for (size_t i = 0; i < most; i++)
        if (add_pair(&f, i, err)) return err->status;
    note_kinds(&f);
    set->report.empty = f.dropped[EMPTY].count;
    set->report.too_long = f.dropped[LONG].count;
    set->report.ratio = f.dropped[RATIO].count;
    set->target = files[1];
    files[1] = (TextFile){0};
    return OK;
}

/* ---- drawing ---- */

/* [count] true for `wanted` of them.  Not of train.seed: all runs of a
 * sweep have one split. */
static bool *draw(size_t count, size_t wanted, uint64_t stream) {
    bool *drawn = mem_zalloc(MAX(count, (size_t)1) * sizeof *drawn);
    size_t *order = mem_alloc(MAX(count, (size_t)1) * sizeof *order);
    rng_permutation(rng_make(0, RNG_SPLIT, stream), order, count);
    for (size_t i = 0; i < wanted; i++) drawn[order[i]] = true;
    mem_free(order);
    return drawn;
}

enum { STREAM_VAL, STREAM_LIMIT };

static void append_pair(TextSet *to, const TextSet *from, size_t i) {
    for (size_t s = 0; s < 2; s++) {
        const TextSide *side = &from->side[s];
        for (size_t k = side->start[i]; k < side->start[i + 1]; k++)
            idlist_add(&to->side[s].ids, side->ids.ids[k]);
        to->side[s].start[to->count + 1] = to->side[s].ids.count;
    }
}

/* A set of the drawn pairs, whose lines are those of `from`. */
static TextSet *copy_pairs(const TextSet *from, const bool *drawn, size_t count) {
    TextSet *set = mem_zalloc(sizeof *set);
    set->pairs = true;
    set->target = from->target;
    set->borrows = true;
    set->line = mem_alloc(MAX(count, (size_t)1) * sizeof *set->line);
    for (size_t s = 0; s < 2; s++)
        set->side[s].start = mem_zalloc((count + 1) * sizeof(size_t));
    for (size_t i = 0; i < from->count; i++) {
        if (!drawn[i]) continue;
        append_pair(set, from, i);
        set->line[set->count++] = from->line[i];
    }
    return set;
}

/* Closes the gaps where pairs are not kept. */
static void keep_pairs(TextSet *set, const bool *drawn, bool kept) {
    size_t count = 0;
    for (size_t s = 0; s < 2; s++) {
        TextSide *side = &set->side[s];
        size_t at = 0;
        count = 0;
        for (size_t i = 0, from = 0; i < set->count; i++) {
            size_t end = side->start[i + 1], length = end - from;
            if (drawn[i] == kept) {
                memmove(side->ids.ids + at, side->ids.ids + from,
                        length * sizeof(uint32_t));
                side->start[++count] = at += length;
            }
            from = end;
        }
        side->ids.count = at;
    }
    size_t line = 0;
    for (size_t i = 0; i < set->count; i++)
        if (drawn[i] == kept) set->line[line++] = set->line[i];
    set->count = count;
}

void pairs_limit(TextSet *set, const char *key, size_t limit) {
    if (!facts_limit(&set->facts, key, limit, set->count, "pairs")) return;
    bool *drawn = draw(set->count, limit, STREAM_LIMIT);
    facts_note(&set->facts, set->count - limit,
               "%s = %zu: using this many of %zu pairs, drawn from the whole text", key,
               limit, set->count);
    keep_pairs(set, drawn, true);
    mem_free(drawn);
}

TextSet *pairs_cut(TextSet *train, double fraction) {
    size_t count = (size_t)llround(fraction * (double)train->count);
    bool *drawn = draw(train->count, count, STREAM_VAL);
    TextSet *val = copy_pairs(train, drawn, count);
    keep_pairs(train, drawn, false);
    mem_free(drawn);
    return val;
}

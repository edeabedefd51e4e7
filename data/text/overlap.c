/* overlap: what of val and test is in the training text, too (data/text/set.h). */
#include <stdlib.h>
#include <string.h>

#include "data/text/set_parts.h"

static int by_hash(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void note_pairs(const TextSet *set, DataFacts *facts, const uint64_t *known,
                       size_t count) {
    size_t found = 0, first = 0;
    for (size_t i = 0; i < set->count; i++) {
        uint64_t hash = textnotes_hash_pair(0, set, i);
        if (!bsearch(&hash, known, count, sizeof hash, by_hash)) continue;
        if (!found++) first = set->line[i] + 1;
    }
    facts_note(facts, found,
               "%zu of %zu pairs are also in the training text (first: %s:%zu)", found,
               set->count, set->target.path, first);
}

/* Fewer tokens may be the same by chance. */
enum { SAYING = 20 };

/* Is the whole text a piece of the training text? */
static bool is_piece(const TextSet *train, const TextSet *set) {
    size_t size = set->stream_count * sizeof *set->stream, all;
    if (set->stream_count < SAYING || set->stream_count > train->stream_count)
        return false;
    const char *at = (const char *)train->stream;
    const char *end = at + train->stream_count * sizeof *train->stream;
    while ((all = (size_t)(end - at)) >= size &&
           (at = memmem(at, all, set->stream, size))) {
        size_t offset = (size_t)(at - (const char *)train->stream) % sizeof *set->stream;
        if (!offset) break;
        at += sizeof *set->stream - offset;
    }
    return at && all >= size;
}

typedef struct Line {
    uint64_t key;
    size_t number, tokens;
    bool found;
} Line;

/* What ends a line, what makes one useless, and how long one must be. */
typedef struct LineKind {
    uint32_t end, unknown;
    size_t least;
} LineKind;

static int by_key(const void *a, const void *b) {
    const Line *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* The next line of that kind, its end left out; false: there is none.  from: where to
 * look, and then where the line after it begins. */
static bool next_line(const TextSet *set, const LineKind *kind, size_t *from,
                      Line *line) {
    while (*from < set->stream_count) {
        const uint32_t *ids = set->stream + *from;
        size_t length = 0, left = set->stream_count - *from;
        bool known = true;
        for (; length < left && ids[length] != kind->end; length++)
            known = known && ids[length] != kind->unknown;
        line->number++;
        *from += length + 1;
        if (!known || length < kind->least) continue;
        line->tokens = length;
        line->key = facts_digest(ids, length * sizeof *ids);
        return true;
    }
    return false;
}

/* In order of their keys. */
static Line *list_lines(const TextSet *set, const LineKind *kind, size_t *count) {
    Line *list = mem_alloc((set->stream_count / kind->least + 1) * sizeof *list),
         line = {0};
    *count = 0;
    for (size_t from = 0; next_line(set, kind, &from, &line);) list[(*count)++] = line;
    if (*count) qsort(list, *count, sizeof *list, by_key);
    return list;
}

static Line *first_with(Line *list, size_t count, uint64_t key) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (list[middle].key < key) low = middle + 1;
        else high = middle;
    }
    return low < count && list[low].key == key ? list + low : NULL;
}

/* A tenth of a text in lines of the training text is worth a word; some lines
 * stand in any two texts. */
enum { SHARE_LEAST = 10 };

static void note_lines(const TextSet *train, TextSet *set, const LineKind *kind) {
    size_t count, found = 0, tokens = 0, first = SIZE_MAX, from = 0;
    Line *list = list_lines(set, kind, &count), line = {0}, *known;
    while (count && next_line(train, kind, &from, &line))
        if ((known = first_with(list, count, line.key))) known->found = true;
    for (size_t i = 0; i < count; i++) {
        if (i && list[i].key == list[i - 1].key) list[i].found = list[i - 1].found;
        if (!list[i].found) continue;
        found++;
        tokens += list[i].tokens;
        first = MIN(first, list[i].number);
    }
    mem_free(list);
    if (tokens * SHARE_LEAST < set->stream_count) return;
    facts_note(
        &set->facts, found,
        "%zu of %zu lines of at least %zu tokens are also in the training text (first: "
        "line %zu of the split)",
        found, count, kind->least, first);
}

static void note_stream(const Texts *t, const TextSet *train, TextSet *set) {
    const Tokenizer *tokenizer = t->tokenizer[0];
    bool words = tokenizer_has_specials(tokenizer);
    LineKind kind = {tokenizer_line_end(tokenizer), words ? ID_UNK : UINT32_MAX,
                     words ? 6 : 24};
    if (is_piece(train, set))
        facts_note(&set->facts, set->stream_count,
                   "all %zu tokens are also in the training text, in this order",
                   set->stream_count);
    else if (tokenizer_has_line_end(tokenizer)) note_lines(train, set, &kind);
}

void textnotes_overlap(Texts *t) {
    const TextSet *train = t->sets[SPLIT_TRAIN];
    uint64_t *known = mem_alloc(MAX(train->count, (size_t)1) * sizeof *known);
    for (size_t i = 0; i < train->count; i++) known[i] = textnotes_hash_pair(0, train, i);
    qsort(known, train->count, sizeof *known, by_hash);
    for (Split s = SPLIT_VAL; s <= SPLIT_TEST; s++) {
        TextSet *set = t->sets[s];
        if (set && t->pairs) note_pairs(set, &set->facts, known, train->count);
        if (set && !t->pairs) note_stream(t, train, set);
    }
    mem_free(known);
    const TextSet *val = t->sets[SPLIT_VAL];
    TextSet *test = t->sets[SPLIT_TEST];
    if (val && test && test->facts.count == val->facts.count &&
        test->facts.hash == val->facts.hash)
        facts_note(&test->facts, test->facts.count, "the same text as the val split");
}

/* survey_overlap: pictures that are in two splits (data/survey.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/openfile.h"
#include "data/survey.h"

/* Most that is read to compare files: of the training split, and of one file. */
enum { FILES_MOST = 4096, FILE_MOST = 1 << 24 };

typedef struct Entry {
    uint64_t key; /* digest of the pixels, or length of the file */
    size_t item;
    uint64_t content; /* of the file; 0: not read yet */
} Entry;

static int by_key(const void *a, const void *b) {
    const Entry *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

static Entry *list_entries(const Dataset *set) {
    Entry *entry = mem_alloc(set->count * sizeof *entry);
    for (size_t i = 0; i < set->count; i++)
        entry[i] = (Entry){set->bytes ? set->bytes(set, i) : set->digest(set, i), i, 0};
    qsort(entry, set->count, sizeof *entry, by_key);
    return entry;
}

/* The first entry whose key is not below this one. */
static Entry *find(Entry *entry, size_t n, uint64_t key) {
    size_t low = 0;
    while (n) {
        size_t half = n / 2;
        bool below = entry[low + half].key < key;
        low += below ? half + 1 : 0;
        n = below ? n - half - 1 : half;
    }
    return entry + low;
}

uint64_t survey_content(const Dataset *set, size_t i) {
    char path[DATASET_PATH];
    set->path(set, i, path);
    FILE *file = set->bytes(set, i) <= FILE_MOST ? openfile_stream(path, NULL, NULL) : NULL;
    if (!file) return 0;
    size_t room = set->bytes(set, i) + 1;
    uint8_t *bytes = mem_alloc(room);
    size_t n = fread(bytes, 1, room, file);
    uint64_t content = n + 1 == room ? facts_digest(bytes, n) : 0;
    mem_free(bytes);
    fclose(file);
    return content;
}

typedef struct Search {
    const Dataset *train;
    Entry *entry;
    size_t reads;
} Search;

static bool is_in_training(Search *s, const Dataset *other, size_t i) {
    uint64_t key = other->bytes ? other->bytes(other, i) : other->digest(other, i);
    Entry *end = s->entry + s->train->count, *e = find(s->entry, s->train->count, key);
    if (!other->bytes) return e < end && e->key == key;
    if (!key || e == end || e->key != key) return false;
    uint64_t content = survey_content(other, i);
    for (; content && e < end && e->key == key; e++) {
        if (!e->content && s->reads++ < FILES_MOST)
            e->content = survey_content(s->train, e->item);
        if (e->content == content) return true;
    }
    return false;
}

static const char *item_text(const Dataset *set, size_t i, char text[DATASET_PATH]) {
    if (set->path)
        set->path(set, i, text);
    else
        text_format(text, DATASET_PATH, "item %zu", i);
    return text;
}

void survey_overlap(const Dataset *train, Dataset *other, const char *name) {
    bool files = train->bytes && other->bytes;
    if (!train->count || !other->count || !train->digest || !other->digest) return;
    size_t looked = files ? MIN(other->count, (size_t)SURVEY_MOST) : other->count;
    size_t found = 0, first = 0;
    Search search = {.train = train, .entry = list_entries(train)};
    for (size_t k = 0; k < looked; k++) {
        size_t i = k * other->count / looked;
        if (is_in_training(&search, other, i) && !found++) first = i;
    }
    mem_free(search.entry);
    char text[DATASET_PATH];
    facts_note(&other->facts, found,
               "%zu of %zu pictures%s of %s are training pictures too%s (first: %s)", found,
               looked, looked < other->count ? " of a sample" : "", name,
               found == looked ? ": its score says nothing about new pictures" : "",
               item_text(other, first, text));
}

/* survey_overlap: pictures that are in two splits (data/picture/survey.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/openfile.h"
#include "data/picture/survey.h"

/* Most files of the training split that are read to compare another with it, or it with
 * itself, and the largest file that is. */
enum { FILES_MOST = 4096, OWN_FILES_MOST = 512, FILE_MOST = 1 << 24 };

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
    FILE *file =
        set->bytes(set, i) <= FILE_MOST ? openfile_stream(path, NULL, NULL) : NULL;
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
    size_t reads, most;
    /* the training split is compared with itself: the same picture in another class */
    bool own;
} Search;

static bool may_be(const Search *s, const Dataset *other, size_t i, const Entry *e) {
    return !s->own || s->train->label(s->train, e->item) != other->label(other, i);
}

static bool is_in_training(Search *s, const Dataset *other, size_t i) {
    uint64_t key = other->bytes ? other->bytes(other, i) : other->digest(other, i),
             content = 0;
    Entry *end = s->entry + s->train->count, *e = find(s->entry, s->train->count, key);
    for (; key && e < end && e->key == key; e++) {
        if (!may_be(s, other, i, e)) continue;
        if (!other->bytes) return true;
        if (!content && !(content = survey_content(other, i))) return false;
        if (!e->content && s->reads++ < s->most)
            e->content = survey_content(s->train, e->item);
        if (e->content == content) return true;
    }
    return false;
}

static const char *item_text(const Dataset *set, size_t i, char text[DATASET_PATH]) {
    if (set->path) set->path(set, i, text);
    else text_format(text, DATASET_PATH, "item %zu", i);
    return text;
}

/* How many of `looked` items, evenly spread over the set, and the first. */
static size_t count_found(Search *search, const Dataset *other, size_t looked,
                          size_t *first) {
    size_t found = 0;
    search->entry = list_entries(search->train);
    for (size_t k = 0; k < looked; k++) {
        size_t i = k * other->count / looked;
        if (is_in_training(search, other, i) && !found++) *first = i;
    }
    mem_free(search->entry);
    return found;
}

static size_t to_look_at(const Dataset *set) {
    return set->bytes ? MIN(set->count, (size_t)SURVEY_MOST) : set->count;
}

void survey_overlap(const Dataset *train, Dataset *other, const char *name) {
    if (!train->count || !other->count || !train->digest || !other->digest) return;
    Search search = {.train = train, .most = FILES_MOST};
    size_t looked = to_look_at(other), first = 0;
    size_t found = count_found(&search, other, looked, &first);
    char text[DATASET_PATH];
    facts_note(&other->facts, found,
               "%zu of %zu pictures%s of %s are also training pictures%s (first: %s)",
               found, looked, looked < other->count ? " of a sample" : "", name,
               found == looked ? ": its score says nothing about new pictures" : "",
               item_text(other, first, text));
}

void survey_twice(Dataset *train) {
    if (!train->count || !train->digest || !train->label) return;
    Search search = {.train = train, .most = OWN_FILES_MOST, .own = true};
    size_t looked = to_look_at(train), first = 0;
    size_t found = count_found(&search, train, looked, &first);
    char text[DATASET_PATH];
    facts_note(&train->facts, found,
               "%zu of %zu pictures%s are also in another class (first: %s)", found,
               looked, looked < train->count ? " of a sample" : "",
               item_text(train, first, text));
}

#include "data/text/bpe_parts.h"

#include <stdio.h>
#include <string.h>

#include "data/facts.h"
#include "data/file/textfile.h"
#include "data/file/utf8.h"

static const char HEADER[] = "#version: 0.2", END_OF_WORD[] = "</w>";

/* ---- pairs ---- */

static size_t slot_of(const PairMap *map, uint64_t key) {
    size_t mask = map->slot_count - 1;
    uint64_t hash = key * 0x9E3779B97F4A7C15u;
    size_t slot = (hash ^ hash >> 32) & mask;
    while (map->slots[slot] && map->pairs[map->slots[slot] - 1].key != key)
        slot = (slot + 1) & mask;
    return slot;
}

static void grow(PairMap *map) {
    size_t count = map->slot_count ? 2 * map->slot_count : 1024;
    Pair *pairs = mem_alloc(count / 2 * sizeof *pairs);
    if (map->count) memcpy(pairs, map->pairs, map->count * sizeof *pairs);
    mem_free(map->pairs);
    MEM_DROP(map->slots);
    map->pairs = pairs;
    map->slots = mem_zalloc(count * sizeof *map->slots);
    map->slot_count = count;
    for (size_t i = 0; i < map->count; i++)
        map->slots[slot_of(map, pairs[i].key)] = (uint32_t)i + 1;
}

size_t pairmap_add(PairMap *map, uint32_t a, uint32_t b) {
    if (2 * (map->count + 1) > map->slot_count) grow(map);
    uint64_t key = (uint64_t)a << 32 | b;
    size_t slot = slot_of(map, key);
    if (!map->slots[slot]) {
        map->pairs[map->count] = (Pair){.key = key};
        map->slots[slot] = (uint32_t)++map->count;
    }
    return map->slots[slot] - 1;
}

size_t pairmap_find(const PairMap *map, uint32_t a, uint32_t b) {
    if (!map->slot_count) return SIZE_MAX;
    uint32_t number = map->slots[slot_of(map, (uint64_t)a << 32 | b)];
    return number ? number - 1 : SIZE_MAX;
}

void pairmap_free(PairMap *map) {
    mem_free(map->pairs);
    mem_free(map->slots);
    *map = (PairMap){0};
}

/* ---- symbols and merges ---- */

enum { SYMBOL_MOST = UTF8_BYTES + sizeof END_OF_WORD };

/* The symbol that begins at `at` of a word, into `text`; returns its bytes of the
 * word. */
static size_t first_symbol(const char *word, size_t length, size_t at,
                           char text[SYMBOL_MOST], size_t *size) {
    uint32_t code;
    size_t used = utf8_next(word + at, length - at, &code);
    if (!used) used = 1; /* bytes that are no UTF-8 stand for themselves */
    *size = used;
    memcpy(text, word + at, used);
    if (at + used < length) return used;
    memcpy(text + used, END_OF_WORD, sizeof END_OF_WORD - 1);
    *size += sizeof END_OF_WORD - 1;
    return used;
}

size_t bpe_symbols(StringMap *symbols, const char *word, size_t length, uint32_t *out) {
    size_t count = 0, size;
    char text[SYMBOL_MOST];
    for (size_t at = 0; at < length;) {
        at += first_symbol(word, length, at, text, &size);
        out[count++] = (uint32_t)stringmap_add(symbols, text, size);
    }
    return count;
}

size_t bpe_merge(uint32_t *word, size_t count, uint32_t a, uint32_t b, uint32_t merged) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool both = i + 1 < count && word[i] == a && word[i + 1] == b;
        word[kept++] = both ? merged : word[i];
        i += both;
    }
    return kept;
}

uint32_t bpe_add_merge(Bpe *bpe, uint32_t a, uint32_t b) {
    size_t i = pairmap_add(&bpe->merges, a, b);
    uint32_t merged = (uint32_t)stringmap_join(&bpe->symbols, a, b);
    bpe->merges.pairs[i].merged = merged;
    return merged;
}

size_t bpe_merge_count(const Bpe *bpe) { return bpe->merges.count; }

void bpe_free(Bpe *bpe) {
    if (!bpe) return;
    stringmap_free(&bpe->symbols);
    pairmap_free(&bpe->merges);
    mem_free(bpe);
}

/* ---- files ---- */

static void strip_blanks(const char **line, size_t *length) {
    while (*length && (*line)[*length - 1] == ' ') --*length;
    while (*length && **line == ' ') ++*line, --*length;
}

static Status read_merge(Bpe *bpe, const char *line, size_t length, Err *err) {
    strip_blanks(&line, &length);
    if (memchr(line, '\r', length))
        return err_set(err, FAIL_DATA,
                       "a carriage return (0x0D) in a symbol is not allowed; remove it");
    const char *blank = memchr(line, ' ', length), *end = line + length;
    if (!blank || memchr(blank + 1, ' ', (size_t)(end - blank - 1)))
        return err_set(err, FAIL_DATA, "expected two symbols with a space between them");
    size_t first = (size_t)(blank - line);
    uint32_t a = (uint32_t)stringmap_add(&bpe->symbols, line, first);
    uint32_t b = (uint32_t)stringmap_add(&bpe->symbols, blank + 1, length - first - 1);
    if (pairmap_find(&bpe->merges, a, b) == SIZE_MAX) bpe_add_merge(bpe, a, b);
    return OK;
}

/* Empty lines at the end, as subword-nmt has it, are none. */
static size_t lines_of_codes(const TextFile *file) {
    size_t count = file->count, length;
    while (count > 1 && (textfile_line(file, count - 1, &length), !length)) count--;
    return count;
}

static Status read_merges(Bpe *bpe, const TextFile *file, Err *err) {
    size_t length = 0, count = lines_of_codes(file);
    const char *line = file->count ? textfile_line(file, 0, &length) : "";
    strip_blanks(&line, &length);
    if (length != sizeof HEADER - 1 || memcmp(line, HEADER, sizeof HEADER - 1))
        return err_set(err, FAIL_DATA,
                       "%s:1: expected \"%s\", the first line of BPE "
                       "codes",
                       file->path, HEADER);
    for (size_t i = 1; i < count; i++) {
        line = textfile_line(file, i, &length);
        if (read_merge(bpe, line, length, err))
            return err_wrap(err, "%s:%zu", file->path, i + 1), err->status;
    }
    return OK;
}

Bpe *bpe_load(const char *path, const char *root, Err *err) {
    TextFile file;
    if (textfile_read_in(&file, path, root, err)) return NULL;
    Bpe *bpe = mem_zalloc(sizeof *bpe);
    Status status = read_merges(bpe, &file, err);
    textfile_free(&file);
    if (!status) return bpe;
    bpe_free(bpe);
    return NULL;
}

void bpe_write(const Bpe *bpe, FILE *file) {
    fprintf(file, "%s\n", HEADER);
    for (size_t i = 0; i < bpe->merges.count; i++) {
        uint64_t key = bpe->merges.pairs[i].key;
        size_t m, n;
        const char *a = stringmap_text(&bpe->symbols, key >> 32, &m);
        const char *b = stringmap_text(&bpe->symbols, (uint32_t)key, &n);
        fprintf(file, "%.*s %.*s\n", (int)m, a, (int)n, b);
    }
}

static bool same_symbol(const Bpe *a, size_t i, const Bpe *b, size_t j) {
    size_t m, n;
    const char *x = stringmap_text(&a->symbols, i, &m);
    const char *y = stringmap_text(&b->symbols, j, &n);
    return m == n && !memcmp(x, y, m);
}

bool bpe_same(const Bpe *a, const Bpe *b) {
    bool same = a->merges.count == b->merges.count;
    for (size_t i = 0; i < a->merges.count && same; i++) {
        uint64_t x = a->merges.pairs[i].key, y = b->merges.pairs[i].key;
        same = same_symbol(a, x >> 32, b, y >> 32) &&
               same_symbol(a, (uint32_t)x, b, (uint32_t)y);
    }
    return same;
}

static uint64_t hash_symbol(const Bpe *bpe, size_t i, uint64_t hash) {
    size_t n;
    const char *symbol = stringmap_text(&bpe->symbols, i, &n);
    return facts_hash_number(facts_hash(hash, symbol, n), n);
}

uint64_t bpe_hash(const Bpe *bpe, uint64_t hash) {
    for (size_t i = 0; i < bpe->merges.count; i++) {
        uint64_t key = bpe->merges.pairs[i].key;
        hash = hash_symbol(bpe, key >> 32, hash);
        hash = hash_symbol(bpe, (uint32_t)key, hash);
    }
    return hash;
}

/* ---- splitting ---- */

static bool parts_words(char byte) { return byte == ' ' || byte == '\r' || byte == '\n'; }

bool bpe_word(const char *line, size_t length, size_t *at, size_t *word) {
    size_t begin = *at, end;
    while (begin < length && parts_words(line[begin])) begin++;
    for (end = begin; end < length && !parts_words(line[end]);) end++;
    *at = end;
    *word = end - begin;
    return end > begin;
}

/* A symbol that no merge has is a number of its own, beyond those of the merges. */
static size_t known_symbols(const Bpe *bpe, const char *word, size_t length,
                            uint32_t *out, uint32_t *offset) {
    size_t count = 0, size;
    char text[SYMBOL_MOST];
    for (size_t at = 0; at < length;) {
        offset[count] = (uint32_t)at;
        at += first_symbol(word, length, at, text, &size);
        size_t symbol = stringmap_find(&bpe->symbols, text, size);
        out[count++] = symbol == SIZE_MAX ? UINT32_MAX : (uint32_t)symbol;
    }
    return count;
}

/* The first of the merges that some neighbours allow; SIZE_MAX: none. */
static size_t best_merge(const Bpe *bpe, const uint32_t *word, size_t count) {
    size_t best = SIZE_MAX;
    for (size_t i = 0; i + 1 < count; i++)
        if (word[i] != UINT32_MAX && word[i + 1] != UINT32_MAX)
            best = MIN(best, pairmap_find(&bpe->merges, word[i], word[i + 1]));
    return best;
}

static size_t merge_all(const Bpe *bpe, uint32_t *word, uint32_t *offset, size_t count) {
    for (size_t best; (best = best_merge(bpe, word, count)) != SIZE_MAX;) {
        const Pair *pair = &bpe->merges.pairs[best];
        uint32_t a = (uint32_t)(pair->key >> 32), b = (uint32_t)pair->key;
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            bool both = i + 1 < count && word[i] == a && word[i + 1] == b;
            offset[kept] = offset[i];
            word[kept++] = both ? pair->merged : word[i];
            i += both;
        }
        count = kept;
    }
    return count;
}

/* The longest word that is merged as a whole: longer ones, which are no words, are cut,
 * for merging takes time with the square of the length. */
enum { WORD_MOST = 4096 };

static void split_part(const Bpe *bpe, const char *word, size_t length,
                       TextBuffer *pieces) {
    uint32_t *symbols = mem_alloc(2 * length * sizeof *symbols);
    uint32_t *offset = symbols + length;
    size_t count = known_symbols(bpe, word, length, symbols, offset);
    count = merge_all(bpe, symbols, offset, count);
    for (size_t i = 0; i < count; i++) {
        size_t end = i + 1 < count ? offset[i + 1] : length;
        if (i) text_append(pieces, "@@ ", 3);
        text_append(pieces, word + offset[i], end - offset[i]);
    }
    mem_free(symbols);
}

void bpe_split(const Bpe *bpe, const char *word, size_t length, TextBuffer *pieces) {
    for (size_t at = 0; at < length;) {
        size_t part = MIN(length - at, (size_t)WORD_MOST);
        while (at + part < length && part > 1 &&
               ((unsigned char)word[at + part] & 0xC0) == 0x80)
            part--; /* not within a code point */
        if (at) text_append(pieces, "@@ ", 3);
        split_part(bpe, word + at, part, pieces);
        at += part;
    }
}

#include "data/speech/wer.h"

#include <math.h>
#include <string.h>

#include "data/file/utf8.h"

/* Words or characters of a text: where each begins, and its bytes. */
typedef struct Unit {
    const char *text;
    size_t length;
} Unit;

typedef struct Units {
    Unit *unit;
    size_t count;
} Units;

static Units words_of(const char *text) {
    size_t length = strlen(text);
    Units units = {mem_alloc((length / 2 + 1) * sizeof(Unit)), 0};
    for (size_t at = 0, word; utf8_word(text, length, &at, &word);)
        units.unit[units.count++] = (Unit){text + at - word, word};
    return units;
}

static size_t character_at(const char *text, size_t length) {
    uint32_t code;
    size_t used = utf8_next(text, length, &code);
    return used ? used : 1; /* a stray byte is a character of its own */
}

static Units characters_of(const char *text) {
    size_t length = strlen(text), at = 0;
    Units units = {mem_alloc((length + 1) * sizeof(Unit)), 0};
    for (size_t word; utf8_word(text, length, &at, &word);) {
        if (units.count) units.unit[units.count++] = (Unit){" ", 1};
        const char *start = text + at - word;
        for (size_t i = 0, used; i < word; i += used) {
            used = character_at(start + i, word - i);
            units.unit[units.count++] = (Unit){start + i, used};
        }
    }
    return units;
}

static bool same(const Unit *a, const Unit *b) {
    return a->length == b->length && !memcmp(a->text, b->text, a->length);
}

/* ---- counting ---- */

/* Edits of a prefix of the reference into one of the hypothesis. */
typedef struct Cell {
    uint32_t cost, substitutions, insertions, deletions;
} Cell;

static bool is_better(Cell a, Cell b) {
    return a.cost != b.cost ? a.cost < b.cost : a.substitutions > b.substitutions;
}

/* The best of the three ways to a cell. */
static Cell best_cell(Cell diagonal, Cell above, Cell left, bool equal) {
    diagonal.cost += !equal, diagonal.substitutions += !equal;
    above.cost++, above.deletions++;
    left.cost++, left.insertions++;
    Cell best = is_better(above, diagonal) ? above : diagonal;
    return is_better(left, best) ? left : best;
}

static Cell count_edits(Units reference, Units hypothesis) {
    Cell *row = mem_alloc((hypothesis.count + 1) * sizeof *row);
    for (size_t j = 0; j <= hypothesis.count; j++)
        row[j] = (Cell){(uint32_t)j, 0, (uint32_t)j, 0};
    for (size_t i = 0; i < reference.count; i++) {
        Cell diagonal = row[0];
        row[0].cost++, row[0].deletions++;
        for (size_t j = 1; j <= hypothesis.count; j++) {
            Cell above = row[j];
            bool equal = same(&reference.unit[i], &hypothesis.unit[j - 1]);
            row[j] = best_cell(diagonal, above, row[j - 1], equal);
            diagonal = above;
        }
    }
    Cell last = row[hypothesis.count];
    mem_free(row);
    return last;
}

static size_t add_units(EditCount *count, Units reference, Units hypothesis) {
    Cell cell = count_edits(reference, hypothesis);
    count->reference += reference.count;
    count->substitutions += cell.substitutions;
    count->insertions += cell.insertions;
    count->deletions += cell.deletions;
    mem_free(reference.unit);
    mem_free(hypothesis.unit);
    return cell.cost;
}

void wer_add(Wer *wer, const char *reference, const char *hypothesis) {
    wer->sentences++;
    wer->wrong += add_units(&wer->words, words_of(reference), words_of(hypothesis)) > 0;
    add_units(&wer->characters, characters_of(reference), characters_of(hypothesis));
}

static void merge_counts(EditCount *to, const EditCount *from) {
    to->reference += from->reference;
    to->substitutions += from->substitutions;
    to->insertions += from->insertions;
    to->deletions += from->deletions;
}

void wer_merge(Wer *to, const Wer *from) {
    merge_counts(&to->words, &from->words);
    merge_counts(&to->characters, &from->characters);
    to->sentences += from->sentences;
    to->wrong += from->wrong;
}

size_t wer_edits(const EditCount *c) {
    return c->substitutions + c->insertions + c->deletions;
}

double wer_rate(const EditCount *c) {
    return c->reference ? (double)wer_edits(c) / (double)c->reference : NAN;
}

/* ---- showing ---- */

typedef struct Pair {
    const Unit *reference, *hypothesis; /* NULL: the other side lacks it */
} Pair;

/* [reference + 1, hypothesis + 1] costs of what is left from (i, j) on. */
static uint32_t *cost_table(Units r, Units h) {
    size_t width = h.count + 1, size = 0;
    CHECK(size_mul(r.count + 1, width * sizeof(uint32_t), &size), "%zu words", r.count);
    uint32_t *cost = mem_alloc(size);
    for (size_t i = r.count + 1; i-- > 0;)
        for (size_t j = h.count + 1; j-- > 0;) {
            uint32_t *here = cost + i * width + j;
            if (i == r.count || j == h.count) {
                *here = (uint32_t)(r.count - i + h.count - j);
                continue;
            }
            uint32_t change = !same(&r.unit[i], &h.unit[j]) + here[width + 1];
            *here = MIN(change, 1 + MIN(here[width], here[1]));
        }
    return cost;
}

static size_t align_words(Units r, Units h, Pair *pairs) {
    uint32_t *cost = cost_table(r, h);
    size_t width = h.count + 1, count = 0;
    for (size_t i = 0, j = 0; i < r.count || j < h.count;) {
        const uint32_t *here = cost + i * width + j;
        bool both = i < r.count && j < h.count;
        if (both && *here == !same(&r.unit[i], &h.unit[j]) + here[width + 1])
            pairs[count++] = (Pair){&r.unit[i++], &h.unit[j++]};
        else if (i < r.count && *here == 1 + here[width])
            pairs[count++] = (Pair){&r.unit[i++], NULL};
        else pairs[count++] = (Pair){NULL, &h.unit[j++]};
    }
    mem_free(cost);
    return count;
}

static size_t width_of(const Unit *unit) {
    size_t width = 0;
    for (size_t i = 0; unit && i < unit->length; width++)
        i += character_at(unit->text + i, unit->length - i);
    return width;
}

static void put_repeated(TextBuffer *text, char what, size_t count) {
    while (count-- > 0) text_append_byte(text, what);
}

static void put_word(const Unit *unit, bool wrong, size_t width, TextBuffer *text) {
    text_append_byte(text, ' ');
    if (!unit) {
        put_repeated(text, '*', width);
        return;
    }
    for (size_t i = 0; i < unit->length; i++) {
        char c = unit->text[i];
        text_append_byte(text, wrong && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
    put_repeated(text, ' ', width - width_of(unit));
}

static bool is_wrong(const Pair *p) {
    return !p->reference || !p->hypothesis || !same(p->reference, p->hypothesis);
}

static void end_line(TextBuffer *text) {
    while (text->length && text->text[text->length - 1] == ' ')
        text->text[--text->length] = 0;
    text_append_byte(text, '\n');
}

static void put_lines(const Pair *pairs, size_t count, TextBuffer *text) {
    static const char *const HEADS[] = {"REF:", "HYP:", "    "};
    for (int line = 0; line < 3; line++) {
        text_append(text, HEADS[line], 4);
        for (size_t i = 0; i < count; i++) {
            const Pair *p = &pairs[i];
            size_t width = MAX(width_of(p->reference), width_of(p->hypothesis));
            bool wrong = is_wrong(p);
            char mark = !wrong ? ' ' : !p->reference ? 'I' : !p->hypothesis ? 'D' : 'S';
            if (line < 2)
                put_word(line ? p->hypothesis : p->reference, wrong, width, text);
            else put_word(&(Unit){&mark, 1}, false, width, text);
        }
        end_line(text);
    }
}

void wer_align(const char *reference, const char *hypothesis, TextBuffer *text) {
    Units r = words_of(reference), h = words_of(hypothesis);
    Pair *pairs = mem_alloc((r.count + h.count + 1) * sizeof *pairs);
    put_lines(pairs, align_words(r, h, pairs), text);
    mem_free(pairs);
    mem_free(r.unit);
    mem_free(h.unit);
}

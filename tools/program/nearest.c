#include "tools/program/nearest.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "engine/core/base.h"

enum { LETTERS = 63, SLIPS_MOST = 4 };

/* Capitals are small letters, and a - is a _. */
static int folded(char c) { return c == '_' ? '-' : tolower((unsigned char)c); }

static bool same(char a, char b) { return folded(a) == folded(b); }

bool nearest_same(const char *a, const char *b) {
    while (*a && *b && same(*a, *b)) a++, b++;
    return !*a && !*b;
}

/* d[i][j] = min(d[i-1][j] + 1, d[i][j-1] + 1, d[i-1][j-1] + (a_i != b_j)), and
 * d[i-2][j-2] + 1 where two neighbours are swapped; three rows are kept. */
size_t nearest_distance(const char *a, const char *b) {
    size_t n = strnlen(a, LETTERS), m = strnlen(b, LETTERS);
    size_t rows[3][LETTERS + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++) above[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = above[j - 1] + !same(a[i - 1], b[j - 1]);
            row[j] = MIN(change, MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above, above = row, row = oldest;
    }
    return above[m];
}

size_t nearest_slips(const char *word) {
    return MIN(MAX(strnlen(word, LETTERS), (size_t)3) / 3, (size_t)SLIPS_MOST);
}

/* Is `word`, of at least three letters, the beginning of the name? */
static bool begins(const char *word, const char *name) {
    size_t i = 0;
    while (word[i] && same(word[i], name[i])) i++;
    return i > 2 && !word[i];
}

size_t nearest_reach(const char *word, const char *name) {
    size_t distance = nearest_distance(word, name);
    if (distance <= nearest_slips(word)) return distance;
    return begins(word, name) ? 2 : SIZE_MAX;
}

const char *nearest_word(const char *word, const char *const *names) {
    const char *best = NULL;
    for (size_t least = SIZE_MAX; *names; names++) {
        size_t reach = nearest_reach(word, *names);
        if (reach < least) least = reach, best = *names;
    }
    return best;
}

const char *nearest_hint(const char *nearest, char hint[NEAREST_HINT]) {
    *hint = 0;
    if (nearest) text_format(hint, NEAREST_HINT, "; did you mean %s?", nearest);
    return hint;
}

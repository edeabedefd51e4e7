#include "tools/program/nearest.h"

#include <stdint.h>
#include <string.h>

#include "engine/core/base.h"

enum { LETTERS = 63 };

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
            size_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = MIN(change, MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above, above = row, row = oldest;
    }
    return above[m];
}

const char *nearest_word(const char *word, const char *const *names) {
    const char *best = NULL;
    size_t least = SIZE_MAX;
    for (; *names; names++) {
        size_t distance = nearest_distance(word, *names);
        if (distance < least) least = distance, best = *names;
    }
    return best;
}

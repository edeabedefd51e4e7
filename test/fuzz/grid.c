/* The words of a sweep, one a line: what opens has cells with labels, words and
 * recipes. */
#include <string.h>

#include "test/fuzz/fuzz.h"
#include "tools/sweep/sweep.h"

enum { WORDS_MAX = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Recipe recipe;
    static Sweep sweep;
    static char copy[2001];
    const char *words[WORDS_MAX] = {"demo"};
    size_t count = 1;
    Err err = ERR_NONE;
    strcpy(copy, fuzz_text(data, size, sizeof copy - 1));
    for (char *rest = copy, *word; count < WORDS_MAX && (word = strsep(&rest, "\n"));)
        words[count++] = word;
    if (sweep_open(&sweep, words, count, &err)) return 0;
    size_t last = sweep.cell_count - 1;
    sweep_recipe(&sweep, last, &recipe, &err);
    for (size_t axis = 0; axis < sweep.axis_count; axis++) {
        fuzz_expect(sweep_index(&sweep, last, axis) < sweep.axes[axis].count);
        fuzz_expect(sweep_label(&sweep, last, axis) != NULL);
        for (size_t k = 0; k < sweep.axes[axis].key_count; k++)
            fuzz_expect(sweep_part(&sweep, last, axis, k) != NULL);
    }
    char **given = sweep_cell_words(&sweep, last, &count);
    for (size_t i = 0; i < count; i++) fuzz_expect(strchr(given[i], '=') != NULL);
    sweep_free_words(given, count);
    sweep_close(&sweep);
    return 0;
}

/* The plan of a sweep: its words, its grid, and how far it was followed. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/fuzz/fuzz.h"
#include "tools/sweep/sweep.h"

enum { CELLS_MOST = 50 };

static void follow(Sweep *sweep, const char *path) {
    Err err = ERR_NONE;
    char *text = NULL;
    size_t size = 0;
    if (sweep_read_plan(sweep, path, &err) || !sweep->plan) return;
    json_decref(sweep_deviations(sweep, &err));
    FILE *out = open_memstream(&text, &size);
    sweep_print_plan(sweep, out);
    fclose(out);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Sweep sweep;
    Err err = ERR_NONE;
    size_t count = 0;
    const char *path = fuzz_file("plan.json", data, size);
    char **words = sweep_plan_words(path, &count, &err);
    if (!words) return 0;
    if (!sweep_open(&sweep, (const char *const *)words, count, &err)) {
        if (sweep.cell_count <= CELLS_MOST) follow(&sweep, path);
        sweep_close(&sweep);
    }
    sweep_free_words(words, count);
    return 0;
}

#include "tools/probe/checkpoints.h"

#include <stdlib.h>
#include <string.h>

#include "engine/core/grow.h"
#include "tools/run/checkpoint.h"

/* 0: there is none, or it cannot be read. */
static size_t best_step(const char *dir) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "checkpoints/best.safetensors");
    char *text = checkpoint_fact(path, dir, "step");
    size_t step = text ? strtoull(text, NULL, 10) : 0;
    mem_free(text);
    return step;
}

static char *add(Checkpoints *c) {
    GROW(c->path, c->count, c->room, 1);
    return c->path[c->count++];
}

/* From the newest to the oldest. */
static void collect(Checkpoints *c, const char *dir) {
    size_t best = best_step(dir), step = SIZE_MAX;
    do {
        size_t older = checkpoint_newest(dir, step);
        if (best && older < best && best < step)
            rundir_path(add(c), dir, "checkpoints/best.safetensors");
        if (older) checkpoint_path(add(c), dir, older);
        step = older;
    } while (step);
}

Checkpoints checkpoints_of(const char *dir) {
    Checkpoints c = {0};
    collect(&c, dir);
    for (size_t i = 0, k = c.count; i + 1 < k; i++) {
        char kept[PATH_SIZE];
        memcpy(kept, c.path[i], PATH_SIZE);
        memcpy(c.path[i], c.path[--k], PATH_SIZE);
        memcpy(c.path[k], kept, PATH_SIZE);
    }
    return c;
}

void checkpoints_free(Checkpoints *c) {
    mem_free(c->path);
    *c = (Checkpoints){0};
}

#include "tools/sweep/level.h"

#include <math.h>

#include "engine/core/grow.h"

bool level_is_chance(const Level *level) { return level->best > level->chance; }

double level_loss(const Level *level) {
    return (level->chance + fmin(level->best, level->chance)) / 2;
}

static Level *find(const Levels *levels, double chance) {
    for (size_t i = 0; i < levels->count; i++) {
        double had = levels->list[i].chance;
        if (fabs(chance - had) <= CHANCE_APART * fabs(had)) return &levels->list[i];
    }
    return NULL;
}

const Level *levels_find(const Levels *levels, double chance) {
    return find(levels, chance);
}

static void add(Levels *levels, Level level) {
    if (!isfinite(level.chance) || !isfinite(level.best)) return;
    Level *had = find(levels, level.chance);
    if (!had) {
        GROW(levels->list, levels->count, levels->room, 1);
        levels->list[levels->count++] = level;
    } else if (level.best < had->best) {
        *had = level;
    }
}

/* Runs that became non-finite have no loss in their group's. */
void levels_add(Levels *levels, const Sweep *sweep) {
    SweepGroup *groups = mem_zalloc(sweep->cell_count * sizeof *groups);
    size_t count = sweep_group(sweep, groups);
    for (size_t g = 0; g < count; g++) {
        const SweepGroup *group = &groups[g];
        if (group->loss.count == group->cells)
            add(levels,
                (Level){sweep->cells[group->first].result.chance, group->loss.mean});
    }
    mem_free(groups);
}

void levels_free(Levels *levels) {
    mem_free(levels->list);
    *levels = (Levels){0};
}

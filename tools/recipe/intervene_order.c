/* intervene_order: what is in force between two moments (tools/recipe/intervene.h). */
#include <math.h>

#include "tools/recipe/intervene.h"

/* Where the group acts, a whole number of steps or not; NaN: nowhere. */
static double place_of(const Intervention *group, double steps_per_epoch) {
    if (!*group->changes) return NAN;
    if (group->at.unit == MOMENT_STEPS) return group->at.value;
    return group->at.unit == MOMENT_EPOCHS ? group->at.value * steps_per_epoch : NAN;
}

void intervene_places(const Recipe *recipe, double steps_per_epoch,
                      double place[INTERVENE_GROUPS]) {
    for (size_t g = 0; g < INTERVENE_GROUPS; g++)
        place[g] = place_of(&recipe->intervene.group[g], steps_per_epoch);
}

Acted intervene_order(const Acted *acted, const double place[INTERVENE_GROUPS]) {
    Acted order = *acted;
    for (;;) {
        size_t next = INTERVENE_GROUPS;
        for (size_t g = INTERVENE_GROUPS; g-- > 0;)
            if (!acted_has(&order, g) && !isnan(place[g]) &&
                (next == INTERVENE_GROUPS || place[g] <= place[next]))
                next = g;
        if (next == INTERVENE_GROUPS) return order;
        order.group[order.count++] = next;
    }
}

/* Is there a step between it and the next? */
static bool ends_moment(const Acted *order, size_t i, const double *place) {
    return i + 1 == order->count || place[order->group[i + 1]] != place[order->group[i]];
}

Status intervene_check_course(const Recipe *recipe, const Acted *acted,
                              const double place[INTERVENE_GROUPS],
                              Status (*check)(const Recipe *, const Recipe *, Err *),
                              Err *err) {
    Acted order = intervene_order(acted, place), now = *acted;
    Recipe *in_force = mem_alloc(sizeof *in_force);
    Status status = OK;
    for (size_t i = acted->count; i < order.count && !status; i++) {
        now.group[now.count++] = order.group[i];
        if (!ends_moment(&order, i, place)) continue;
        recipe_in_force(recipe, &now, in_force);
        status = check(recipe, in_force, err);
        if (status && err)
            err_wrap(err, "with intervene.%s", intervene_at_key(order.group[i])->name);
    }
    mem_free(in_force);
    return status;
}

Status intervene_check_ahead(const Recipe *recipe, const Acted *acted,
                             Status (*check)(const Recipe *now, void *input, Err *err),
                             void *input, Err *err) {
    const Intervention *group = recipe->intervene.group;
    Acted ahead = *acted;
    Recipe *now = mem_alloc(sizeof *now);
    recipe_in_force(recipe, &ahead, now);
    Status status = check(now, input, err);
    for (size_t g = 0; g < INTERVENE_GROUPS && !status; g++) {
        bool comes = *group[g].changes && group[g].at.unit != MOMENT_NEVER;
        if (!comes || acted_has(acted, g)) continue;
        ahead.group[ahead.count++] = g;
        recipe_in_force(recipe, &ahead, now);
        status = check(now, input, err);
        if (status && err) err_wrap(err, "with intervene.%s", intervene_at_key(g)->name);
    }
    mem_free(now);
    return status;
}

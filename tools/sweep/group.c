/* group: cells over seeds, their means and intervals (tools/sweep/sweep.h). */
#include <stddef.h>
#include <string.h>

#include "tools/sweep/statistics.h"
#include "tools/sweep/sweep.h"

/* Numbers of a cell, and where their spread over seeds is. */
static const struct {
    size_t cell, group; /* offsets in SweepResult and SweepGroup */
    size_t count;
    bool of_split; /* of the split that was evaluated last */
} MEASURES[] = {
#define MEASURE(member, count, of_split)                                                 \
    { offsetof(SweepResult, member), offsetof(SweepGroup, member), count, of_split }
    MEASURE(score, 1, true),
    MEASURE(loss, 1, false),
    MEASURE(val_loss, 1, false),
    MEASURE(scores, METRIC_COUNT, true),
#undef MEASURE
};

static const double *numbers_of(const SweepCell *cell, size_t measure) {
    return (const double *)((const char *)&cell->result + MEASURES[measure].cell);
}

static SweepSpread *spreads_of(SweepGroup *group, size_t measure) {
    return (SweepSpread *)((char *)group + MEASURES[measure].group);
}

/* The last numbers of a run that broke off are from before that: a mean with them would
 * be the better the earlier it did. */
static bool has_numbers(const SweepCell *cell) {
    return sweep_has_ended(cell) && !sweep_broke_off(cell);
}

static bool same_group(const Sweep *sweep, size_t a, size_t b, size_t seeds) {
    for (size_t axis = 0; axis < sweep->axis_count; axis++)
        if (axis != seeds && sweep_index(sweep, a, axis) != sweep_index(sweep, b, axis))
            return false;
    return true;
}

/* Mean and sum of squared deviations so far (Welford); settle() makes it the spread. */
static void see(SweepSpread *spread, double x) {
    if (!isfinite(x)) return;
    double before = spread->count ? spread->mean : 0;
    spread->count++;
    spread->mean = before + (x - before) / (double)spread->count;
    spread->sd += (x - before) * (x - spread->mean);
}

static void settle(SweepSpread *spread) {
    size_t n = spread->count;
    if (!n) spread->mean = NAN;
    spread->sd = n > 1 ? sqrt(spread->sd / (double)(n - 1)) : NAN;
    spread->interval = INTERVAL_NONE;
}

static void choose_like(SweepGroup *group, const SweepCell *cell) {
    SweepScored scored = sweep_scored_as(cell);
    if (scored <= SCORED_BROKEN) return;
    if (!group->like || scored > sweep_scored_as(group->like)) group->like = cell;
}

static bool is_alike(const SweepGroup *group, const SweepCell *cell) {
    return !group->like || !cell->result.metric ||
           !strcmp(group->like->result.split, cell->result.split);
}

static void add_cell(SweepGroup *group, const SweepCell *cell) {
    group->cells++;
    group->judged += cell->fate != FATE_UNKNOWN;
    group->failed += cell->fate == FATE_FAILED;
    if (!sweep_has_ended(cell)) return;
    const SweepResult *r = &cell->result;
    group->count++;
    group->diverged += r->diverged;
    group->collapsed += r->collapsed;
    group->nonfinite += r->nonfinite;
    group->stopped += !r->nonfinite && sweep_broke_off(cell);
    group->entropy = fmin(group->entropy, r->entropy);
    for (size_t k = 0; k < KIND_COUNT; k++)
        group->kind_entropy[k] = fmin(group->kind_entropy[k], r->kind_entropy[k]);
    if (!has_numbers(cell)) return;
    bool alike = is_alike(group, cell);
    group->unlike += !alike;
    for (size_t m = 0; m < COUNT(MEASURES); m++)
        for (size_t i = 0; i < MEASURES[m].count && (alike || !MEASURES[m].of_split); i++)
            see(&spreads_of(group, m)[i], numbers_of(cell, m)[i]);
}

static SweepGroup new_group(size_t first) {
    SweepGroup group = {.first = first, .entropy = NAN};
    for (size_t k = 0; k < KIND_COUNT; k++) group.kind_entropy[k] = NAN;
    return group;
}

static void settle_group(SweepGroup *group) {
    for (size_t m = 0; m < COUNT(MEASURES); m++)
        for (size_t i = 0; i < MEASURES[m].count; i++) settle(&spreads_of(group, m)[i]);
}

size_t sweep_group(const Sweep *sweep, SweepGroup *groups) {
    size_t count = 0, seeds = sweep_axis(sweep, "train.seed");
    size_t *group = mem_alloc(sweep->cell_count * sizeof *group);
    for (size_t c = 0; c < sweep->cell_count; c++) {
        size_t g = 0;
        while (g < count && !same_group(sweep, groups[g].first, c, seeds)) g++;
        if (g == count) groups[count++] = new_group(c);
        choose_like(&groups[g], &sweep->cells[c]);
        group[c] = g;
    }
    for (size_t c = 0; c < sweep->cell_count; c++)
        add_cell(&groups[group[c]], &sweep->cells[c]);
    for (size_t g = 0; g < count; g++) settle_group(&groups[g]);
    mem_free(group);
    return count;
}

/* Of one number of the group's cells, in the order of the cells. */
static Interval interval_of(const Sweep *sweep, const SweepGroup *group, size_t measure,
                            size_t i, double *scratch) {
    size_t count = 0, seeds = sweep_axis(sweep, "train.seed");
    for (size_t c = group->first; c < sweep->cell_count; c++) {
        if (!has_numbers(&sweep->cells[c]) || !same_group(sweep, group->first, c, seeds))
            continue;
        if (MEASURES[measure].of_split && !is_alike(group, &sweep->cells[c])) continue;
        double x = numbers_of(&sweep->cells[c], measure)[i];
        if (isfinite(x)) scratch[count++] = x;
    }
    return statistics_mean_interval(scratch, count);
}

void sweep_intervals(const Sweep *sweep, SweepGroup *groups, size_t count) {
    double *scratch = mem_alloc(sweep->cell_count * sizeof *scratch);
    for (size_t g = 0; g < count; g++)
        for (size_t m = 0; m < COUNT(MEASURES); m++)
            for (size_t i = 0; i < MEASURES[m].count; i++) {
                SweepSpread *spread = &spreads_of(&groups[g], m)[i];
                if (spread->count >= INTERVAL_LEAST)
                    spread->interval = interval_of(sweep, &groups[g], m, i, scratch);
            }
    mem_free(scratch);
}

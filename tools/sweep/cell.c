/* cell: axes to cells, their names, and what a cell is before and after its run
 * (tools/sweep/sweep.h). */
#include <ctype.h>
#include <string.h>

#include "tools/sweep/grid.h"

/* ---- which values it has ---- */

bool sweep_is_swept(const Sweep *sweep, size_t axis) {
    const SweepAxis *a = &sweep->axes[axis];
    if (!axis) return a->count > 1;
    for (size_t r = 0; r < sweep->axes[0].count; r++)
        if (a->lists[r].count > 1) return true;
    return false;
}

size_t sweep_axis(const Sweep *sweep, const char *key) {
    size_t axis = 0;
    while (axis < sweep->axis_count &&
           (strcmp(sweep->axes[axis].key, key) || !sweep_is_swept(sweep, axis)))
        axis++;
    return axis;
}

size_t sweep_index(const Sweep *sweep, size_t cell, size_t axis) {
    return sweep->index[cell * sweep->axis_count + axis];
}

const char *sweep_label(const Sweep *sweep, size_t cell, size_t axis) {
    return sweep->axes[axis].labels[sweep_index(sweep, cell, axis)];
}

const char *sweep_part(const Sweep *sweep, size_t cell, size_t axis, size_t key) {
    const SweepAxis *a = &sweep->axes[axis];
    return a->parts[sweep_index(sweep, cell, axis) * a->key_count + key];
}

bool sweep_gives(const Sweep *sweep, size_t cell, size_t axis) {
    return sweep_index(sweep, cell, axis) != sweep->axes[axis].none;
}

/* ---- names ---- */

/* Appends what fits, as a part of a file name. */
static void append_part(char *name, const char *text) {
    size_t used = strlen(name);
    for (; *text && used + 1 < SWEEP_NAME; text++)
        name[used++] = *text == '/' || iscntrl((unsigned char)*text) ? '_' : *text;
    name[used] = 0;
}

/* A name that is too long for a file, hidden or taken ends in the cell's number. */
static void settle_name(Sweep *sweep, size_t cell) {
    char *name = sweep->cells[cell].name;
    bool taken = strlen(name) + 1 == SWEEP_NAME || *name == '.';
    for (size_t other = 0; other < cell && !taken; other++)
        taken = !strcmp(name, sweep->cells[other].name);
    if (taken) {
        size_t length = MIN(strlen(name), (size_t)SWEEP_NAME - 12);
        text_format(name + length, SWEEP_NAME - length, "~%zu", cell + 1);
    }
}

/* ",section.key=value" */
static void append_setting(char *name, const char *key, const char *value) {
    if (*name) append_part(name, ",");
    append_part(name, key);
    append_part(name, "=");
    append_part(name, value);
}

static void name_cell(Sweep *sweep, size_t cell) {
    char *name = sweep->cells[cell].name;
    if (sweep_is_swept(sweep, 0)) append_part(name, sweep_label(sweep, cell, 0));
    for (size_t a = 1; a < sweep->axis_count; a++) {
        bool named = sweep_is_swept(sweep, a) && sweep_gives(sweep, cell, a);
        for (size_t k = 0; named && k < sweep->axes[a].key_count; k++)
            append_setting(name, sweep->axes[a].keys[k], sweep_part(sweep, cell, a, k));
    }
    if (!*name) append_part(name, sweep->axes[0].labels[0]);
    settle_name(sweep, cell);
}

/* ---- axes to cells ---- */

/* How many cells one recipe has; false: more than SWEEP_CELLS_MAX. */
static bool count_cells(const Sweep *sweep, size_t recipe, size_t *count) {
    *count = 1;
    for (size_t a = 1; a < sweep->axis_count; a++)
        if (!size_mul(*count, sweep->axes[a].lists[recipe].count, count) ||
            *count > SWEEP_CELLS_MAX)
            return false;
    return true;
}

/* The i-th cell of a recipe: the last axis varies fastest. */
static void place_cell(Sweep *sweep, size_t recipe, size_t i, size_t *index) {
    index[0] = recipe;
    for (size_t a = sweep->axis_count - 1; a > 0; a--) {
        const SweepList *list = &sweep->axes[a].lists[recipe];
        index[a] = list->index[i % list->count];
        i /= list->count;
    }
}

Status grid_make_cells(Sweep *sweep, Err *err) {
    size_t count = 0, recipes = sweep->axes[0].count, of, cell = 0;
    for (size_t r = 0; r < recipes; r++) {
        if (!count_cells(sweep, r, &of) || (count += of) > SWEEP_CELLS_MAX)
            return err_set(err, FAIL_USAGE, "the grid has more than %d runs",
                           SWEEP_CELLS_MAX);
    }
    sweep->cell_count = count;
    sweep->cells = mem_zalloc(count * sizeof *sweep->cells);
    sweep->index = mem_zalloc(count * sweep->axis_count * sizeof *sweep->index);
    for (size_t r = 0; r < recipes; r++) {
        count_cells(sweep, r, &of);
        for (size_t i = 0; i < of; i++, cell++) {
            sweep->cells[cell] = (SweepCell){.exit = SWEEP_OPEN,
                                             .cpu_seconds = NAN,
                                             .result = sweep_result_none()};
            place_cell(sweep, r, i, sweep->index + cell * sweep->axis_count);
            name_cell(sweep, cell);
        }
    }
    return OK;
}

/* ---- before and after its run ---- */

SweepResult sweep_result_none(void) {
    SweepResult none = {.score = NAN,
                        .best = NAN,
                        .loss = NAN,
                        .val_loss = NAN,
                        .chance = NAN,
                        .guess_nll = NAN,
                        .entropy = NAN,
                        .entropy_end = NAN,
                        .sites_low = NAN,
                        .sites_low_end = NAN,
                        .max_logit = NAN,
                        .spike_depth = NAN,
                        .spike_steps = NAN,
                        .probe_fall = NAN,
                        .probe_epochs = NAN,
                        .verdict = ""};
    for (size_t m = 0; m < METRIC_COUNT; m++) none.scores[m] = NAN;
    for (size_t k = 0; k < KIND_COUNT; k++) none.kind_entropy[k] = NAN;
    return none;
}

void sweep_cell_dir(const Sweep *sweep, size_t cell, char *path, size_t size) {
    text_format(path, size, "%s/cells/%s", sweep->dir, sweep->cells[cell].name);
}

bool sweep_has_ended(const SweepCell *cell) {
    return cell->exit == OK || cell->exit == FAIL_DIVERGED ||
           cell->exit == FAIL_COLLAPSED;
}

bool sweep_broke_off(const SweepCell *cell) {
    return sweep_has_ended(cell) &&
           (cell->result.nonfinite || cell->exit == FAIL_COLLAPSED);
}

SweepScored sweep_scored_as(const SweepCell *cell) {
    if (!sweep_has_ended(cell) || !cell->result.metric) return SCORED_NOT;
    if (cell->result.nonfinite) return SCORED_BROKEN;
    return cell->exit == FAIL_COLLAPSED ? SCORED_STOPPED : SCORED_WHOLE;
}

void sweep_print_open(const Sweep *sweep, FILE *out) {
    enum { SHOWN = 4 };
    size_t count = 0;
    for (size_t c = 0; c < sweep->cell_count; c++) {
        const SweepCell *cell = &sweep->cells[c];
        if (sweep_has_ended(cell) || count++ >= SHOWN) continue;
        fprintf(out, "%s %s", count > 1 ? ";" : "", cell->name);
        if (cell->exit != SWEEP_OPEN && cell->exit != FAIL_INTERRUPTED)
            fprintf(out, " (failed: exit %d)", cell->exit);
    }
    if (count > SHOWN) fprintf(out, "; and %zu more", count - SHOWN);
}

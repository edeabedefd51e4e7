/* failures: how many configurations of a method fail (tools/sweep/sweep.h). */
#include <string.h>

#include "tools/sweep/column.h"
#include "tools/sweep/word.h"

/* ---- counts ---- */

static bool tells_apart(const Sweep *sweep, size_t axis) {
    return sweep_is_swept(sweep, axis) && strcmp(sweep->axes[axis].key, "optim.lr") &&
           strcmp(sweep->axes[axis].key, "train.seed");
}

static bool is_linked_with_those(const Sweep *sweep, size_t axis) {
    return keys_have(sweep->axes[axis].key, "optim.lr") ||
           keys_have(sweep->axes[axis].key, "train.seed");
}

/* The axis that makes the methods where nobody says so, of keys that are linked with the
 * rate or the seed only if there is no other; axis_count: none. */
static size_t usual_axis(const Sweep *sweep) {
    size_t axis = 0;
    while (axis < sweep->axis_count &&
           (!tells_apart(sweep, axis) || is_linked_with_those(sweep, axis)))
        axis++;
    if (axis < sweep->axis_count) return axis;
    axis = 0;
    while (axis < sweep->axis_count && !tells_apart(sweep, axis)) axis++;
    return axis;
}

/* Is it of some recipes only? */
static bool has_gaps(const Sweep *sweep, size_t axis) {
    for (size_t c = 0; c < sweep->cell_count; c++)
        if (!sweep_gives(sweep, c, axis)) return true;
    return false;
}

bool sweep_is_method(const Sweep *sweep, size_t axis) {
    const char *methods = sweep_choice(sweep).method;
    if (tells_apart(sweep, axis) && has_gaps(sweep, axis)) return true;
    if (!methods) return axis == usual_axis(sweep);
    for (size_t k = 0; k < sweep->axes[axis].key_count; k++)
        if (keys_have(methods, sweep->axes[axis].keys[k]))
            return sweep_is_swept(sweep, axis);
    return false;
}

void sweep_method(const Sweep *sweep, size_t cell, char name[SWEEP_NAME]) {
    *name = 0;
    for (size_t axis = 0; axis < sweep->axis_count; axis++) {
        size_t used = strlen(name);
        const char *label = sweep_label(sweep, cell, axis);
        if (*label && sweep_is_method(sweep, axis))
            snprintf(name + used, SWEEP_NAME - used, "%s%s", used ? ", " : "", label);
    }
    if (!*name) snprintf(name, SWEEP_NAME, "all");
}

static bool same_method(const Sweep *sweep, size_t a, size_t b) {
    for (size_t axis = 0; axis < sweep->axis_count; axis++)
        if (sweep_is_method(sweep, axis) &&
            sweep_index(sweep, a, axis) != sweep_index(sweep, b, axis))
            return false;
    return true;
}

static void count_group(SweepFailures *of, const SweepGroup *group) {
    of->runs += group->judged;
    of->failed += group->failed;
    if (!group->judged) return;
    of->configurations++;
    of->any += group->failed > 0;
    of->most += 2 * group->failed > group->judged;
    of->every += group->failed == group->judged;
}

size_t sweep_failures(const Sweep *sweep, SweepFailures *list) {
    SweepGroup *groups = mem_zalloc(sweep->cell_count * sizeof *groups);
    size_t count = 0, all = sweep_group(sweep, groups);
    for (size_t g = 0; g < all; g++) {
        size_t i = 0;
        while (i < count && !same_method(sweep, list[i].first, groups[g].first)) i++;
        if (i == count) list[count++] = (SweepFailures){.first = groups[g].first};
        count_group(&list[i], &groups[g]);
    }
    mem_free(groups);
    return count;
}

/* ---- their table ---- */

void sweep_print_failures(const Sweep *sweep, FILE *out) {
    static const char *const TITLES[] = {"",         "runs",       "configurations:",
                                         "any seed", "most seeds", "every seed"};
    SweepFailures *list = mem_zalloc(sweep->cell_count * sizeof *list);
    size_t rows = sweep_failures(sweep, list);
    Sheet sheet = sheet_new(rows + 1, COUNT(TITLES));
    sheet.left[0] = true;
    for (size_t k = 0; k < COUNT(TITLES); k++)
        sheet_put(&sheet, 0, k, k ? TITLES[k] : "fails");
    for (size_t i = 0; i < rows; i++) {
        const SweepFailures *of = &list[i];
        const size_t part[] = {of->failed, of->configurations, of->any, of->most,
                               of->every};
        const size_t all[] = {of->runs, 0, of->configurations, of->configurations,
                              of->configurations};
        char name[SWEEP_NAME];
        sweep_method(sweep, of->first, name);
        sheet_put(&sheet, i + 1, 0, name);
        for (size_t k = 0; k < COUNT(part); k++) {
            char text[COLUMN_TEXT];
            text_format(text, sizeof text, k == 1 ? "%zu" : "%zu of %zu", part[k],
                        all[k]);
            sheet_put(&sheet, i + 1, k + 1, text);
        }
    }
    fputs("\n", out);
    sheet_print(&sheet, out);
    sheet_free(&sheet);
    mem_free(list);
}

/* A configuration is what the seeds of a method share. */
void sweep_print_criterion(const Sweep *sweep, FILE *out) {
    char text[SWEEP_DEFINITION];
    sweep_fail_definition(sweep, text, sizeof text);
    fprintf(out,
            "%s\n"
            "configuration: runs of a method that differ only in train.seed; most "
            "seeds: more than half of them\n",
            text);
}

/* cell: what a cell of a sweep is before and after its run (tools/sweep/sweep.h). */
#include "tools/sweep/sweep.h"

SweepResult sweep_result_none(void) {
    SweepResult none = {.score = NAN,
                        .best = NAN,
                        .loss = NAN,
                        .val_loss = NAN,
                        .chance = NAN,
                        .entropy = NAN,
                        .max_logit = NAN,
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

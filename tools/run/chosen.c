#include "tools/run/chosen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/openfile.h"
#include "tools/run/checkpoint.h"
#include "tools/run/datafacts.h"
#include "tools/run/rundir.h"

const EvalRow *chosen_row(const RunLog *run, const EvalRow *last) {
    const EvalRow *best = last;
    Metric metric = metric_find(last->metric);
    for (const EvalRow *row = last; row-- > run->evals;) {
        bool same = row->metric == last->metric && !strcmp(row->split, last->split);
        if (same && isfinite(row->score) &&
            metric_turned(metric, row->score) <= metric_turned(metric, best->score))
            best = row;
    }
    return best;
}

/* The validation split chooses where there is one. */
static const EvalRow *row_of(const RunLog *run, double step) {
    const EvalRow *found = NULL;
    for (size_t i = 0; i < run->eval_count; i++) {
        const EvalRow *row = &run->evals[i];
        bool validation = !strcmp(row->split, split_name(SPLIT_VAL));
        if (row->step == step && (!found || validation)) found = row;
    }
    return found;
}

Chosen chosen_checkpoint(const RunLog *run) {
    Chosen chosen = {.step = NAN};
    char path[PATH_SIZE];
    rundir_path(path, run->path, "checkpoints/best.safetensors");
    if (!openfile_exists(path, run->path)) return chosen;
    char *step = checkpoint_fact(path, run->path, "step");
    char *by = checkpoint_fact(path, run->path, "best_by");
    if (step) {
        chosen.step = strtod(step, NULL);
        chosen.there = true;
        chosen.row = row_of(run, chosen.step);
    }
    if (by) snprintf(chosen.by, sizeof chosen.by, "%.79s", by);
    mem_free(step);
    mem_free(by);
    return chosen;
}

void chosen_text(const Chosen *chosen, const EvalRow *top, const char *score,
                 char text[CHOSEN_TEXT]) {
    *text = 0;
    if (!chosen->there || chosen->step == top->step) return;
    text_format(text, CHOSEN_TEXT, "; best.safetensors: step %.0f%s%s%s%s%s",
                chosen->step, *score ? " (" : "", score, *score ? ")" : "",
                *chosen->by ? ", chosen by " : "", chosen->by);
}

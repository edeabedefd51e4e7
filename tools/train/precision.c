/* precision: what the products of a run are computed in (tools/train/parts.h). */
#include <string.h>

#include "tools/program/say.h"
#include "tools/task/precision.h"
#include "tools/train/parts.h"

enum { WAS_SIZE = 16 };

/* What the checkpoint of `step` was trained in, on all ranks; "": it does not say. */
static void read_was(const Trainer *t, size_t step, char was[WAS_SIZE]) {
    char path[PATH_SIZE], *fact = NULL;
    memset(was, 0, WAS_SIZE);
    if (step && ranks_lead(t->ranks)) {
        trainer_checkpoint_path(t, step, path);
        fact = checkpoint_fact(path, t->dir, "precision");
    }
    if (fact) text_format(was, WAS_SIZE, "%.15s", fact);
    mem_free(fact);
    ranks_copy(t->ranks, was, WAS_SIZE);
}

void trainer_choose_precision(Trainer *t, size_t step) {
    char was[WAS_SIZE], note[PRECISION_NOTE];
    Units units = units_here();
    read_was(t, step, was);
    precision_choose(t->task, &units, *was ? was : NULL, note);
    t->precision_note = *note ? mem_strdup(note) : NULL;
    bool kept = t->recipe->train.precision == TRAIN_AUTO && t->was &&
                t->was->train.precision == TRAIN_AUTO;
    t->lost_bf16 = kept && !strcmp(was, "bf16") && !t->task->way.bf16;
}

Status trainer_check_precision(Trainer *t, Err *err) {
    Units units = units_here();
    Acted acted = trainer_acted_ahead(t);
    Recipe *now = mem_alloc(sizeof *now);
    recipe_in_force(t->base, &acted, now);
    if (now->train.precision != t->base->train.precision) { /* the note is of the base */
        mem_free(t->precision_note);
        t->precision_note = NULL;
    }
    mem_free(now);
    return precision_check_resumed(t->base, &acted, t->at.step, &units, t->force, err);
}

void trainer_say_precision(const Trainer *t) {
    if (t->precision_note) say("%s", t->precision_note);
}

Precision trainer_precision(const Trainer *t) {
    return recipe_precision(t->recipe, &t->task->way);
}

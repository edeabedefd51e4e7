/* chosen: the best score of a run, and the best checkpoint, which another score may have
 * chosen (train.best): the two are then of different steps.
 *
 *     const EvalRow *top = chosen_row(run, last);
 *     Chosen file = chosen_checkpoint(run);
 *     if (file.there && file.step != top->step) ... best.safetensors is not of top ...
 */
#ifndef STEADY_CHOSEN_H
#define STEADY_CHOSEN_H

#include "tools/run/runlog.h"

typedef struct Chosen {
    bool there; /* checkpoints/best.safetensors, and it says its step */
    double step;
    char by[80]; /* "loss", "top1 or ema_top1"; "": an older file that does not say */
    const EvalRow *row; /* of that step and the split that chooses; NULL: none */
} Chosen;

/* Up to `last`, of its split and score: the first of the best.  `last` has a score. */
const EvalRow *chosen_row(const RunLog *run, const EvalRow *last);

/* Of a folder without the file, as of a foreign run: not there. */
Chosen chosen_checkpoint(const RunLog *run);

/* "; best.safetensors: step 15 (top-1 38.89 %), chosen by loss" where that is not the
 * step of `top`, else "".  score: what its row scored, as people read it; "": not
 * known. */
enum { CHOSEN_TEXT = 300 };
void chosen_text(const Chosen *chosen, const EvalRow *top, const char *score,
                 char text[CHOSEN_TEXT]);

#endif

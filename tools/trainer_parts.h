/* trainer_parts: what the files of the trainer share.  A step's rows, its line of progress and the
 * warning about collapse are in trainer_log.c, the rate that goes by the loss in
 * trainer_plateau.c. */
#ifndef STEADY_TRAINER_PARTS_H
#define STEADY_TRAINER_PARTS_H

#include "tools/trainer.h"

/* The rows of probe.jsonl and train.jsonl where one is due, and the progress of rank 0; nothing
 * elsewhere.  `lr` is the rate of the step just taken. */
Status trainer_log_probe(Trainer *trainer, size_t step, Err *err);
Status trainer_log_step(Trainer *trainer, double lr, Err *err);

/* Is the step one of each `every`; 0: the end of an epoch? */
static inline bool trainer_on_beat(const Trainer *trainer, size_t step, size_t every) {
    return step % (every ? every : trainer->steps_per_epoch) == 0;
}

/* schedule.name = plateau.  FAIL_USAGE where the data have no split to go by. */
Status trainer_check_plateau(const Trainer *trainer, Err *err);

/* Counts the loss of the evaluation after this step and says when the rate shrinks.  Nothing
 * where the schedule is another, in the warm-up, and at the end of a run off the beat of
 * train.eval_every.  All ranks call it and go by the loss of rank 0. */
void trainer_see_plateau(Trainer *trainer, Split split, double loss);

/* Warns of each site once; FAIL_COLLAPSED where the recipe wants to stop. */
Status trainer_guard_collapse(Trainer *trainer, size_t step, Err *err);

#endif

/* trainer_parts: what the files of the trainer share.  A step's rows, its line of progress and the
 * warning about collapse are in trainer_log.c. */
#ifndef STEADY_TRAINER_PARTS_H
#define STEADY_TRAINER_PARTS_H

#include "tools/trainer.h"

/* The rows of probe.jsonl and train.jsonl where one is due, and the progress of rank 0; nothing
 * elsewhere.  `lr` is the rate of the step just taken. */
Status trainer_log_probe(Trainer *trainer, size_t step, Err *err);
Status trainer_log_step(Trainer *trainer, double lr, Err *err);

/* schedule.name = plateau: one evaluation's loss is looked at; says when the rate shrinks. */
void trainer_see_plateau(Trainer *trainer, double loss);

/* Warns of each site once; FAIL_COLLAPSED where the recipe wants to stop. */
Status trainer_guard_collapse(Trainer *trainer, size_t step, Err *err);

#endif

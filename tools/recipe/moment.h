/* moment: when something happens in a run: after so many steps, or epochs.
 *
 *     moment_read("10e", &moment)        {10, MOMENT_EPOCHS}
 *     char text[MOMENT_TEXT];
 *     moment_print(moment, text); */
#ifndef STEADY_RECIPE_MOMENT_H
#define STEADY_RECIPE_MOMENT_H

#include "engine/core/base.h"

typedef enum { MOMENT_NONE, MOMENT_STEPS, MOMENT_EPOCHS, MOMENT_NEVER } MomentUnit;

typedef struct Moment {
    double value; /* steps are whole */
    MomentUnit unit;
} Moment;

/* Of what is after them: steps and epochs that a run can have. */
#define MOMENT_STEPS_MAX 1e12
#define MOMENT_EPOCHS_MAX 1e6

/* "100", "1.5e", "never", "" (MOMENT_NONE); false: none of these, or out of range. */
bool moment_read(const char *text, Moment *moment);

enum { MOMENT_TEXT = 40 };
void moment_print(Moment moment, char text[MOMENT_TEXT]);

/* The step after which `epochs` epochs of `steps` steps each are over: the next whole
 * one, but 7 for 0.28 epochs of 25, whose product is a little more in floating point.
 * What ends or changes a run after epochs - train.epochs, schedule.warmup_epochs,
 * intervene.at, probe.sharpness - goes by it. */
size_t moment_step(double epochs, double steps);

/* The same by a row of train.jsonl, whose `step` is at `epoch`; as a double, since no
 * bound is known. */
double moment_step_logged(double epochs, double step, double epoch);

#endif

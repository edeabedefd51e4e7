/* small_trainer: trainers of small recipes, which say nothing on stderr.
 *
 *     Trainer t;
 *     small_trainer_run(&t, &recipe, NULL, dir);       opened, and run to its end
 *     ... t.at.step ...
 *     trainer_close(&t); */
#ifndef STEADY_TEST_SMALL_TRAINER_H
#define STEADY_TEST_SMALL_TRAINER_H

#include "tools/train/trainer.h"

/* stderr goes to `path`, replaced, until silence_end of what is returned. */
int silence_begin(const char *path);
void silence_end(int kept);

/* The text of a recipe, and words of a command line, separated by blanks. */
Recipe small_trainer_recipe(const char *text, const char *words);

/* As trainer_open, then trainer_run, in silence; a failure ends the test. */
void small_trainer_run(Trainer *trainer, const Recipe *recipe, const Recipe *was,
                       const char *dir);

#endif

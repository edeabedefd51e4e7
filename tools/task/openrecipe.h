/* openrecipe: a model out of a recipe and its data, without a run: as training would
 * begin, or with the weights of a .safetensors file, this program's or another's.
 *
 *     if (!run_is_folder(choice.dir)) run_open_recipe(&run, &choice, &err);
 *     run_close(&run);
 *     run_open_either(&run, &choice, &err);                 a run or a recipe
 *
 * run->at is that of a checkpoint of this program, else all zero. */
#ifndef STEADY_OPENRECIPE_H
#define STEADY_OPENRECIPE_H

#include "tools/task/openrun.h"

/* Is the word a folder, which only a run can be?  Else it is a recipe's name or file. */
bool run_is_folder(const char *word);

/* choice->dir is the recipe, its words as those of `train`.  The data are opened, since
 * sizes and classes come from them.  FAIL_USAGE: a choice of checkpoint that only runs
 * have; FAIL_DATA: weights that do not fit the recipe's model, or mean something else. */
Status run_open_recipe(OpenRun *run, const RunChoice *choice, Err *err);

/* The run without its data, or the recipe, whichever choice->dir is. */
Status run_open_either(OpenRun *run, const RunChoice *choice, Err *err);

#endif

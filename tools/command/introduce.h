/* introduce: what a stranger needs to use exported weights, as metadata of the file and
 * as a vocabulary file (`steady export`). */
#ifndef STEADY_INTRODUCE_H
#define STEADY_INTRODUCE_H

#include "data/file/safetensors.h"
#include "tools/task/openrun.h"

/* Adds task, step, score, recipe, version, sizes of the model and what the task knows of
 * its data (TaskOps.introduce): text as it is, all else as JSON. */
void introduce_weights(const OpenRun *run, const RunChoice *choice,
                       SafetensorsWriter *writer);

/* Writes that part which gives numbers their names: vocabularies, labels, class names. */
Status introduce_names(const OpenRun *run, const char *path, Err *err);

#endif

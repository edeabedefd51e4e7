/* language: what the files of the task share. */
#ifndef STEADY_TASK_LANGUAGE_H
#define STEADY_TASK_LANGUAGE_H

#include "models/language.h"
#include "tools/task/texts.h"

Language *language_model(Task *task);

#endif

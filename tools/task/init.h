/* init: the weights that a run begins with.
 *
 *     if (init_weights(task, &err)) ...      random ones, or those of train.init
 *
 * train.init names a safetensors file, or the folder of a run: then its best checkpoint,
 * or its newest where none was scored.  Without train.transfer every tensor has to fit;
 * with it (tools/task/transfer.h) head and positions are made to fit. */
#ifndef STEADY_INIT_H
#define STEADY_INIT_H

#include "data/file/safetensors.h"
#include "tools/run/rundir.h"
#include "tools/task/task.h"

/* advice: what comes behind a meaning that differs (tools/task/meaning.h). */
Status init_weights(Task *task, const char *advice, Err *err);

/* CRC-32 of the weights in the file of train.init (data/file/safetensors.h). */
Status init_crc(const char *init, char crc[SAFETENSORS_CRC], Err *err);

/* The file of train.init: *root is the run's folder where it is of one, else NULL. */
Status init_find(const char *init, char path[PATH_SIZE], const char **root, Err *err);

#endif

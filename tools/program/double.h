/* double: the program in double precision, steady64, which is installed beside steady.
 *
 *     if (sizeof(real) < sizeof(double) && double_become(argv, &err)) return err.status;
 */
#ifndef STEADY_DOUBLE_PROGRAM_H
#define STEADY_DOUBLE_PROGRAM_H

#include "engine/core/base.h"

/* Path of steady64 in the folder of this program; FAIL_RUN: it is not there. */
Status double_path(char *path, size_t size, Err *err);

/* Becomes steady64 with this command line, argv[0] aside; returns a failure alone. */
Status double_become(char **argv, Err *err);

#endif

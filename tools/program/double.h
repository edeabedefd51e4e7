/* double: the program in double precision, steady64, which is installed beside steady.
 *
 *     if (sizeof(real) < sizeof(double)) return double_become(argc, argv, &err);
 */
#ifndef STEADY_DOUBLE_PROGRAM_H
#define STEADY_DOUBLE_PROGRAM_H

#include "engine/core/base.h"

/* Path of steady64 in the folder of this program; FAIL_RUN: it is not there. */
Status double_path(char *path, size_t size, Err *err);

/* Becomes `steady64 argv[0] argv[1] ...`, argv[0] being a command's name; returns a
 * failure alone. */
Status double_become(int argc, char **argv, Err *err);

#endif

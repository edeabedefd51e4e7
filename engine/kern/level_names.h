/* level_names: gives the functions of kernels.h the names of their level.
 *
 * The Makefile includes it ahead of a file that it compiles for one of several levels:
 * with -DSTEADY_LEVEL=avx2, tile_product is defined and called as tile_product_avx2. */
#ifndef STEADY_LEVEL_NAMES_H
#define STEADY_LEVEL_NAMES_H

#include "engine/kern/kernels.h"

#define LEVEL_PRAGMA(text) _Pragma(#text)
#define LEVEL_RENAME_TO(name, level) LEVEL_PRAGMA(redefine_extname name name##_##level)
#define LEVEL_RENAME_AT(name, level) LEVEL_RENAME_TO(name, level)
#define LEVEL_RENAME_INNER(name) LEVEL_RENAME_AT(name, STEADY_LEVEL)
#define LEVEL_RENAME(result, name, parameters, names) LEVEL_RENAME_INNER(name)
KERNEL_LIST(LEVEL_RENAME)
INNER_KERNEL_LIST(LEVEL_RENAME_INNER)

#endif

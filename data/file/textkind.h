/* textkind: what a file is that should be text and is no UTF-8, by its first bytes.
 *
 *     const char *kind = textkind_of(bytes, size);     "UTF-16, not UTF-8; ...", or NULL
 */
#ifndef STEADY_TEXTKIND_H
#define STEADY_TEXTKIND_H

#include "engine/core/base.h"

/* What it is instead, and what to do; NULL: not known. */
const char *textkind_of(const char *bytes, size_t size);

#endif

/* prefix: files of weights whose names all begin alike, as wrappers of other programs
 * save them: model.cls_token, module.blocks.0..., _orig_mod.
 *
 *     if (prefix_take_off(file, path, params, &err)) ...    then safetensors_find as ever
 */
#ifndef STEADY_PREFIX_H
#define STEADY_PREFIX_H

#include "data/file/safetensors.h"
#include "engine/core/params.h"

/* Where no tensor has a name of the model, but at least half of the model's names are
 * there behind one prefix, which is said: the names go without it from then on.
 * FAIL_DATA where two prefixes do as well, such as student. and teacher. */
Status prefix_take_off(Safetensors *file, const char *path, const ParamSet *params,
                       Err *err);

/* "; the file has a.weight, a.bias and 78 more" where no tensor has a name of the model,
 * else "". */
enum { PREFIX_NAMES = 400 };
void prefix_names(const Safetensors *file, const ParamSet *params,
                  char text[PREFIX_NAMES]);

#endif

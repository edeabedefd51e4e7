/* inputs: the files that `predict` is given by their names or their folders'. */
#ifndef STEADY_INPUTS_H
#define STEADY_INPUTS_H

#include "engine/core/base.h"

typedef struct Inputs {
    char **path; /* [count] */
    size_t count, room;
    /* knows a file of another ending by content; or NULL */
    bool (*is_one)(const char *path);
    /* Of folders: files with other endings but for texts, and folders
     * beside files; the first. */
    size_t passed;
    char *passed_first;
} Inputs;

/* What a file's name ends with, its dot included; ends with NULL; capitals do as well. */
typedef const char *const InputEndings[];

/* A file as it is; of a folder the files with such an ending, or that is_one knows,
 * in order of their names, or, where it holds none, those of its folders, up to
 * four deep.  FAIL_DATA: no such file; no file in the folder (`what` names them:
 * "PNG or JPEG files"). */
Status inputs_add(Inputs *inputs, const char *path, InputEndings endings,
                  const char *what, Err *err);
/* Says on stderr how many were passed over. */
void inputs_say_passed(const Inputs *inputs);
void inputs_free(Inputs *inputs);

#endif

/* door: what every function of include/steady.h does at its beginning and at its end, so
 * that none prints, ends the process or leaves its thread changed.
 *
 *     steady_status steady_model_load(steady_model *model, const char *path,
 *                                     steady_error *error) {
 *         THROUGH_DOOR(handle_of(model), MISSING2(model, path), error,
 *                      load(model, path, &door.err));
 *     }
 *
 * Functions that only read a handle do without. */
#ifndef STEADY_DOOR_H
#define STEADY_DOOR_H

#include <fenv.h>
#include <locale.h>

#include "engine/core/trap.h"
#include "include/steady.h"
#include "tools/program/say.h"

/* What a handle begins with. */
typedef struct Handle {
    steady_listener listener;
    size_t threads; /* to compute with; 0: as many as OpenMP has */
    bool computes;
    Err broken; /* why nothing but freeing is left; OK: all is well */
} Handle;

typedef struct Door {
    Trap trap;
    Err err;
    Listener before;
    fenv_t numbers;
    int threads;
    bool computes;
    locale_t plain, locale; /* "C", and the thread's own */
} Door;

/* Takes `call`, which reports to &door.err, and returns from the function.  handle: a
 * Handle *, NULL: none yet.  `missing`: the name of an argument that may not be NULL
 * and is, else NULL. */
#define THROUGH_DOOR(handle, missing, error, call)                                       \
    BETWEEN_DOORS(handle, handle, missing, error, call)

/* The same of a const Handle *, for what takes next to no memory. */
#define READ_THROUGH_DOOR(handle, missing, error, call)                                  \
    BETWEEN_DOORS(handle, NULL, missing, error, call)

#define BETWEEN_DOORS(entered, left, missing, error, call)                               \
    do {                                                                                 \
        Door door;                                                                       \
        if (door_enter(&door, entered, missing)) {                                       \
            if (!setjmp(door.trap.place)) {                                              \
                call;                                                                    \
            }                                                                            \
        }                                                                                \
        return door_leave(&door, left, error);                                           \
    } while (0)

/* The first of so many arguments, with their names behind, that is NULL:
 * "recipe"; NULL: none. */
#define MISSING1(a) (!(a) ? #a : NULL)
#define MISSING2(a, b) (!(a) ? #a : MISSING1(b))
#define MISSING3(a, b, c) (!(a) ? #a : MISSING2(b, c))

/* False: the call must not be made, and the door's err says why. */
bool door_enter(Door *door, const Handle *handle, const char *missing);
steady_status door_leave(Door *door, Handle *handle, steady_error *error);

/* Sets error (NULL is fine) where there is no work to do that could fail. */
steady_status door_answer(steady_error *error, const Err *err);

#endif

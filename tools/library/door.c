#include "tools/library/door.h"

#include <omp.h>
#include <string.h>

#include "engine/core/machine.h"

_Static_assert((int)STEADY_USAGE == (int)FAIL_USAGE && (int)STEADY_BUG == (int)FAIL_BUG &&
                   (int)STEADY_INTERRUPTED == (int)FAIL_INTERRUPTED,
               "statuses are the engine's");
_Static_assert(sizeof((steady_error *)0)->text == sizeof((Err *)0)->text,
               "a text of the engine fits");

static void hear_nothing(void *context, const char *line) { (void)context, (void)line; }

/* The user's threads have modes of their own for rounding, traps and small numbers, and
 * counts; OpenMP's have those of the thread that started them. */
static void set_plain_numbers(Door *door, const Handle *handle) {
    fegetenv(&door->numbers);
    fesetenv(FE_DFL_ENV);
    door->computes = handle && handle->computes;
    if (!door->computes) return;
    door->threads = omp_get_max_threads();
    if (handle->threads) omp_set_num_threads((int)handle->threads);
#pragma omp parallel
    fesetenv(FE_DFL_ENV);
    machine_flush_denormals();
}

static void restore_numbers(const Door *door) {
    const fenv_t *numbers = &door->numbers;
    if (door->computes) {
#pragma omp parallel
        fesetenv(numbers);
        omp_set_num_threads(door->threads);
    }
    fesetenv(numbers);
}

/* In a locale of the user's 0.5 may be "0,5": recipes and files have points. */
static void set_plain_locale(Door *door) {
    door->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (door->plain) door->locale = uselocale(door->plain);
    else err_set(&door->err, FAIL_RUN, "out of memory for the locale \"C\"");
}

static void restore_locale(const Door *door) {
    if (!door->plain) return;
    uselocale(door->locale);
    freelocale(door->plain);
}

bool door_enter(Door *door, const Handle *handle, const char *missing) {
    static const steady_listener NOBODY = {hear_nothing, NULL};
    steady_listener listener =
        handle && handle->listener.note ? handle->listener : NOBODY;
    door->err = ERR_NONE;
    door->before = say_to((Listener){listener.note, listener.context});
    set_plain_locale(door);
    set_plain_numbers(door, handle);
    trap_set(&door->trap);
    if (missing) err_set(&door->err, FAIL_USAGE, "the argument `%s` is NULL", missing);
    else if (handle && handle->broken.status) door->err = handle->broken;
    return !door->err.status;
}

steady_status door_leave(Door *door, Handle *handle, steady_error *error) {
    trap_end(&door->trap);
    restore_numbers(door);
    restore_locale(door);
    say_to(door->before);
    if (door->trap.err.status) {
        door->err = door->trap.err;
        if (handle) handle->broken = door->err;
    }
    return door_answer(error, &door->err);
}

steady_status door_answer(steady_error *error, const Err *err) {
    if (error) {
        error->status = (steady_status)err->status;
        memcpy(error->text, err->text, sizeof error->text);
        if (!err->status) *error->text = 0;
    }
    return (steady_status)err->status;
}

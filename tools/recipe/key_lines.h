/* key_lines: macros of the table in tools/recipe/keys.c, and of nothing else: one a type
 * of key; the member's C type is checked.
 *
 *     REAL(FOR_ALL, optim, trust, "0.001", ABOVE(0), "Factor of the ratio |w| / |g|.",
 *          WHEN("optim.name = lars")), */
#ifndef STEADY_KEY_LINES_H
#define STEADY_KEY_LINES_H

#include <math.h>
#include <stddef.h>

/* Names of a choice, in the order of its enum. */
#define NAMES(...)                                                                       \
    (const char *const[]) { __VA_ARGS__, NULL }

#define PLACE(type, member)                                                              \
    _Generic(((Recipe *)0)->member, type : offsetof(Recipe, member))
#define ROOM(member) sizeof(((Recipe *)0)->member)
/* The sentence, and what else a key has: WHEN("data.tokens = bpe") */
#define REST(tasks_, ...) .tasks = (tasks_), .sentence = __VA_ARGS__
#define WHEN(condition) .when = condition

/* Conditions that differ from task to task (tools/recipe/key_when.c). */
#define DECAYS "optim.weight_decay > 0 or optim.weight_decay_end > 0"
#define FROM_FILES "data.source != {synthetic}"
#define MIN_COUNT                                                                        \
    "data.tokens != char or task.kind = translate and "                                  \
    "data.source_vocab is empty or task.kind = translate and "                           \
    "data.source_vocab is empty or data.target_vocab is empty and "                      \
    "data.source_vocab is empty or data.joint = false"
#define INIT_STD                                                                         \
    "train.init is empty or train.transfer = true and "                                  \
    "model.init != mocov3 and "                                                          \
    "model.init = normal or task.kind != transcribe and "                                \
    "model.init = normal or task.kind != translate or model.position = learned and "     \
    "model.init = normal or model.position != sinusoidal or model.tied = none"

#define FROM(low) .min = (low), .max = INFINITY
#define ABOVE(low) .min = (low), .above_min = true, .max = INFINITY
#define WITHIN(low, high) .min = (low), .max = (high)
#define ABOVE_TO(low, high) .min = (low), .above_min = true, .max = (high)
#define BELOW(low, high) .min = (low), .max = (high), .below_max = true
#define ANY .min = -INFINITY, .max = INFINITY

/* Lengths of a run: what they come to in steps stays below 2^63, for
 * COPIES_MAX * DRAWN_MAX * EPOCHS_MAX = 1e18. */
#define EPOCHS_MAX 1e6
#define STEPS_MAX 1e12
#define COPIES_MAX 1e3
#define DRAWN_MAX 1e9
#define BATCH_MAX 1e9 /* times the largest picture it still fits a size_t */

#define SIZE(tasks_, s, n, standard_, range, ...)                                        \
    {                                                                                    \
        .section = #s, .name = #n, .type = KEY_SIZE, .offset = PLACE(size_t, s.n),       \
        .standard = standard_, range, REST(tasks_, __VA_ARGS__)                          \
    }
#define REAL(tasks_, s, n, standard_, range, ...)                                        \
    {                                                                                    \
        .section = #s, .name = #n, .type = KEY_REAL, .offset = PLACE(double, s.n),       \
        .standard = standard_, range, REST(tasks_, __VA_ARGS__)                          \
    }
#define AUTO(tasks_, s, n, range, ...)                                                   \
    {                                                                                    \
        .section = #s, .name = #n, .type = KEY_REAL, .offset = PLACE(double, s.n),       \
        .standard = "auto", .unset = "auto", range, REST(tasks_, __VA_ARGS__)            \
    }
#define FLAG(tasks_, s, n, standard_, ...)                                               \
    {                                                                                    \
        .section = #s, .name = #n, .type = KEY_FLAG, .offset = PLACE(bool, s.n),         \
        .standard = standard_, REST(tasks_, __VA_ARGS__)                                 \
    }
#define CHOICE(tasks_, s, n, standard_, names, later_, ...)                              \
    {                                                                                    \
        .section = #s, .name = #n, .type = KEY_CHOICE, .offset = offsetof(Recipe, s.n),  \
        .standard = standard_, .choices = names, .later = later_,                        \
        REST(tasks_, __VA_ARGS__)                                                        \
    }
#define TEXT(tasks_, s, n, standard_, check_, ...)                                       \
    {                                                                                    \
        .section = #s, .name = #n, .type = KEY_TEXT, .offset = offsetof(Recipe, s.n),    \
        .room = ROOM(s.n), .standard = standard_, .check = check_,                       \
        REST(tasks_, __VA_ARGS__)                                                        \
    }
#define REALS(tasks_, s, n, count, least_, standard_, range, ...)                        \
    {                                                                                    \
        .section = #s, .name = #n, .type = KEY_REALS, .offset = offsetof(Recipe, s.n),   \
        .room = ROOM(s.n) / sizeof(double), .count_offset = PLACE(size_t, s.count),      \
        .least = least_, .standard = standard_, range, REST(tasks_, __VA_ARGS__)         \
    }
/* From one time to the next: steps or epochs. */
#define PERIOD(tasks_, s, n, standard_, ...)                                             \
    {                                                                                    \
        .section = #s, .name = #n, .type = KEY_MOMENT, .offset = PLACE(Moment, s.n),     \
        .standard = standard_, REST(tasks_, __VA_ARGS__)                                 \
    }
/* A moment of [intervene], and what changes then. */
#define MOMENT(name_, i, again_, ...)                                                    \
    {                                                                                    \
        .section = "intervene", .name = name_, .type = KEY_MOMENT, .again = again_,      \
        .offset = offsetof(Recipe, intervene.group[i].at), .standard = "",               \
        REST(FOR_ALL, __VA_ARGS__)                                                       \
    }
#define CHANGES(name_, i, again_, ...)                                                   \
    {                                                                                    \
        .section = "intervene", .name = name_, .type = KEY_TEXT, .again = again_,        \
        .offset = offsetof(Recipe, intervene.group[i].changes), .room = INTERVENE_TEXT,  \
        .standard = "", REST(FOR_ALL, __VA_ARGS__)                                       \
    }
/* Known, checked as text, stored nowhere. */
#define OTHER(s, n, tasks_, ...)                                                         \
    {                                                                                    \
        .section = #s, .name = #n, .type = KEY_TEXT, .room = 1024, .standard = "",       \
        REST(tasks_, __VA_ARGS__)                                                        \
    }

#endif

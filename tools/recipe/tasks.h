/* tasks: the kinds of task, one a line.
 *
 *     X(KIND, name, examples, heading)      TASK_KIND, the word of task.kind and the folder
 *                                           tools/task/NAME, what it takes, its place in
 *                                           `steady recipes`
 *
 * The enum, the names, the bits of the key table and, in tools/task/table.c, the
 * functions come from this list, so that no other file names a kind
 * (test/unit/test_tasks.c): what a file has to know of a kind is asked here or is a
 * member of TaskOps. */
#ifndef STEADY_TASKS_H
#define STEADY_TASKS_H

#include "data/sources.h"

/* clang-format off */
#define TASK_LIST(X)                                                           \
    X(CLASSIFY,    classify,    PICTURES, "Pictures (task.kind = classify)")       \
    X(CONTRASTIVE, contrastive, PICTURES, "Pictures without labels (contrastive)") \
    X(LANGUAGE,    language,    TEXT,     "Text (language)")                       \
    X(TRANSLATE,   translate,   PAIRS,    "Translation (translate)")               \
    X(TRANSCRIBE,  transcribe,  SPEECH,   "Speech (transcribe)")
/* clang-format on */

#define TASK_KIND(KIND, name, examples, heading) TASK_##KIND,
typedef enum { TASK_LIST(TASK_KIND) } TaskKind;
#undef TASK_KIND

/* Sets of tasks: who reads a key (tools/recipe/keys.h), for instance. */
#define TASK_BIT(KIND, name, examples, heading) FOR_##KIND = 1 << TASK_##KIND,
enum { TASK_LIST(TASK_BIT) FOR_NONE = 0 };
#undef TASK_BIT

#define TASK_ONE(KIND, name, examples, heading) +1
#define TASK_KINDS (0 TASK_LIST(TASK_ONE)) /* how many there are */

#define TASK_OF_PICTURES(KIND, name, examples, heading)                                  \
    | (EXAMPLES_##examples == EXAMPLES_PICTURES) << TASK_##KIND
#define TASK_OF_TEXT(KIND, name, examples, heading)                                      \
    | (EXAMPLES_##examples == EXAMPLES_TEXT) << TASK_##KIND
#define TASK_OF_PAIRS(KIND, name, examples, heading)                                     \
    | (EXAMPLES_##examples == EXAMPLES_PAIRS) << TASK_##KIND
#define TASK_OF_SPEECH(KIND, name, examples, heading)                                    \
    | (EXAMPLES_##examples == EXAMPLES_SPEECH) << TASK_##KIND
enum {
    FOR_VISION = 0 TASK_LIST(TASK_OF_PICTURES),
    FOR_PAIRS = 0 TASK_LIST(TASK_OF_PAIRS),
    FOR_TEXTS = FOR_PAIRS TASK_LIST(TASK_OF_TEXT),
    FOR_SPEECH = 0 TASK_LIST(TASK_OF_SPEECH),
    FOR_ALL = (1 << TASK_KINDS) - 1,
};
#undef TASK_OF_PICTURES
#undef TASK_OF_TEXT
#undef TASK_OF_PAIRS
#undef TASK_OF_SPEECH

const char *task_name(TaskKind task);     /* "classify" */
const char *task_heading(TaskKind task);  /* of its recipes in a list */
ExampleKind task_examples(TaskKind task); /* what it learns from */

/* Is the task one of FOR_... ? */
static inline bool task_is(TaskKind task, unsigned tasks) { return tasks >> task & 1; }

#endif

/* commands: what `steady WORD` runs.
 *
 * A command is tools/command/NAME.c, which defines NAME_command
 * (tools/program/command.h), its help text tools/help/NAME.txt, and one line here. */
#ifndef STEADY_COMMANDS_H
#define STEADY_COMMANDS_H

#include "tools/program/command.h"

/* In the order of the help. */
#define COMMAND_LIST(X)                                                                  \
    X(train)                                                                             \
    X(eval)                                                                              \
    X(predict)                                                                           \
    X(probe)                                                                             \
    X(sweep)                                                                             \
    X(watch)                                                                             \
    X(plot)                                                                              \
    X(report)                                                                            \
    X(runs)                                                                              \
    X(diff)                                                                              \
    X(export)                                                                            \
    X(doctor)                                                                            \
    X(bench)                                                                             \
    X(recipes)                                                                           \
    X(search)

#define COMMAND_DECLARE(name) extern const Command name##_command;
COMMAND_LIST(COMMAND_DECLARE)

extern const Command *const commands[]; /* ends with NULL */

/* The program itself: `steady --version`. */
extern const Command steady_command;

const Command *command_find(const char *name); /* NULL: there is none of that name */
/* For "did you mean"; NULL: none is near. */
const char *command_nearest(const char *name);

#endif

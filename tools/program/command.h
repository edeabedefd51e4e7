/* command: what every command of the program does alike. */
#ifndef STEADY_COMMAND_H
#define STEADY_COMMAND_H

#include "engine/core/base.h"

/* Prints "steady COMMAND: text" on stderr and returns the exit code. */
int command_fail(const char *command, const Err *err);

/* Is this word -h or --help? */
bool is_help(const char *word);

#endif

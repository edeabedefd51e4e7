/* completion: what a shell completes behind `steady`, from the tables of
 * commands and keys.
 *
 *     completion_print(SHELL_BASH, &steady_command, stdout);
 *
 * tools/completion/SHELL.in is the shell's part, compiled in.  A line of it that begins
 * with @ is one of the tables: @commands, @options, @keys, @recipes.  They are the same
 * for every shell, a line a row, between single quotes. */
#ifndef STEADY_COMPLETION_H
#define STEADY_COMPLETION_H

#include "tools/program/command.h"

typedef enum { SHELL_BASH, SHELL_ZSH, SHELL_FISH } Shell;

extern const char *const completion_shells[]; /* in the order of Shell; ends with NULL */

/* program: the one without a command, whose options are in the table, too. */
void completion_print(Shell shell, const Command *program, FILE *out);

#endif

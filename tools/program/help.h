/* help: what `steady NAME --help` prints, from a file and a command's table.
 *
 *     help_print(&train_command, stdout);                    tools/help/train.txt
 *
 * tools/help/NAME.txt is the text as it is printed, compiled in.  A line that begins
 * with @ is not text:
 *
 *     @options              the options of the table that no other such line names
 *     @options --a --b      these
 *     @more                 the command's own list (Command.more)
 *     @section TITLE        a heading of the manual page
 *     @manual               what follows is of the manual page alone */
#ifndef STEADY_HELP_H
#define STEADY_HELP_H

#include "tools/program/command.h"

struct HelpText {
    const char *name, *text; /* "train" */
};

/* Made from the files at build time, in the order of their names. */
extern const struct HelpText help_builtin[];
extern const size_t help_builtin_count;

const char *help_text(const char *name); /* stops where there is none */

void help_print(const Command *command, FILE *out);

/* Prints what -h or another OPTION_SHOW of these words shows; *code: the exit code.
 * False: there is none. */
bool help_show(const Command *command, int argc, char **argv, int *code);

/* One line of a text, for readers of it.  `text` moves behind the line; false at its
 * end. */
typedef struct HelpLine {
    const char *start; /* of the line, or behind the word of a line with @ */
    int length;
    enum { HELP_TEXT, HELP_OPTIONS, HELP_MORE, HELP_SECTION, HELP_MANUAL } kind;
} HelpLine;
bool help_next(const char **text, HelpLine *line);

/* Does a line of HELP_OPTIONS list the option?  text: all of the command's. */
bool help_lists(const char *text, const HelpLine *line, const Option *option);

/* "-o, --out DIR" */
void help_head(const Option *option, char *head, size_t size);

#endif

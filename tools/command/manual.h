/* manual: manual pages from help texts and tables of options.
 *
 *     manual_print(&train_command, stdout);                  steady-train(1), in man(7)'s language
 *
 * The first paragraph of a help text is the synopsis.  Lines at the margin are
 * paragraphs, lines that are indented stay as they are; `@section TITLE` is a heading
 * (tools/program/help.h). */
#ifndef STEADY_MANUAL_H
#define STEADY_MANUAL_H

#include "tools/program/command.h"

void manual_print(const Command *command, FILE *out);

#endif

/* commands: what `steady WORD` runs.  Each takes the words after its own name included
 * (argv[0] = "train"), returns the exit code, and explains itself with -h. */
#ifndef STEADY_COMMANDS_H
#define STEADY_COMMANDS_H

#include "engine/core/base.h"

int train_main(int argc, char **argv);
int eval_main(int argc, char **argv);
int predict_main(int argc, char **argv);
int export_main(int argc, char **argv);
int plot_main(int argc, char **argv);
int sweep_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int bench_main(int argc, char **argv);
int recipes_main(int argc, char **argv);

/* Prints "steady COMMAND: text" on stderr and returns the exit code. */
int command_fail(const char *command, const Err *err);

/* Is this word -h or --help? */
bool is_help(const char *word);

#endif

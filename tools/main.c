/* The program `steady`: finds the command and runs it. */
#include <stdio.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/program/help.h"
#include "tools/program/launch.h"
#include "tools/program/output.h"
#include "tools/program/start.h"
#include "tools/program/stop.h"

static int unknown(const char *word) {
    fprintf(stderr, "steady: there is no command %s; did you mean %s?\n", word,
            command_nearest(word));
    return FAIL_USAGE;
}

/* Under mpirun -n 2 the others would do the same work twice, on the same files. */
static bool is_alone(const char *command, Err *err) {
    Launch launch = launch_read();
    if (launch.count < 2 || !strcmp(command, "train")) return true;
    err_set(err, FAIL_USAGE,
            "a launcher started several processes; %s wants to be one (only train can be "
            "more)",
            command);
    return false;
}

static int run_one(const Command *command, int argc, char **argv) {
    Err err = ERR_NONE;
    if (!is_alone(argv[0], &err)) return launch_fail(argv[0], &err);
    if (help_show(command, argc, argv)) return OK;
    if (command->computes && start_computing(&err)) return launch_fail(argv[0], &err);
    return command->run(argc, argv);
}

/* `steady help`, and `steady help WORD`, which is WORD --help. */
static int run_help(int argc, char **argv) {
    const Command *command = argc > 2 ? command_find(argv[2]) : &steady_command;
    if (!command) return unknown(argv[2]);
    help_print(command, stdout);
    return OK;
}

/* Words that begin with "-", or none, are the program's own. */
static int run_command(const Command *command, int argc, char **argv) {
    if (command) return run_one(command, argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "help")) return run_help(argc, argv);
    if (argc > 1 && *argv[1] != '-') return unknown(argv[1]);
    if (help_show(&steady_command, argc, argv)) return OK;
    return steady_command.run(argc, argv);
}

int main(int argc, char **argv) {
    const Command *command = argc < 2 ? NULL : command_find(argv[1]);
    output_begin();
    if (command && command->resumes) stop_at_once(command->name);
    stop_forget_inherited();
    start_program(argc, argv);
    int code = run_command(command, argc, argv);
    return output_end(argc < 2 ? "" : argv[1], code);
}

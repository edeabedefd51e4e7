/* The program `steady`: finds the command and runs it. */
#include <stdio.h>
#include <string.h>

#include "tools/commands.h"
#include "tools/program/help.h"
#include "tools/program/launch.h"
#include "tools/program/output.h"
#include "tools/program/start.h"
#include "tools/program/stop.h"
#include "tools/recipe/habit.h"
#include "tools/recipe/recipe.h"

static int unknown(const char *word) {
    char hint[NEAREST_HINT];
    Err err = ERR_NONE;
    const char *near = command_nearest(word);
    err_set(&err, FAIL_USAGE, "unknown command %.60s%s", word,
            near ? nearest_hint(near, hint)
                 : "; steady -h lists them, steady search WORD finds one");
    return command_fail("", &err);
}

/* Under mpirun -n 2 the others would do the same work twice, on the same files. */
static bool is_alone(const char *command, Err *err) {
    Launch launch = launch_read();
    if (launch.count < 2 || !strcmp(command, "train")) return true;
    err_set(err, FAIL_USAGE,
            "a launcher started several processes, but steady %s runs as one (only "
            "train uses several)",
            command);
    return false;
}

static int run_one(const Command *command, int argc, char **argv) {
    Err err = ERR_NONE;
    if (!is_alone(argv[0], &err)) return launch_fail(argv[0], &err);
    int code;
    if (help_show(command, argc, argv, &code)) return code;
    HabitWords words;
    bool lead = launch_read().rank == 0;
    if (habit_words(command, argc, argv, lead, &words, &err) ||
        (command->computes && start_computing(&err)))
        code = launch_fail(argv[0], &err);
    else code = command->run(words.argc, words.argv);
    habit_free(&words);
    return code;
}

/* `steady help`, `steady help WORD`, which is WORD --help, and `steady help KEY`; other
 * words are searched for. */
static int run_help(int argc, char **argv) {
    Err err = ERR_NONE;
    const Command *command = argc > 2 ? command_find(argv[2]) : &steady_command;
    if (!command && argc == 3 && !recipe_help_of(argv[2], stdout, &err)) return OK;
    if (!command && argc == 3 && command_nearest(argv[2])) return unknown(argv[2]);
    if (!command) return run_one(&search_command, argc - 1, argv + 1);
    help_print(command, stdout);
    return OK;
}

/* Words that begin with "-", or none, are the program's own. */
static int run_command(const Command *command, int argc, char **argv) {
    if (command) return run_one(command, argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "help")) return run_help(argc, argv);
    if (argc > 1 && !strcmp(argv[1], "version"))
        return run_command(NULL, 2, (char *[]){argv[0], "--version", NULL});
    if (argc > 1 && *argv[1] != '-') return unknown(argv[1]);
    int code;
    if (help_show(&steady_command, argc, argv, &code)) return code;
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

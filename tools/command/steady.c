/* steady: the program without a command. */
#include <stddef.h>
#include <stdio.h>

#include "tools/commands.h"
#include "tools/program/help.h"

static void print_version(FILE *out) { fprintf(out, "steady %s\n", STEADY_VERSION); }

static void list_commands(FILE *out) {
    for (const Command *const *c = commands; *c; c++)
        fprintf(out, "  %-8s  %s\n", (*c)->name, (*c)->sentence);
}

static void print_help(FILE *out) {
    fprintf(out, "steady %s - %s\n\n", STEADY_VERSION, steady_command.sentence);
    help_print(&steady_command, out);
}

static const Option OPTIONS[] = {
    {"--version", NULL, OPTION_SHOW, 0, .sentence = "the version", .show = print_version},
    {"--help", NULL, OPTION_SHOW, 0, .sentence = "the commands", .letter = "-h",
     .show = print_help},
    {0},
};

static int run(int argc, char **argv) {
    Err err = ERR_NONE;
    if (argc < 2) return print_help(stderr), FAIL_USAGE;
    if (command_read(&steady_command, NULL, argc, argv, NULL, &err))
        return command_fail("", &err);
    return OK;
}

const Command steady_command = {
    "steady",
    "trains transformers on CPUs without letting them blow up",
    run,
    .options = OPTIONS,
    .more = list_commands,
};

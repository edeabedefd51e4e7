/* steady: the program without a command. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tools/command/completion.h"
#include "tools/command/manual.h"
#include "tools/commands.h"
#include "tools/program/help.h"
#include "tools/program/version.h"

static void print_version(FILE *out) {
    fprintf(out, "steady %s\n", STEADY_VERSION);
    if (*version_commit()) fprintf(out, "commit %s\n", version_commit());
}

static void list_commands(FILE *out) {
    for (const Command *const *c = commands; *c; c++)
        fprintf(out, "  %-8s  %s\n", (*c)->name, (*c)->sentence);
}

static void print_help(FILE *out) {
    fprintf(out, "steady %s - %s\n\n", STEADY_VERSION, steady_command.sentence);
    help_print(&steady_command, out);
}

typedef struct Options {
    const char *page;
    int shell; /* Shell, or -1 */
} Options;

static const Option OPTIONS[] = {
    {"--version", NULL, OPTION_SHOW, 0, .sentence = "print the version", .letter = "-v",
     .show = print_version},
    {"--manual", "NAME", OPTION_NAME, offsetof(Options, page),
     .sentence = "print the manual page of steady or steady-COMMAND, for man -l",
     .wants = "a name: steady, or steady-COMMAND"},
    {"--completion", "SHELL", OPTION_CHOICE, offsetof(Options, shell),
     .sentence = "print the completion for bash, zsh or fish",
     .choices = completion_shells},
    {"--help", NULL, OPTION_SHOW, 0, .sentence = "list the commands", .letter = "-h",
     .show = print_help},
    {0},
};

/* "steady-train" or "train" */
static Status print_page(const char *name, Err *err) {
    static const char START[] = "steady-";
    size_t start = strncmp(name, START, sizeof START - 1) ? 0 : sizeof START - 1;
    const Command *command =
        strcmp(name, "steady") ? command_find(name + start) : &steady_command;
    if (!command)
        return err_set(err, FAIL_USAGE, "--manual %.60s: no such command", name);
    manual_print(command, stdout);
    return OK;
}

static int run_steady(int argc, char **argv) {
    Err err = ERR_NONE;
    Options o = {.shell = -1};
    if (command_read(&steady_command, &o, argc, argv, NULL, &err) ||
        (o.page && print_page(o.page, &err)))
        return command_fail("", &err);
    if (!o.page && o.shell < 0) return print_help(stderr), FAIL_USAGE;
    if (o.shell >= 0) completion_print((Shell)o.shell, &steady_command, stdout);
    return OK;
}

const Command steady_command = {
    .name = "steady",
    .sentence = "train transformers on CPUs with sigma-reparametrisation, measure "
                "attention entropy",
    .run = run_steady,
    .options = OPTIONS,
    .more = list_commands,
};

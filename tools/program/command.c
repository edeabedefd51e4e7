#include "tools/program/command.h"

#include <stdio.h>
#include <string.h>

int command_fail(const char *command, const Err *err) {
    fprintf(stderr, "steady %s: %s\n", command, err->text);
    return (int)err->status;
}

bool is_help(const char *word) { return !strcmp(word, "-h") || !strcmp(word, "--help"); }

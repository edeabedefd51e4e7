#include "tools/commands.h"

#include <string.h>

#include "tools/program/nearest.h"

#define COMMAND_ROW(name) &name##_command,
const Command *const commands[] = {COMMAND_LIST(COMMAND_ROW) NULL};

const Command *command_find(const char *name) {
    for (const Command *const *c = commands; *c; c++)
        if (!strcmp(name, (*c)->name)) return *c;
    return NULL;
}

const char *command_nearest(const char *name) {
    const char *names[COUNT(commands)] = {0};
    for (size_t i = 0; commands[i]; i++) names[i] = commands[i]->name;
    return nearest_word(name, names);
}

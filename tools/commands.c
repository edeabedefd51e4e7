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

/* Of words that other programs have for them. */
static const struct {
    const char *word, *name;
} OTHERS[] = {{"test", "eval"},
              {"evaluate", "eval"},
              {"validate", "eval"},
              {"score", "eval"},
              {"infer", "predict"},
              {"inference", "predict"},
              {"generate", "predict"},
              {"sample", "predict"},
              {"fit", "train"},
              {"finetune", "train"},
              {"resume", "train --resume"},
              {"figure", "plot"},
              {"draw", "plot"},
              {"convert", "export"},
              {"save", "export"},
              {"benchmark", "bench"},
              {"list", "recipes"},
              {"models", "recipes"},
              {"check", "doctor"},
              {"info", "doctor"},
              {"grid", "sweep"},
              {"find", "search"},
              {"apropos", "search"},
              {"whatis", "search"},
              {"why", "report"},
              {"explain", "probe"},
              {"diagnose", "probe"},
              {"inspect", "probe"},
              {"analyze", "probe"},
              {"heads", "probe --heads"},
              {"status", "runs"},
              {"ls", "runs"},
              {"compare", "sweep"},
              {"augment", "plot --augment"},
              {"keys", "train --help-keys"},
              {"translate", "predict"},
              {"transcribe", "predict"},
              {"classify", "predict"}};

const char *command_nearest(const char *name) {
    const char *names[COUNT(commands)] = {0};
    for (size_t i = 0; i < COUNT(OTHERS); i++)
        if (nearest_same(name, OTHERS[i].word)) return OTHERS[i].name;
    for (size_t i = 0; commands[i]; i++) names[i] = commands[i]->name;
    return nearest_word(name, names);
}

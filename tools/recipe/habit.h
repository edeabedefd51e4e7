/* habit: command lines as users of other programs write them, brought into ours.
 *
 *     --lr 0.01   --batch-size=64   --optim.lr 0.01     section.key=value, and a note
 *     --nesterov  --no-shuffle                          of a key that is true or false
 *     train.epochs = 3                                  train.epochs=3
 *     --output DIR                                      --out DIR, and a note
 *
 * The options of a command's own table go before; behind -- nothing is changed.  Other
 * names of keys are in tools/recipe/key_alias.c. */
#ifndef STEADY_HABIT_H
#define STEADY_HABIT_H

#include "tools/program/command.h"

typedef struct HabitWords {
    int argc;
    char **argv; /* [argc + 1]; words of the command line itself, and of `made` */
    char **made; /* [made_count]; owned */
    size_t made_count;
} HabitWords;

/* argv[0] is the command's name.  Of commands that take no keys (OFFER_KEY) the words
 * stay as they are.  FAIL_USAGE: an option that names several keys, or is near to one.
 * `aloud`: notes are said. */
Status habit_words(const Command *command, int argc, char **argv, bool aloud,
                   HabitWords *words, Err *err);
void habit_free(HabitWords *words);

#endif

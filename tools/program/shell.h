/* shell: words of a command that a message shows, so that they can be pasted.
 *
 *     char word[SHELL_WORD];
 *     say("to resume: steady train --resume %s", shell_word("my runs/a", word));
 *                                                      'my runs/a' */
#ifndef STEADY_SHELL_H
#define STEADY_SHELL_H

enum { SHELL_WORD = 4200 };

/* The word as a shell has to be given it: as it is, or in quotes where it has blanks or
 * other characters that mean something to a shell.  What does not fit is cut. */
const char *shell_word(const char *word, char out[SHELL_WORD]);

#endif

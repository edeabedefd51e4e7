/* say: a line on stderr, or to whom this thread has named.
 *
 *     say("steady: note: %s is left out", path);
 *
 * What names and files put into it cannot break the line or reach the terminal: control
 * characters and bytes that are no UTF-8 are shown as \xNN. */
#ifndef STEADY_SAY_H
#define STEADY_SAY_H

#include <stdarg.h>

/* Gets what is said from now on in this thread, without the line's end; NULL: stderr
 * does.  Gives what was before. */
typedef struct Listener {
    void (*hear)(void *context, const char *line);
    void *context;
} Listener;
Listener say_to(Listener listener);

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_list(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* A field of a tab-separated row on stdout: tabs, line ends and other control characters
 * are written as \t, \n, \r and \xNN; all else as it is. */
void print_field(const char *text);

#endif

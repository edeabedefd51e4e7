/* terminal: shows a screen and reads keys; the thin part that knows of ncurses.
 *
 *     Terminal *terminal = terminal_open(ascii, &err);        NULL: err says why
 *     while ((key = terminal_key(terminal, 0.5)) != TERMINAL_END) {
 *         Screen screen = terminal_screen(terminal);
 *         ... terminal_show(terminal, &screen);
 *     }
 *     terminal_close(terminal);
 *
 * Whatever ends the process in between - SIGINT, SIGTERM, SIGHUP, SIGQUIT, a broken
 * CHECK, a wrong access - the terminal is as it was before.  NO_COLOR is kept. */
#ifndef STEADY_WATCH_TERMINAL_H
#define STEADY_WATCH_TERMINAL_H

#include "tools/watch/screen.h"

typedef struct Terminal Terminal;

enum { TERMINAL_NONE = 0, TERMINAL_END = -1, TERMINAL_RESIZED = -2 };

/* FAIL_RUN: the program was built without ncurses, or TERM names no terminal with a
 * cursor.  ascii: no other characters, whatever the locale has. */
Terminal *terminal_open(bool ascii, Err *err);
void terminal_close(Terminal *terminal);

/* Of the size that the terminal has now (screen_free). */
Screen terminal_screen(const Terminal *terminal);
void terminal_show(Terminal *terminal, const Screen *screen);

/* The next key within so many seconds: a character or a WATCH_ key (view.h);
 * TERMINAL_NONE, TERMINAL_RESIZED; TERMINAL_END: a signal came, or the terminal went. */
int terminal_key(Terminal *terminal, double seconds);

/* The signal that made it end; 0: none, or Ctrl-C. */
int terminal_signal(const Terminal *terminal);

#endif

#ifndef HAVE_NCURSES

#include "tools/watch/terminal.h"

Terminal *terminal_open(bool ascii, Err *err) {
    (void)ascii;
    err_set(err, FAIL_RUN,
            "this program was built without ncurses; install libncurses-dev (Debian), "
            "ncurses-devel (Fedora) or ncurses (Homebrew) and run ./configure again");
    return NULL;
}

void terminal_close(Terminal *terminal) { (void)terminal; }

Screen terminal_screen(const Terminal *terminal) {
    (void)terminal;
    return screen_new(24, 80, false);
}

void terminal_show(Terminal *terminal, const Screen *screen) {
    (void)terminal;
    (void)screen;
}

int terminal_key(Terminal *terminal, double seconds) {
    (void)terminal;
    (void)seconds;
    return TERMINAL_END;
}

int terminal_signal(const Terminal *terminal) {
    (void)terminal;
    return 0;
}

#endif

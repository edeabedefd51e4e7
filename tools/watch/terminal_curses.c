#ifdef HAVE_NCURSES

#define NCURSES_WIDECHAR 1 /* characters beyond 255 */

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "tools/watch/terminal.h"
#include "tools/watch/tones.h"
#include "tools/watch/view.h"

#include <curses.h>
#include <langinfo.h>

struct Terminal {
    SCREEN *screen;
    bool utf8, colour;
    int gone; /* its other end is closed */
};

/* ---- signals ---- */

/* Written before the handlers are set. */
static volatile sig_atomic_t asked;
static struct termios before;
static char restore[300]; /* cursor, colours and screen as they were */

static const int ASKS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int FATAL[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

static void ask(int number) { asked = number; }

/* Only what is safe in a handler (signal-safety(7)). */
static void fall(int number) {
    if (write(STDOUT_FILENO, restore, strlen(restore)) < 0) asked = number;
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    signal(number, SIG_DFL);
    raise(number);
}

static void handle(const int *signals, size_t count, void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    for (size_t i = 0; i < count; i++) sigaction(signals[i], &action, NULL);
}

static void handle_all(void (*on_ask)(int), void (*on_fall)(int)) {
    handle(ASKS, COUNT(ASKS), on_ask);
    handle(FATAL, COUNT(FATAL), on_fall);
}

/* What the terminal's description has for it. */
static void add_capability(const char *name) {
    char word[8];
    snprintf(word, sizeof word, "%s", name);
    const char *text = tigetstr(word);
    size_t used = strlen(restore);
    if (text && text != (char *)-1 && used + strlen(text) < sizeof restore)
        memcpy(restore + used, text, strlen(text) + 1);
}

/* ---- opening ---- */

static void open_colours(Terminal *t) {
    const char *plain = getenv("NO_COLOR");
    bool wanted = !(plain && *plain) && has_colors() && start_color() == OK;
    t->colour = wanted && COLORS >= 8 && COLOR_PAIRS > TONE_COUNT;
    if (!t->colour) return;
    use_default_colors();
    for (int i = 0; i < TONE_COUNT; i++) {
        const ToneColours *c = &tones[i];
        bool all = COLORS >= 256;
        init_pair((short)(i + 1), all ? c->ink : c->plain_ink,
                  all ? c->paper : c->plain_paper);
    }
}

Terminal *terminal_open(bool ascii, Err *err) {
    const char *term = getenv("TERM");
    setlocale(LC_CTYPE, "");
    asked = 0;
    *restore = 0;
    tcgetattr(STDIN_FILENO, &before);
    handle_all(ask, SIG_DFL);
    SCREEN *screen = term && *term ? newterm(NULL, stdout, stdin) : NULL;
    char cup[] = "cup";
    const char *cursor = screen ? tigetstr(cup) : NULL;
    if (!cursor || cursor == (char *)-1) {
        if (screen) endwin(), delscreen(screen);
        handle_all(SIG_DFL, SIG_DFL);
        err_set(err, FAIL_RUN, "TERM=%.60s is not a terminal with a cursor",
                term && *term ? term : "not set");
        return NULL;
    }
    Terminal *t = mem_zalloc(sizeof *t);
    t->screen = screen;
    t->utf8 = !ascii && !strcmp(nl_langinfo(CODESET), "UTF-8");
    add_capability("sgr0");
    add_capability("op");
    add_capability("cnorm");
    add_capability("rmkx");
    add_capability("rmcup");
    handle(FATAL, COUNT(FATAL), fall);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(50);
    curs_set(0);
    open_colours(t);
    return t;
}

void terminal_close(Terminal *t) {
    if (!t) return;
    endwin();
    handle_all(SIG_DFL, SIG_DFL);
    delscreen(t->screen);
    mem_free(t);
}

/* ---- showing ---- */

Screen terminal_screen(const Terminal *t) {
    int rows, columns;
    getmaxyx(stdscr, rows, columns);
    return screen_new((size_t)MAX(rows, 1), (size_t)MAX(columns, 1), t->utf8);
}

/* Without colours brightness says as much as it can. */
static attr_t attributes_of(const Terminal *t, const Cell *cell) {
    attr_t a = A_NORMAL;
    if (cell->bold) a |= A_BOLD;
    if (cell->reverse) a |= A_REVERSE;
    if (t->colour) return a;
    if (cell->tone == TONE_FALL) a |= A_REVERSE;
    if (cell->tone == TONE_ALARM) a |= A_BOLD;
    return a;
}

void terminal_show(Terminal *t, const Screen *screen) {
    for (size_t i = 0; i < screen->rows * screen->columns; i++) {
        const Cell *cell = &screen->cell[i];
        wchar_t text[2] = {(wchar_t)cell->code, 0};
        cchar_t shown;
        short pair = t->colour ? (short)(cell->tone + 1) : 0;
        setcchar(&shown, text, attributes_of(t, cell), pair, NULL);
        mvadd_wch((int)(i / screen->columns), (int)(i % screen->columns), &shown);
    }
    refresh();
}

/* ---- keys ---- */

static int key_of(int code) {
    switch (code) {
    case ERR: return TERMINAL_NONE;
    case KEY_RESIZE: return TERMINAL_RESIZED;
    case KEY_LEFT: return WATCH_LEFT;
    case KEY_RIGHT: return WATCH_RIGHT;
    case KEY_UP: return WATCH_UP;
    case KEY_DOWN: return WATCH_DOWN;
    case KEY_HOME: return WATCH_HOME;
    case KEY_END: return WATCH_END;
    case KEY_PPAGE: return WATCH_PAGE_UP;
    case KEY_NPAGE: return WATCH_PAGE_DOWN;
    default: return code;
    }
}

int terminal_key(Terminal *t, double seconds) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int code = asked ? ERR : getch(); /* what ncurses has read already */
    if (code == ERR && !asked) {
        int got = poll(&input, 1, (int)(1000 * MAX(seconds, 0)));
        t->gone = got > 0 && (input.revents & (POLLHUP | POLLERR | POLLNVAL));
        code = asked || t->gone ? ERR : getch();
    }
    return asked || t->gone ? TERMINAL_END : key_of(code);
}

int terminal_signal(const Terminal *t) {
    (void)t;
    return asked == SIGINT ? 0 : asked;
}

#endif

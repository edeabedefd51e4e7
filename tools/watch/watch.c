#include "tools/watch/watch.h"

#include <math.h>
#include <time.h>

#include "tools/watch/terminal.h"
#include "tools/watch/view.h"

enum { ONCE_ROWS = 60, ONCE_COLUMNS = 80 };

#define FRAME 0.1 /* seconds between two pictures while playing */

static double wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- once ---- */

static void print_run(Watched *run, Screen *screen, FILE *out) {
    View view = view_default();
    PanelScale scale = {NAN, NAN};
    size_t last = 0;
    screen_clear(screen);
    panel_draw(&view, run, TONE_PLAIN, &scale, wall_clock(), screen,
               (Area){0, 0, screen->rows, screen->columns});
    for (size_t r = 0; r < screen->rows; r++) {
        char *text = screen_row(screen, r);
        if (*text) last = r + 1;
        mem_free(text);
    }
    for (size_t r = 0; r < last; r++) {
        char *text = screen_row(screen, r);
        fprintf(out, "%s\n", text);
        mem_free(text);
    }
}

void watch_once(WatchList *list, bool utf8, FILE *out) {
    Screen screen = screen_new(ONCE_ROWS, ONCE_COLUMNS, utf8);
    watchlist_poll(list);
    for (size_t i = 0; i < list->count; i++) { /* events in the middle of long logs */
        const RowFile *log = &list->runs[i]->train;
        while (log->there && log->fill_at < log->fill_end) watched_poll(list->runs[i]);
    }
    if (!list->count) fprintf(out, "no run has begun yet\n");
    for (size_t i = 0; i < list->count; i++) {
        if (i) fputc('\n', out);
        print_run(list->runs[i], &screen, out);
    }
    if (list->left_out)
        fprintf(out,
                "\n"
                "%zu more runs not shown\n",
                list->left_out);
    screen_free(&screen);
}

/* ---- in the terminal ---- */

static void show(const View *view, const WatchList *list, Terminal *terminal) {
    Screen screen = terminal_screen(terminal);
    view_draw(view, list, wall_clock(), &screen);
    terminal_show(terminal, &screen);
    screen_free(&screen);
}

/* Until a key or a signal ends it.  Nothing happens between two looks unless it plays. */
static void loop(WatchList *list, View *view, double interval, Terminal *terminal) {
    double looked = clock_now(), shown = looked;
    show(view, list, terminal);
    for (int key;
         (key = terminal_key(terminal, view->playing
                                           ? FRAME
                                           : fmax(looked + interval - clock_now(), 0))) !=
         TERMINAL_END;) {
        double now = clock_now();
        bool due = key == TERMINAL_RESIZED;
        if (key > 0 && !view_key(view, list, key)) return;
        due |= key > 0 || view_tick(view, list, now - shown);
        if (now - looked >= interval) {
            looked = now;
            due |= watchlist_poll(list) || now - shown > 5; /* ages grow */
        }
        if (!due) continue;
        shown = now;
        show(view, list, terminal);
    }
}

Status watch_follow(WatchList *list, const WatchOptions *options, int *code, Err *err) {
    View view = view_default();
    watchlist_poll(list);
    Terminal *terminal = terminal_open(options->ascii, err);
    if (!terminal) return err->status;
    if (options->play) view_key(&view, list, 'p');
    loop(list, &view, options->interval, terminal);
    int number = terminal_signal(terminal);
    *code = number ? 128 + number : 0;
    terminal_close(terminal);
    return OK;
}

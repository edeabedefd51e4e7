#include "tools/program/progress.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/program/say.h"

enum { BAR = 24 };

void duration_text(double seconds, char *text, size_t size) {
    enum { MOST = 2000000000 }; /* 60 years, for numbers that a file made up */
    unsigned long all = seconds > 0 ? (unsigned long)(fmin(seconds, MOST) + 0.5) : 0;
    if (all < 60) text_format(text, size, "%lu s", all);
    else if (all < 3600) text_format(text, size, "%lu:%02lu", all / 60, all % 60);
    else text_format(text, size, "%lu:%02lu:%02lu", all / 3600, all / 60 % 60, all % 60);
}

void progress_start(Progress *p, size_t first, size_t last, bool silent) {
    const char *term = getenv("TERM"), *plain = getenv("NO_COLOR");
    *p = (Progress){
        .first = first, .last = last, .started = clock_now(), .silent = silent};
    p->terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
    p->colour = p->terminal && !(plain && *plain);
    p->shown_step = first;
}

size_t progress_beat(size_t steps) {
    enum { LINES = 20, MOST = 1000 };
    static const size_t ROUND[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, MOST};
    size_t i = COUNT(ROUND) - 1;
    while (i && ROUND[i] * LINES > steps) i--;
    return ROUND[i];
}

/* A terminal is refreshed ten times a second. */
static bool due(const Progress *p, size_t step, double now) {
    if (step == p->last) return true;
    if (p->terminal) return now - p->shown > 0.1;
    return p->shown_step == p->first || step % progress_beat(p->last) == 0;
}

static void bar_text(const Progress *p, size_t step, size_t cells, char *text) {
    size_t full =
        p->last > p->first ? cells * (step - p->first) / (p->last - p->first) : cells;
    *text = 0;
    for (size_t i = 0; i < cells; i++) strcat(text, i < full ? "█" : "░");
}

static size_t terminal_columns(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col;
}

/* Of this process, as the system counts it; "": not known. */
static void memory_text(char *text, size_t size) {
    unsigned long pages;
    FILE *file = fopen("/proc/self/statm", "r");
    *text = 0;
    if (file && fscanf(file, "%*s %lu", &pages) == 1)
        text_format(text, size, "memory %.2f GB",
                    (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e9);
    if (file) fclose(file);
}

/* "1:05 left", "over 1:05 left" */
static void left_text(const ProgressNow *now, char *text, size_t size) {
    char time[32];
    duration_text(now->left, time, sizeof time);
    text_format(text, size, "%s%s left", now->more ? "over " : "", time);
}

/* "1936 examples/s", "0.42 examples/s" */
static void rate_text(const ProgressNow *now, char *text, size_t size) {
    text_format(text, size, now->rate >= 100 ? "%.0f %s/s" : "%.3g %s/s",
                fmin(now->rate, 1e15), now->unit);
}

/* One line, which must not wrap: \r only goes back to the start of its last row.  Where
 * the terminal is narrow place and memory are left out, then the bar is shortened. */
static void show_bar(Progress *p, const ProgressNow *now, const char *left,
                     const char *place) {
    char words[200], bar[4 * BAR], rate[60];
    rate_text(now, rate, sizeof rate);
    int length = snprintf(words, sizeof words, "%zu/%zu  loss %.4f  %s  %s  entropy ",
                          now->step, p->last, now->loss, rate, left);
    size_t taken = (size_t)MAX(length, 0) + sizeof "100%", columns = terminal_columns();
    size_t room = columns > taken ? columns - taken : 0;
    size_t cells = MIN(room, (size_t)BAR + 1);
    bar_text(p, now->step, cells ? cells - 1 : 0, bar);
    if (strlen(place) > room - cells) place = "";
    const char *on = now->entropy < 0.1 ? "\033[31m" : "\033[32m", *off = "\033[0m";
    if (!p->colour) on = off = "";
    fprintf(stderr, "\r\033[K%s%s%s%s%.0f%%%s%s", bar, *bar ? " " : "", words, on,
            100 * now->entropy, off, place);
    fflush(stderr);
    p->open_line = true;
}

void progress_show(Progress *p, const ProgressNow *now) {
    double clock = clock_now();
    if (p->silent || !due(p, now->step, clock)) return;
    char left[40], site[120] = "", place[160], memory[32];
    memory_text(memory, sizeof memory);
    left_text(now, left, sizeof left);
    if (*now->site) text_format(site, sizeof site, " (%s)", now->site);
    text_format(place, sizeof place, "%s%s%s", site, *memory ? "  " : "", memory);
    if (p->terminal) {
        show_bar(p, now, left, place);
    } else {
        char rate[60];
        rate_text(now, rate, sizeof rate);
        fprintf(stderr,
                "step %zu/%zu  epoch %.2f  loss %.4f  %s  %s  lowest site entropy "
                "%.0f%%%s\n",
                now->step, p->last, now->epoch, now->loss, rate, left, 100 * now->entropy,
                place);
    }
    p->shown = clock;
    p->shown_step = now->step;
}

void progress_say(Progress *p, const char *format, ...) {
    if (p->silent) return;
    if (p->open_line) fprintf(stderr, "\r\033[K");
    p->open_line = false;
    va_list args;
    va_start(args, format);
    say_list(format, args);
    va_end(args);
}

void progress_end(Progress *p) {
    if (p->open_line) fputc('\n', stderr);
    p->open_line = false;
}

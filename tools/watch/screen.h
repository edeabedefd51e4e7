/* screen: text and colours as a grid of character cells, of which a terminal is one form
 * and a test another.
 *
 *     Screen screen = screen_new(24, 80, true);
 *     screen_print(&screen, (Area){0, 0, 1, 80}, 0, 0, TONE_PLAIN, "loss %.3f", loss);
 *     screen_spark(&screen, area, columns, low, high, TONE_RUN);
 *     screen_free(&screen);
 *
 * What does not fit is cut off.  A cell is one column wide: characters that a terminal
 * may show in two, or that are no text, are '?'; without UTF-8 so is all but ASCII. */
#ifndef STEADY_WATCH_SCREEN_H
#define STEADY_WATCH_SCREEN_H

#include "tools/watch/history.h"

enum { HEAT_LEVELS = 10, TONE_RUNS = 6 };

/* What a colour means; which it is tones.h says. */
typedef enum {
    TONE_PLAIN,
    TONE_SOFT,  /* labels, axes */
    TONE_ALARM, /* collapse, a loss that is not finite */
    TONE_GOOD,
    TONE_BAR,                         /* of progress */
    TONE_FALL,                        /* a cell of the map under 10 %: collapsed */
    TONE_RUN,                         /* TONE_RUN + i % TONE_RUNS: of the i-th run */
    TONE_HEAT = TONE_RUN + TONE_RUNS, /* + 0 ... HEAT_LEVELS - 1: low to high */
    TONE_COUNT = TONE_HEAT + HEAT_LEVELS
} Tone;

typedef struct Cell {
    uint32_t code; /* Unicode */
    unsigned char tone;
    bool bold, reverse;
} Cell;

typedef struct Screen {
    size_t rows, columns;
    bool utf8;
    Cell *cell; /* [rows, columns] */
} Screen;

/* A part of it. */
typedef struct Area {
    size_t row, column, rows, columns;
} Area;

Screen screen_new(size_t rows, size_t columns, bool utf8);
void screen_free(Screen *screen);
void screen_clear(Screen *screen);

/* Returns the column behind what was written, within the area. */
size_t screen_print(Screen *screen, Area area, size_t row, size_t column, Tone tone,
                    const char *format, ...) __attribute__((format(printf, 6, 7)));
void screen_cell(Screen *screen, Area area, size_t row, size_t column, Cell cell);
/* The cells of a row of the area, bold or reversed. */
void screen_mark(Screen *screen, Area area, size_t row, bool bold, bool reverse);

/* Columns as bars of eighths over the rows of the area, which has a column for each; what
 * is above `high` is a full bar.  A loss that is not finite is a ! in TONE_ALARM. */
void screen_spark(Screen *screen, Area area, const Column *columns, double low,
                  double high, Tone tone);
/* A bar that is full to a share. */
void screen_bar(Screen *screen, Area area, double share, Tone tone);

/* A row as UTF-8 without the spaces at its end, for tests and plain output (mem_free). */
char *screen_row(const Screen *screen, size_t row);

/* Code points of a text as they are shown: columns that it takes. */
size_t screen_width(const char *text);

#endif

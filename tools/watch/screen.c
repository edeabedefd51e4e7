#include "tools/watch/screen.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/file/utf8.h"

enum { EIGHTHS = 8, LINE = 1000 };

/* Low to high; a space, then eight heights. */
static const uint32_t BARS[] = {' ',    0x2581, 0x2582, 0x2583, 0x2584,
                                0x2585, 0x2586, 0x2587, 0x2588};
static const char ASCII_BARS[] = " .,-~=+*#";

Screen screen_new(size_t rows, size_t columns, bool utf8) {
    Screen s = {.rows = rows, .columns = columns, .utf8 = utf8};
    s.cell = mem_array(MAX(rows, (size_t)1), MAX(columns, (size_t)1) * sizeof(Cell));
    screen_clear(&s);
    return s;
}

void screen_free(Screen *screen) { MEM_DROP(screen->cell); }

void screen_clear(Screen *s) {
    for (size_t i = 0; i < s->rows * s->columns; i++) s->cell[i] = (Cell){.code = ' '};
}

/* ---- characters ---- */

/* Ranges of letters and signs that every terminal shows in one column. */
static bool is_narrow(uint32_t code) {
    static const struct {
        uint32_t from, to;
    } ranges[] = {{0x20, 0x7E},     {0xA1, 0xAC},     {0xAE, 0x2FF},    {0x370, 0x482},
                  {0x48A, 0x52F},   {0x1E00, 0x1FFF}, {0x2010, 0x2027}, {0x2030, 0x205E},
                  {0x2070, 0x209C}, {0x2190, 0x21FF}, {0x2200, 0x22FF}, {0x2500, 0x25FC}};
    for (size_t i = 0; i < COUNT(ranges); i++)
        if (code >= ranges[i].from && code <= ranges[i].to) return true;
    return false;
}

/* Letters and signs of our own words, where there is ASCII alone. */
static uint32_t ascii_of(uint32_t code) {
    static const struct {
        uint32_t code;
        char ascii;
    } signs[] = {{0x3C3, 's'},  {0x3B3, 'g'},  {0xD7, 'x'},   {0xB7, '.'},
                 {0x2502, '|'}, {0x2500, '-'}, {0x2588, '#'}, {0x2591, '.'}};
    for (size_t i = 0; i < COUNT(signs); i++)
        if (signs[i].code == code) return (unsigned char)signs[i].ascii;
    return '?';
}

static uint32_t shown(const Screen *s, uint32_t code) {
    if (!is_narrow(code)) return '?';
    return s->utf8 || code < 0x7F ? code : ascii_of(code);
}

size_t screen_width(const char *text) {
    size_t columns = 0, length = strlen(text);
    for (size_t at = 0, used; at < length; at += MAX(used, (size_t)1), columns++) {
        uint32_t code;
        used = utf8_next(text + at, length - at, &code);
    }
    return columns;
}

/* ---- cells ---- */

void screen_cell(Screen *s, Area area, size_t row, size_t column, Cell cell) {
    size_t y = area.row + row, x = area.column + column;
    if (row >= area.rows || column >= area.columns || y >= s->rows || x >= s->columns)
        return;
    cell.code = shown(s, cell.code);
    s->cell[y * s->columns + x] = cell;
}

size_t screen_print(Screen *s, Area area, size_t row, size_t column, Tone tone,
                    const char *format, ...) {
    char text[LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t length = strlen(text);
    for (size_t at = 0, used; at < length && column < area.columns; column++) {
        uint32_t code = '?';
        used = utf8_next(text + at, length - at, &code);
        screen_cell(s, area, row, column,
                    (Cell){.code = code, .tone = (unsigned char)tone});
        at += MAX(used, (size_t)1);
    }
    return column;
}

void screen_mark(Screen *s, Area area, size_t row, bool bold, bool reverse) {
    for (size_t c = 0; c < area.columns && area.column + c < s->columns; c++) {
        if (row >= area.rows || area.row + row >= s->rows) return;
        Cell *cell = &s->cell[(area.row + row) * s->columns + area.column + c];
        cell->bold = bold;
        cell->reverse = reverse;
    }
}

/* ---- bars ---- */

static uint32_t bar_code(const Screen *s, size_t eighths) {
    return s->utf8 ? BARS[eighths] : (unsigned char)ASCII_BARS[eighths];
}

/* From 1 on, so that what is lowest is seen. */
static size_t eighths_of(double value, double low, double high, size_t most) {
    double share = high > low ? (value - low) / (high - low) : 0.5;
    share = fmin(fmax(share, 0), 1);
    return 1 + (size_t)(share * (double)(most - 1) + 0.5);
}

void screen_spark(Screen *s, Area area, const Column *columns, double low, double high,
                  Tone tone) {
    size_t most = EIGHTHS * area.rows;
    for (size_t c = 0; c < area.columns; c++) {
        const Column *now = &columns[c];
        size_t full = isfinite(now->value) ? eighths_of(now->value, low, high, most) : 0;
        for (size_t r = 0; r < area.rows; r++) {
            size_t below = EIGHTHS * (area.rows - 1 - r);
            size_t part = full > below ? MIN(full - below, (size_t)EIGHTHS) : 0;
            screen_cell(s, area, r, c,
                        (Cell){.code = bar_code(s, part), .tone = (unsigned char)tone});
        }
        if (now->nonfinite)
            screen_cell(s, area, area.rows - 1, c,
                        (Cell){.code = '!', .tone = TONE_ALARM, .bold = true});
    }
}

void screen_bar(Screen *s, Area area, double share, Tone tone) {
    double full = fmin(fmax(share, 0), 1) * (double)area.columns;
    for (size_t c = 0; c < area.columns; c++) {
        bool on = (double)c + 0.5 < full;
        screen_cell(s, area, 0, c,
                    (Cell){.code = on ? 0x2588 : 0x2591,
                           .tone = (unsigned char)(on ? tone : TONE_SOFT)});
    }
}

char *screen_row(const Screen *s, size_t row) {
    char *text = mem_zalloc(UTF8_BYTES * s->columns + 1);
    size_t length = 0, kept = 0;
    for (size_t c = 0; c < s->columns; c++) {
        const Cell *cell = &s->cell[row * s->columns + c];
        length += utf8_put(cell->code, text + length);
        if (cell->code != ' ') kept = length;
    }
    text[kept] = 0;
    return text;
}

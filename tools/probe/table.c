#include "tools/probe/table.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "engine/core/grow.h"

enum { GAP = 2, COLUMNS_MOST = 32 };

static void add_cell(Table *t, const char *text, size_t length) {
    if (!t->open) {
        GROW(t->start, t->rows, t->row_room, 1);
        t->start[t->rows++] = t->cells;
        t->open = true;
    }
    GROW(t->cell, t->cells, t->room, 1);
    char *copy = mem_alloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = 0;
    t->cell[t->cells++] = copy;
}

void table_heading(Table *t, const char *cells) {
    for (const char *at = cells;; at++) {
        size_t length = strcspn(at, "|");
        add_cell(t, at, length);
        at += length;
        if (!*at) break;
    }
    table_end_row(t);
    t->headings++;
}

void table_add(Table *t, const char *format, ...) {
    char text[200];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    add_cell(t, text, strlen(text));
}

void table_number(char text[32], int digits, double x) {
    double size = fabs(x);
    if (!isfinite(x) || x == 0) text_format(text, 32, x == 0 ? "0" : "-");
    else if (size >= 1e6 || (size > 0 && size < 1e-4))
        text_format(text, 32, "%.*e", MAX(digits - 2, 0), x);
    else {
        int before = size >= 1 ? (int)floor(log10(size)) + 1 : 0;
        int zeros = size < 1 ? (int)ceil(-log10(size) - 1e-9) - 1 : 0;
        text_format(text, 32, "%.*f", MAX(digits - before, 0) + zeros, x);
    }
}

void table_add_number(Table *t, int digits, double x) {
    char text[32];
    table_number(text, digits, x);
    add_cell(t, text, strlen(text));
}

void table_end_row(Table *t) { t->open = false; }

static size_t row_end(const Table *t, size_t row) {
    return row + 1 < t->rows ? t->start[row + 1] : t->cells;
}

/* Characters, which in UTF-8 are the bytes that do not continue one. */
static size_t width_of(const char *text) {
    size_t width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

/* Of each column; 0: it is left out. */
static size_t measure(const Table *t, size_t width[COLUMNS_MOST]) {
    bool used[COLUMNS_MOST] = {false};
    size_t columns = 0;
    memset(width, 0, COLUMNS_MOST * sizeof *width);
    for (size_t row = 0; row < t->rows; row++) {
        size_t count = row_end(t, row) - t->start[row];
        CHECK(count <= COLUMNS_MOST, "a row of %zu cells", count);
        columns = MAX(columns, count);
        for (size_t c = 0; c < count; c++) {
            const char *cell = t->cell[t->start[row] + c];
            used[c] |= row >= t->headings && *cell && strcmp(cell, "-") != 0;
            width[c] = MAX(width[c], width_of(cell));
        }
    }
    for (size_t c = 0; c < columns; c++)
        if (!used[c]) width[c] = 0;
    return columns;
}

static void print_row(const Table *t, size_t row, const size_t *width, FILE *out) {
    size_t count = row_end(t, row) - t->start[row], pending = 0;
    for (size_t c = 0; c < count; c++) {
        const char *cell = t->cell[t->start[row] + c];
        if (!width[c]) continue;
        size_t blanks = width[c] - width_of(cell);
        if (c) pending += GAP + blanks;
        if (*cell) fprintf(out, "%*s%s", (int)pending, "", cell);
        else pending += width_of(cell);
        if (*cell) pending = c ? 0 : blanks;
        else if (!c) pending += blanks;
    }
    fputc('\n', out);
}

void table_print(const Table *t, FILE *out) {
    size_t width[COLUMNS_MOST];
    measure(t, width);
    for (size_t row = 0; row < t->rows; row++) print_row(t, row, width, out);
}

void table_free(Table *t) {
    for (size_t i = 0; i < t->cells; i++) mem_free(t->cell[i]);
    mem_free(t->cell);
    mem_free(t->start);
    *t = (Table){0};
}

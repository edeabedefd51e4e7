#include "tools/sweep/sheet.h"

#include <string.h>

Sheet sheet_new(size_t rows, size_t columns) {
    return (Sheet){rows, columns, mem_zalloc(rows * columns * sizeof(char *)),
                   mem_zalloc(columns * sizeof(bool)), 0};
}

void sheet_put(Sheet *sheet, size_t row, size_t column, const char *text) {
    sheet->text[row * sheet->columns + column] = mem_strdup(text);
}

void sheet_add(Sheet *sheet, const char *text) {
    sheet_put(sheet, sheet->next / sheet->columns, sheet->next % sheet->columns, text);
    sheet->next++;
}

static const char *shown(const char *text) { return *text ? text : "-"; }

/* Width on a terminal: bytes that do not continue a UTF-8 character. */
static size_t width_of(const char *text) {
    size_t width = 0;
    for (; *text; text++) width += (*text & 0xC0) != 0x80;
    return width;
}

static size_t column_width(const Sheet *sheet, size_t column) {
    size_t width = 0;
    for (size_t r = 0; r < sheet->rows; r++)
        width = MAX(width, width_of(shown(sheet->text[r * sheet->columns + column])));
    return width;
}

static void print_text(const char *text, size_t width, bool left, bool last, FILE *out) {
    int space = (int)(width - width_of(text));
    if (left) fprintf(out, "%s%*s", text, last ? 0 : space, "");
    else fprintf(out, "%*s%s", space, "", text);
    fputs(last ? "\n" : "  ", out);
}

void sheet_print(const Sheet *sheet, FILE *out) {
    size_t columns = sheet->columns, *width = mem_alloc(columns * sizeof *width);
    for (size_t c = 0; c < columns; c++) width[c] = column_width(sheet, c);
    for (size_t i = 0; i < sheet->rows * columns; i++)
        print_text(shown(sheet->text[i]), width[i % columns], sheet->left[i % columns],
                   i % columns + 1 == columns, out);
    mem_free(width);
}

/* RFC 4180: quoted where a comma, a quote or a line end asks for it. */
static void csv_field(const char *text, char end, FILE *out) {
    if (!strpbrk(text, ",\"\r\n")) {
        fprintf(out, "%s%c", text, end);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    fprintf(out, "\"%c", end);
}

void sheet_print_csv(const Sheet *sheet, FILE *out) {
    for (size_t i = 0; i < sheet->rows * sheet->columns; i++)
        csv_field(sheet->text[i], (i + 1) % sheet->columns ? ',' : '\n', out);
}

void sheet_free(Sheet *sheet) {
    for (size_t i = 0; i < sheet->rows * sheet->columns; i++) mem_free(sheet->text[i]);
    mem_free(sheet->text);
    mem_free(sheet->left);
}

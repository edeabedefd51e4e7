#include "tools/sweep/sheet.h"

Sheet sheet_new(size_t rows, size_t columns) {
    return (Sheet){rows, columns, mem_zalloc(rows * columns * sizeof(char *)),
                   mem_zalloc(columns * sizeof(bool))};
}

void sheet_put(Sheet *sheet, size_t row, size_t column, const char *text) {
    sheet->text[row * sheet->columns + column] = mem_strdup(*text ? text : "-");
}

/* Width on a terminal: bytes that do not continue a UTF-8 character. */
static size_t width_of(const char *text) {
    size_t width = 0;
    for (; *text; text++) width += (*text & 0xC0) != 0x80;
    return width;
}

static size_t column_width(const Sheet *sheet, size_t column) {
    size_t width = 0;
    for (size_t r = 0; r < sheet->rows; r++)
        width = MAX(width, width_of(sheet->text[r * sheet->columns + column]));
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
        print_text(sheet->text[i], width[i % columns], sheet->left[i % columns],
                   i % columns + 1 == columns, out);
    mem_free(width);
}

void sheet_free(Sheet *sheet) {
    for (size_t i = 0; i < sheet->rows * sheet->columns; i++) mem_free(sheet->text[i]);
    mem_free(sheet->text);
    mem_free(sheet->left);
}

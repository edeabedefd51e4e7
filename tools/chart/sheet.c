#include "tools/chart/sheet.h"

#include "tools/chart/parts.h"

#define EDGE 10.0
#define SIDE 48.0 /* of a picture's place */
#define GAP 4.0
#define LINE 13.0
#define FONT 8.0
#define NAMES_MOST 90.0 /* width of the names of rows */

typedef struct Places {
    const Sheet *sheet;
    double left, top, width, height; /* left, top: of the first picture */
} Places;

static bool has(const char *text) { return text && *text; }

/* Widths of the names of rows, and of the lines above all. */
static void measure(const Sheet *sheet, double *names, double *lines) {
    cairo_surface_t *scratch = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cr = cairo_create(scratch);
    *names = *lines = 0;
    set_font(cr, FONT, false);
    for (size_t r = 0; sheet->row_names && r < sheet->rows; r++)
        *names = MAX(*names, text_width(cr, sheet->row_names[r]));
    *names = MIN(*names, NAMES_MOST);
    if (has(sheet->detail)) *lines = text_width(cr, sheet->detail);
    set_font(cr, FONT + 1, true);
    if (has(sheet->title)) *lines = MAX(*lines, text_width(cr, sheet->title));
    cairo_destroy(cr);
    cairo_surface_destroy(scratch);
}

static Places places_of(const Sheet *sheet) {
    double names, wide;
    measure(sheet, &names, &wide);
    size_t lines = has(sheet->title) + has(sheet->detail) + (sheet->column_names != NULL);
    Places p = {.sheet = sheet,
                .left = EDGE + (names > 0 ? names + 2 * GAP : 0),
                .top = EDGE + LINE * (double)lines};
    p.width = p.left + MAX((SIDE + GAP) * (double)sheet->columns - GAP, wide) + EDGE;
    p.height = p.top + (SIDE + GAP) * (double)sheet->rows - GAP + EDGE;
    return p;
}

/* A surface with the picture's pixels. */
static cairo_surface_t *surface_of(const Image *image) {
    int width = (int)image->width, height = (int)image->height;
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    if (cairo_surface_status(surface)) return surface;
    unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    const uint8_t *pixel = image->pixels;
    for (size_t y = 0; y < image->height; y++) {
        uint32_t *row = (uint32_t *)(void *)(data + y * stride);
        for (size_t x = 0; x < image->width; x++, pixel += image->channels) {
            bool grey = image->channels < 3;
            uint32_t r = pixel[0], g = pixel[grey ? 0 : 1], b = pixel[grey ? 0 : 2];
            row[x] = r << 16 | g << 8 | b;
        }
    }
    cairo_surface_mark_dirty(surface);
    return surface;
}

static void draw_picture(cairo_t *cr, const Image *image, double x, double y) {
    if (!image->pixels) return;
    double wide = (double)image->width, high = (double)image->height;
    double scale = SIDE / MAX(wide, high);
    cairo_surface_t *surface = surface_of(image);
    cairo_save(cr);
    cairo_translate(cr, x + (SIDE - scale * wide) / 2, y + (SIDE - scale * high) / 2);
    cairo_scale(cr, scale, scale);
    cairo_set_source_surface(cr, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr),
                             scale > 0.5 ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
    cairo_rectangle(cr, 0, 0, wide, high);
    cairo_fill(cr);
    cairo_restore(cr);
    cairo_surface_destroy(surface);
}

static void draw_texts(cairo_t *cr, const Places *p) {
    const Sheet *sheet = p->sheet;
    double y = EDGE - 4 + LINE;
    set_colour(cr, theme_ink(sheet->theme), 1);
    set_font(cr, FONT + 1, true);
    if (has(sheet->title)) {
        draw_text(cr, p->left, y, 0, sheet->title);
        y += LINE;
    }
    set_colour(cr, theme_soft(sheet->theme), 1);
    set_font(cr, FONT, false);
    if (has(sheet->detail)) draw_text(cr, p->left, y, 0, sheet->detail);
    for (size_t c = 0; sheet->column_names && c < sheet->columns; c++)
        draw_text(cr, p->left + (SIDE + GAP) * (double)c + SIDE / 2, p->top - 4, 0.5,
                  sheet->column_names[c]);
    for (size_t r = 0; sheet->row_names && r < sheet->rows; r++) {
        double middle = p->top + (SIDE + GAP) * (double)r + SIDE / 2;
        cairo_save(cr); /* a long name ends where the pictures begin */
        cairo_rectangle(cr, EDGE, middle - LINE, p->left - EDGE - GAP, 2 * LINE);
        cairo_clip(cr);
        draw_text(cr, EDGE, middle + FONT / 3, 0, sheet->row_names[r]);
        cairo_restore(cr);
    }
}

static void paint(cairo_t *cr, const void *what) {
    const Places *p = what;
    const Sheet *sheet = p->sheet;
    set_colour(cr, theme_paper(sheet->theme), 1);
    cairo_paint(cr);
    draw_texts(cr, p);
    for (size_t r = 0; r < sheet->rows; r++)
        for (size_t c = 0; c < sheet->columns; c++)
            draw_picture(cr, &sheet->image[r * sheet->columns + c],
                         p->left + (SIDE + GAP) * (double)c,
                         p->top + (SIDE + GAP) * (double)r);
}

Status sheet_write(const Sheet *sheet, const char *path, Err *err) {
    Places places = places_of(sheet);
    Paper paper = {places.width, places.height, paint, &places};
    size_t size = 0;
    char *data = paper_render(&paper, paper_ending(path), &size, err);
    return paper_save(data, size, path, NULL, err);
}

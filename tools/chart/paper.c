/* paper: what is painted once goes to a PNG, SVG or PDF file (tools/chart/parts.h). */
#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "data/file/openfile.h"
#include "engine/core/grow.h"
#include "tools/chart/parts.h"

#define PNG_SCALE 2.0

/* Collects what a surface writes. */
typedef struct Bytes {
    char *data;
    size_t used, space;
} Bytes;

static cairo_status_t bytes_add(void *closure, const unsigned char *data,
                                unsigned length) {
    Bytes *bytes = closure;
    GROW(bytes->data, bytes->used, bytes->space, (size_t)length + 1);
    memcpy(bytes->data + bytes->used, data, length);
    bytes->used += length;
    bytes->data[bytes->used] = '\0';
    return CAIRO_STATUS_SUCCESS;
}

typedef enum { FORM_PNG, FORM_SVG, FORM_PDF } Form;

static cairo_surface_t *surface_new(Form form, Bytes *bytes, double width,
                                    double height) {
    if (form == FORM_SVG)
        return cairo_svg_surface_create_for_stream(bytes_add, bytes, width, height);
    if (form == FORM_PDF)
        return cairo_pdf_surface_create_for_stream(bytes_add, bytes, width, height);
    return cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(width * PNG_SCALE),
                                      (int)ceil(height * PNG_SCALE));
}

static Status render(const Paper *paper, Form form, Bytes *bytes, Err *err) {
    cairo_surface_t *surface = surface_new(form, bytes, paper->width, paper->height);
    cairo_t *cr = cairo_create(surface);
    if (form == FORM_PNG) cairo_scale(cr, PNG_SCALE, PNG_SCALE);
    paper->paint(cr, paper->what);
    cairo_status_t status = cairo_status(cr);
    cairo_destroy(cr);
    if (!status && form == FORM_PNG)
        status = cairo_surface_write_to_png_stream(surface, bytes_add, bytes);
    cairo_surface_finish(surface);
    if (!status) status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (!status) return OK;
    mem_free(bytes->data);
    *bytes = (Bytes){0};
    return err_set(err, FAIL_RUN, "the figure could not be drawn: %s",
                   cairo_status_to_string(status));
}

static Status form_of(const char *ending, Form *form, Err *err) {
    static const char *const endings[] = {
        [FORM_PNG] = ".png", [FORM_SVG] = ".svg", [FORM_PDF] = ".pdf"};
    size_t i = 0;
    while (i < COUNT(endings) && strcasecmp(ending, endings[i])) i++;
    *form = (Form)i;
    if (i < COUNT(endings)) return OK;
    return err_set(err, FAIL_USAGE, "a figure needs the suffix .png, .svg or .pdf");
}

const char *paper_ending(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot ? dot : "";
}

Status chart_check_name(const char *path, Err *err) {
    Form form;
    if (!form_of(paper_ending(path), &form, err)) return OK;
    return err_wrap(err, "%.390s", path);
}

char *paper_render(const Paper *paper, const char *ending, size_t *size, Err *err) {
    Form form;
    if (form_of(ending, &form, err)) return NULL;
    Bytes bytes = {0};
    if (render(paper, form, &bytes, err)) return NULL;
    *size = bytes.used;
    return bytes.data;
}

Status paper_save(char *data, size_t size, const char *path, const char *root, Err *err) {
    if (!data) return err_wrap(err, "%.390s", path);
    Status status = openfile_save(path, root, data, size, err);
    mem_free(data);
    return status;
}

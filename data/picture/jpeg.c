#ifdef HAVE_JPEG

#include <setjmp.h>
#include <string.h>

#include "data/picture/exif.h"
#include "data/picture/formats.h"

#include <jerror.h>
#include <jpeglib.h>

typedef struct JpegJob {
    struct jpeg_error_mgr errors; /* first: libjpeg hands back a pointer to it */
    struct jpeg_decompress_struct jpeg;
    uint8_t *inks; /* CMYK: one row */
    char reason[JMSG_LENGTH_MAX];
    jmp_buf escape;
} JpegJob;

static _Noreturn void on_error(j_common_ptr jpeg) {
    JpegJob *job = (JpegJob *)jpeg->err;
    jpeg->err->format_message(jpeg, job->reason);
    longjmp(job->escape, 1);
}

/* Level -1 is a warning.  Stray bytes between markers and odd application markers do
 * not touch pixels; what does (a file that ends early above all) is an error. */
static void on_message(j_common_ptr jpeg, int level) {
    if (level >= 0) return;
    int code = jpeg->err->msg_code;
    if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM ||
        code == JWRN_JFIF_MAJOR)
        return;
    on_error(jpeg);
}

static void fail(JpegJob *job, const char *reason) {
    snprintf(job->reason, sizeof job->reason, "%s", reason);
    longjmp(job->escape, 1);
}

/* The first APP1 marker that holds Exif data. */
static unsigned find_orientation(const struct jpeg_decompress_struct *jpeg) {
    static const uint8_t exif[6] = "Exif\0";
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next)
        if (m->data_length > sizeof exif && !memcmp(m->data, exif, sizeof exif))
            return exif_orientation(m->data + sizeof exif, m->data_length - sizeof exif);
    return 1;
}

static void check_header(JpegJob *job, PictureTraits *traits) {
    const struct jpeg_decompress_struct *jpeg = &job->jpeg;
    if (jpeg->image_width == 0 ||
        jpeg->image_height > PICTURE_PIXELS_MAX / jpeg->image_width)
        fail(job, "more than 2^28 pixels");
    J_COLOR_SPACE space = jpeg->jpeg_color_space;
    *traits = (PictureTraits){.orientation = find_orientation(jpeg),
                              .grey = space == JCS_GRAYSCALE,
                              .inks = space == JCS_CMYK || space == JCS_YCCK};
}

/* a b / 255, rounded; 0 <= a, b <= 255. */
static unsigned share(unsigned a, unsigned b) {
    unsigned product = a * b + 128;
    return (product + (product >> 8)) >> 8;
}

/* paper = 255 - ink; red = paper of cyan times paper of black, and so on
 * (Pillow's cmyk2rgb).  Adobe's programs write the paper in place of the ink and
 * leave their marker. */
static void lay_inks(const JpegJob *job, size_t width, size_t channels, uint8_t *to) {
    unsigned flip = job->jpeg.saw_Adobe_marker ? 0 : 255;
    const uint8_t *ink = job->inks;
    for (size_t x = 0; x < width; x++, ink += 4) {
        uint8_t rgb[3];
        unsigned black = ink[3] ^ flip;
        for (size_t c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(black - share(ink[c] ^ flip ^ 255, black));
        if (channels == 1) *to++ = image_grey(rgb, 3);
        else
            for (size_t c = 0; c < 3; c++) *to++ = rgb[c];
    }
}

static void read_rows(JpegJob *job, size_t channels, bool inks, Image *image) {
    struct jpeg_decompress_struct *jpeg = &job->jpeg;
    jpeg->out_color_space = inks ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(jpeg);
    image_resize_buffer(image, jpeg->output_height, jpeg->output_width, channels);
    if (inks) job->inks = mem_alloc(4 * image->width);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *to = image->pixels + jpeg->output_scanline * image->width * channels;
        JSAMPROW row = inks ? job->inks : to;
        jpeg_read_scanlines(jpeg, &row, 1);
        if (inks) lay_inks(job, image->width, channels, to);
    }
    jpeg_finish_decompress(jpeg);
}

static bool decode(JpegJob *job, FILE *file, size_t channels, PictureTraits *traits,
                   Image *image) {
    if (setjmp(job->escape)) return false;
    jpeg_create_decompress(&job->jpeg);
    jpeg_save_markers(&job->jpeg, JPEG_APP0 + 1, 0xFFFF);
    jpeg_stdio_src(&job->jpeg, file);
    jpeg_read_header(&job->jpeg, TRUE);
    check_header(job, traits);
    read_rows(job, channels, traits->inks, image);
    return true;
}

Status jpeg_read(FILE *file, const char *path, const PictureReading *how,
                 PictureTraits *traits, Image *image, Err *err) {
    JpegJob job = {0};
    job.jpeg.err = jpeg_std_error(&job.errors);
    job.errors.error_exit = on_error;
    job.errors.emit_message = on_message;
    bool good = decode(&job, file, how->channels, traits, image);
    jpeg_destroy_decompress(&job.jpeg);
    mem_free(job.inks);
    return good ? OK
                : err_set(err, FAIL_DATA, "%s is a damaged or unsupported JPEG file: %s",
                          path, job.reason);
}

#endif

#ifdef HAVE_JPEG

#include <setjmp.h>

#include "data/formats.h"

#include <jerror.h>
#include <jpeglib.h>

typedef struct JpegJob {
    struct jpeg_error_mgr errors; /* first: libjpeg hands back a pointer to it */
    struct jpeg_decompress_struct jpeg;
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

static void check_header(JpegJob *job) {
    const struct jpeg_decompress_struct *jpeg = &job->jpeg;
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK)
        fail(job, "its colours are CMYK; convert it to RGB");
    if (jpeg->image_width == 0 ||
        jpeg->image_height > PICTURE_PIXELS_MAX / jpeg->image_width)
        fail(job, "more than 2^28 pixels");
}

static void read_rows(JpegJob *job, size_t channels, Image *image) {
    struct jpeg_decompress_struct *jpeg = &job->jpeg;
    jpeg->out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(jpeg);
    image_resize_buffer(image, jpeg->output_height, jpeg->output_width, channels);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = image->pixels + jpeg->output_scanline * image->width * channels;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
}

static bool decode(JpegJob *job, FILE *file, size_t channels, Image *image) {
    if (setjmp(job->escape)) return false;
    jpeg_create_decompress(&job->jpeg);
    jpeg_stdio_src(&job->jpeg, file);
    jpeg_read_header(&job->jpeg, TRUE);
    check_header(job);
    read_rows(job, channels, image);
    return true;
}

Status jpeg_read(FILE *file, const char *path, size_t channels, Image *image, Err *err) {
    JpegJob job = {0};
    job.jpeg.err = jpeg_std_error(&job.errors);
    job.errors.error_exit = on_error;
    job.errors.emit_message = on_message;
    bool good = decode(&job, file, channels, image);
    jpeg_destroy_decompress(&job.jpeg);
    return good ? OK
                : err_set(err, FAIL_DATA, "%s is a damaged JPEG file: %s", path,
                          job.reason);
}

#endif

#ifndef HAVE_JPEG

#include "data/picture/formats.h"

Status jpeg_read(FILE *file, const char *path, const PictureReading *how,
                 PictureTraits *traits, Image *image, Err *err) {
    (void)file;
    (void)how;
    (void)traits;
    (void)image;
    return err_set(err, FAIL_RUN,
                   "%s is a JPEG file, but this program was built without JPEG; "
                   "install libjpeg-turbo and run ./configure again",
                   path);
}

#endif

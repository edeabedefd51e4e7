#include "tools/program/textstream.h"

#include <stdlib.h>

static Status fail(TextStream *stream, Err *err) {
    free(stream->text);
    *stream = (TextStream){0};
    return err_set(err, FAIL_RUN, "no memory for a text that is being written");
}

Status textstream_open(TextStream *stream, Err *err) {
    *stream = (TextStream){0};
    stream->file = open_memstream(&stream->text, &stream->size);
    return stream->file ? OK : fail(stream, err);
}

Status textstream_close(TextStream *stream, Err *err) {
    bool failed = ferror(stream->file) != 0;
    failed |= fclose(stream->file) != 0;
    stream->file = NULL;
    return failed || !stream->text ? fail(stream, err) : OK;
}

/* err: what failed, as one line of text (engine/core/base.h). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/core/text.h"

Status err_set(Err *err, Status status, const char *format, ...) {
    if (!err) return status;
    char text[2 * sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    utf8_show(text, strlen(text), err->text, sizeof err->text);
    err->status = status;
    return status;
}

Status err_wrap(Err *err, const char *format, ...) {
    if (!err) return FAIL_RUN;
    char prefix[400];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    return err_set(err, err->status, "%s: %.590s", prefix, err->text);
}

#include "sweep_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

void sweep_open_words(Sweep *sweep, const char *const *words, size_t count) {
    Err err = ERR_NONE;
    if (sweep_open(sweep, words, count, &err)) fail_msg("%s", err.text);
}

void sweep_refused(const char *part, const char *const *words, size_t count) {
    Err err = ERR_NONE;
    Sweep sweep;
    Status status = sweep_open(&sweep, words, count, &err);
    if (!status) status = sweep_check(&sweep, NULL, &err);
    sweep_close(&sweep);
    assert_int_equal(status, FAIL_USAGE);
    if (!strstr(err.text, part)) fail_msg("`%s` lacks `%s`", err.text, part);
}

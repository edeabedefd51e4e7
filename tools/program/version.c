#include "tools/program/version.h"

#include "engine/core/base.h"

extern const char version_builtin[]; /* made by the Makefile */

const char *version_commit(void) { return version_builtin; }

const char *version_text(void) {
    static char text[80];
    if (!*version_builtin) return STEADY_VERSION;
    text_format(text, sizeof text, "%s (commit %.60s)", STEADY_VERSION, version_builtin);
    return text;
}

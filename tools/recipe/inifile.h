/* inifile: INI files line by line, with line numbers, through inih.
 *
 *     [section]
 *     # a comment            ; another
 *     name = value           ; and one behind a value
 *
 * inih as distributions build it cuts lines at 200 characters and tells its handler no
 * line.  Our reader hands it long lines in pieces (inih takes indented pieces as
 * continuations) and counts.  Indented lines of the file are lines like all others. */
#ifndef STEADY_INIFILE_H
#define STEADY_INIFILE_H

#include "engine/core/base.h"

enum { INIFILE_LINE_MAX = 1100, INIFILE_SIZE_MAX = 1 << 20 };

/* Called in the order of the file.  A failure ends the reading; "label:line: " is put
 * before its text. */
typedef struct IniCalls {
    Status (*section)(void *user, const char *section, Err *err);
    Status (*value)(void *user, const char *section, const char *name, const char *value,
                    size_t line, Err *err);
} IniCalls;

/* FAIL_USAGE: a line that is too long, neither [section] nor name = value, or before any
 * section; control characters (a binary file). */
Status inifile_parse(const char *label, const char *text, size_t length,
                     const IniCalls *calls, void *user, Err *err);

/* The same for a file; FAIL_USAGE also when it cannot be read.  A run's own, below `root`
 * (data/file/openfile.h), is FAIL_DATA then. */
Status inifile_load(const char *path, const char *root, const IniCalls *calls, void *user,
                    Err *err);

#endif

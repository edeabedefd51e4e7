/* where: are the files that a key names there?  Asked before a reader opens them, so that
 * the message names the key and says what to give.
 *
 *     static const Wanted TEXT = {"file", "your text", "FILE"};
 *     if (where_check("data.path", path, &TEXT, &err)) ...
 *       data.path: input.txt: no such file; give your text as data.path=FILE (...) */
#ifndef STEADY_WHERE_H
#define STEADY_WHERE_H

#include "data/config.h"

typedef struct Wanted {
    const char *kind; /* "file" or "folder" */
    const char *what; /* "your text" */
    const char *form; /* "FILE" */
    const char *more; /* what else helps where it is of the other kind, or NULL */
    bool either;      /* a folder of such files will do, too */
} Wanted;

/* "data.path", "data.val_path" or "data.test_path". */
const char *where_key(Split split);

/* FAIL_DATA where there is nothing of this name, nor of a file with .gz behind it, or a
 * folder in place of a file, or a file in place of a folder.  What cannot be looked at
 * for another reason is left to its reader. */
Status where_check(const char *key, const char *path, const Wanted *wanted, Err *err);

#endif

/* textfile: a whole text in memory, plain or gzip, as lines of checked UTF-8.
 *
 *     TextFile file;
 *     if (textfile_read(&file, "train.de", &err)) return err.status;       also train.de.gz
 *     line = textfile_line(&file, i, &length);
 *     textfile_free(&file);
 *
 * A line ends at \n; a \r before it, and a byte order mark at the start, are left out. */
#ifndef STEADY_TEXTFILE_H
#define STEADY_TEXTFILE_H

#include "data/file/textbuffer.h"

typedef struct TextFile {
    char *bytes;
    size_t size;
    size_t *start; /* [count + 1] where lines begin */
    size_t count;  /* lines; a last one without \n is one too */
    char path[1040];
} TextFile;

/* "-" is standard input.  FAIL_DATA with file and line: missing, truncated, NUL or
 * other bytes that are no UTF-8, a line of more than 16 MiB.  After a failure there
 * is nothing to free. */
Status textfile_read(TextFile *file, const char *path, Err *err);
/* The same without a look at the lines: textfile_check_line is the caller's to ask. */
Status textfile_read_unchecked(TextFile *file, const char *path, Err *err);
/* A plain file of at most 256 MB below the run folder `root` (data/file/openfile.h). */
Status textfile_read_in(TextFile *file, const char *path, const char *root, Err *err);

/* Lines made by the program; takes the buffer over. */
void textfile_of(TextFile *file, TextBuffer *text, const char *name);

/* Line i, 0 <= i < count, not NUL-terminated. */
const char *textfile_line(const TextFile *file, size_t i, size_t *length);

/* What textfile_read asks of each line; its number is from 1. */
Status textfile_check_line(const char *name, size_t number, const char *line,
                           size_t length, Err *err);

bool textfile_exists(const char *path); /* or path.gz */
void textfile_free(TextFile *file);

#endif

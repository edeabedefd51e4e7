/* openfile: opens files that others may have made: run folders from elsewhere, data,
 * checkpoints by name.
 *
 *     int fd = openfile_read("runs/x/task.json", "runs/x", &err);     of the run runs/x
 *     int fd = openfile_read(path, NULL, &err);                       named by the user
 *
 * Regular files alone are opened: a FIFO, a socket or a device is refused at once, so
 * that nothing waits for it.  `root` is NULL or a folder that the path begins with: then
 * no symbolic link below it is followed, and nothing outside a run folder is read,
 * written, cut or removed through it.  The root itself, and paths without a root, may
 * lead through links: they are the user's own words.
 *
 * Failures: FAIL_DATA for a link or what is no regular file, and for a file that cannot
 * be read; FAIL_RUN for one that cannot be written.  errno then says why: ENOENT where
 * there is no such file, ELOOP for a link. */
#ifndef STEADY_OPENFILE_H
#define STEADY_OPENFILE_H

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>

#include "engine/core/base.h"

/* Descriptors, -1 after a failure. */
int openfile_read(const char *path, const char *root, Err *err);
/* For reading and appending; made where it is missing.  A file with other hard links is
 * refused: their owners would not expect it to change. */
int openfile_append(const char *path, const char *root, Err *err);
/* A new file, as drafts are: what has the name is removed first, never written into. */
int openfile_create(const char *path, const char *root, Err *err);

/* The same as streams; NULL after a failure. */
FILE *openfile_stream(const char *path, const char *root, Err *err);
FILE *openfile_draft(const char *path, const char *root, Err *err);

/* The whole of a text, NUL-terminated (mem_free); NULL after a failure.  A file of more
 * than `most` bytes is FAIL_DATA. */
char *openfile_text(const char *path, const char *root, size_t most, size_t *size,
                    Err *err);
/* A JSON file of at most 64 MB without duplicate keys (json_decref); NULL after a
 * failure. */
json_t *openfile_json(const char *path, const char *root, Err *err);

/* The name of a draft of `path`, with this ending (mem_free).  In a run folder what
 * has the name is a draft that a killed process left; elsewhere it is the user's, and
 * a number is added. */
char *openfile_draft_name(const char *path, const char *ending, const char *root);

/* What is to be replaced where an output is named `path` (mem_free): outside of run
 * folders what a link leads to, if it is there. */
char *openfile_behind(const char *path, const char *root);

/* The whole of a new file, by way of path.new: whole, or as it was before.  Without a
 * root, what a link leads to is replaced. */
Status openfile_save(const char *path, const char *root, const void *bytes, size_t size,
                     Err *err);

/* Is there anything of this name, be it a link that leads nowhere?  false with errno:
 * ENOENT where there is not; else it cannot be known, and opening the file says why. */
bool openfile_exists(const char *path, const char *root);

/* `to`, in the same folder, is replaced by `from`, which need not be whole before: fsync,
 * rename.  After a failure `from` is gone and `to` as it was. */
Status openfile_replace(const char *from, const char *to, const char *root, Err *err);
/* The renaming alone; false with errno.  What is there and is no regular file stays, and
 * so does, without a root, a link to such. */
bool openfile_rename(const char *from, const char *to, const char *root);
/* After this a new name survives a power cut; false with errno.  File systems that cannot
 * sync a folder are left to themselves. */
bool openfile_sync_folder(const char *path, const char *root);
/* A file or a link, not what it leads to, or an empty folder; false with errno. */
bool openfile_remove(const char *path, const char *root);

/* One folder in another; it may be there already. */
Status openfile_make_folder(const char *path, const char *root, Err *err);
/* NULL after a failure (closedir). */
DIR *openfile_folder(const char *path, const char *root, Err *err);

#endif

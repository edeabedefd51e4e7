/* gunzip: the bytes of a file, plain or gzip, front to back, with nothing
 * after them unread.
 *
 *     Gunzip *in = gunzip_new(descriptor, path, &err);      takes the descriptor
 *     while (!gunzip_read(in, buffer, sizeof buffer, &got, &err) && got) ...
 *     gunzip_free(in);
 *
 * A file that begins with 1F 8B is gzip (RFC 1952), any other one is plain.  Members
 * follow one another (`cat a.gz b.gz`), zeros may fill the space between and behind them
 * (tapes, tar).  What else follows a member is FAIL_DATA: zlib's gzread ends there as if
 * the file did.  Readers use data/file/bytes.h, which is made of this. */
#ifndef STEADY_GUNZIP_H
#define STEADY_GUNZIP_H

#include "engine/core/base.h"

typedef struct Gunzip Gunzip;

/* `descriptor`: of a regular file, at its start; `path` (kept, not copied) is for
 * messages.  NULL: FAIL_DATA, it cannot be read, and is closed. */
Gunzip *gunzip_new(int descriptor, const char *path, Err *err);
void gunzip_free(Gunzip *gunzip); /* closes the descriptor; NULL is fine */

bool gunzip_packed(const Gunzip *gunzip); /* is it gzip? */

/* The next n bytes; *got < n only at a good end, whose checksums are right.  FAIL_DATA:
 * the file cannot be read, is truncated or damaged, or has data after its last member. */
Status gunzip_read(Gunzip *gunzip, void *to, size_t n, size_t *got, Err *err);

#endif

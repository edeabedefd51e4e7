/* audiokind: what a file is that libsndfile does not read, by its first bytes.
 *
 *     if (audiokind_refuse(file, path, &err)) return err.status;    "x.wav is an MPEG-4 file ..."
 *
 * A name says little: browsers save web pages as .flac, git leaves pointers behind,
 * recorders call AAC .wav.  Not for: formats that are read. */
#ifndef STEADY_AUDIOKIND_H
#define STEADY_AUDIOKIND_H

#include "engine/core/base.h"

/* FAIL_DATA with what the file is and what to do; OK: it may be a recording that
 * can be read.  With `unread`, after libsndfile has refused it, also kinds that
 * some versions read. */
Status audiokind_refuse(int file, const char *path, bool unread, Err *err);

#endif

/* audiohead: what a recording's header promises, which libsndfile cuts down to
 * the file in silence.
 *
 *     AudioHead head;
 *     if (audiohead_read(file, path, size, &head, &err)) return err.status;      truncated
 *     audiohead_patch(&head, at, bytes, count);             whenever bytes [at, at + count) are read
 *
 * A WAV header whose length says nothing (0, 0xFFFFFFFF, 0x7FFFF000 and the
 * like, from programs that could not go back to fill it in) is read as if it
 * said the rest of the file. */
#ifndef STEADY_AUDIOHEAD_H
#define STEADY_AUDIOHEAD_H

#include "engine/core/base.h"

typedef struct AudioHead {
    struct {
        uint64_t at;
        uint8_t bytes[4];
    } patch[2];
    size_t patches;
    size_t behind; /* bytes after the samples that are neither chunks nor zeros */
} AudioHead;

/* WAV and NIST SPHERE; others are OK.  FAIL_DATA: the file holds less than it says. */
Status audiohead_read(int file, const char *path, uint64_t size, AudioHead *head,
                      Err *err);
void audiohead_patch(const AudioHead *head, uint64_t at, void *bytes, size_t count);

/* AIFF, AU and RF64, from what libsndfile noted when it opened the file. */
Status audiohead_judge(const char *log, const char *path, Err *err);

#endif

/* speech_parts: what the files of speechset share.  Not for use elsewhere. */
#ifndef STEADY_SPEECH_PARTS_H
#define STEADY_SPEECH_PARTS_H

#include "data/bytes.h"
#include "data/speechset.h"

enum { SPEECH_PATH = 2 * PATH_SIZE };

/* A set that is being filled. */
typedef struct SpeechFill {
    SpeechSet *set;
    size_t room, list_room;
    TextBuffer clean; /* scratch */
} SpeechFill;

/* Notes an utterance whose transcript is line `line` (from 1) of the list begun last. */
void speech_add(SpeechFill *fill, const char *path, const char *text, size_t length,
                size_t line);
void speech_add_clean(SpeechFill *fill, const char *path, const char *text, size_t line);
void speech_begin_list(SpeechFill *fill, const char *path);

/* Counts a fault and names it. */
void speech_fault(SpeechSet *set, SpeechFault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* data/speechlist.c: all folders or manifests of `names`. */
Status speech_list(SpeechFill *fill, const char *names, Err *err);
Status speech_read_manifest(SpeechFill *fill, const char *path, Err *err);

#endif

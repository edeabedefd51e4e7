/* parts: what the files of speechset share: sets as they are filled (fill.c), what is
 * looked at before they are used (check.c), and where their lists are (list.c,
 * entries.c).  Not for use elsewhere. */
#ifndef STEADY_SPEECH_PARTS_H
#define STEADY_SPEECH_PARTS_H

#include <dirent.h>

#include "data/file/bytes.h"
#include "data/speech/set.h"

enum { SPEECH_PATH = 2 * PATH_SIZE };

/* How many there are, and the first of them. */
typedef struct SpeechTally {
    size_t count;
    char first[SPEECH_PATH];
} SpeechTally;

/* A set that is being filled. */
typedef struct SpeechFill {
    SpeechSet *set;
    size_t room, list_room;
    TextBuffer clean;          /* scratch */
    SpeechTally endings, deep; /* files and folders that are passed over */
} SpeechFill;

void speech_tally(SpeechTally *tally, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A note of the set: "WHAT: 3 of 20 (first: ...)", of the utterances or of more. */
void speech_note_tally(SpeechSet *set, const SpeechTally *tally, const char *what);

/* Adds an utterance whose transcript is line `line` (from 1) of the list begun last;
 * NULL: it is a fault. */
SpeechItem *speech_add(SpeechFill *fill, const char *path, const char *text,
                       size_t length, size_t line);
SpeechItem *speech_add_clean(SpeechFill *fill, const char *path, const char *text,
                             size_t line);
void speech_free_item(SpeechItem *item); /* what it holds */
void speech_begin_list(SpeechFill *fill, const char *path);

/* Counts a fault and names it. */
void speech_fault(SpeechSet *set, SpeechFault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* data/speech/check.c: looks at all recordings, sets what the items say of them and
 * leaves out what is not good; then what is worth a note of those that are left. */
Status speech_check_items(SpeechSet *set, Err *err);
void speech_note(SpeechSet *set);

/* data/speech/list.c: all folders or manifests of `names`. */
Status speech_list(SpeechFill *fill, const char *names, Err *err);

/* data/speech/entries.c: what is in a folder, sorted by its bytes, hidden files left
 * out. */
typedef struct SpeechEntries {
    struct dirent **entry;
    int count;
} SpeechEntries;
Status speech_entries_open(const char *path, SpeechEntries *entries, Err *err);
void speech_entries_close(SpeechEntries *entries);
bool speech_entry_is(const char *folder, const struct dirent *entry, bool wants_folder);
bool speech_ends_with(const char *name, const char *end);
bool speech_is_recording(const char *name); /* .flac or .wav */

#endif

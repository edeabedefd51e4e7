/* entries: what is in a folder, sorted by its bytes (data/speech/parts.h). */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/speech/parts.h"

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *entry) { return entry->d_name[0] != '.'; }

Status speech_entries_open(const char *path, SpeechEntries *entries, Err *err) {
    entries->count = scandir(path, &entries->entry, is_shown, by_bytes);
    if (entries->count >= 0) return OK;
    return err_set(err, FAIL_DATA, "%s cannot be opened: %s", path, strerror(errno));
}

void speech_entries_close(SpeechEntries *entries) {
    for (int i = 0; i < entries->count; i++) free(entries->entry[i]);
    if (entries->count >= 0) free(entries->entry);
}

bool speech_entry_is(const char *folder, const struct dirent *entry, bool wants_folder) {
    char path[SPEECH_PATH];
    struct stat info;
    if (entry->d_type == DT_DIR || entry->d_type == DT_REG)
        return (entry->d_type == DT_DIR) == wants_folder;
    text_format(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (stat(path, &info)) return false;
    return wants_folder ? S_ISDIR(info.st_mode) : S_ISREG(info.st_mode);
}

bool speech_ends_with(const char *name, const char *end) {
    size_t length = strlen(name), tail = strlen(end);
    return length > tail && !strcmp(name + length - tail, end);
}

bool speech_is_recording(const char *name) {
    return speech_ends_with(name, ".flac") || speech_ends_with(name, ".wav");
}

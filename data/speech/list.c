/* LibriSpeech's folders; which folders and manifests a split is. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file/textfile.h"
#include "data/speech/parts.h"

enum { DEPTH_MOST = 4 };

/* ---- entries of a folder, sorted by their bytes ---- */

typedef struct Entries {
    struct dirent **entry;
    int count;
} Entries;

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static Status entries_open(const char *path, Entries *entries, Err *err) {
    entries->count = scandir(path, &entries->entry, is_shown, by_bytes);
    if (entries->count >= 0) return OK;
    return err_set(err, FAIL_DATA, "%s cannot be opened: %s", path, strerror(errno));
}

static void entries_close(Entries *entries) {
    for (int i = 0; i < entries->count; i++) free(entries->entry[i]);
    if (entries->count >= 0) free(entries->entry);
}

static bool is_kind(const char *folder, const struct dirent *entry, bool wants_folder) {
    char path[SPEECH_PATH];
    struct stat info;
    if (entry->d_type == DT_DIR || entry->d_type == DT_REG)
        return (entry->d_type == DT_DIR) == wants_folder;
    text_format(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (stat(path, &info)) return false;
    return wants_folder ? S_ISDIR(info.st_mode) : S_ISREG(info.st_mode);
}

static bool ends_with(const char *name, const char *end) {
    size_t length = strlen(name), tail = strlen(end);
    return length > tail && !strcmp(name + length - tail, end);
}

static bool is_recording(const char *name) {
    return ends_with(name, ".flac") || ends_with(name, ".wav");
}

/* A sound, by its name, that a chapter's lines cannot mean. */
static bool has_other_ending(const char *name) {
    static const char *const ENDS[] = {".mp3",  ".m4a", ".mp4",  ".aac",  ".ogg", ".opus",
                                       ".wma",  ".amr", ".aif",  ".aiff", ".au",  ".caf",
                                       ".webm", ".sph", ".flac", ".wav"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < COUNT(ENDS); i++)
        if (!strcasecmp(dot, ENDS[i])) return !is_recording(name);
    return false;
}

/* ---- a chapter ---- */

static int by_name(const void *name, const void *entry) {
    return strcmp(name, (*(struct dirent *const *)entry)->d_name);
}

/* Entry ID.flac or ID.wav, or -1. */
static int find_recording(const Entries *entries, const char *id, size_t length) {
    static const char *const ENDS[] = {".flac", ".wav"};
    char name[300];
    for (size_t k = 0; k < COUNT(ENDS) && length < sizeof name - 6; k++) {
        text_format(name, sizeof name, "%.*s%s", (int)length, id, ENDS[k]);
        struct dirent *const *found =
            bsearch(name, entries->entry, (size_t)entries->count, sizeof *entries->entry,
                    by_name);
        if (found) return (int)(found - entries->entry);
    }
    return -1;
}

/* A sound of that name with an ending that is not read, or NULL. */
static const char *other_recording(const Entries *entries, const char *id,
                                   size_t length) {
    for (int i = 0; i < entries->count; i++) {
        const char *name = entries->entry[i]->d_name;
        if (!strncmp(name, id, length) && name[length] == '.' && has_other_ending(name))
            return name;
    }
    return NULL;
}

static void no_recording(SpeechFill *fill, const Entries *entries, const TextFile *file,
                         size_t i, const char *id, size_t length) {
    const char *other = other_recording(entries, id, length);
    fill->set->report.listed++;
    speech_fault(fill->set, SPEECH_NO_AUDIO,
                 "%s:%zu: there is no recording %.*s.flac or .wav%s%.200s%s", file->path,
                 i + 1, (int)MIN(length, (size_t)200), id, other ? ", but " : "",
                 other ? other : "", other ? ": convert it" : "");
}

static void __attribute__((format(printf, 4, 5)))
malformed(SpeechFill *fill, const TextFile *file, size_t i, const char *format, ...) {
    char text[600];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    fill->set->report.listed++;
    speech_fault(fill->set, SPEECH_MALFORMED, "%s:%zu: %s", file->path, i + 1, text);
}

static void read_line(SpeechFill *fill, const char *folder, const Entries *entries,
                      bool *used, const TextFile *file, size_t i) {
    char path[SPEECH_PATH];
    size_t length, id = 0;
    Err err = ERR_NONE;
    const char *line = textfile_line(file, i, &length);
    while (id < length && line[id] != ' ' && line[id] != '\t') id++;
    if (!length) return;
    if (textfile_check_line("", i + 1, line, length, &err)) {
        const char *text = strchr(err.text, ' '); /* behind ":12:" */
        malformed(fill, file, i, "%s", text ? text + 1 : err.text);
        return;
    }
    if (!id) {
        malformed(fill, file, i, "the line begins with a blank, not with an ID");
        return;
    }
    int k = find_recording(entries, line, id);
    if (k < 0) {
        no_recording(fill, entries, file, i, line, id);
        return;
    }
    if (used[k]) {
        malformed(fill, file, i, "%.*s is listed a second time",
                  (int)MIN(id, (size_t)200), line);
        return;
    }
    used[k] = true;
    text_format(path, sizeof path, "%s/%s", folder, entries->entry[k]->d_name);
    speech_add(fill, path, line + id, length - id, i + 1);
}

static Status read_transcripts(SpeechFill *fill, const char *folder,
                               const Entries *entries, bool *used, const char *name,
                               Err *err) {
    char path[SPEECH_PATH];
    TextFile file;
    text_format(path, sizeof path, "%s/%s", folder, name);
    if (textfile_read_unchecked(&file, path, err)) return err->status;
    speech_begin_list(fill, path);
    for (size_t i = 0; i < file.count; i++)
        read_line(fill, folder, entries, used, &file, i);
    textfile_free(&file);
    return err->status;
}

static Status read_entries(SpeechFill *fill, const char *folder, const Entries *entries,
                           Err *err) {
    bool *used = mem_zalloc((size_t)MAX(entries->count, 1) * sizeof *used);
    for (int i = 0; i < entries->count && !err->status; i++)
        if (ends_with(entries->entry[i]->d_name, ".trans.txt"))
            read_transcripts(fill, folder, entries, used, entries->entry[i]->d_name, err);
    for (int i = 0; i < entries->count; i++)
        if (has_other_ending(entries->entry[i]->d_name))
            speech_tally(&fill->endings, "%s/%s", folder, entries->entry[i]->d_name);
    for (int i = 0; i < entries->count && !err->status; i++)
        if (!used[i] && is_recording(entries->entry[i]->d_name)) {
            fill->set->report.listed++;
            speech_fault(fill->set, SPEECH_NO_TEXT,
                         "%s/%s: no line of a .trans.txt file beside it has its name",
                         folder, entries->entry[i]->d_name);
        }
    mem_free(used);
    return err->status;
}

/* Whoever names the folder above the splits would train on all of them, the test's as well. */
static Status check_speakers(const char *folder, const Entries *entries, Err *err) {
    static const char *const SPLITS[] = {"train-clean", "train-other", "dev-clean",
                                         "dev-other",   "test-clean",  "test-other"};
    for (int i = 0; i < entries->count; i++)
        for (size_t k = 0; k < COUNT(SPLITS); k++)
            if (!strncmp(entries->entry[i]->d_name, SPLITS[k], strlen(SPLITS[k])) &&
                is_kind(folder, entries->entry[i], true))
                return err_set(err, FAIL_DATA,
                               "%s holds the split %s, not speakers: set data.path = %s, "
                               "and data.train_split if no folder there is train*",
                               folder, entries->entry[i]->d_name, folder);
    return OK;
}

static Status read_folder(SpeechFill *fill, const char *folder, int depth, Err *err) {
    Entries entries;
    if (strlen(folder) > SPEECH_PATH - 300)
        return err_set(err, FAIL_DATA, "%.60s...: the name is too long", folder);
    if (entries_open(folder, &entries, err)) return err->status;
    if (!check_speakers(folder, &entries, err)) read_entries(fill, folder, &entries, err);
    for (int i = 0; i < entries.count && !err->status; i++) {
        char path[SPEECH_PATH];
        if (!is_kind(folder, entries.entry[i], true)) continue;
        text_format(path, sizeof path, "%s/%s", folder, entries.entry[i]->d_name);
        if (depth == DEPTH_MOST) speech_tally(&fill->deep, "%s", path);
        else read_folder(fill, path, depth + 1, err);
    }
    entries_close(&entries);
    return err->status;
}

/* ---- names ---- */

static bool matches(const char *name, const char *pattern, size_t length) {
    if (length && pattern[length - 1] == '*') return !strncmp(name, pattern, length - 1);
    return strlen(name) == length && !strncmp(name, pattern, length);
}

static bool has_folders(const SpeechConfig *c) {
    return !strcmp(c->source, "librispeech");
}

static Status use_path(SpeechFill *fill, const char *path, Err *err) {
    return has_folders(&fill->set->config) ? read_folder(fill, path, 0, err)
                                           : speech_read_manifest(fill, path, err);
}

static bool is_path(const char *name, size_t length) { return memchr(name, '/', length); }

/* The next of names with commas and perhaps blanks between, "" behind the last; *at moves on. */
static size_t next_name(const char **at, const char **name) {
    *name = *at + strspn(*at, ", \t");
    size_t length = strcspn(*name, ",");
    *at = *name + length;
    while (length && strchr(" \t", (*name)[length - 1])) length--;
    return length;
}

/* Is the entry a split of that name?  Recordings beside a manifest are none. */
static bool is_split(const SpeechConfig *c, const struct dirent *entry, const char *name,
                     size_t length) {
    bool folders = has_folders(c);
    return matches(entry->d_name, name, length) && is_kind(c->path, entry, folders) &&
           (folders || !is_recording(entry->d_name));
}

/* Uses what a pattern matches, or the path that it is; nothing is an error. */
static Status use_pattern(SpeechFill *fill, const Entries *entries, const char *pattern,
                          size_t length, Err *err) {
    const SpeechConfig *c = &fill->set->config;
    bool any = false;
    if (is_path(pattern, length)) {
        char path[SPEECH_PATH];
        text_format(path, sizeof path, "%.*s", (int)length, pattern);
        return use_path(fill, path, err);
    }
    for (int i = 0; i < entries->count && !err->status; i++) {
        char path[SPEECH_PATH];
        if (!is_split(c, entries->entry[i], pattern, length)) continue;
        any = true;
        text_format(path, sizeof path, "%s/%s", c->path, entries->entry[i]->d_name);
        use_path(fill, path, err);
    }
    if (any || err->status) return err->status;
    return err_set(err, FAIL_DATA, "%s has no %s %.*s", c->path,
                   has_folders(c) ? "folder" : "manifest", (int)length, pattern);
}

Status speech_list(SpeechFill *fill, const char *names, Err *err) {
    Entries entries = {0};
    /* A path may have commas of its own. */
    if (is_path(names, strlen(names)) && !access(names, F_OK))
        return use_path(fill, names, err);
    if (!is_path(names, strlen(names)) &&
        entries_open(fill->set->config.path, &entries, err))
        return err->status;
    const char *name;
    for (size_t length; !err->status && (length = next_name(&names, &name));)
        use_pattern(fill, &entries, name, length, err);
    entries_close(&entries);
    return err->status;
}

static bool pattern_there(const SpeechConfig *c, const Entries *entries,
                          const char *names) {
    const char *name;
    for (size_t length; (length = next_name(&names, &name));)
        for (int i = 0; i < entries->count; i++)
            if (is_split(c, entries->entry[i], name, length)) return true;
    return false;
}

bool speech_has(const SpeechConfig *c, Split split) {
    const char *const NAMES[] = {c->train, c->val, c->test};
    Entries entries;
    if (!strcmp(c->source, "tones")) return true;
    if (is_path(NAMES[split], strlen(NAMES[split]))) return true;
    if (entries_open(c->path, &entries, NULL)) return false;
    bool there = pattern_there(c, &entries, NAMES[split]);
    entries_close(&entries);
    return there;
}

/* librispeech: folders of speakers with chapters, *.trans.txt beside recordings
 * (data/speech/set.h). */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/file/textfile.h"
#include "data/speech/sources.h"

enum { DEPTH_MOST = 4 };

/* ---- a chapter ---- */

/* A sound, by its name, that a chapter's lines cannot mean. */
static bool has_other_ending(const char *name) {
    static const char *const ENDS[] = {".mp3",  ".m4a", ".mp4",  ".aac",  ".ogg", ".opus",
                                       ".wma",  ".amr", ".aif",  ".aiff", ".au",  ".caf",
                                       ".webm", ".sph", ".flac", ".wav"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < COUNT(ENDS); i++)
        if (!strcasecmp(dot, ENDS[i])) return !speech_is_recording(name);
    return false;
}

static int by_name(const void *name, const void *entry) {
    return strcmp(name, (*(struct dirent *const *)entry)->d_name);
}

/* Entry ID.flac or ID.wav, or -1. */
static int find_recording(const SpeechEntries *entries, const char *id, size_t length) {
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
static const char *other_recording(const SpeechEntries *entries, const char *id,
                                   size_t length) {
    for (int i = 0; i < entries->count; i++) {
        const char *name = entries->entry[i]->d_name;
        if (!strncmp(name, id, length) && name[length] == '.' && has_other_ending(name))
            return name;
    }
    return NULL;
}

static void no_recording(SpeechFill *fill, const SpeechEntries *entries,
                         const TextFile *file, size_t i, const char *id, size_t length) {
    const char *other = other_recording(entries, id, length);
    fill->set->report.listed++;
    speech_fault(fill->set, SPEECH_NO_AUDIO,
                 "%s:%zu: missing recording %.*s.flac or .wav%s%.200s%s", file->path,
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

static void read_line(SpeechFill *fill, const char *folder, const SpeechEntries *entries,
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
        malformed(fill, file, i, "the line begins with a space instead of an ID");
        return;
    }
    int k = find_recording(entries, line, id);
    if (k < 0) {
        no_recording(fill, entries, file, i, line, id);
        return;
    }
    if (used[k]) {
        malformed(fill, file, i, "duplicate ID %.*s", (int)MIN(id, (size_t)200), line);
        return;
    }
    used[k] = true;
    text_format(path, sizeof path, "%s/%s", folder, entries->entry[k]->d_name);
    speech_add(fill, path, line + id, length - id, i + 1);
}

static Status read_transcripts(SpeechFill *fill, const char *folder,
                               const SpeechEntries *entries, bool *used, const char *name,
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

static Status read_entries(SpeechFill *fill, const char *folder,
                           const SpeechEntries *entries, Err *err) {
    bool *used = mem_zalloc((size_t)MAX(entries->count, 1) * sizeof *used);
    for (int i = 0; i < entries->count && !err->status; i++)
        if (speech_ends_with(entries->entry[i]->d_name, ".trans.txt"))
            read_transcripts(fill, folder, entries, used, entries->entry[i]->d_name, err);
    for (int i = 0; i < entries->count; i++)
        if (has_other_ending(entries->entry[i]->d_name))
            speech_tally(&fill->endings, "%s/%s", folder, entries->entry[i]->d_name);
    for (int i = 0; i < entries->count && !err->status; i++)
        if (!used[i] && speech_is_recording(entries->entry[i]->d_name)) {
            fill->set->report.listed++;
            speech_fault(fill->set, SPEECH_NO_TEXT,
                         "%s/%s: no .trans.txt file in its folder has a line for it",
                         folder, entries->entry[i]->d_name);
        }
    mem_free(used);
    return err->status;
}

/* Whoever names the folder above the splits would train on all of them,
 * the test's as well. */
static Status check_speakers(const char *folder, const SpeechEntries *entries, Err *err) {
    static const char *const SPLITS[] = {"train-clean", "train-other", "dev-clean",
                                         "dev-other",   "test-clean",  "test-other"};
    for (int i = 0; i < entries->count; i++)
        for (size_t k = 0; k < COUNT(SPLITS); k++)
            if (!strncmp(entries->entry[i]->d_name, SPLITS[k], strlen(SPLITS[k])) &&
                speech_entry_is(folder, entries->entry[i], true))
                return err_set(err, FAIL_DATA,
                               "%s contains the split %s, not speakers; set "
                               "data.path=%s, and data.train_split if no folder there "
                               "is named train*",
                               folder, entries->entry[i]->d_name, folder);
    return OK;
}

static Status read_folder(SpeechFill *fill, const char *folder, int depth, Err *err) {
    SpeechEntries entries;
    if (strlen(folder) > SPEECH_PATH - 300)
        return err_set(err, FAIL_DATA, "%.60s...: the name is too long", folder);
    if (speech_entries_open(folder, &entries, err)) return err->status;
    if (!check_speakers(folder, &entries, err)) read_entries(fill, folder, &entries, err);
    for (int i = 0; i < entries.count && !err->status; i++) {
        char path[SPEECH_PATH];
        if (!speech_entry_is(folder, entries.entry[i], true)) continue;
        text_format(path, sizeof path, "%s/%s", folder, entries.entry[i]->d_name);
        if (depth == DEPTH_MOST) speech_tally(&fill->deep, "%s", path);
        else read_folder(fill, path, depth + 1, err);
    }
    speech_entries_close(&entries);
    return err->status;
}

static Status read_list(SpeechFill *fill, const char *path, Err *err) {
    return read_folder(fill, path, 0, err);
}

const SpeechSource librispeech_source = {
    .folders = true,
    .wanted = {.kind = "folder",
               .what = "the folder of train-clean-100 and others",
               .form = "FOLDER"},
    .read_list = read_list,
    .val = {"dev-clean"},
    .test = {"test-clean"}};

/* list: which folders or files of data.path a split is (data/speech/set.h). */
#include <dirent.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/speech/sources.h"

static bool matches(const char *name, const char *pattern, size_t length) {
    if (length && pattern[length - 1] == '*') return !strncmp(name, pattern, length - 1);
    return strlen(name) == length && !strncmp(name, pattern, length);
}

static bool is_path(const char *name, size_t length) { return memchr(name, '/', length); }

/* The next of names with commas and perhaps blanks between, "" behind the
 * last; *at moves on. */
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
    bool folders = speech_source(c->source)->folders;
    return matches(entry->d_name, name, length) &&
           speech_entry_is(c->path, entry, folders) &&
           (folders || !speech_is_recording(entry->d_name));
}

static Status read_list(SpeechFill *fill, const char *path, Err *err) {
    return speech_source(fill->set->config.source)->read_list(fill, path, err);
}

/* Does the name end as lists of recordings do? */
static bool is_listlike(const char *name) {
    static const char *const ENDS[] = {".tsv", ".json", ".jsonl", ".csv", ".txt"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < COUNT(ENDS); i++)
        if (!strcasecmp(dot, ENDS[i])) return true;
    return false;
}

/* A folder in place of a list, of which it may have one under another name. */
static Status fail_listless(const SpeechConfig *c, const SpeechEntries *entries,
                            const char *pattern, int length, Err *err) {
    const char *list = NULL;
    for (int i = 0; i < entries->count && !list; i++)
        if (is_listlike(entries->entry[i]->d_name)) list = entries->entry[i]->d_name;
    if (!list)
        return err_set(err, FAIL_DATA,
                       "%s has no manifest %.*s; give a list of recordings and their "
                       "texts as data.path=FILE (docs/data.md)",
                       c->path, length, pattern);
    return err_set(err, FAIL_DATA,
                   "%s has no manifest %.*s; name the list: data.path=%s/%s "
                   "(docs/data.md)",
                   c->path, length, pattern, c->path, list);
}

/* Uses what a pattern matches, or the path that it is; nothing is an error. */
static Status use_pattern(SpeechFill *fill, const SpeechEntries *entries,
                          const char *pattern, size_t length, Err *err) {
    const SpeechConfig *c = &fill->set->config;
    bool any = false;
    if (is_path(pattern, length)) {
        char path[SPEECH_PATH];
        text_format(path, sizeof path, "%.*s", (int)length, pattern);
        return read_list(fill, path, err);
    }
    for (int i = 0; i < entries->count && !err->status; i++) {
        char path[SPEECH_PATH];
        if (!is_split(c, entries->entry[i], pattern, length)) continue;
        any = true;
        text_format(path, sizeof path, "%s/%s", c->path, entries->entry[i]->d_name);
        read_list(fill, path, err);
    }
    if (any || err->status) return err->status;
    if (!speech_source(c->source)->folders)
        return fail_listless(c, entries, pattern, (int)length, err);
    return err_set(err, FAIL_DATA, "%s has no folder %.*s", c->path, (int)length,
                   pattern);
}

Status speech_list(SpeechFill *fill, const char *names, Err *err) {
    SpeechEntries entries = {0};
    /* A path may have commas of its own. */
    if (is_path(names, strlen(names)) && !access(names, F_OK))
        return read_list(fill, names, err);
    if (!is_path(names, strlen(names)) &&
        speech_entries_open(fill->set->config.path, &entries, err))
        return err->status;
    const char *name;
    for (size_t length; !err->status && (length = next_name(&names, &name));)
        use_pattern(fill, &entries, name, length, err);
    speech_entries_close(&entries);
    return err->status;
}

static bool pattern_there(const SpeechConfig *c, const SpeechEntries *entries,
                          const char *names) {
    const char *name;
    for (size_t length; (length = next_name(&names, &name));)
        for (int i = 0; i < entries->count; i++)
            if (is_split(c, entries->entry[i], name, length)) return true;
    return false;
}

bool speech_has(const SpeechConfig *c, Split split) {
    const char *const NAMES[] = {c->train, c->val, c->test};
    SpeechEntries entries;
    if (source_has(c->source, TRAIT_SYNTHETIC))
        return !split ||
               source_has(c->source, split == SPLIT_VAL ? TRAIT_VAL : TRAIT_TEST);
    if (is_path(NAMES[split], strlen(NAMES[split]))) return true;
    if (speech_entries_open(c->path, &entries, NULL)) return false;
    bool there = pattern_there(c, &entries, NAMES[split]);
    speech_entries_close(&entries);
    return there;
}

/* ---- names where none are given ---- */

/* A path that is known for one: with a slash in it. */
static void as_path(char *name, size_t size, const char *path) {
    text_format(name, size, "%s%s", strchr(path, '/') ? "" : "./", path);
}

static bool is_file(const char *path) {
    struct stat info;
    return !stat(path, &info) && S_ISREG(info.st_mode);
}

/* The name given, else the first of the source's own that is there. */
static void name_split(SpeechConfig *c, Split split, const char *given) {
    const SpeechSource *source = speech_source(c->source);
    const char *const *own = split == SPLIT_VAL ? source->val : source->test;
    char *name = split == SPLIT_VAL ? c->val : c->test;
    if (*given) text_format(name, sizeof c->val, "%s", given);
    for (size_t k = 0; !*given && k < SPLIT_NAMES && own[k]; k++) {
        text_format(name, sizeof c->val, "%s", own[k]);
        if (speech_has(c, split)) return;
    }
}

void speech_name_splits(SpeechConfig *c, const DataConfig *d) {
    text_format(c->train, sizeof c->train, "%s",
                *d->train_split ? d->train_split : "train*");
    bool folders =
        speech_source(c->source)->folders || source_has(c->source, TRAIT_SYNTHETIC);
    bool itself = folders ? !speech_has(c, SPLIT_TRAIN) : is_file(d->path);
    if (itself && !*d->train_split) as_path(c->train, sizeof c->train, d->path);
    name_split(c, SPLIT_VAL, d->val_split);
    name_split(c, SPLIT_TEST, d->test_split);
    if (*d->val_path) as_path(c->val, sizeof c->val, d->val_path);
    if (*d->test_path) as_path(c->test, sizeof c->test, d->test_path);
}

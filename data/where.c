#include "data/where.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_ROOM = 1500 };

const char *where_key(Split split) {
    static const char *const KEYS[] = {"data.path", "data.val_path", "data.test_path"};
    return KEYS[split];
}

static bool is_there(const char *path) {
    struct stat info;
    return !stat(path, &info) || (errno != ENOENT && errno != ENOTDIR);
}

static bool is_packed(const char *path) {
    char packed[NAME_ROOM];
    if (strlen(path) + sizeof ".gz" > sizeof packed) return false;
    text_format(packed, sizeof packed, "%s.gz", path);
    return is_there(packed);
}

/* "a folder" or "a file" where it is the other of the two; NULL: it is not. */
static const char *other_kind(const char *path, const Wanted *wanted) {
    struct stat info;
    bool file = !strcmp(wanted->kind, "file");
    if (stat(path, &info)) return NULL;
    if (file) return S_ISDIR(info.st_mode) && !wanted->either ? "a folder" : NULL;
    return S_ISREG(info.st_mode) ? "a file" : NULL;
}

static Status fail_kind(const char *key, const char *path, const Wanted *wanted,
                        const char *kind, Err *err) {
    return err_set(err, FAIL_DATA, "%s: %.600s is %s, not a %s; give %s as %s=%s%s%s",
                   key, path, kind, wanted->kind, wanted->what, key, wanted->form,
                   wanted->more ? "; " : "", wanted->more ? wanted->more : "");
}

/* A recipe names files for validation and test that people with their own data lack. */
static const char *without(const char *key) {
    if (!strcmp(key, where_key(SPLIT_VAL)))
        return ", or none: data.val_path= (data.val_fraction=0.1 then holds out a tenth)";
    return strcmp(key, where_key(SPLIT_TEST)) ? "" : ", or none: data.test_path=";
}

Status where_check(const char *key, const char *path, const Wanted *wanted, Err *err) {
    bool file = !strcmp(wanted->kind, "file");
    const char *kind = other_kind(path, wanted);
    if (kind) return fail_kind(key, path, wanted, kind, err);
    if (is_there(path) || (file && is_packed(path))) return OK;
    bool home = !strncmp(path, "~/", 2);
    return err_set(err, FAIL_DATA,
                   "%s: %.600s: no such %s; give %s as %s=%s%s%s (sources of known "
                   "data sets: docs/data.md)",
                   key, path, wanted->kind, wanted->what, key, wanted->form, without(key),
                   home ? "; ~ is not expanded here; write $HOME" : "");
}

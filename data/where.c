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

Status where_check(const char *key, const char *path, const Wanted *wanted, Err *err) {
    bool file = !strcmp(wanted->kind, "file");
    if (is_there(path) || (file && is_packed(path))) return OK;
    bool home = !strncmp(path, "~/", 2);
    return err_set(err, FAIL_DATA,
                   "%s: %.600s: no such %s; give %s as %s=%s%s (where to get known data: "
                   "docs/data.md)",
                   key, path, wanted->kind, wanted->what, key, wanted->form,
                   home ? "; ~ is not expanded here, write $HOME" : "");
}

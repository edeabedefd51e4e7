#include "tools/program/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/core/base.h"

enum { PATH_SIZE = 4096 };

static bool folder_path(char *path, size_t size) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = -1;
    if (cache && *cache == '/') length = snprintf(path, size, "%s/steady", cache);
    else if (home && *home == '/')
        length = snprintf(path, size, "%s/.cache/steady", home);
    return length > 0 && (size_t)length < size;
}

static bool file_path(char *path, size_t size, const char *name) {
    char folder[PATH_SIZE];
    if (!folder_path(folder, sizeof folder)) return false;
    int length = snprintf(path, size, "%s/%s", folder, name);
    return length > 0 && (size_t)length < size;
}

static bool is_file(const char *path) {
    struct stat info; /* a pipe would keep fopen waiting */
    return !stat(path, &info) && S_ISREG(info.st_mode);
}

bool cache_read(const char *name, char *text, size_t size) {
    char path[PATH_SIZE];
    if (!file_path(path, sizeof path, name) || !is_file(path)) return false;
    FILE *file = fopen(path, "r");
    if (!file) return false;
    size_t length = fread(text, 1, size, file);
    bool whole = !ferror(file) && length < size;
    fclose(file);
    text[whole ? length : 0] = 0;
    return whole;
}

/* A home that is not there is not made: /nonexistent is that of services. */
static void make_folders(const char *name) {
    char path[PATH_SIZE];
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (!(cache && *cache == '/') && (!home || access(home, F_OK))) return;
    text_format(path, sizeof path, "%s", name);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
}

bool cache_write(const char *name, const char *text) {
    char path[PATH_SIZE], draft[PATH_SIZE + 32];
    if (!file_path(path, sizeof path, name)) return false;
    make_folders(path);
    text_format(draft, sizeof draft, "%s.%ld", path, (long)getpid());
    FILE *file = fopen(draft, "w");
    if (!file) return false;
    bool ok = fputs(text, file) >= 0;
    ok = fclose(file) == 0 && ok;
    ok = ok && rename(draft, path) == 0;
    if (!ok) unlink(draft);
    return ok;
}

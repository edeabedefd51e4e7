#include "data/picture/folderlist.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file/bytes.h"
#include "data/picture/formats.h"
#include "engine/core/grow.h"

enum { DEPTH_MOST = 16 };

/* ---- lists of names ---- */

static void names_add(Names *names, const char *name, size_t bytes) {
    size_t room = names->room;
    GROW(names->name, names->count, room, 1);
    GROW(names->bytes, names->count, names->room, 1);
    names->bytes[names->count] = bytes;
    names->name[names->count++] = mem_strdup(name);
}

void names_free(Names *names) {
    for (size_t k = 0; k < names->count; k++) mem_free(names->name[k]);
    mem_free(names->name);
    mem_free(names->bytes);
    *names = (Names){0};
}

typedef struct Named {
    char *name;
    size_t bytes;
} Named;

static int by_bytes(const void *a, const void *b) {
    return strcmp(((const Named *)a)->name, ((const Named *)b)->name);
}

static void names_sort(Names *names) {
    if (!names->count) return;
    Named *row = mem_alloc(names->count * sizeof *row);
    for (size_t k = 0; k < names->count; k++)
        row[k] = (Named){names->name[k], names->bytes[k]};
    qsort(row, names->count, sizeof *row, by_bytes);
    for (size_t k = 0; k < names->count; k++) {
        names->name[k] = row[k].name;
        names->bytes[k] = row[k].bytes;
    }
    mem_free(row);
}

/* ---- what is met besides ---- */

static void odd(Listing *all, OddKind kind, const char *folder, const char *name) {
    char path[2 * PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    all->count[kind]++;
    if (all->first[kind] && strcmp(all->first[kind], path) <= 0) return;
    MEM_DROP(all->first[kind]);
    all->first[kind] = mem_strdup(path);
}

static void note_ending(Listing *all, const char *name) {
    const char *dot = strrchr(name, '.');
    if (!dot || strlen(dot) >= ENDING_ROOM) dot = "none";
    for (size_t k = 0; k < all->endings; k++)
        if (!strcasecmp(all->ending[k], dot)) return;
    if (all->endings == ENDINGS_MOST) return;
    text_format(all->ending[all->endings++], ENDING_ROOM, "%s", dot);
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

static const struct {
    const char *one, *more, *what;
} sentences[ODD_KINDS] = {
    [ODD_DEEPER] =
        {"picture in a folder", "pictures in folders",
         "below %s/CLASS %s not used: only files directly in a class folder are"},
    [ODD_LINK] =
        {"folder that is a link", "folders that are links",
         "below %s/CLASS %s not used: only files directly in a class folder are"},
    [ODD_ENDING] = {"file with another ending", "files with other endings",
                    "in %s %s not used: neither PNG nor JPEG"},
    [ODD_CONTENT] =
        {"file", "files",
         "in %s without the ending .png, .jpg or .jpeg %s used: PNG or JPEG by "
         "content"},
    [ODD_HIDDEN] = {"hidden picture or folder", "hidden pictures and folders",
                    "in %s (name with a dot in front) %s not used"},
    [ODD_LOOSE] = {"picture", "pictures",
                   "in %s itself, in no class folder, %s not used"},
    [ODD_LONG] = {"file", "files", "in %s with too long a name %s not used"},
    [ODD_BESIDE] = {"folder", "folders",
                    "beside %s %s not used: the splits are train, val and test"},
};

static const char *are(size_t count) { return count == 1 ? "is" : "are"; }

void listing_note(const Listing *all, const char *split, DataFacts *facts) {
    char endings[ENDINGS_MOST][ENDING_ROOM],
        list[ENDINGS_MOST * (ENDING_ROOM + 2) + 4] = "";
    memcpy(endings, all->ending, sizeof endings);
    qsort(endings, all->endings, ENDING_ROOM, by_text);
    for (size_t k = 0; k < all->endings; k++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", k ? ", " : " (",
                 endings[k]);
    if (*list) strcat(list, ")");
    for (size_t k = 0; k < ODD_KINDS; k++) {
        char what[200];
        size_t n = all->count[k];
        if (!n) continue;
        snprintf(what, sizeof what, sentences[k].what, split, are(n));
        facts_note(facts, n, "%zu %s%s %s (first: %s)", n,
                   n == 1 ? sentences[k].one : sentences[k].more,
                   k == ODD_ENDING ? list : "", what, all->first[k]);
    }
}

void listing_free(Listing *all) {
    for (size_t k = 0; k < ODD_KINDS; k++) mem_free(all->first[k]);
    *all = (Listing){0};
}

/* ---- looking ---- */

static bool has_ending(const char *name) {
    static const char *const ends[] = {"png", "jpg", "jpeg"};
    const char *dot = strrchr(name, '.');
    for (size_t k = 0; dot && k < COUNT(ends); k++)
        if (!strcasecmp(dot + 1, ends[k])) return true;
    return false;
}

static bool is_picture_inside(int folder, const char *name) {
    uint8_t start[PICTURE_START];
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = file < 0 ? 0 : read(file, start, sizeof start);
    if (file >= 0) close(file);
    return got > 0 && picture_kind(start, (size_t)got).decode;
}

/* What a function below does with each entry but . and ..; `info` of a file that cannot
 * be looked at (a link that leads nowhere) is zero. */
typedef struct Walk {
    const char *path;
    int folder;
    Listing *all;
    Names *names;
    int depth;
} Walk;
typedef Status Visit(const Walk *walk, const char *name, const struct stat *info,
                     Err *err);

static Status walk_folder(Walk walk, Visit *visit, Err *err) {
    DIR *dir = opendir(walk.path);
    if (!dir)
        return err_set(err, FAIL_DATA, "%s cannot be opened: %s", walk.path,
                       strerror(errno));
    walk.folder = dirfd(dir);
    Status status = OK;
    for (const struct dirent *entry; !status;) {
        errno = 0;
        if (!(entry = readdir(dir))) break;
        const char *name = entry->d_name;
        struct stat info = {0};
        if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
        if (fstatat(walk.folder, name, &info, walk.depth ? AT_SYMLINK_NOFOLLOW : 0))
            info = (struct stat){0};
        status = visit(&walk, name, &info, err);
    }
    if (!status && errno)
        status = err_set(err, FAIL_DATA, "%s cannot be read to its end: %s", walk.path,
                         strerror(errno));
    closedir(dir);
    if (!status && walk.names) names_sort(walk.names);
    return status;
}

static bool fits(const char *path, const char *name) {
    return strlen(path) + strlen(name) + 2 <= PATH_SIZE;
}

static bool is_link(int folder, const char *name) {
    struct stat info;
    return !fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) && S_ISLNK(info.st_mode);
}

/* Below a class folder pictures are counted; links are not followed there: they may
 * lead to a whole disk. */
static Status visit_deeper(const Walk *w, const char *name, const struct stat *info,
                           Err *err) {
    (void)err;
    if (!fits(w->path, name) || *name == '.') return OK;
    if (S_ISDIR(info->st_mode)) {
        char path[2 * PATH_SIZE];
        text_format(path, sizeof path, "%s/%s", w->path, name);
        Walk next = {.path = path, .all = w->all, .depth = w->depth + 1};
        Err unread = ERR_NONE; /* what it may hold is not used either */
        if (w->depth < DEPTH_MOST) walk_folder(next, visit_deeper, &unread);
    } else if (has_ending(name) ||
               (S_ISREG(info->st_mode) && is_picture_inside(w->folder, name))) {
        odd(w->all, ODD_DEEPER, w->path, name);
    }
    return OK;
}

static Status visit_picture(const Walk *w, const char *name, const struct stat *info,
                            Err *err) {
    bool named = has_ending(name);
    if (!fits(w->path, name)) odd(w->all, ODD_LONG, w->path, name);
    else if (S_ISDIR(info->st_mode) && is_link(w->folder, name)) {
        odd(w->all, ODD_LINK, w->path, name);
    } else if (S_ISDIR(info->st_mode)) {
        Walk whole = *w;
        whole.depth = 0;
        return visit_deeper(&whole, name, info, err);
    } else if (*name == '.') {
        if (named) odd(w->all, ODD_HIDDEN, w->path, name);
    } else if (named) {
        names_add(w->names, name, (size_t)info->st_size);
    } else if (S_ISREG(info->st_mode) && is_picture_inside(w->folder, name)) {
        odd(w->all, ODD_CONTENT, w->path, name);
        names_add(w->names, name, (size_t)info->st_size);
    } else {
        note_ending(w->all, name);
        odd(w->all, ODD_ENDING, w->path, name);
    }
    return OK;
}

static Status visit_class(const Walk *w, const char *name, const struct stat *info,
                          Err *err) {
    bool folder = S_ISDIR(info->st_mode), picture = !folder && has_ending(name);
    if (*name == '.') {
        if (folder || picture) odd(w->all, ODD_HIDDEN, w->path, name);
    } else if (folder && !fits(w->path, name)) {
        return err_set(err, FAIL_DATA, "%s/%.60s...: the name is too long", w->path,
                       name);
    } else if (folder) {
        names_add(w->names, name, 0);
    } else if (picture) {
        odd(w->all, ODD_LOOSE, w->path, name);
    } else {
        note_ending(w->all, name);
        odd(w->all, ODD_ENDING, w->path, name);
    }
    return OK;
}

static Status visit_beside(const Walk *w, const char *name, const struct stat *info,
                           Err *err) {
    (void)err;
    static const char *const splits[] = {"train", "val", "test"};
    if (!S_ISDIR(info->st_mode) || *name == '.') return OK;
    for (size_t k = 0; k < COUNT(splits); k++)
        if (!strcmp(name, splits[k])) return OK;
    odd(w->all, ODD_BESIDE, w->path, name);
    return OK;
}

Status list_classes(const char *path, Listing *all, Names *names, Err *err) {
    return walk_folder((Walk){.path = path, .all = all, .names = names}, visit_class,
                       err);
}

Status list_pictures(const char *path, Listing *all, Names *names, Err *err) {
    return walk_folder((Walk){.path = path, .all = all, .names = names}, visit_picture,
                       err);
}

Status list_beside(const char *path, Listing *all, Err *err) {
    return walk_folder((Walk){.path = path, .all = all}, visit_beside, err);
}

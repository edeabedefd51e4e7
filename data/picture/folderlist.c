#include "data/picture/folderlist.h"

#include <ctype.h>
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
    [ODD_DEEPER] = {"picture in a folder", "pictures in folders",
                    "below %s/CLASS %s used"},
    [ODD_DEPTH] = {"folder", "folders",
                   "too deep (more than 16 levels) below %s/CLASS %s not read"},
    [ODD_LINK] = {"folder that is a link", "folders that are links",
                  "below %s/CLASS %s not followed"},
    [ODD_ENDING] = {"file with another suffix", "files with other suffixes",
                    "in %s %s not used: neither PNG nor JPEG"},
    [ODD_CONTENT] =
        {"file", "files",
         "in %s without the suffix .png, .jpg or .jpeg %s used: PNG or JPEG by content"},
    [ODD_HIDDEN] = {"hidden picture or folder", "hidden pictures and folders",
                    "in %s (name begins with a dot) %s not used"},
    [ODD_LOOSE] = {"picture", "pictures",
                   "in %s itself, outside of a class folder, %s not used"},
    [ODD_LONG] = {"file", "files", "in %s with a name that is too long %s not used"},
    [ODD_BESIDE] = {"folder", "folders",
                    "next to %s %s not used; the splits are train, val and test"},
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
    const char *inside; /* of it, below where names begin: "" or "deeper/" */
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
        if (fstatat(walk.folder, name, &info, 0)) info = (struct stat){0};
        status = visit(&walk, name, &info, err);
    }
    if (!status && errno)
        status = err_set(err, FAIL_DATA, "%s cannot be read completely: %s", walk.path,
                         strerror(errno));
    closedir(dir);
    if (!status && walk.names && !walk.depth) names_sort(walk.names);
    return status;
}

static bool fits(const char *path, const char *name) {
    return strlen(path) + strlen(name) + 2 <= PATH_SIZE;
}

static bool is_link(int folder, const char *name) {
    struct stat info;
    return !fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) && S_ISLNK(info.st_mode);
}

/* What systems and programs leave in folders. */
static bool is_litter(const char *name) {
    static const char *const LITTER[] = {"Thumbs.db",  "ehthumbs.db", "desktop.ini",
                                         "Icon\r",     "__MACOSX",    "@eaDir",
                                         "lost+found", "$RECYCLE.BIN"};
    for (size_t k = 0; k < COUNT(LITTER); k++)
        if (!strcasecmp(name, LITTER[k])) return true;
    return false;
}

/* Below a class folder links to folders are not followed: they may lead to a whole
 * disk. */
static Status visit_folder(const Walk *w, const char *name, Visit *visit, Err *err) {
    char path[2 * PATH_SIZE], inside[2 * PATH_SIZE];
    if (*name == '.') return OK;
    if (is_link(w->folder, name)) return odd(w->all, ODD_LINK, w->path, name), OK;
    if (w->depth == DEPTH_MOST) return odd(w->all, ODD_DEPTH, w->path, name), OK;
    text_format(path, sizeof path, "%s/%s", w->path, name);
    text_format(inside, sizeof inside, "%s%s/", w->inside, name);
    Walk next = {.path = path,
                 .inside = inside,
                 .all = w->all,
                 .names = w->names,
                 .depth = w->depth + 1};
    return walk_folder(next, visit, err);
}

static void add_picture(const Walk *w, const char *name, const struct stat *info) {
    char whole[2 * PATH_SIZE];
    text_format(whole, sizeof whole, "%s%s", w->inside, name);
    names_add(w->names, whole, (size_t)info->st_size);
    if (w->depth) odd(w->all, ODD_DEEPER, w->path, name);
}

static Status visit_picture(const Walk *w, const char *name, const struct stat *info,
                            Err *err) {
    bool named = has_ending(name);
    if (is_litter(name)) return OK;
    if (!fits(w->path, name)) odd(w->all, ODD_LONG, w->path, name);
    else if (S_ISDIR(info->st_mode)) return visit_folder(w, name, visit_picture, err);
    else if (*name == '.') {
        if (named) odd(w->all, ODD_HIDDEN, w->path, name);
    } else if (named) {
        add_picture(w, name, info);
    } else if (S_ISREG(info->st_mode) && is_picture_inside(w->folder, name)) {
        odd(w->all, ODD_CONTENT, w->path, name);
        add_picture(w, name, info);
    } else {
        note_ending(w->all, name);
        odd(w->all, ODD_ENDING, w->path, name);
    }
    return OK;
}

static Status visit_class(const Walk *w, const char *name, const struct stat *info,
                          Err *err) {
    bool folder = S_ISDIR(info->st_mode), picture = !folder && has_ending(name);
    if (is_litter(name)) return OK;
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

/* ---- splits ---- */

enum { SPLIT_WORDS = 4 };
static const char *const WORDS[][SPLIT_WORDS] = {
    [SPLIT_TRAIN] = {"train", "training"},
    [SPLIT_VAL] = {"val", "valid", "validation", "dev"},
    [SPLIT_TEST] = {"test", "testing"},
};

static bool is_folder(const char *path, const char *name, char full[PATH_SIZE]) {
    struct stat info;
    if (!fits(path, name)) return false;
    text_format(full, PATH_SIZE, "%s/%s", path, name);
    return !stat(full, &info) && S_ISDIR(info.st_mode);
}

bool list_split(const char *path, Split split, char full[PATH_SIZE]) {
    for (size_t k = 0; k < SPLIT_WORDS && WORDS[split][k]; k++) {
        char name[16];
        text_format(name, sizeof name, "%s", WORDS[split][k]);
        if (is_folder(path, name, full)) return true;
        *name = (char)toupper((unsigned char)*name);
        if (is_folder(path, name, full)) return true;
        for (char *c = name; *c; c++) *c = (char)toupper((unsigned char)*c);
        if (is_folder(path, name, full)) return true;
    }
    return false;
}

static Status visit_beside(const Walk *w, const char *name, const struct stat *info,
                           Err *err) {
    char full[PATH_SIZE];
    (void)err;
    if (!S_ISDIR(info->st_mode) || *name == '.' || is_litter(name)) return OK;
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
        if (list_split(w->path, s, full) && !strcmp(strrchr(full, '/') + 1, name))
            return OK;
    odd(w->all, ODD_BESIDE, w->path, name);
    return OK;
}

Status list_classes(const char *path, Listing *all, Names *names, Err *err) {
    return walk_folder((Walk){.path = path, .inside = "", .all = all, .names = names},
                       visit_class, err);
}

Status list_pictures(const char *path, Listing *all, Names *names, Err *err) {
    return walk_folder((Walk){.path = path, .inside = "", .all = all, .names = names},
                       visit_picture, err);
}

Status list_beside(const char *path, Listing *all, Err *err) {
    return walk_folder((Walk){.path = path, .inside = "", .all = all}, visit_beside, err);
}

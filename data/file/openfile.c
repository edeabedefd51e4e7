#include "data/file/openfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/core/grow.h"

#define JSON_MOST ((size_t)64 << 20)

/* A name in an open folder. */
typedef struct Place {
    int folder;
    const char *name;
    int links; /* flags of *at functions: AT_SYMLINK_NOFOLLOW below a root */
} Place;

enum { NAME_SIZE = 256 };

/* The folder `name` of `folder`, which is closed; -1 with errno. */
static int step_into(int folder, const char *name) {
    int next = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    struct stat info;
    if (next < 0 && !fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW))
        errno = S_ISLNK(info.st_mode) ? ELOOP : errno;
    int reason = errno;
    close(folder);
    errno = reason;
    return next;
}

static int walk_below(const char *path, const char *root, const char **name) {
    size_t length = strlen(root);
    CHECK(!strncmp(path, root, length), "%s is not below %s", path, root);
    int folder = open(*root ? root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const char *at = path + length, *slash;
    for (at += strspn(at, "/"); folder >= 0 && (slash = strchr(at, '/'));
         at = slash + strspn(slash, "/")) {
        char part[NAME_SIZE];
        size_t size = (size_t)(slash - at);
        bool good = size < sizeof part;
        memcpy(part, at, good ? size : 0);
        part[good ? size : 0] = 0;
        if (good && strcmp(part, "..")) {
            folder = step_into(folder, part);
            continue;
        }
        close(folder);
        errno = good ? ELOOP : ENAMETOOLONG;
        return -1;
    }
    *name = at;
    return folder;
}

/* False with errno. */
static bool place_open(Place *p, const char *path, const char *root) {
    *p = (Place){.folder = AT_FDCWD, .name = path};
    if (!root) return true;
    p->links = AT_SYMLINK_NOFOLLOW;
    p->folder = walk_below(path, root, &p->name);
    return p->folder >= 0;
}

static void place_close(Place *p) {
    int reason = errno;
    if (p->folder >= 0) close(p->folder);
    errno = reason;
}

/* 0, or the errno of what is there but is no regular file. */
static int check_kind(const struct stat *info) {
    if (S_ISREG(info->st_mode)) return 0;
    return S_ISLNK(info->st_mode) ? ELOOP : S_ISDIR(info->st_mode) ? EISDIR : ENXIO;
}

/* Looks before it opens, for opening a device can already do something, and after it. */
static int open_regular(const Place *p, int flags) {
    struct stat info;
    int reason = fstatat(p->folder, p->name, &info, p->links) ? 0 : check_kind(&info);
    if (reason) return errno = reason, -1;
    flags |= O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (p->links ? O_NOFOLLOW : 0);
    int fd = openat(p->folder, p->name, flags, 0666);
    if (fd < 0) return -1;
    reason = fstat(fd, &info) ? errno : check_kind(&info);
    if (!reason && (flags & O_APPEND) && info.st_nlink > 1) reason = EMLINK;
    if (!reason) return fd;
    close(fd);
    errno = reason;
    return -1;
}

/* After a failure to do what `verb` says; errno stays. */
static Status fail(const char *path, const char *root, const char *verb, Status status,
                   Err *err) {
    int reason = errno;
    if (reason == ELOOP && root)
        err_set(err, FAIL_DATA,
                "%s is a symbolic link, or below one; links inside a run folder are "
                "not followed; put the file itself there",
                path);
    else if (reason == EISDIR || reason == ENXIO)
        err_set(err, FAIL_DATA, "%s is not a regular file%s", path,
                reason == EISDIR ? " but a folder" : "");
    else if (reason == EMLINK)
        err_set(err, FAIL_DATA,
                "%s has other hard links, which would also change; replace it by a copy",
                path);
    else err_set(err, status, "%s cannot be %s: %s", path, verb, strerror(reason));
    errno = reason;
    return err ? err->status : status;
}

static int open_with(const char *path, const char *root, int flags) {
    Place p;
    if (!place_open(&p, path, root)) return -1;
    int fd = open_regular(&p, flags);
    place_close(&p);
    return fd;
}

int openfile_read(const char *path, const char *root, Err *err) {
    int fd = open_with(path, root, O_RDONLY);
    if (fd < 0) fail(path, root, "opened", FAIL_DATA, err);
    return fd;
}

int openfile_append(const char *path, const char *root, Err *err) {
    int fd = open_with(path, root, O_RDWR | O_APPEND | O_CREAT);
    if (fd < 0) fail(path, root, "written", FAIL_RUN, err);
    return fd;
}

int openfile_create(const char *path, const char *root, Err *err) {
    Place p;
    int fd = -1;
    if (place_open(&p, path, root)) {
        if (!unlinkat(p.folder, p.name, 0) || errno == ENOENT)
            fd = openat(p.folder, p.name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        place_close(&p);
    }
    if (fd < 0) fail(path, root, "written", FAIL_RUN, err);
    return fd;
}

static FILE *stream_of(int fd, const char *mode) {
    FILE *file = fd < 0 ? NULL : fdopen(fd, mode);
    CHECK(file || fd < 0, "fdopen");
    return file;
}

FILE *openfile_stream(const char *path, const char *root, Err *err) {
    return stream_of(openfile_read(path, root, err), "rb");
}

FILE *openfile_draft(const char *path, const char *root, Err *err) {
    return stream_of(openfile_create(path, root, err), "wb");
}

/* ---- whole files ---- */

/* Up to a little more than `most` bytes; false with errno.  Memory grows with what comes,
 * for a log may be growing. */
static bool read_all(int fd, size_t most, char **text, size_t *size) {
    struct stat info;
    size_t room = 1 << 16;
    *text = mem_alloc(room);
    *size = 0;
    if (fstat(fd, &info)) return false;
    if ((uintmax_t)info.st_size > most) *size = (size_t)info.st_size;
    while (*size <= most) {
        ssize_t got = read(fd, *text + *size, room - 1 - *size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        if (!got) break;
        *size += (size_t)got;
        GROW(*text, *size, room, 2);
    }
    if (*size <= most) (*text)[*size] = 0;
    return true;
}

char *openfile_text(const char *path, const char *root, size_t most, size_t *size,
                    Err *err) {
    int fd = openfile_read(path, root, err);
    if (fd < 0) return NULL;
    char *text;
    bool good = read_all(fd, most, &text, size);
    int reason = errno;
    close(fd);
    if (good && *size <= most) return text;
    mem_free(text);
    errno = good ? EFBIG : reason;
    if (!good) return fail(path, root, "read", FAIL_DATA, err), NULL;
    err_set(err, FAIL_DATA, "%s has %zu bytes; at most %zu are allowed for such a file",
            path, *size, most);
    return NULL;
}

json_t *openfile_json(const char *path, const char *root, Err *err) {
    size_t size;
    char *text = openfile_text(path, root, JSON_MOST, &size, err);
    if (!text) return NULL;
    json_error_t why;
    json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    mem_free(text);
    if (!value) err_set(err, FAIL_DATA, "%s:%d: %s", path, why.line, why.text);
    if (!value) errno = EINVAL;
    return value;
}

/* ---- names ---- */

bool openfile_exists(const char *path, const char *root) {
    Place p;
    struct stat info;
    if (!place_open(&p, path, root)) return errno == ELOOP;
    bool there = !fstatat(p.folder, p.name, &info, AT_SYMLINK_NOFOLLOW);
    place_close(&p);
    return there;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A link is replaced, not followed; a folder, a pipe or a device stays, and so does,
 * outside of run folders, a link to one, such as /dev/stdout. */
static bool may_replace(const Place *to) {
    struct stat info;
    if (fstatat(to->folder, to->name, &info, AT_SYMLINK_NOFOLLOW)) return errno == ENOENT;
    bool follow = S_ISLNK(info.st_mode) && !to->links;
    if (follow && fstatat(to->folder, to->name, &info, 0)) return errno == ENOENT;
    int reason = check_kind(&info);
    errno = reason;
    return !reason || reason == ELOOP;
}

bool openfile_rename(const char *from, const char *to, const char *root) {
    Place p;
    if (!place_open(&p, to, root)) return false;
    bool good = may_replace(&p) &&
                !renameat(p.folder, root ? last_part(from) : from, p.folder, p.name);
    place_close(&p);
    return good;
}

bool openfile_sync_folder(const char *path, const char *root) {
    Place p;
    if (!place_open(&p, path, root)) return false;
    size_t length = (size_t)(last_part(p.name) - p.name);
    char *name = length ? mem_strdup(p.name) : mem_strdup(".");
    if (length) name[length] = 0;
    int fd = openat(p.folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && (!fsync(fd) || errno == EINVAL);
    int reason = errno;
    if (fd >= 0) close(fd);
    mem_free(name);
    errno = reason;
    place_close(&p);
    return good;
}

static bool sync_file(const char *path, const char *root) {
    int fd = open_with(path, root, O_RDONLY);
    if (fd < 0) return false;
    bool good = !fsync(fd);
    int reason = errno;
    close(fd);
    errno = reason;
    return good;
}

Status openfile_replace(const char *from, const char *to, const char *root, Err *err) {
    if (sync_file(from, root) && openfile_rename(from, to, root)) return OK;
    int reason = errno;
    openfile_remove(from, root);
    errno = reason;
    return fail(to, root, "written", FAIL_RUN, err);
}

char *openfile_draft_name(const char *path, const char *ending, const char *root) {
    enum { DIGITS = 20 };
    size_t size = strlen(path) + strlen(ending) + DIGITS + 2;
    char *name = mem_alloc(size);
    text_format(name, size, "%s%s", path, ending);
    for (size_t i = 2; !root && openfile_exists(name, root) && i < 1000; i++)
        text_format(name, size, "%s%s.%zu", path, ending, i);
    return name;
}

char *openfile_behind(const char *path, const char *root) {
    char *found = root ? NULL : realpath(path, NULL);
    char *behind = mem_strdup(found ? found : path);
    free(found);
    return behind;
}

Status openfile_save(const char *to, const char *root, const void *bytes, size_t size,
                     Err *err) {
    char *path = openfile_behind(to, root);
    char *draft = openfile_draft_name(path, ".new", root);
    FILE *file = openfile_draft(draft, root, err);
    Status status = file ? OK : FAIL_RUN;
    if (file) {
        bool good = fwrite(bytes, 1, size, file) == size && !fflush(file);
        int reason = errno;
        if (fclose(file) && good) good = false, reason = errno;
        errno = reason;
        if (good) status = openfile_replace(draft, path, root, err);
        else
            status = fail(path, root, "written", FAIL_RUN, err),
            openfile_remove(draft, root);
    }
    mem_free(draft);
    mem_free(path);
    return status;
}

bool openfile_remove(const char *path, const char *root) {
    Place p;
    if (!place_open(&p, path, root)) return false;
    bool good = !unlinkat(p.folder, p.name, 0);
    if (!good && (errno == EISDIR || errno == EPERM))
        good = !unlinkat(p.folder, p.name, AT_REMOVEDIR);
    place_close(&p);
    return good;
}

Status openfile_make_folder(const char *path, const char *root, Err *err) {
    Place p;
    struct stat info;
    bool good = place_open(&p, path, root);
    if (good) {
        good = !mkdirat(p.folder, p.name, 0777);
        if (!good && errno == EEXIST && !fstatat(p.folder, p.name, &info, p.links)) {
            good = S_ISDIR(info.st_mode);
            errno = S_ISLNK(info.st_mode) ? ELOOP : ENOTDIR;
        }
        place_close(&p);
    }
    return good ? OK : fail(path, root, "made", FAIL_RUN, err);
}

DIR *openfile_folder(const char *path, const char *root, Err *err) {
    Place p;
    int fd = -1;
    if (place_open(&p, path, root)) {
        fd = root && *p.name ? step_into(p.folder, p.name)
                             : openat(p.folder, root ? "." : path,
                                      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (!(root && *p.name)) place_close(&p);
    }
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) fail(path, root, "opened", FAIL_DATA, err);
    return folder;
}

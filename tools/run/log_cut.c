/* log_cut: a log without what does not belong to the steps of a checkpoint
 * (tools/run/log_parts.h).
 *
 * What was written in order and whole is cut at its end.  Anything else makes a new file,
 * which takes the old one's place once it is on the disk, behind what it leaves out. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "tools/run/log_parts.h"

enum { WINDOW = 64 << 20, BLOCK = 1 << 16, BAD_FILES = 1000 };

static Status fail(const char *path, const char *verb, Err *err) {
    return err_set(err, FAIL_RUN, "%s: cannot be %s: %s; it is unchanged", path, verb,
                   strerror(errno));
}

/* ---- reading ---- */

/* As much as there is, up to `size` bytes; false with errno. */
static bool read_at(int file, char *bytes, size_t size, size_t from, size_t *got) {
    for (*got = 0; *got < size;) {
        ssize_t n = pread(file, bytes + *got, size - *got, (off_t)(from + *got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        if (n == 0) break;
        *got += (size_t)n;
    }
    return true;
}

/* The start of the line that `at` is in. */
static bool find_start(int file, size_t *at) {
    char block[BLOCK];
    while (*at) {
        size_t size = MIN(*at, sizeof block), got;
        if (!read_at(file, block, size, *at - size, &got)) return false;
        while (got && block[got - 1] != '\n') got--, --*at;
        if (got) return true;
    }
    return true;
}

static Status read_window(LogCut *cut, int file, size_t window, const char *path,
                          Err *err) {
    struct stat info;
    if (fstat(file, &info)) return fail(path, "read", err);
    size_t size = (size_t)info.st_size;
    cut->before = size > window ? size - window : 0;
    if (!find_start(file, &cut->before)) return fail(path, "read", err);
    cut->text = mem_alloc(size - cut->before + 1);
    if (!read_at(file, cut->text, size - cut->before, cut->before, &cut->size))
        return fail(path, "read", err);
    return OK;
}

/* ---- what stays ---- */

/* A row that is there because the run ended with it: {"step":10,"end":true, ... */
static bool is_end(const LogLine *line) {
    static const char MARK[] = ",\"end\":true";
    const char *comma = memchr(line->text, ',', line->length);
    size_t left = comma ? line->length - (size_t)(comma - line->text) : 0;
    return left >= sizeof MARK - 1 && !memcmp(comma, MARK, sizeof MARK - 1);
}

static bool stays(const LogCut *cut, const LogLine *line) {
    if (line->kind != LINE_ROW && line->kind != LINE_EVENT) return false;
    if (line->step > cut->last_step) return false;
    return !(cut->further && line->step == cut->last_step && is_end(line));
}

static bool reaches_back(const LogCut *cut) {
    for (size_t i = 0; i < cut->count; i++)
        if (stays(cut, &cut->lines[i])) return true;
    return cut->before == 0;
}

/* The end of the log, so much of it that a row which stays is there: of the rows before
 * that one none is to go. */
static Status read_end(LogCut *cut, int file, const char *path, Err *err) {
    const LogCut empty = *cut;
    for (size_t window = WINDOW;; window *= 2) {
        if (read_window(cut, file, window, path, err)) return err->status;
        log_take_apart(cut);
        if (reaches_back(cut)) return OK;
        mem_free(cut->text);
        mem_free(cut->lines);
        *cut = empty;
    }
}

static bool ends(const LogLine *line) { return line->text[line->length - 1] == '\n'; }

/* What stays is the beginning of the file: its bytes, or false.  Without a last line end
 * only where *ended is false. */
static bool is_beginning(const LogCut *cut, size_t *bytes, bool *ended) {
    *bytes = cut->before;
    *ended = true;
    if (cut->bad_count || cut->sorted) return false;
    bool over = false;
    for (size_t i = 0; i < cut->count; i++) {
        const LogLine *line = &cut->lines[i];
        bool kept = line->kind == LINE_BLANK ? !over && ends(line) : stays(cut, line);
        if (kept && over) return false;
        over |= !kept;
        if (!kept) continue;
        *bytes += line->length;
        *ended = ends(line);
    }
    return true;
}

static Status cut_end(const LogCut *cut, const char *path, const char *dir, size_t bytes,
                      bool ended, Err *err) {
    if (bytes == cut->before + cut->size && ended) return OK;
    int file = openfile_append(path, dir, err);
    if (file < 0) return err->status;
    bool good = !ftruncate(file, (off_t)bytes) && (ended || write(file, "\n", 1) == 1);
    Status status = good ? OK : fail(path, "cut back", err);
    close(file);
    return status;
}

/* ---- a new file ---- */

static void put_line(const LogLine *line, FILE *file) {
    fwrite(line->text, 1, line->length, file);
    if (!ends(line)) fputc('\n', file);
}

static bool close_file(FILE *file) {
    bool good = !fflush(file) && !ferror(file) && !fsync(fileno(file));
    int reason = errno;
    if (fclose(file) && good) return false;
    errno = reason;
    return good;
}

/* NAME.bad, NAME.bad.2, ...: the first that is free. */
static void name_bad(const char *path, const char *dir, char bad[PATH_SIZE]) {
    text_format(bad, PATH_SIZE, "%s.bad", path);
    for (size_t i = 2; i < BAD_FILES && openfile_exists(bad, dir); i++)
        text_format(bad, PATH_SIZE, "%s.bad.%zu", path, i);
}

static Status write_bad(const LogCut *cut, const char *bad, const char *dir, Err *err) {
    FILE *file = openfile_draft(bad, dir, err);
    if (!file) return err->status;
    for (size_t i = 0; i < cut->count; i++)
        if (cut->lines[i].kind == LINE_BAD || cut->lines[i].kind == LINE_REPLACED)
            put_line(&cut->lines[i], file);
    return close_file(file) ? OK : fail(bad, "written", err);
}

/* What was not read, as it is; false with errno. */
static bool copy_before(const LogCut *cut, int from, FILE *to) {
    char block[BLOCK];
    for (size_t at = 0, got; at < cut->before; at += got) {
        if (!read_at(from, block, MIN(sizeof block, cut->before - at), at, &got))
            return false;
        if (!got) return errno = EIO, false;
        if (fwrite(block, 1, got, to) != got) return false;
    }
    return true;
}

static bool write_draft(const LogCut *cut, int from, FILE *file) {
    struct stat info;
    bool good = !fstat(from, &info) && !fchmod(fileno(file), info.st_mode & 07777) &&
                copy_before(cut, from, file);
    int reason = errno;
    for (size_t i = 0; i < cut->count && good; i++)
        if (stays(cut, &cut->lines[i])) put_line(&cut->lines[i], file);
    if (!close_file(file)) return false;
    errno = reason;
    return good;
}

static Status write_new(const LogCut *cut, int from, const char *path, const char *dir,
                        Err *err) {
    char draft[PATH_SIZE];
    text_format(draft, sizeof draft, "%s.new", path);
    FILE *file = openfile_draft(draft, dir, err);
    if (!file) return err->status;
    if (write_draft(cut, from, file)) return openfile_replace(draft, path, dir, err);
    fail(path, "written", err);
    openfile_remove(draft, dir);
    return err->status;
}

static Status rewrite(const LogCut *cut, int from, const char *path, const char *dir,
                      const char *bad, Err *err) {
    if (cut->bad_count && write_bad(cut, bad, dir, err)) {
        openfile_remove(bad, dir);
        return err->status;
    }
    if (!write_new(cut, from, path, dir, err)) return OK;
    if (cut->bad_count) openfile_remove(bad, dir);
    return err->status;
}

/* ---- what is said ---- */

static void add(char *note, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(char *note, size_t size, const char *format, ...) {
    size_t used = strlen(note);
    va_list args;
    va_start(args, format);
    vsnprintf(note + used, size - used, format, args);
    va_end(args);
}

static void say_bad(const LogCut *cut, const char *bad, char *note, size_t size) {
    size_t line = 1;
    for (const char *c = cut->text; c < cut->bad; c++) line += *c == '\n';
    bool one = cut->bad_count == 1;
    add(note, size, ": %zu line%s that %s not fit %s moved to %.300s (%s%s %zu: %.150s)",
        cut->bad_count, one ? "" : "s", one ? "does" : "do", one ? "is" : "are", bad,
        one ? "" : "first: ", cut->before ? "at byte" : "line",
        cut->before ? cut->before + (size_t)(cut->bad - cut->text) : line, cut->why);
}

/* Steps without a row. */
typedef struct Gap {
    size_t first, end, width, more;
} Gap;

/* A row of `step` behind one of `last`.  Wider than what is usual before it and behind
 * it: where train.log_every was changed it is as wide as one of its neighbours. */
static void see_gap(Gap *gap, Gap *open, size_t usual, size_t last, size_t step) {
    size_t width = step - last;
    if (open->width > width && gap->width) gap->more++;
    if (open->width > width && !gap->width) *gap = *open;
    *open = (Gap){0};
    if (width > usual) *open = (Gap){last + 1, step - 1, width, 0};
}

static void say_gap(const LogCut *cut, char *note, size_t size) {
    size_t last = 0, usual = cut->before ? SIZE_MAX : cut->every;
    Gap gap = {0}, open = {0};
    for (size_t i = 0; i < cut->count; i++) {
        const LogLine *line = &cut->lines[i];
        if (line->kind != LINE_ROW || !stays(cut, line) || line->step <= last) continue;
        see_gap(&gap, &open, usual, last, line->step);
        usual = MAX(cut->every, line->step - last);
        last = line->step;
    }
    if (cut->last_step) see_gap(&gap, &open, usual, last, cut->last_step + 1);
    see_gap(&gap, &open, 1, 0, 1);
    if (!gap.width) return;
    add(note, size, "%s no row of step%s %zu", *note ? ";" : ":",
        gap.end > gap.first ? "s" : "", gap.first);
    if (gap.end > gap.first) add(note, size, " to %zu", gap.end);
    if (cut->every > 1) add(note, size, " (expected every %zu steps)", cut->every);
    if (gap.more) add(note, size, ", and %zu more gaps", gap.more);
}

static void say(const LogCut *cut, const char *path, const char *bad, char *note,
                size_t size) {
    char text[800] = "";
    if (cut->bad_count) say_bad(cut, bad, text, sizeof text);
    if (cut->sorted)
        add(text, sizeof text, "%s rows were out of order and are now sorted by step",
            *text ? ";" : ":");
    if (cut->every) say_gap(cut, text, sizeof text);
    if (*text) snprintf(note, size, "%.300s%s", path, text);
}

Status log_cut(LogCut *cut, const char *path, const char *dir, char *note,
               size_t note_size, Err *err) {
    Err why = ERR_NONE;
    char bad[PATH_SIZE];
    int file = openfile_read(path, dir, &why);
    if (file < 0 && errno != ENOENT) {
        bool other = errno == ELOOP || errno == EISDIR || errno == ENXIO;
        return err_set(err, other ? why.status : FAIL_RUN, "%s", why.text);
    }
    Status status = file < 0 ? OK : read_end(cut, file, path, err);
    if (!status) {
        size_t bytes;
        bool ended;
        name_bad(path, dir, bad);
        status = is_beginning(cut, &bytes, &ended)
                     ? cut_end(cut, path, dir, bytes, ended, err)
                     : rewrite(cut, file, path, dir, bad, err);
    }
    if (!status) say(cut, path, bad, note, note_size);
    if (file >= 0) close(file);
    mem_free(cut->text);
    mem_free(cut->lines);
    return status;
}

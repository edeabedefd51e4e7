#include "tools/run/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "tools/run/log_parts.h"

static Status cannot(const Log *log, const char *verb, Err *err) {
    return err_set(err, FAIL_RUN, "%s: cannot be %s: %s", log->path, verb,
                   strerror(errno));
}

static Status open_cut(Log *log, const char *dir, const char *name, LogCut cut,
                       Err *err) {
    *log = (Log){0};
    rundir_path(log->path, dir, "%s", name);
    if (log_cut(&cut, log->path, dir, log->note, sizeof log->note, err))
        return err->status;
    int descriptor = openfile_append(log->path, dir, err);
    if (descriptor < 0) return err->status;
    log->file = fdopen(descriptor, "a");
    CHECK(log->file, "fdopen");
    return OK;
}

Status log_open(Log *log, const char *dir, const char *name, size_t every,
                size_t last_step, Err *err) {
    LogCut cut = {.every = every, .last_step = last_step};
    return open_cut(log, dir, name, cut, err);
}

Status log_open_further(Log *log, const char *dir, const char *name, size_t every,
                        size_t last_step, Err *err) {
    LogCut cut = {.every = every, .last_step = last_step, .further = true};
    return open_cut(log, dir, name, cut, err);
}

Status log_row(Log *log, json_t *row, Err *err) {
    CHECK(row, "a log row that jansson did not build");
    char *text = json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(row);
    bool failed = !text || fputs(text, log->file) < 0 || fputc('\n', log->file) < 0 ||
                  fflush(log->file);
    int reason = errno;
    free(text);
    errno = reason;
    return failed ? cannot(log, "written", err) : OK;
}

Status log_sync(Log *log, Err *err) {
    /* EINVAL: a file system that cannot sync is left to itself. */
    if (!log->file || !fdatasync(fileno(log->file)) || errno == EINVAL) return OK;
    return cannot(log, "written", err);
}

void log_close(Log *log) {
    if (log->file) fclose(log->file);
    log->file = NULL;
}

#include "tools/program/double.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tools/program/stop.h"

Status double_path(char *path, size_t size, Err *err) {
    static const char NAME[] = "steady64";
    char own[1000];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - sizeof NAME);
    char *slash = length > 0 ? memrchr(own, '/', (size_t)length) : NULL;
    if (!slash)
        return err_set(err, FAIL_RUN,
                       "/proc/self/exe: %s; steady64 could not be found, run it "
                       "directly",
                       strerror(errno));
    memcpy(slash + 1, NAME, sizeof NAME);
    text_format(path, size, "%s", own);
    if (!access(path, X_OK)) return OK;
    return err_set(err, FAIL_RUN,
                   "%s: %s; sharpness needs the double-precision program steady64 in "
                   "the same folder: make build/steady64, or make install",
                   path, strerror(errno));
}

Status double_become(int argc, char **argv, Err *err) {
    char path[1000], **words;
    if (double_path(path, sizeof path, err)) return err->status;
    words = mem_zarray((size_t)argc + 2, sizeof *words);
    words[0] = path;
    for (int i = 0; i < argc; i++) words[i + 1] = argv[i];
    stop_hold(true);
    execv(path, words);
    stop_hold(false);
    mem_free(words);
    return err_set(err, FAIL_RUN, "%s: %s", path, strerror(errno));
}

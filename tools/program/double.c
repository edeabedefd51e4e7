#include "tools/program/double.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/core/text.h"
#include "tools/program/stop.h"

Status double_path(char *path, size_t size, Err *err) {
    static const char NAME[] = "steady64";
    char own[1000];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - sizeof NAME);
    char *slash = length > 0 ? memrchr(own, '/', (size_t)length) : NULL;
    if (!slash)
        return err_set(err, FAIL_RUN,
                       "/proc/self/exe: %s; where is this program?  Run steady64 itself",
                       strerror(errno));
    memcpy(slash + 1, NAME, sizeof NAME);
    text_format(path, size, "%s", own);
    if (!access(path, X_OK)) return OK;
    return err_set(err, FAIL_RUN,
                   "%s: %s; sharpness needs the program in double precision beside this "
                   "one: make build/steady64, or make install",
                   path, strerror(errno));
}

Status double_become(char **argv, Err *err) {
    char path[1000];
    if (double_path(path, sizeof path, err)) return err->status;
    stop_unlisten();
    stop_hold(true);
    argv[0] = path;
    execv(path, argv);
    stop_hold(false);
    return err_set(err, FAIL_RUN, "%s: %s", path, strerror(errno));
}

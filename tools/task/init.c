#include "tools/task/init.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "data/file/openfile.h"
#include "tools/run/checkpoint.h"
#include "tools/task/meaning.h"
#include "tools/task/transfer.h"

static bool is_folder(const char *path) {
    struct stat info;
    return !stat(path, &info) && S_ISDIR(info.st_mode);
}

/* The checkpoint to take from a run's folder; a file is taken as it is. */
Status init_find(const char *init, char path[PATH_SIZE], const char **root, Err *err) {
    *root = NULL;
    text_format(path, PATH_SIZE, "%s", init);
    if (!is_folder(init) && !openfile_exists(init, NULL) && errno == ENOENT)
        return err_set(err, FAIL_DATA,
                       "train.init: %.900s: no such file; name a .safetensors file, or a "
                       "run's folder",
                       init);
    if (!is_folder(init)) return OK;
    if (rundir_check_run(init, err)) return err_wrap(err, "train.init");
    *root = init;
    rundir_path(path, init, "checkpoints/best.safetensors");
    if (openfile_exists(path, init)) return OK;
    size_t step = checkpoint_newest(init, SIZE_MAX);
    if (!step)
        return err_set(err, FAIL_DATA,
                       "train.init: %.900s/checkpoints is empty: this run has saved no "
                       "checkpoint yet",
                       init);
    checkpoint_path(path, init, step);
    return OK;
}

/* Only pictures know transfer; other classes or shapes are what it is for. */
static Status advise_transfer(const Task *task, Err *err) {
    Err why = *err;
    bool shapes = strstr(why.text, "does not fit this model:") != NULL;
    if (why.status != FAIL_DATA || !task_is(task->recipe->task, FOR_VISION) ||
        !(shapes || strstr(why.text, "; class ")))
        return why.status;
    return err_set(err, why.status,
                   "%.900s; train.transfer=true reinitialises head and positions that "
                   "differ",
                   why.text);
}

/* All tensors as they are; what transfer would do is said where they do not fit. */
static Status load_whole(Task *task, const char *path, const char *root,
                         const char *advice, Err *err) {
    if (task->recipe->train.init_fit == INIT_MEANING &&
        meaning_check_file(task, path, root, advice, err))
        return advise_transfer(task, err);
    return weights_load(path, root, task->model, err) ? advise_transfer(task, err) : OK;
}

Status init_weights(Task *task, const char *advice, Err *err) {
    const TrainConfig *train = &task->recipe->train;
    char path[PATH_SIZE];
    const char *root;
    task_initialize(task);
    if (!*train->init) return model_start(task->model, NULL), OK;
    if (init_find(train->init, path, &root, err)) return err->status;
    if (train->transfer) return transfer_weights(task, path, root, advice, err);
    return load_whole(task, path, root, advice, err);
}

Status init_crc(const char *init, char crc[SAFETENSORS_CRC], Err *err) {
    char path[PATH_SIZE];
    const char *root;
    if (init_find(init, path, &root, err)) return err->status;
    Safetensors *file = safetensors_open_in(path, root, SAFETENSORS_TRUST, err);
    if (!file) return err->status;
    Status status = safetensors_crc(file, crc, err);
    safetensors_close(file);
    return status;
}

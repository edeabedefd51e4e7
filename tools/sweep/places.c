/* places: are the files there that the runs to be made name?  (tools/sweep/sweep.h)
 *
 * Asked before the first run, by the names alone; what is in the files their readers say
 * when a run begins. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "data/file/bytes.h"
#include "tools/recipe/keys.h"
#include "tools/sweep/state.h"

/* Keys of [data] whose values are names of files or folders. */
static const char *const PLACES[] = {"data.path",         "data.val_path",
                                     "data.test_path",    "data.source_vocab",
                                     "data.target_vocab", "data.bpe_codes"};

/* What cannot be looked at for another reason is left to its reader. */
static bool is_name(const char *path) {
    struct stat info;
    return !stat(path, &info) || (errno != ENOENT && errno != ENOTDIR);
}

static bool is_there(const char *start, const char *dot, const char *language) {
    char path[PATH_SIZE];
    text_format(path, sizeof path, "%s%s%s", start, dot, language);
    if (is_name(path)) return true;
    text_format(path, sizeof path, "%s%s%s.gz", start, dot, language);
    return is_name(path);
}

/* Pairs are START.de and START.en; where a name has commas it may be several. */
static bool is_found(const Recipe *recipe, const char *key, const char *path) {
    const DataConfig *data = &recipe->data;
    bool pairs = task_is(recipe->task, FOR_PAIRS) && strstr(key, "path");
    bool names = task_is(recipe->task, FOR_SPEECH) && strchr(path, ',');
    if (names) return true;
    return pairs ? is_there(path, ".", data->source_lang) &&
                       is_there(path, ".", data->target_lang)
                 : is_there(path, "", "");
}

/* The first key whose files are not there, or NULL; `path`: what it names. */
static const char *lost_in(const Recipe *recipe, char path[KEY_VALUE_MAX]) {
    for (size_t i = 0; i < COUNT(PLACES); i++) {
        const Key *key = key_find(PLACES[i]);
        if (!key_acts(key, recipe, NULL, 0)) continue;
        key_print(key, recipe, path, KEY_VALUE_MAX);
        if (*path && !is_found(recipe, PLACES[i], path)) return PLACES[i];
    }
    return NULL;
}

static Status fail_lost(const Sweep *sweep, size_t cell, const Recipe *recipe,
                        const char *key, const char *path, Err *err) {
    char files[160] = "";
    const DataConfig *data = &recipe->data;
    if (task_is(recipe->task, FOR_PAIRS) && strstr(key, "path"))
        text_format(files, sizeof files, ", which names PATH.%s and PATH.%s",
                    data->source_lang, data->target_lang);
    err_set(err, FAIL_DATA,
            "%s: %.300s: no such file or folder; give the data as %s=PATH%s "
            "(docs/data.md)",
            key, path, key, files);
    return err_wrap(err, "run %s", sweep->cells[cell].name);
}

Status sweep_note_places(const Sweep *sweep, FILE *notes, Err *err) {
    Recipe *recipe = mem_alloc(sizeof *recipe);
    char path[KEY_VALUE_MAX];
    size_t open = 0, lost = 0;
    Err why = ERR_NONE;
    Status status = OK;
    for (size_t c = 0; c < sweep->cell_count && !status; c++) {
        if (sweep_has_ended(&sweep->cells[c])) continue;
        open++;
        const char *key = NULL;
        if ((status = sweep_recipe(sweep, c, recipe, err)) ||
            !(key = lost_in(recipe, path)))
            continue;
        if (!lost++) fail_lost(sweep, c, recipe, key, path, &why);
    }
    mem_free(recipe);
    if (status || !lost) return status;
    fprintf(notes, "steady: note: %s; %zu of %zu runs lack data\n", why.text, lost, open);
    return OK;
}

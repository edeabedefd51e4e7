#include "tools/task/openrecipe.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include "data/file/openfile.h"
#include "tools/task/init.h"
#include "tools/task/meaning.h"

static const char FIT_ADVICE[] =
    "; to compare only the shapes: train.init_fit=shapes; to change the recipe: words "
    "such as model.heads=N";

bool run_is_folder(const char *word) {
    struct stat info;
    return !stat(word, &info) && S_ISDIR(info.st_mode);
}

/* Nothing is trained: a recipe without a length gets one, longer than any schedule. */
static void need_length(Recipe *recipe) {
    enum { LONG = 1000000000 };
    if (!(recipe->train.epochs > 0) && !recipe->train.steps) recipe->train.steps = LONG;
}

/* --checkpoint is train.init to what depends on that. */
static void print_notes(const Recipe *recipe, const char *checkpoint) {
    Recipe *seen = mem_alloc(sizeof *seen);
    *seen = *recipe;
    if (checkpoint && !*seen->train.init)
        text_format(seen->train.init, sizeof seen->train.init, "%s", checkpoint);
    recipe_notes(seen, stderr);
    mem_free(seen);
}

static Status load_recipe(OpenRun *run, const RunChoice *c, Err *err) {
    *run->recipe = recipe_default();
    if (recipe_load(run->recipe, c->dir, err)) return err->status;
    for (size_t i = 0; i < c->word_count; i++)
        if (recipe_set(run->recipe, c->words[i], err)) return err->status;
    need_length(run->recipe);
    if (recipe_check(run->recipe, err)) return err->status;
    print_notes(run->recipe, c->checkpoint);
    *run->was = *run->recipe;
    return OK;
}

/* "best", "400", "all", "average:3" */
static bool is_of_runs(const char *word) {
    size_t digits = strspn(word, "0123456789");
    return !word[digits] || !strcmp(word, "best") || !strcmp(word, "all") ||
           !strncmp(word, "average:", 8);
}

static Status find_file(OpenRun *run, const RunChoice *c, Err *err) {
    const char *file = c->checkpoint;
    if (!file && c->ema)
        return err_set(err, FAIL_USAGE,
                       "--ema needs a checkpoint, but %.200s is a recipe; add "
                       "--checkpoint FILE.safetensors",
                       c->dir);
    if (!file) return OK;
    if (*run->recipe->train.init)
        return err_set(err, FAIL_USAGE,
                       "--checkpoint and train.init both name weights; leave one out");
    if (run->recipe->train.transfer)
        return err_set(
            err, FAIL_USAGE,
            "train.transfer has no effect with --checkpoint; give the weights as "
            "train.init=%.600s instead",
            file);
    text_format(run->checkpoint, sizeof run->checkpoint, "%s", file);
    bool there = openfile_exists(file, NULL);
    if (!there && is_of_runs(file))
        return err_set(err, FAIL_USAGE,
                       "--checkpoint %.100s: %.200s is a recipe and has no "
                       "checkpoints; name a run folder, or a .safetensors FILE",
                       file, c->dir);
    if (!there) return err_set(err, FAIL_DATA, "%s: no such file", file);
    run->own = checkpoint_is_own(file, NULL);
    return OK;
}

static Status check_meaning(const OpenRun *run, const char *path, Err *err) {
    if (run->recipe->train.init_fit != INIT_MEANING) return OK;
    return meaning_check_file(run->task, path, NULL, FIT_ADVICE, err);
}

/* The weights that training would begin with. */
static Status begin_weights(OpenRun *run, Err *err) {
    const char *init = run->recipe->train.init, *root;
    char path[PATH_SIZE];
    if (init_weights(run->task, FIT_ADVICE, err) || !*init) return err->status;
    if (init_find(init, path, &root, err)) return err->status;
    text_format(run->checkpoint, sizeof run->checkpoint, "%s", path);
    run->step = run_step_of(path, root);
    return OK;
}

static Status open_data(OpenRun *run, Err *err) {
    run->task = task_open(run->recipe, NULL, err);
    return run->task ? OK : run_advise_data(err);
}

static Status fill_model(OpenRun *run, const RunChoice *c, Err *err) {
    if (!c->checkpoint) return begin_weights(run, err);
    if (check_meaning(run, run->checkpoint, err)) return err->status;
    if (!run_load(run, c->ema, err)) return OK;
    Err why = *err;
    if (task_is(run->recipe->task, FOR_VISION) &&
        strstr(why.text, "does not fit this model"))
        err_set(err, why.status,
                "%.900s; for an encoder with another head, or none: train.init=FILE "
                "train.transfer=true instead of --checkpoint",
                why.text);
    return err->status;
}

Status run_open_recipe(OpenRun *run, const RunChoice *c, Err *err) {
    *run =
        (OpenRun){.recipe = mem_alloc(sizeof(Recipe)), .was = mem_alloc(sizeof(Recipe))};
    if (!load_recipe(run, c, err) && !find_file(run, c, err) &&
        !(c->threads && c->threads(run->recipe->train.threads, err)) &&
        !open_data(run, err) && !fill_model(run, c, err) &&
        !run_choose_precision(run, c, err)) {
        model_freeze(run->task->model);
        run->tape = tape_new();
        return OK;
    }
    run_close(run);
    return err->status;
}

Status run_open_either(OpenRun *run, const RunChoice *c, Err *err) {
    return run_is_folder(c->dir) ? run_open(run, c, false, err)
                                 : run_open_recipe(run, c, err);
}

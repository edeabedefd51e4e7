/* export: `steady export RUN -o FILE` - plain weights, gamma/sigma folded into W. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/file/safetensors.h"
#include "tools/commands.h"
#include "tools/program/command.h"
#include "tools/run/checkpoint.h"
#include "tools/task/meaning.h"
#include "tools/task/openrun.h"

static const char HELP[] =
    "usage: steady export RUN -o FILE.safetensors [--checkpoint "
    "STEP|best|average:N|FILE]\n"
    "                     [--ema]\n"
    "\n"
    "Writes the model's plain weights, a vision transformer's under timm's names, a "
    "language\n"
    "model's or translator's under those of docs/texts.md, a recogniser's under those "
    "of\n"
    "docs/speech.md: a reparametrised layer's W becomes the weight that acts "
    "((gamma/sigma) W,\n"
    "or g W/|W|), companions are left out.  Any program that reads safetensors can load "
    "it.\n"
    "\n"
    "  -o FILE         where to; weights that are there are replaced once the new ones "
    "are whole\n"
    "  --checkpoint X  a step, best, average:N (of the N newest), or a .safetensors "
    "file\n"
    "                  (default: the newest)\n"
    "  --ema           the averaged weights (train.ema)\n"
    "  -h, --help      this text\n";

static Status read_options(RunChoice *c, const char **out, int argc, char **argv,
                           Err *err) {
    for (int i = 1, used; i < argc; i += used) {
        if (run_choice_read(c, argc, argv, i, &used, err)) return err->status;
        if (used) continue;
        if ((strcmp(argv[i], "-o") && strcmp(argv[i], "--out")) || i + 1 >= argc)
            return err_set(err, FAIL_USAGE, "%s: unknown option; see -h", argv[i]);
        *out = argv[i + 1];
        used = 2;
    }
    if (!c->dir) return err_set(err, FAIL_USAGE, "which run folder?");
    return *out ? OK : err_set(err, FAIL_USAGE, "where to?  -o FILE.safetensors");
}

/* Effective weights take the place of W; companions are marked by their roles and names. */
static void fold_all(Model *model) {
    for (size_t i = 0; i < model->layer_count; i++) {
        Reparam *r = model->layers[i]->reparam;
        if (r) reparam_effective(r, r->w->tensor.value);
    }
}

static bool is_companion(const Model *model, const Param *p) {
    for (size_t i = 0; i < model->layer_count; i++) {
        const Reparam *r = model->layers[i]->reparam;
        if (r && (p == r->gamma || p == r->u || p == r->v || p == r->g)) return true;
    }
    return false;
}

/* A log or a recipe, say, that is named by a slip. */
static bool is_other_file(const char *path) {
    struct stat info;
    if (stat(path, &info) || !S_ISREG(info.st_mode) || !info.st_size) return false;
    Safetensors *file = safetensors_open(path, SAFETENSORS_TRUST, NULL);
    safetensors_close(file);
    return !file;
}

/* The weights alone are not a run's state: it could not be resumed from them. */
static Status check_target(const char *out, Err *err) {
    if (is_other_file(out))
        return err_set(
            err, FAIL_USAGE,
            "-o %s: this file is there and holds no weights (safetensors), which could "
            "be replaced; choose another name, or remove it",
            out);
    if (!checkpoint_is_own(out, NULL)) return OK;
    return err_set(
        err, FAIL_USAGE,
        "-o %s: this is a checkpoint of a run, which could not be resumed without "
        "it; choose another file",
        out);
}

/* The weights are plain: what was reparametrised is folded in. */
static void add_meaning(const OpenRun *run, SafetensorsWriter *writer) {
    TextBuffer text = {0};
    ReparamMethod folded = run->recipe->model.reparam;
    run->recipe->model.reparam = REPARAM_NONE;
    meaning_describe(run->task, run->at.temperature, &text);
    run->recipe->model.reparam = folded;
    safetensors_add_metadata(writer, "meaning", text.text);
    text_free(&text);
}

static Status write_model(const OpenRun *run, const char *path, size_t *count, Err *err) {
    const Model *model = run->task->model;
    SafetensorsWriter *writer = safetensors_writer_new();
    for (size_t i = 0; i < model->params->count; i++) {
        const Param *p = model->params->list[i];
        if (is_companion(model, p)) continue;
        safetensors_add(writer, p->name, p->tensor.dims, p->tensor.shape,
                        p->tensor.value);
        (*count)++;
    }
    safetensors_add_metadata(writer, "format", "pt");
    add_meaning(run, writer);
    Status status = safetensors_save(writer, path, err);
    safetensors_writer_free(writer);
    return status;
}

int export_main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (is_help(argv[i])) return fputs(HELP, stdout), OK;
    Err err = ERR_NONE;
    OpenRun run = {0};
    RunChoice choice = {.words = mem_alloc((size_t)argc * sizeof(char *)),
                        .command = "export",
                        .use = USE_EXPORT};
    const char *out = NULL;
    size_t count = 0;
    bool failed = read_options(&choice, &out, argc, argv, &err) ||
                  check_target(out, &err) || run_open(&run, &choice, false, &err);
    if (!failed) {
        fold_all(run.task->model);
        failed = write_model(&run, out, &count, &err);
    }
    if (!failed)
        fprintf(stderr, "%s: %zu tensors of step %zu%s%s\n", out, count, run.at.step,
                run.recipe->model.reparam ? ", folded in: reparam " : "",
                run.recipe->model.reparam ? reparam_name(run.recipe->model.reparam) : "");
    run_close(&run);
    mem_free(choice.words);
    return failed ? command_fail("export", &err) : OK;
}

/* export: `steady export RUN -o FILE` - plain weights, gamma/sigma folded into W, or the
 * features of pictures. */
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "data/file/narrow.h"
#include "data/file/safetensors.h"
#include "tools/command/introduce.h"
#include "tools/command/runwords.h"
#include "tools/commands.h"
#include "tools/probe/features.h"
#include "tools/program/say.h"
#include "tools/run/checkpoint.h"
#include "tools/run/datafacts.h"
#include "tools/task/meaning.h"
#include "tools/task/openrecipe.h"

typedef struct Options {
    RunChoice choice;
    const char *out, *vocab;
    int split; /* whose features are written; -1: the weights are */
    int dtype; /* NarrowKind; -1: as they are */
} Options;

static const char *const SPLITS[] = {
    [SPLIT_TRAIN] = "train", [SPLIT_VAL] = "val", [SPLIT_TEST] = "test", NULL};
static const unsigned USES[] = {[SPLIT_TRAIN] = USE_EVAL_TRAIN,
                                [SPLIT_VAL] = USE_EVAL_VAL,
                                [SPLIT_TEST] = USE_EVAL_TEST};

static const char *const DTYPES[] = {
    [NARROW_F32] = "f32", [NARROW_BF16] = "bf16", [NARROW_F16] = "f16", NULL};

static const Option OPTIONS[] = {
    {"--out", "FILE", OPTION_NAME, offsetof(Options, out),
     .sentence =
         "output file; existing weights are replaced once the new ones are complete",
     .letter = "-o", .offers = OFFER_FILE},
    {"--vocab", "FILE", OPTION_NAME, offsetof(Options, vocab),
     .sentence = "write the vocabulary, labels or class names as JSON, in the order of "
                 "their\n"
                 "ids; without -o nothing else is written",
     .offers = OFFER_FILE},
    {"--features", "SPLIT", OPTION_CHOICE, offsetof(Options, split),
     .sentence = "write the features of the split's pictures instead of the weights",
     .choices = SPLITS},
    {"--dtype", "TYPE", OPTION_CHOICE, offsetof(Options, dtype),
     .sentence =
         "weights as f32 (default), bf16 or f16, rounded to the nearest; numbers out\n"
         "of the range of the type are refused",
     .choices = DTYPES},
    RUN_OPTION_CHECKPOINT(Options),
    RUN_OPTION_EMA(Options),
    OPTION_HELP,
    {0},
};

static Status read_word(void *options, char *word, Err *err) {
    Options *o = options;
    if (!o->choice.dir || strchr(word, '=')) return run_word_only(&o->choice, word, err);
    return err_set(
        err, FAIL_USAGE,
        "unexpected argument %.200s after %.200s; the file to write is -o FILE", word,
        o->choice.dir);
}

static Status read_options(Options *o, int argc, char **argv, Err *err) {
    if (command_read(&export_command, o, argc, argv, NULL, err)) return err->status;
    if (run_check_chosen(&o->choice, err)) return err->status;
    if (o->split >= 0 && o->dtype >= 0)
        return err_set(err, FAIL_USAGE,
                       "--dtype is for weights; --features are written as f32");
    if (o->split >= 0 && o->vocab)
        return err_set(err, FAIL_USAGE,
                       "--vocab is for weights; leave it out with --features");
    if (o->out && o->vocab && !strcmp(o->out, o->vocab))
        return err_set(err, FAIL_USAGE, "-o and --vocab name the same file, %s", o->out);
    return o->out || (o->vocab && o->split < 0)
               ? OK
               : err_set(err, FAIL_USAGE, "no output file: add -o FILE.safetensors");
}

/* Effective weights take the place of W; companions are marked by their roles and
 * names. */
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

/* Formats that other programs name their files by. */
static const char *const FOREIGN[] = {".onnx", ".pt",      ".pth",     ".ckpt", ".bin",
                                      ".gguf", ".ggml",    ".h5",      ".hdf5", ".keras",
                                      ".pb",   ".tflite",  ".msgpack", ".npz",  ".npy",
                                      ".pkl",  ".mlmodel", ".json",    ".zip"};

static Status check_ending(const char *out, Err *err) {
    const char *slash = strrchr(out, '/'), *dot = strrchr(slash ? slash : out, '.');
    for (size_t i = 0; dot && i < COUNT(FOREIGN); i++)
        if (!strcasecmp(dot, FOREIGN[i]))
            return err_set(
                err, FAIL_USAGE,
                "-o %s: %s is another format; export writes safetensors (in PyTorch: "
                "safetensors.torch.load_file): -o %.*s.safetensors",
                out, dot, (int)(dot - out), out);
    return OK;
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
    if (check_ending(out, err)) return err->status;
    if (is_other_file(out))
        return err_set(
            err, FAIL_USAGE,
            "-o %s: this file exists and is not a safetensors file, so it is not "
            "replaced; choose another name, or remove it",
            out);
    if (!checkpoint_is_own(out, NULL)) return OK;
    return err_set(
        err, FAIL_USAGE,
        "-o %s: this is a checkpoint of a run, which could not be resumed afterwards; "
        "choose another name",
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

static Status check_range(const Param *p, NarrowKind kind, Err *err) {
    size_t at = narrow_overflow(kind, p->tensor.value, p->tensor.size);
    if (at == p->tensor.size) return OK;
    return err_set(err, FAIL_DATA,
                   "%s: number %zu is %g, but %s is limited to %g; use --dtype %s",
                   p->name, at, (double)p->tensor.value[at], DTYPES[kind],
                   narrow_most(kind), kind == NARROW_F16 ? "bf16 or f32" : "f32");
}

static void add_param(SafetensorsWriter *writer, const Param *p, int dtype) {
    const Tensor *t = &p->tensor;
    if (dtype < 0) safetensors_add(writer, p->name, t->dims, t->shape, t->value);
    else
        safetensors_add_as(writer, (NarrowKind)dtype, p->name, t->dims, t->shape,
                           t->value);
}

static Status write_model(const OpenRun *run, const Options *o, size_t *count, Err *err) {
    const Model *model = run->task->model;
    SafetensorsWriter *writer = safetensors_writer_new();
    for (size_t i = 0; i < model->params->count && !err->status; i++) {
        const Param *p = model->params->list[i];
        if (is_companion(model, p)) continue;
        if (o->dtype >= 0 && check_range(p, (NarrowKind)o->dtype, err)) break;
        add_param(writer, p, o->dtype);
        (*count)++;
    }
    safetensors_add_metadata(writer, "format", "pt");
    add_meaning(run, writer);
    introduce_weights(run, &o->choice, writer);
    if (!err->status) safetensors_save(writer, o->out, err);
    safetensors_writer_free(writer);
    return err->status;
}

static Status export_weights(const Options *o, OpenRun *run, Err *err) {
    size_t count = 0;
    if (run_open(run, &o->choice, false, err)) return err->status;
    if (o->vocab && introduce_names(run, o->vocab, err)) return err->status;
    if (o->vocab) say("%s: names of the model's inputs and outputs", o->vocab);
    if (!o->out) return OK;
    ReparamMethod folded = run->recipe->model.reparam;
    fold_all(run->task->model);
    if (write_model(run, o, &count, err)) return err->status;
    char step[40] = "";
    if (run->step) text_format(step, sizeof step, " of step %zu", run->step);
    say("%s: %zu tensors%s%s%s%s%s", o->out, count, step, o->dtype > 0 ? ", " : "",
        o->dtype > 0 ? DTYPES[o->dtype] : "", folded ? ", folded in: reparam " : "",
        folded ? reparam_name(folded) : "");
    return OK;
}

static Status export_features(Options *o, OpenRun *run, Err *err) {
    Features f = {0};
    Split split = (Split)o->split;
    o->choice.command = "export --features";
    o->choice.use = USES[split];
    if (!run_open_either(run, &o->choice, err) && !features_check(run, err) &&
        !features_of_split(run, split, &f, err) &&
        !features_save(run, split, &f, o->out, err))
        say("%s: %zu features of each of %zu pictures of %s", o->out, f.width, f.count,
            split_name(split));
    features_free(&f);
    return err->status;
}

static int run_export(int argc, char **argv) {
    Err err = ERR_NONE;
    OpenRun run = {0};
    Options o = {.choice = run_choice(argc, "export", USE_EXPORT),
                 .split = -1,
                 .dtype = -1};
    bool failed =
        read_options(&o, argc, argv, &err) || (o.out && check_target(o.out, &err)) ||
        (o.split < 0 ? export_weights(&o, &run, &err) : export_features(&o, &run, &err));
    return run_finish("export", &run, &o.choice, failed, &err);
}

const Command export_command = {
    .name = "export",
    .sentence = "write weights, or features, for other programs",
    .run = run_export,
    .options = OPTIONS,
    .word = read_word,
    .offers = OFFER_RUN | OFFER_RECIPE | OFFER_KEY,
    .computes = true,
};

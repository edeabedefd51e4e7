#include "tools/command/introduce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/openfile.h"
#include "tools/program/say.h"
#include "tools/program/textstream.h"
#include "tools/recipe/keys.h"
#include "tools/run/rundir.h"
#include "tools/run/runlog.h"

#define CODES_MOST ((size_t)16 << 20)

static void add_json(SafetensorsWriter *writer, const char *name, const json_t *value) {
    if (json_is_string(value)) {
        safetensors_add_metadata(writer, name, json_string_value(value));
        return;
    }
    char *text =
        json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    CHECK(text, "%s: a value that jansson does not print", name);
    safetensors_add_metadata(writer, name, text);
    free(text);
}

/* What the task knows of its data; the caller releases it. */
static json_t *facts_of(const Task *task) {
    json_t *facts = json_object();
    if (task->ops->introduce) task->ops->introduce(task, facts);
    return facts;
}

static void add_facts(const OpenRun *run, SafetensorsWriter *writer) {
    json_t *facts = facts_of(run->task), *value;
    const char *name;
    json_object_foreach(facts, name, value) add_json(writer, name, value);
    json_decref(facts);
}

/* Keys of [model] that the task uses, by their names. */
static void add_model(const OpenRun *run, SafetensorsWriter *writer) {
    json_t *model = json_object();
    ReparamMethod folded = run->recipe->model.reparam;
    run->recipe->model.reparam = REPARAM_NONE; /* the weights are plain */
    for (const Key *key = keys; key < keys + keys_count; key++) {
        char value[KEY_VALUE_MAX];
        if (strcmp(key->section, "model") || !key_is_stored(key) || key->again ||
            !key_applies(key, run->recipe))
            continue;
        key_print(key, run->recipe, value, sizeof value);
        json_object_set_new(model, key->name, json_text(value));
    }
    run->recipe->model.reparam = folded;
    add_json(writer, "model", model);
    add_json(writer, "heads", json_object_get(model, "heads"));
    json_decref(model);
}

static void add_recipe(const OpenRun *run, SafetensorsWriter *writer) {
    TextStream text;
    if (textstream_open(&text, NULL)) return;
    recipe_print(run->recipe, text.file);
    if (textstream_close(&text, NULL)) return;
    json_t *recipe = json_text(text.text);
    add_json(writer, "recipe", recipe);
    json_decref(recipe);
    free(text.text);
}

/* {"val": {"loss": 0.1, "top1": 0.97}}, of the evaluations behind that step.  Of the
 * run's own weights alone: averages, and another run's checkpoint, were not scored
 * there. */
static void add_score(const OpenRun *run, const RunChoice *choice,
                      SafetensorsWriter *writer) {
    bool scored = run->own && run->root && !run->average && !choice->ema;
    RunLog *log = scored ? runlog_open(choice->dir, NULL) : NULL;
    json_t *score = json_object();
    for (size_t i = 0; log && i < log->eval_count; i++) {
        const EvalRow *row = &log->evals[i];
        if (row->step != (double)run->at.step) continue;
        json_t *split = json_object();
        for (size_t m = 0; m < METRIC_COUNT; m++) {
            json_t *value = json_number(row->scores[m]);
            if (!json_is_null(value)) json_object_set(split, metrics[m].key, value);
            json_decref(value);
        }
        json_t *name = json_text(row->split);
        json_object_set_new(score, json_string_value(name), split);
        json_decref(name);
    }
    char *text = run_export_fact(run, "score"); /* an export keeps what it was given */
    json_t *kept = text ? json_loads(text, 0, NULL) : NULL;
    if (json_is_object(kept)) json_object_update(score, kept);
    json_decref(kept);
    mem_free(text);
    if (json_object_size(score)) add_json(writer, "score", score);
    json_decref(score);
    runlog_free(log);
}

/* The merges of BPE, without which a text cannot be split as the model's was. */
static void add_codes(const char *dir, SafetensorsWriter *writer) {
    static const char *const SIDES[] = {"text", "source", "target"};
    for (size_t i = 0; i < COUNT(SIDES); i++) {
        char path[PATH_SIZE], name[40];
        size_t size;
        rundir_path(path, dir, "%s.codes", SIDES[i]);
        text_format(name, sizeof name, "%s.codes", SIDES[i]);
        char *text = openfile_exists(path, dir)
                         ? openfile_text(path, dir, CODES_MOST, &size, NULL)
                         : NULL;
        json_t *string = text ? json_text(text) : NULL;
        if (string) add_json(writer, name, string);
        json_decref(string);
        mem_free(text);
    }
}

void introduce_weights(const OpenRun *run, const RunChoice *choice,
                       SafetensorsWriter *writer) {
    char step[24];
    text_format(step, sizeof step, "%zu", run->step);
    safetensors_add_metadata(writer, "task", task_name(run->recipe->task));
    if (run->step) safetensors_add_metadata(writer, "step", step);
    safetensors_add_metadata(writer, "steady", STEADY_VERSION);
    add_model(run, writer);
    add_facts(run, writer);
    add_codes(choice->dir, writer);
    add_score(run, choice, writer);
    add_recipe(run, writer);
}

static const char *const NAMES[] = {"class_names",       "labels",
                                    "vocabulary",        "source_vocabulary",
                                    "target_vocabulary", "tokens"};

/* Is what is at `path` a file as introduce_names writes it? */
static bool holds_names(const char *path) {
    enum { MOST = 64 << 20 };
    size_t size, i = 0;
    char *text = openfile_text(path, NULL, MOST, &size, NULL);
    json_t *root = text ? json_loadb(text, size, 0, NULL) : NULL;
    while (i < COUNT(NAMES) && !json_is_array(json_object_get(root, NAMES[i]))) i++;
    json_decref(root);
    mem_free(text);
    return i < COUNT(NAMES);
}

/* A vocabulary may be written over another one, which is said, and over nothing else. */
static Status save_names(const char *path, const char *text, Err *err) {
    bool there = openfile_exists(path, NULL);
    if (there && !holds_names(path))
        return err_set(
            err, FAIL_USAGE,
            "--vocab: %.600s exists and is not a vocabulary that export wrote; "
            "give the name of a new file, or remove it",
            path);
    if (!openfile_save(path, NULL, text, strlen(text), err) && there)
        say("steady: note: %s, a vocabulary, was replaced", path);
    return err->status;
}

Status introduce_names(const OpenRun *run, const char *path, Err *err) {
    json_t *facts = facts_of(run->task), *names = json_object();
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        json_t *value = json_object_get(facts, NAMES[i]);
        if (value) json_object_set(names, NAMES[i], value);
    }
    char *text = json_dumps(names, JSON_INDENT(1));
    CHECK(text, "names that jansson does not print");
    if (!json_object_size(names))
        err_set(err, FAIL_USAGE,
                "--vocab: a model of task.kind = %s has neither vocabulary nor classes",
                task_name(run->recipe->task));
    else save_names(path, text, err);
    free(text);
    json_decref(names);
    json_decref(facts);
    return err->status;
}

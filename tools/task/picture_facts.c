/* picture_facts: task.json of a task of pictures (tools/task/pictures.h). */
#include <math.h>
#include <string.h>

#include "tools/run/checkpoint.h"
#include "tools/run/rundir.h"
#include "tools/task/meaning.h"
#include "tools/task/pictures.h"

const PictureFacts *picture_facts(const Task *task) {
    return &((const PictureTask *)task)->facts;
}

void picture_facts_free(PictureFacts *facts) {
    for (size_t i = 0; facts->class_names && i < facts->classes; i++)
        mem_free(facts->class_names[i]);
    mem_free(facts->class_names);
    *facts = (PictureFacts){0};
}

/* ---- reading ---- */

enum { SIDE_MOST = 16384 }; /* of a picture: the range of data.image_size */

static size_t positive(const json_t *root, const char *key) {
    json_int_t value = json_integer_value(json_object_get(root, key));
    return value > 0 && value < 1 << 24 ? (size_t)value : 0;
}

static Status read_facts(const json_t *root, const char *run_dir, PictureFacts *f,
                         Err *err) {
    *f = (PictureFacts){positive(root, "channels"), positive(root, "height"),
                        positive(root, "width"), positive(root, "classes"), NULL};
    if (!f->channels || !f->height || !f->width || !f->classes)
        return err_set(err, FAIL_DATA,
                       "%s/task.json: expected channels, height, width and classes",
                       run_dir);
    if ((f->channels != 1 && f->channels != 3) || f->height > SIDE_MOST ||
        f->width > SIDE_MOST)
        return err_set(err, FAIL_DATA,
                       "%s/task.json: pictures of %zu channels, %zu x %zu pixels; "
                       "expected 1 or 3 channels and at most %d pixels per side",
                       run_dir, f->channels, f->height, f->width, SIDE_MOST);
    const json_t *names = json_object_get(root, "class_names");
    if (!names) return OK;
    if (json_array_size(names) != f->classes)
        return err_set(err, FAIL_DATA, "%s/task.json: %zu class names for %zu classes",
                       run_dir, json_array_size(names), f->classes);
    f->class_names = mem_alloc(f->classes * sizeof *f->class_names);
    for (size_t i = 0; i < f->classes; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        f->class_names[i] = mem_strdup(name ? name : "?");
    }
    return OK;
}

Status picture_facts_load(const char *run_dir, PictureFacts *facts, Err *err) {
    json_t *root = rundir_load_json(run_dir, "task.json", err);
    if (!root) return err->status;
    Status status = read_facts(root, run_dir, facts, err);
    json_decref(root);
    return status;
}

/* ---- of a run ---- */

void picture_task_describe(const Task *task, TextBuffer *text) {
    const PictureFacts *f = picture_facts(task);
    size_t patch = task->recipe->model.patch;
    char grid[60];
    text_format(grid, sizeof grid, "%zux%zu", f->height / patch, f->width / patch);
    meaning_add(text, MEANING_PATCHES, grid);
    for (size_t k = 0; f->class_names && k < f->classes; k++) {
        char start[40];
        text_format(start, sizeof start, "class %zu=", k);
        text_append(text, start, strlen(start));
        json_t *name = json_text(f->class_names[k]); /* as task.json has it: UTF-8 */
        for (const char *c = json_string_value(name); *c; c++)
            text_append_byte(text, *c == '\n' ? ' ' : *c);
        text_append_byte(text, '\n');
        json_decref(name);
    }
}

/* One for each channel, as the loader has them. */
static json_t *for_channels(const double *value, size_t given, size_t channels) {
    json_t *list = json_array();
    for (size_t c = 0; c < channels && given; c++)
        json_array_append_new(list,
                              json_number(value[given == 1 ? 0 : MIN(c, given - 1)]));
    return list;
}

void picture_task_introduce(const Task *task, json_t *facts) {
    const PictureFacts *f = picture_facts(task);
    const DataConfig *data = &task->recipe->data;
    json_t *names = json_array();
    for (size_t k = 0; k < f->classes; k++) {
        char number[24];
        text_format(number, sizeof number, "%zu", k);
        json_array_append_new(names,
                              json_text(f->class_names ? f->class_names[k] : number));
    }
    json_object_set_new(facts, "classes", json_integer((json_int_t)f->classes));
    json_object_set_new(facts, "class_names", names);
    json_object_set_new(facts, "image_size",
                        json_pack("[I, I, I]", (json_int_t)f->channels,
                                  (json_int_t)f->height, (json_int_t)f->width));
    json_object_set_new(facts, "mean",
                        for_channels(data->mean, data->mean_count, f->channels));
    json_object_set_new(facts, "std",
                        for_channels(data->std, data->std_count, f->channels));
    json_object_set_new(facts, "patch",
                        json_integer((json_int_t)task->recipe->model.patch));
}

/* A run that goes on keeps its pictures' size, though another picture may be first by
 * now. */
Status picture_task_check_facts(const Task *task, const char *run_dir, Err *err) {
    const PictureTask *p = (const PictureTask *)task;
    PictureFacts old = {0};
    if (!p->measured || !checkpoint_newest(run_dir, SIZE_MAX)) return OK;
    if (picture_facts_load(run_dir, &old, err)) return err->status;
    if (old.height != p->facts.height || old.width != p->facts.width)
        err_set(err, FAIL_DATA,
                "the run's pictures have width %zu, height %zu (%s/task.json), "
                "but the first training picture has width %zu, height %zu: has "
                "%s changed?",
                old.width, old.height, run_dir, p->facts.width, p->facts.height,
                p->task.recipe->data.path);
    picture_facts_free(&old);
    return err->status;
}

static const char *old_name(const json_t *names, size_t k) {
    const char *name = json_string_value(json_array_get(names, k));
    return name ? name : "(none)";
}

/* As task.json would have it now. */
static bool is_named(const json_t *names, size_t k, const char *name) {
    json_t *now = json_text(name);
    bool same = json_equal(json_array_get(names, k), now);
    json_decref(now);
    return same;
}

/* How many classes there are, and the first that has another name than
 * task.json has for it. */
void picture_task_changes(const Task *task, const char *run_dir, DataFacts *found) {
    const PictureFacts *now = picture_facts(task);
    json_t *root = rundir_load_json(run_dir, "task.json", NULL);
    const json_t *names = json_object_get(root, "class_names");
    size_t old = (size_t)json_integer_value(json_object_get(root, "classes")), k = 0;
    if (old && old != now->classes)
        facts_note(found, 1, "%zu classes before, %zu now", old, now->classes);
    while (now->class_names && names && k < now->classes &&
           is_named(names, k, now->class_names[k]))
        k++;
    if (now->class_names && names && k < now->classes)
        facts_note(found, 1, "class %zu changed from \"%.100s\" to \"%.100s\"", k,
                   old_name(names, k), now->class_names[k]);
    json_decref(root);
}

Status picture_task_save_facts(const Task *task, const char *run_dir, Err *err) {
    const PictureFacts *f = picture_facts(task);
    json_t *root =
        json_pack("{s:s, s:I, s:I, s:I, s:I}", "kind", task_name(task->recipe->task),
                  "channels", (json_int_t)f->channels, "height", (json_int_t)f->height,
                  "width", (json_int_t)f->width, "classes", (json_int_t)f->classes);
    if (task->chance != log((double)f->classes)) /* what readers take it to be */
        json_object_set_new(root, "chance", json_number(task->chance));
    if (f->class_names) {
        json_t *names = json_array();
        for (size_t i = 0; i < f->classes; i++)
            json_array_append_new(names, json_text(f->class_names[i]));
        json_object_set_new(root, "class_names", names);
    }
    return rundir_save_json(run_dir, "task.json", root, 0, err);
}

/* event: rows of train.jsonl that are no steps (tools/train/parts.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "tools/program/say.h"
#include "tools/run/runlog.h"
#include "tools/train/parts.h"

Status trainer_log_event(Trainer *t, size_t step, const char *event, const char *text,
                         json_t *more, Err *err) {
    if (!ranks_lead(t->ranks)) return json_decref(more), OK;
    json_t *row = json_pack("{s:I, s:s, s:o}", "step", (json_int_t)step, "event", event,
                            "text", json_text(text));
    if (more) json_object_update_missing(row, more);
    json_decref(more);
    return log_row(&t->train_log, row, err);
}

/* Skips of rank 0 are all rows; other ranks write none, and name theirs. */
static void say_skip(Trainer *t, const json_t *event, const char *text) {
    size_t fresh = (size_t)json_integer_value(json_object_get(event, "count"));
    if (!skips_are_named(&t->task->skips, fresh)) return;
    if (ranks_lead(t->ranks)) progress_say(&t->progress, "skipped: %s", text);
    else say("rank %zu: skipped: %s", ranks_number(t->ranks), text);
}

Status trainer_log_task_events(Trainer *t, size_t step, Err *err) {
    json_t *events = t->task->events, *event;
    size_t i;
    t->task->events = NULL;
    json_array_foreach(events, i, event) {
        const char *kind = json_string_value(json_object_get(event, "event"));
        const char *text = json_string_value(json_object_get(event, "text"));
        if (!strcmp(kind, "skip")) say_skip(t, event, text);
        if (trainer_log_event(t, step, kind, text, json_incref(event), err)) break;
    }
    json_decref(events);
    return err->status;
}

/* ---- at a resume ---- */

enum { TAIL = 1 << 16 };

static const char *const DEPARTURES[] = {"resume", "rollback", "intervene"};

/* Of one kind, or NULL: of any. */
static bool is_departure(const char *line, size_t length, size_t step, const char *kind) {
    json_t *row = json_loadb(line, length, 0, NULL);
    const char *event = json_string_value(json_object_get(row, "event"));
    bool here = (size_t)json_integer_value(json_object_get(row, "step")) == step,
         is = false;
    for (size_t i = 0; i < COUNT(DEPARTURES) && event && here; i++)
        is |= !strcmp(event, DEPARTURES[i]) && (!kind || !strcmp(event, kind));
    json_decref(row);
    return is;
}

/* Bytes of `text` without the lines at its end that are departures from `step`. */
static size_t kept_bytes(const char *text, size_t size, size_t step, const char *kind) {
    while (size) {
        const char *before = size > 1 ? memrchr(text, '\n', size - 1) : NULL;
        size_t start = before ? (size_t)(before + 1 - text) : 0;
        if (!is_departure(text + start, size - start, step, kind)) break;
        size = start;
    }
    return size;
}

Status trainer_drop_departures(Log *log, size_t step, const char *kind, Err *err) {
    char tail[TAIL];
    int file = fileno(log->file);
    off_t size = lseek(file, 0, SEEK_END), from = MAX(size - TAIL, (off_t)0);
    ssize_t got = size < 0 ? -1 : pread(file, tail, (size_t)(size - from), from);
    off_t kept = got < 0 ? 0 : from + (off_t)kept_bytes(tail, (size_t)got, step, kind);
    bool good = got >= 0 && from + got == size;
    if (good && kept < size) good = !ftruncate(file, kept);
    if (good && !fseek(log->file, 0, SEEK_END)) return OK;
    return err_set(err, FAIL_RUN, "%s: cannot be truncated: %s", log->path,
                   strerror(errno));
}

/* The widest that a "resume" row says `key` to have been; *off: it was 0 at a time. */
static size_t widest_of(const json_t *row, const char *key, bool *off) {
    size_t i, widest = 0;
    const json_t *change;
    json_array_foreach(json_object_get(row, "changes"), i, change) {
        const char *name = json_string_value(json_object_get(change, "key"));
        if (!name || strcmp(name, key)) continue;
        static const char *const SIDES[] = {"from", "to"};
        for (size_t s = 0; s < COUNT(SIDES); s++) {
            const char *value = json_string_value(json_object_get(change, SIDES[s]));
            size_t every = value ? strtoul(value, NULL, 10) : 0;
            *off |= !every;
            widest = MAX(widest, every);
        }
    }
    return widest;
}

/* The same of what interventions make of it. */
static size_t widest_intervention(const Trainer *t, const char *key, bool *off) {
    char value[INTERVENE_TEXT];
    size_t widest = 0;
    for (size_t g = 0; g < INTERVENE_GROUPS; g++) {
        if (!intervene_changes(t->base, g, key_find(key), value)) continue;
        size_t every = strtoul(value, NULL, 10);
        *off |= !every;
        widest = MAX(widest, every);
    }
    return widest;
}

/* What "resume" rows, seen so far, say that a key was. */
typedef struct Widest {
    const char *key;
    size_t widest; /* at most */
    bool off;      /* 0 at a time */
} Widest;

static void see_line(Widest *w, const char *line, size_t length) {
    static const char EVENT[] = "\"event\":\"resume\"";
    if (!memmem(line, length, EVENT, sizeof EVENT - 1)) return;
    json_t *row = json_loadb(line, length, 0, NULL);
    w->widest = MAX(w->widest, widest_of(row, w->key, &w->off));
    json_decref(row);
}

/* Sees all lines of `text` that end; returns how many bytes stand behind the last end. */
static size_t see_lines(Widest *w, const char *text, size_t size) {
    const char *line = text, *end = text + size, *stop;
    for (; (stop = memchr(line, '\n', (size_t)(end - line))); line = stop + 1)
        see_line(w, line, (size_t)(stop - line));
    return (size_t)(end - line);
}

enum { BLOCK = 1 << 20 };

/* The whole log, a block at a time; what stands behind the last end of a line is kept for
 * the next one.  A line that fills a block has no end in it and is skipped: rows of
 * "resume" are far shorter.  false: the log cannot be read. */
static bool see_log(Widest *w, const char *path, const char *root) {
    if (!openfile_exists(path, root)) return true;
    FILE *file = openfile_stream(path, root, NULL);
    if (!file) return false;
    char *text = mem_alloc(BLOCK);
    size_t held = 0, got;
    while ((got = fread(text + held, 1, BLOCK - held, file))) {
        size_t size = held + got;
        held = see_lines(w, text, size) % BLOCK;
        memmove(text, text + size - held, held);
    }
    see_line(w, text, held);
    bool good = !ferror(file);
    mem_free(text);
    fclose(file);
    return good;
}

size_t trainer_widest(const Trainer *t, const char *key, size_t was, size_t now) {
    char path[PATH_SIZE];
    Widest w = {key, MAX(was, now), !was || !now};
    w.widest = MAX(w.widest, widest_intervention(t, key, &w.off));
    rundir_path(path, t->dir, "train.jsonl");
    bool known = !t->was || see_log(&w, path, t->dir);
    return w.off || !known ? 0 : w.widest;
}

static json_t *changes_json(const RecipeChanges *changes) {
    json_t *list = json_array();
    for (size_t i = 0; i < changes->count; i++) {
        const RecipeChange *c = &changes->change[i];
        char key[80];
        text_format(key, sizeof key, "%s.%s", c->key->section, c->key->name);
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "key", key, "from",
                                              json_text(c->was), "to", json_text(c->is)));
    }
    return json_pack("{s:o}", "changes", list);
}

static void add_part(TextBuffer *text, const char *part) {
    if (text->length) text_append(text, "; ", 2);
    text_append(text, part, strlen(part));
}

/* Stays when the new run is resumed: it is no departure. */
static Status log_branch(Trainer *t, Err *err) {
    char text[1200];
    if (!t->from) return OK;
    text_format(text, sizeof text, "continued from %.1000s, checkpoint of step %zu",
                t->from->run, t->at.step);
    json_t *more = json_pack("{s:o}", "run", json_text(t->from->run));
    return trainer_log_event(t, t->at.step, RUNLOG_BRANCH, text, more, err);
}

Status trainer_log_resumed(Trainer *t, Err *err) {
    if (trainer_drop_departures(&t->train_log, t->at.step, NULL, err) ||
        log_branch(t, err))
        return err->status;
    bool course = recipe_changes_course(&t->changes, t->recipe);
    if (!t->at.step || !(course || t->data_change.length || t->lost_bf16)) return OK;
    TextBuffer text = {0};
    recipe_changes_text(&t->changes, &text);
    if (t->lost_bf16) add_part(&text, "train.precision = auto changed from bf16 to fp32");
    if (t->data_change.length) {
        add_part(&text, "the data changed: ");
        text_append(&text, t->data_change.text, t->data_change.length);
    }
    trainer_log_event(t, t->at.step, "resume", text.text, changes_json(&t->changes), err);
    text_free(&text);
    return err->status;
}

void trainer_recipe_at(const char *path, const char *dir, Recipe *recipe) {
    char *digest = checkpoint_fact(path, dir, "recipe");
    if (digest) recipe_read_digest(recipe, digest);
    mem_free(digest);
}

bool trainer_recipe_was(const char *dir, Recipe *recipe) {
    char path[PATH_SIZE];
    size_t step = checkpoint_newest(dir, SIZE_MAX);
    if (!step) return false;
    checkpoint_path(path, dir, step);
    trainer_recipe_at(path, dir, recipe);
    return true;
}

#include "tools/run/checkpoint_facts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/textbuffer.h"
#include "tools/recipe/metric.h"

#define COUNT_MOST 1e15 /* of steps, batches, epochs */

/* ---- writing ---- */

static void add_number(SafetensorsWriter *writer, const char *key, double value) {
    char text[64];
    text_format(text, sizeof text, "%.17g", value);
    safetensors_add_metadata(writer, key, text);
}

/* What a guard has warned of, by name, separated by blanks. */
static void add_names(SafetensorsWriter *writer, const char *key, const char *const *name,
                      const bool *warned, size_t count) {
    TextBuffer text = {0};
    for (size_t i = 0; i < count; i++) {
        if (!warned[i]) continue;
        if (text.length) text_append(&text, " ", 1);
        text_append(&text, name[i], strlen(name[i]));
    }
    if (text.length) safetensors_add_metadata(writer, key, text.text);
    text_free(&text);
}

static const char **site_names(const Model *model) {
    const char **names = mem_alloc(model->site_count * sizeof *names);
    for (size_t i = 0; i < model->site_count; i++) names[i] = model->sites[i]->name;
    return names;
}

static const char **param_names(const Model *model) {
    const char **names = mem_alloc(model->params->count * sizeof *names);
    for (size_t i = 0; i < model->params->count; i++)
        names[i] = model->params->list[i]->name;
    return names;
}

/* Sites that the collapse guard has warned of, tensors that guard.update_above has. */
static void add_warned(SafetensorsWriter *writer, const CheckpointParts *parts) {
    const char **sites = site_names(parts->model), **params = param_names(parts->model);
    if (parts->warned)
        add_names(writer, "warned", sites, parts->warned, parts->model->site_count);
    if (parts->moved)
        add_names(writer, "moved", params, parts->moved, parts->model->params->count);
    mem_free(sites);
    mem_free(params);
}

static void add_skips(SafetensorsWriter *writer, const CheckpointParts *parts) {
    if (!parts->skips || !parts->skips->count) return;
    char *text = skips_text(parts->skips);
    safetensors_add_metadata(writer, "skipped", text);
    mem_free(text);
}

/* "step epoch share number epoch", and "; batch accumulate load batches" for each
 * part. */
static void add_anchor(SafetensorsWriter *writer, const Anchor *a) {
    char text[(PLACE_PARTS + 2) * 100];
    if (!a->step) return;
    text_format(text, sizeof text, "%zu %.17g %.17g %zu %zu", a->step, a->epoch, a->share,
                a->place.number, a->place.epoch);
    for (size_t i = 0; i < a->place.parts; i++) {
        const PlacePart *part = &a->place.part[i];
        size_t used = strlen(text);
        text_format(text + used, sizeof text - used, "; %zu %zu %.17g %zu", part->batch,
                    part->accumulate, part->load, part->batches);
    }
    safetensors_add_metadata(writer, "place", text);
}

/* "train 60000 89ab0000cdef0123; test 10000 ...", as far as splits are there. */
static void add_marks(SafetensorsWriter *writer, const DataMark data[3]) {
    static const char *const NAMES[] = {"train", "val", "test"};
    char text[3 * 60] = "";
    for (size_t s = 0; s < 3; s++) {
        size_t used = strlen(text);
        if (!data[s].there) continue;
        text_format(text + used, sizeof text - used, "%s%s %zu %016" PRIx64,
                    used ? "; " : "", NAMES[s], data[s].count, data[s].hash);
    }
    if (*text) safetensors_add_metadata(writer, "data", text);
}

static void add_plateau(SafetensorsWriter *writer, const Plateau *p) {
    if (!isfinite(p->best) && !p->reductions) return;
    safetensors_add_metadata(writer, "plateau_watch", metric_watch_names[p->watch]);
    add_number(writer, "plateau_best", p->best);
    add_number(writer, "plateau_bad", (double)p->bad);
    add_number(writer, "plateau_reductions", (double)p->reductions);
}

void checkpoint_add_facts(SafetensorsWriter *writer, const CheckpointParts *parts,
                          const Progressed *p) {
    char acted[ACTED_TEXT];
    add_number(writer, "step", (double)p->step);
    add_number(writer, "temperature", p->temperature);
    add_number(writer, "data_offset", (double)p->data_offset);
    add_number(writer, "pending_eval", p->pending_eval);
    add_number(writer, "best_score", p->best_score);
    add_number(writer, "best_step", (double)p->best_step);
    if (parts->best_by) safetensors_add_metadata(writer, "best_by", parts->best_by);
    if (p->epoch_steps) {
        add_number(writer, "epoch_steps", (double)p->epoch_steps);
        add_number(writer, "epoch_left", (double)p->epoch_left);
    }
    acted_print(&p->acted, acted);
    if (*acted) safetensors_add_metadata(writer, "intervened", acted);
    add_anchor(writer, &p->anchor);
    add_marks(writer, p->data);
    add_warned(writer, parts);
    add_skips(writer, parts);
    add_plateau(writer, &p->plateau);
}

/* ---- reading ---- */

typedef struct Reading {
    const Safetensors *file;
    const char *path;
    Err *err;
} Reading;

static Status refuse(const Reading *r, const char *key, const char *wanted) {
    return err_set(r->err, FAIL_DATA, "%s: __metadata__: %s is \"%.40s\"; expected %s",
                   r->path, key, safetensors_metadata(r->file, key), wanted);
}

/* 0 where the file does not have it. */
static double number_of(const Reading *r, const char *key) {
    const char *text = safetensors_metadata(r->file, key);
    char *end;
    double value = text ? strtod(text, &end) : 0;
    if (text && (end == text || *end)) refuse(r, key, "a number");
    return value;
}

static size_t whole_of(const Reading *r, const char *key) {
    double value = number_of(r, key);
    if (value >= 0 && value <= COUNT_MOST && value == floor(value)) return (size_t)value;
    refuse(r, key, "a count");
    return 0;
}

/* Of attention: what its logits are divided by; 0 where the file does not say it. */
static double temperature_of(const Reading *r) {
    double value = number_of(r, "temperature");
    bool given = safetensors_metadata(r->file, "temperature") != NULL;
    if (given && !(value > 0 && isfinite(value)))
        refuse(r, "temperature", "a positive number");
    return value;
}

/* Numbers as add_anchor writes them: whole ones below 2^48, lengths that
 * can be divided by. */
static bool read_numbers(const char **text, double *number, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char *end;
        number[i] = strtod(*text, &end);
        bool good = end > *text && number[i] >= 0 && number[i] < 0x1p48;
        *text = end;
        if (!good) return false;
    }
    return true;
}

static bool read_part(const char **text, Place *place) {
    double n[4];
    ++*text;
    if (place->parts == PLACE_PARTS || !read_numbers(text, n, COUNT(n))) return false;
    PlacePart part = {(size_t)n[0], (size_t)n[1], n[2], (size_t)n[3]};
    place->part[place->parts++] = part;
    return part.batch && part.accumulate && part.accumulate <= MAX(part.batch, part.load);
}

static Status read_anchor(const Reading *r, Anchor *a) {
    const char *text = safetensors_metadata(r->file, "place");
    double n[5];
    *a = (Anchor){0};
    if (!text) return OK;
    bool good = read_numbers(&text, n, COUNT(n)) && n[2] <= 1;
    if (good)
        *a = (Anchor){
            (size_t)n[0], n[1], n[2], {.number = (size_t)n[3], .epoch = (size_t)n[4]}};
    while (good && *text == ';') good = read_part(&text, &a->place);
    if (good && !*text) return OK;
    return refuse(r, "place", "a position in the data");
}

static Status read_acted(const Reading *r, Acted *acted) {
    if (acted_read(safetensors_metadata(r->file, "intervened"), acted)) return OK;
    return refuse(r, "intervened", "group numbers");
}

static bool is_named(const char *text, const char *name) {
    size_t length = strlen(name);
    for (const char *at = text; at && (at = strstr(at, name)); at += length)
        if ((at == text || at[-1] == ' ') && (!at[length] || at[length] == ' '))
            return true;
    return false;
}

static void read_names(const Safetensors *file, const char *key, const char *const *name,
                       bool *warned, size_t count) {
    const char *text = safetensors_metadata(file, key);
    for (size_t i = 0; i < count; i++) warned[i] = is_named(text, name[i]);
}

static void read_warned(const Safetensors *file, const CheckpointParts *parts) {
    const char **sites = site_names(parts->model), **params = param_names(parts->model);
    if (parts->warned)
        read_names(file, "warned", sites, parts->warned, parts->model->site_count);
    if (parts->moved)
        read_names(file, "moved", params, parts->moved, parts->model->params->count);
    mem_free(sites);
    mem_free(params);
}

static Status read_marks(const Reading *r, DataMark data[3]) {
    const char *text = safetensors_metadata(r->file, "data");
    for (; text; text = strchr(text, ';') ? strchr(text, ';') + 1 : NULL) {
        char name[8];
        size_t s = 0;
        DataMark mark = {.there = true};
        if (sscanf(text, " %7s %zu %" SCNx64, name, &mark.count, &mark.hash) != 3)
            return refuse(r, "data", "a count and a hash for each split");
        while (s < 3 && strcmp(name, (const char *const[]){"train", "val", "test"}[s]))
            s++;
        if (s < 3) data[s] = mark;
    }
    return OK;
}

bool checkpoint_data(const char *path, const char *root, DataMark data[3]) {
    Err err = ERR_NONE;
    Safetensors *file = safetensors_open_in(path, root, SAFETENSORS_TRUST, &err);
    Reading r = {file, path, &err};
    for (size_t s = 0; s < 3; s++) data[s] = (DataMark){0};
    bool good = file && safetensors_metadata(file, "data") && !read_marks(&r, data);
    safetensors_close(file);
    return good;
}

static Plateau read_plateau(const Reading *r) {
    const char *watch = safetensors_metadata(r->file, "plateau_watch");
    if (!safetensors_metadata(r->file, "plateau_best")) return PLATEAU_START;
    return (Plateau){metric_watch_place(watch ? watch : ""), number_of(r, "plateau_best"),
                     whole_of(r, "plateau_bad"), whole_of(r, "plateau_reductions")};
}

Status checkpoint_read_facts(const Safetensors *file, const char *path,
                             const CheckpointParts *parts, Progressed *progressed,
                             Err *err) {
    Reading r = {file, path, err};
    Progressed p = {.step = whole_of(&r, "step"),
                    .temperature = temperature_of(&r),
                    .data_offset = whole_of(&r, "data_offset"),
                    .pending_eval = number_of(&r, "pending_eval") != 0,
                    .best_score = number_of(&r, "best_score"),
                    .best_step = whole_of(&r, "best_step"),
                    .epoch_steps = whole_of(&r, "epoch_steps"),
                    .epoch_left = whole_of(&r, "epoch_left"),
                    .plateau = read_plateau(&r)};
    if (err->status || read_acted(&r, &p.acted) || read_anchor(&r, &p.anchor) ||
        read_marks(&r, p.data))
        return err->status;
    read_warned(file, parts);
    if (parts->skips) skips_read(parts->skips, safetensors_metadata(file, "skipped"));
    *progressed = p;
    return OK;
}

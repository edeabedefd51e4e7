#include "tools/run/prefix.h"

#include <stdio.h>
#include <string.h>

#include "tools/program/say.h"

static size_t names_behind(const Safetensors *file, const ParamSet *params,
                           const char *prefix, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const char *name = safetensors_entry(file, i)->name;
        bool begins = strlen(name) > length && !strncmp(name, prefix, length);
        count += begins && params_find(params, name + length);
    }
    return count;
}

/* Names that a file of plain weights has: without companions of a reparametrisation. */
static size_t needed(const ParamSet *params) {
    size_t count = 0;
    for (size_t i = 0; i < params->count; i++)
        count +=
            params->list[i]->role != PARAM_GAIN && params->list[i]->role != PARAM_BUFFER;
    return count;
}

typedef struct Prefix {
    char text[SAFETENSORS_NAME_MAX + 1];
    size_t count; /* names of the model behind it */
} Prefix;

/* What stands before `end` in a name; false: nothing, or not on a border of words. */
static bool read_prefix(const char *name, const char *end, char *text, size_t size) {
    size_t whole = strlen(name), tail = strlen(end);
    if (whole <= tail || strcmp(name + whole - tail, end) != 0) return false;
    if (!strchr("./", name[whole - tail - 1])) return false;
    text_format(text, size, "%.*s", (int)(whole - tail), name);
    return true;
}

/* The best prefix, and the next best one.  An entry that ends in the first name of the
 * model that there is shows each of them. */
static void find_prefixes(const Safetensors *file, const ParamSet *params,
                          Prefix best[2]) {
    best[0].count = best[1].count = 0;
    for (size_t p = 0; p < params->count && !best[0].count; p++) {
        for (size_t i = 0; i < safetensors_count(file); i++) {
            Prefix seen;
            const char *name = safetensors_entry(file, i)->name;
            if (!read_prefix(name, params->list[p]->name, seen.text, sizeof seen.text))
                continue;
            seen.count = names_behind(file, params, seen.text, strlen(seen.text));
            if (seen.count > best[0].count) best[1] = best[0], best[0] = seen;
            else if (seen.count > best[1].count) best[1] = seen;
        }
        if (2 * best[0].count < needed(params)) best[0].count = 0;
    }
}

Status prefix_take_off(Safetensors *file, const char *path, const ParamSet *params,
                       Err *err) {
    Prefix best[2];
    if (names_behind(file, params, "", 0)) return OK;
    find_prefixes(file, params, best);
    if (!best[0].count) return OK;
    if (best[1].count == best[0].count)
        return err_set(err, FAIL_DATA,
                       "%.600s: the names of its tensors begin with %.100s or with "
                       "%.100s, and either could be meant; save a file with one of them "
                       "alone",
                       path, best[0].text, best[1].text);
    if (!safetensors_strip(file, best[0].text)) return OK;
    say("steady: note: %s: names of tensors are read without their prefix %s", path,
        best[0].text);
    return OK;
}

void prefix_names(const Safetensors *file, const ParamSet *params,
                  char text[PREFIX_NAMES]) {
    enum { SHOWN = 3 };
    size_t count = safetensors_count(file);
    *text = 0;
    if (!count || names_behind(file, params, "", 0)) return;
    text_format(text, PREFIX_NAMES, "; the file has ");
    for (size_t i = 0; i < MIN(count, (size_t)SHOWN); i++) {
        size_t used = strlen(text);
        text_format(text + used, PREFIX_NAMES - used, "%s%.100s", i ? ", " : "",
                    safetensors_entry(file, i)->name);
    }
    size_t used = strlen(text);
    if (count > SHOWN)
        text_format(text + used, PREFIX_NAMES - used, " and %zu more", count - SHOWN);
}

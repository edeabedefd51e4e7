#include "models/temperature.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Entry {
    const char *name;
    size_t length;
    double temperature;
} Entry;

static const char BETWEEN[] = " \t,";

/* Takes the next NAME:NUMBER off *rest; false at the end, or with *good false where it is
 * something else. */
static bool next_entry(const char **rest, Entry *entry, bool *good) {
    const char *text = *rest + strspn(*rest, BETWEEN);
    size_t size = strcspn(text, BETWEEN);
    const char *colon = memchr(text, ':', size);
    char *end;
    *good = true;
    *rest = text + size;
    if (!size) return false;
    *entry = (Entry){.name = text, .length = colon ? (size_t)(colon - text) : 0};
    if (colon) entry->temperature = strtod(colon + 1, &end);
    *good = entry->length && end == text + size && end > colon + 1 &&
            entry->temperature > 0 && isfinite(entry->temperature);
    if (!*good) entry->length = size;
    return *good;
}

Status temperatures_check(const char *text, Err *err) {
    Entry entry;
    bool good;
    while (next_entry(&text, &entry, &good)) continue;
    if (good) return OK;
    return err_set(err, FAIL_USAGE,
                   "model.temperature_at: `%.*s`: expected SITE:NUMBER with a number > "
                   "0, such as blocks.0.attn:0.1",
                   (int)MIN(entry.length, (size_t)60), entry.name);
}

/* The site's whole name, or its beginning up to a dot. */
static bool means(const Entry *entry, const Site *site) {
    char after =
        strncmp(site->name, entry->name, entry->length) ? 'x' : site->name[entry->length];
    return !after || after == '.';
}

/* Sites that no later entry means again have the entry's temperature. */
static bool has_effect(const Model *model, const Entry *entry, const char *rest) {
    for (size_t i = 0; i < model->site_count; i++) {
        const char *later = rest;
        bool good, taken = !means(entry, model->sites[i]);
        for (Entry next; !taken && next_entry(&later, &next, &good);)
            taken = means(&next, model->sites[i]);
        if (!taken) return true;
    }
    return false;
}

static Status check_name(const Model *model, const Entry *entry, Err *err) {
    char names[200] = "";
    for (size_t i = 0; i < model->site_count; i++) {
        size_t used = strlen(names);
        if (means(entry, model->sites[i])) return OK;
        if (used + strlen(model->sites[i]->name) + 8 < sizeof names)
            text_format(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                        model->sites[i]->name);
        else if (i + 1 == model->site_count)
            text_format(names + used, sizeof names - used, ", ...");
    }
    return err_set(
        err, FAIL_USAGE,
        "model.temperature_at: %.*s is not an attention site of this model, nor the "
        "start of a name up to a dot; expected one of %s",
        (int)MIN(entry->length, (size_t)60), entry->name, names);
}

Status model_check_temperatures(const Model *model, const char *text, Err *err) {
    Status status = temperatures_check(text, err);
    Entry entry;
    bool good;
    while (!status && next_entry(&text, &entry, &good))
        if (!(status = check_name(model, &entry, err)) &&
            !has_effect(model, &entry, text))
            status = err_set(err, FAIL_USAGE,
                             "model.temperature_at: %.*s has no effect, because later "
                             "entries cover the same sites; leave it out, or put the "
                             "longer name last",
                             (int)MIN(entry.length, (size_t)60), entry.name);
    return status;
}

Status model_set_temperatures(Model *model, const char *text, Err *err) {
    Status status = model_check_temperatures(model, text, err);
    Entry entry;
    bool good;
    if (status) return status;
    for (size_t i = 0; i < model->site_count; i++) model->sites[i]->temperature = 0;
    while (next_entry(&text, &entry, &good))
        for (size_t i = 0; i < model->site_count; i++)
            if (means(&entry, model->sites[i]))
                model->sites[i]->temperature = entry.temperature;
    return OK;
}

double site_temperature(const Site *site, const ForwardMode *mode) {
    return site->temperature > 0 ? site->temperature : mode->temperature;
}

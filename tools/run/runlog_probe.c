/* runlog_probe: rows of probe.jsonl as arrays (tools/run/runlog.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core/grow.h"
#include "tools/run/layer.h"
#include "tools/run/runlog_parts.h"

enum {
    NAMES_MOST = 20000, /* sites, heads of one, weights */
    KINDS_MOST = 200,   /* of sites or weights: names without the number of their block */
};

/* A name that is too long is kept without its end. */
static bool is_named(const char *kept, size_t room, const char *name) {
    return !strncmp(kept, name, room - 1);
}

/* Its number among the names that came before; SIZE_MAX: it is new. */
static size_t find_name(const StringMap *names, const char *name, size_t room) {
    return stringmap_find(names, name, strnlen(name, room - 1));
}

/* Figures compare each kind with all names.  A name of one kind too many is left out. */
static bool has_kind(StringMap *kinds, const char *name) {
    char text[sizeof(LayerName)];
    LayerName part = layer_name(name);
    text_format(text, sizeof text, "%d%s %s", part.in_block, part.prefix, part.suffix);
    size_t length = strlen(text);
    if (stringmap_find(kinds, text, length) != SIZE_MAX) return true;
    return kinds->count < KINDS_MOST && stringmap_add(kinds, text, length) < KINDS_MOST;
}

/* Each name takes numbers for each row.  Of rows that belong together they are fewer than
 * the bytes that name them; what strangers write must not take all memory.  False: there
 * is no room for so many. */
static bool take_room(RunLog *run, size_t space, size_t each) {
    size_t cells;
    bool good =
        size_mul(space, each, &cells) && cells <= run->room - MIN(run->room, run->cells);
    if (good) run->cells += cells;
    return good;
}

/* False: what has the name is left out, which is said (runlog_note). */
static bool afford(RunLog *run, const char *name, bool known, size_t space, size_t each) {
    bool good = known && take_room(run, space, each);
    if (good || !run->room) return good;
    run->room = 0; /* said once */
    if (!run->bad_rows++)
        snprintf(run->bad_first, sizeof run->bad_first,
                 "probe.jsonl: too many names for its rows; %.60s and later ones are "
                 "ignored",
                 name);
    return false;
}

/* Rows list their sites and weights in one order: `guess`, the place in the row, is where
 * the name mostly stands. */
static SiteLog *find_site(RunLog *run, const char *name, size_t guess, size_t heads,
                          size_t space) {
    ProbeLog *probe = &run->probe;
    enum { ROOM = sizeof probe->sites->name };
    if (guess < probe->site_count && is_named(probe->sites[guess].name, ROOM, name))
        return &probe->sites[guess];
    size_t known = find_name(&run->site_names, name, ROOM);
    if (known != SIZE_MAX) return &probe->sites[known];
    bool good = heads <= NAMES_MOST && probe->site_count < NAMES_MOST &&
                has_kind(&run->site_kinds, name);
    if (heads > NAMES_MOST || !afford(run, name, good, space, 4 + heads)) return NULL;
    GROW(probe->sites, probe->site_count, probe->site_room, 1);
    SiteLog *site = &probe->sites[probe->site_count++];
    *site = (SiteLog){.heads = heads};
    snprintf(site->name, sizeof site->name, "%s", name);
    stringmap_add(&run->site_names, site->name, strlen(site->name));
    site->entropy = runlog_nans(space * MAX(heads, 1));
    site->mean = runlog_nans(space);
    site->max_logit = runlog_nans(space);
    site->keys = runlog_nans(space);
    site->uniform = runlog_nans(space);
    return site;
}

/* The array of a number that few logs have, made when the first row has it; NULL: none
 * has. */
static double *numbers_for(RunLog *run, const json_t *value, const char *site,
                           size_t count, double **numbers) {
    if (!*numbers && value && afford(run, site, true, count, 1))
        *numbers = runlog_nans(count);
    return *numbers;
}

static void read_numbers(RunLog *run, const json_t *row, SiteLog *site, size_t at,
                         size_t space) {
    for (size_t k = 0; k < SITE_NUMBERS; k++) {
        const json_t *value = json_object_get(row, site_numbers[k].key);
        double *numbers = numbers_for(run, value, site->name, space, &site->value[k]);
        if (numbers) numbers[at] = runlog_number_in(value);
    }
    size_t heads = site->heads;
    for (size_t k = 0; k < HEAD_NUMBERS && heads; k++) {
        const json_t *list = json_object_get(row, head_numbers[k].key);
        double *numbers =
            numbers_for(run, list, site->name, space * heads, &site->head[k]);
        for (size_t h = 0; numbers && h < heads; h++)
            numbers[at * heads + h] = runlog_number_in(json_array_get(list, h));
    }
}

static void read_site(RunLog *run, const json_t *row, size_t guess, size_t at,
                      size_t space) {
    const char *name = runlog_text(row, "site");
    const json_t *entropy = json_object_get(row, "entropy");
    size_t heads = json_array_size(entropy);
    SiteLog *site = name ? find_site(run, name, guess, heads, space) : NULL;
    if (!site) return;
    double *nats = site->entropy + at * site->heads;
    for (size_t h = 0; h < site->heads; h++)
        nats[h] = runlog_number_in(json_array_get(entropy, h));
    site->mean[at] = entropy_mean(nats, site->heads);
    site->max_logit[at] = runlog_number(row, "max_logit");
    double keys = runlog_number(row, "keys"), uniform = runlog_number(row, "uniform");
    site->keys[at] = keys;
    site->uniform[at] = isfinite(uniform) ? uniform : keys >= 1 ? log(keys) : NAN;
    read_numbers(run, row, site, at, space);
}

static WeightLog *find_weight(RunLog *run, const char *name, size_t guess, size_t space) {
    ProbeLog *probe = &run->probe;
    enum { ROOM = sizeof probe->weights->name };
    if (guess < probe->weight_count && is_named(probe->weights[guess].name, ROOM, name))
        return &probe->weights[guess];
    size_t known = find_name(&run->weight_names, name, ROOM);
    if (known != SIZE_MAX) return &probe->weights[known];
    bool good = probe->weight_count < NAMES_MOST && has_kind(&run->weight_kinds, name);
    if (!afford(run, name, good, space, WEIGHT_NUMBERS)) return NULL;
    GROW(probe->weights, probe->weight_count, probe->weight_room, 1);
    WeightLog *weight = &probe->weights[probe->weight_count++];
    snprintf(weight->name, sizeof weight->name, "%s", name);
    stringmap_add(&run->weight_names, weight->name, strlen(weight->name));
    for (size_t k = 0; k < WEIGHT_NUMBERS; k++) weight->value[k] = runlog_nans(space);
    return weight;
}

#define KEY(NUMBER, key, label) key,
static const char *const KEYS[] = {WEIGHT_LIST(KEY)};

static void read_weight(RunLog *run, const json_t *row, size_t guess, size_t at,
                        size_t space) {
    const char *name = runlog_text(row, "name");
    WeightLog *weight = name ? find_weight(run, name, guess, space) : NULL;
    if (!weight) return;
    for (size_t k = 0; k < WEIGHT_NUMBERS; k++)
        weight->value[k][at] = runlog_number(row, KEYS[k]);
}

static void read_values(const json_t *list, double *value) {
    for (size_t i = 0; i < SHARPNESS_MOST; i++)
        value[i] = runlog_number_in(json_array_get(list, i));
}

static int by_step(const void *a, const void *b) {
    const SharpnessRow *x = a, *y = b;
    if (x->step != y->step) return x->step < y->step ? -1 : 1;
    return x->line < y->line ? -1 : 1;
}

/* Of rows of one step the last of the file stays. */
void runlog_sort_sharpness(RunLog *run) {
    SharpnessRow *rows = run->probe.sharpness;
    size_t count = run->probe.sharpness_count, kept = 0;
    if (count) qsort(rows, count, sizeof *rows, by_step);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || rows[i + 1].step != rows[i].step) rows[kept++] = rows[i];
    run->probe.sharpness_count = kept;
}

/* Is that all that the row is about? */
static bool read_sharpness(ProbeLog *probe, const json_t *row, double step,
                           size_t space) {
    const json_t *found = json_object_get(row, "sharpness");
    bool alone =
        found && !json_object_get(row, "attention") && !json_object_get(row, "weights");
    if (!alone && !json_array_size(found)) return false;
    if (!probe->sharpness) probe->sharpness = mem_array(space, sizeof(SharpnessRow));
    SharpnessRow *own = &probe->sharpness[probe->sharpness_count];
    *own = (SharpnessRow){.step = step,
                          .line = probe->sharpness_count++,
                          .threshold = runlog_number(found, "threshold")};
    read_values(json_is_array(found) ? found : json_object_get(found, "raw"), own->raw);
    read_values(json_object_get(found, "preconditioned"), own->preconditioned);
    return alone;
}

static void forget(double *numbers, size_t from, size_t count) {
    for (size_t i = from; numbers && i < from + count; i++) numbers[i] = NAN;
}

/* Of a row whose place a later one takes nothing is left, for that may lack a site. */
static void forget_row(ProbeLog *probe, size_t at) {
    for (size_t i = 0; i < probe->site_count; i++) {
        SiteLog *site = &probe->sites[i];
        double *single[] = {site->mean, site->max_logit, site->keys, site->uniform};
        for (size_t k = 0; k < COUNT(single); k++) forget(single[k], at, 1);
        for (size_t k = 0; k < SITE_NUMBERS; k++) forget(site->value[k], at, 1);
        forget(site->entropy, at * site->heads, site->heads);
        for (size_t k = 0; k < HEAD_NUMBERS; k++)
            forget(site->head[k], at * site->heads, site->heads);
    }
    for (size_t i = 0; i < probe->weight_count; i++)
        for (size_t k = 0; k < WEIGHT_NUMBERS; k++)
            forget(probe->weights[i].value[k], at, 1);
}

void runlog_read_probe(RunLog *run, const json_t *row, double step, size_t space) {
    ProbeLog *probe = &run->probe;
    if (read_sharpness(probe, row, step, space)) return;
    if (!probe->step) probe->step = runlog_nans(space);
    while (probe->count && probe->step[probe->count - 1] >= step)
        forget_row(probe, --probe->count);
    size_t at = probe->count++, i;
    const json_t *item;
    probe->step[at] = step;
    json_array_foreach(json_object_get(row, "attention"), i, item)
        read_site(run, item, i, at, space);
    json_array_foreach(json_object_get(row, "weights"), i, item)
        read_weight(run, item, i, at, space);
}

RunLog *runlog_of_probe(const json_t *row) {
    RunLog *run = mem_zalloc(sizeof *run);
    run->room = CELLS_LEAST;
    runlog_read_probe(run, row, runlog_number(row, "step"), 1);
    return run;
}

void runlog_free_probe(RunLog *run) {
    ProbeLog *probe = &run->probe;
    stringmap_free(&run->site_names);
    stringmap_free(&run->site_kinds);
    stringmap_free(&run->weight_kinds);
    stringmap_free(&run->weight_names);
    for (size_t i = 0; i < probe->site_count; i++) {
        SiteLog *site = &probe->sites[i];
        double *owned[] = {site->entropy, site->mean, site->max_logit, site->keys,
                           site->uniform};
        for (size_t j = 0; j < COUNT(owned); j++) mem_free(owned[j]);
        for (size_t k = 0; k < SITE_NUMBERS; k++) mem_free(site->value[k]);
        for (size_t k = 0; k < HEAD_NUMBERS; k++) mem_free(site->head[k]);
    }
    for (size_t i = 0; i < probe->weight_count; i++) {
        WeightLog *weight = &probe->weights[i];
        for (size_t k = 0; k < WEIGHT_NUMBERS; k++) mem_free(weight->value[k]);
    }
    void *lists[] = {probe->step, probe->sites, probe->weights, probe->sharpness};
    for (size_t i = 0; i < COUNT(lists); i++) mem_free(lists[i]);
}

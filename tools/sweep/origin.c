#include "tools/sweep/origin.h"

#include <stddef.h>
#include <string.h>

#include "engine/core/grow.h"
#include "engine/core/hash.h"
#include "tools/recipe/keys.h"
#include "tools/run/rundir.h"

/* ---- one run ---- */

static bool chooses_data(const Key *key) {
    KeyChange change = key_change(key);
    if (!strcmp(key->section, "task")) return true;
    return !strcmp(key->section, "data") &&
           (change == CHANGE_MODEL || change == CHANGE_FILES || change == CHANGE_ITEMS);
}

/* Of what the keys come to in this version, whatever the run's wrote; 0: not known. */
static uint64_t keys_of(const RunLog *run) {
    char path[PATH_SIZE], value[KEY_VALUE_MAX];
    Recipe *recipe = mem_alloc(sizeof *recipe);
    uint64_t hash = HASH_START;
    rundir_path(path, run->path, "recipe.ini");
    *recipe = recipe_default();
    bool known = recipe_load_file(recipe, path, run->path, NULL) == OK;
    for (const Key *key = keys; key < keys + keys_count && known; key++) {
        if (!key_is_stored(key) || !chooses_data(key)) continue;
        key_print(key, recipe, value, sizeof value);
        hash = hash_bytes(hash, value, strlen(value) + 1);
    }
    mem_free(recipe);
    return known ? hash : 0;
}

static void copy_name(char *to, size_t size, const char *name) {
    snprintf(to, size, "%s", name ? name : "");
}

void origin_read(SweepOrigin *origin, const RunLog *run) {
    const Sessions *sessions = &run->sessions;
    const char *changed = runlog_setting(run, "data.changed");
    *origin = (SweepOrigin){.keys = 0};
    if (!changed || strcmp(changed, "allow") != 0) origin->keys = keys_of(run);
    for (size_t s = 0; s < COUNT(origin->hash); s++) {
        origin->hash[s] = run->data.split[s].hash;
        origin->count[s] = run->data.split[s].count;
    }
    const char *init = runlog_setting(run, "train.init");
    if (init && *init) origin->init = hash_bytes(HASH_START, init, strlen(init));
    copy_name(origin->init_crc, sizeof origin->init_crc, sessions_init_crc(sessions));
    if (!sessions->count) return;
    const Session *last = &sessions->list[sessions->count - 1];
    copy_name(origin->version, sizeof origin->version, last->version);
    copy_name(origin->real, sizeof origin->real, last->real);
    copy_name(origin->machine, sizeof origin->machine, last->machine);
}

/* ---- the same data? ---- */

typedef struct Place {
    const Sweep *sweep;
    size_t cell;
} Place;

static const SweepOrigin *origin_of(const Place *place) {
    return &place->sweep->cells[place->cell].origin;
}

/* The split in which they differ; COUNT(hash): none. */
static size_t different_split(const SweepOrigin *a, const SweepOrigin *b) {
    bool version = !strcmp(a->version, b->version);
    size_t s = 0;
    for (; s < COUNT(a->hash); s++) {
        if (a->count[s] && b->count[s] && a->count[s] != b->count[s]) break;
        if (version && a->hash[s] && b->hash[s] && a->hash[s] != b->hash[s]) break;
    }
    return s;
}

static Status refuse(const Place *a, const Place *b, size_t split, Err *err) {
    char one[SWEEP_DIR + SWEEP_NAME + 16], other[SWEEP_DIR + SWEEP_NAME + 16];
    const SweepOrigin *x = origin_of(a), *y = origin_of(b);
    sweep_cell_dir(a->sweep, a->cell, one, sizeof one);
    sweep_cell_dir(b->sweep, b->cell, other, sizeof other);
    return err_set(
        err, FAIL_DATA,
        "%s and %s were trained on different data by the same keys: split %s has %zu "
        "examples with hash %016llx and %zu with %016llx (data.json); means and "
        "differences over both say nothing: remove the runs of one of them, or give "
        "each data set its own data.path",
        one, other, split_name((Split)split), x->count[split],
        (unsigned long long)x->hash[split], y->count[split],
        (unsigned long long)y->hash[split]);
}

/* ---- the same weights? ---- */

/* Two ended runs that began from different weights by the same train.init. */
static bool find_starts(const Sweep *sweeps, size_t count, Place *a, Place *b) {
    Place *first = NULL; /* of each train.init */
    size_t firsts = 0, room = 0;
    bool found = false;
    for (size_t s = 0; s < count; s++)
        for (size_t c = 0; c < sweeps[s].cell_count && !found; c++) {
            size_t i = 0;
            *b = (Place){&sweeps[s], c};
            const SweepOrigin *origin = origin_of(b);
            if (!sweep_has_ended(&sweeps[s].cells[c]) || !origin->init ||
                !*origin->init_crc)
                continue;
            while (i < firsts && origin_of(&first[i])->init != origin->init) i++;
            if (i == firsts) {
                GROW(first, firsts, room, 1);
                first[firsts++] = *b;
            }
            *a = first[i];
            found = strcmp(origin_of(a)->init_crc, origin->init_crc) != 0;
        }
    mem_free(first);
    return found;
}

static void name_place(const Place *place, char name[SWEEP_DIR + SWEEP_NAME + 16]) {
    sweep_cell_dir(place->sweep, place->cell, name, SWEEP_DIR + SWEEP_NAME + 16);
}

static Status check_init(const Sweep *sweep, Err *err) {
    char one[SWEEP_DIR + SWEEP_NAME + 16], other[SWEEP_DIR + SWEEP_NAME + 16];
    Place a = {0}, b = {0};
    if (!find_starts(sweep, 1, &a, &b)) return OK;
    name_place(&a, one);
    name_place(&b, other);
    return err_set(
        err, FAIL_DATA,
        "%s and %s began from different weights by the same train.init: its file had "
        "CRC-32 %s and %s (run.json); means and differences over both say nothing: "
        "remove the runs of one of them, or give each file of weights its own name",
        one, other, origin_of(&a)->init_crc, origin_of(&b)->init_crc);
}

static void print_init(const Sweep *sweeps, size_t count, FILE *out) {
    char one[SWEEP_DIR + SWEEP_NAME + 16], other[SWEEP_DIR + SWEEP_NAME + 16];
    Place a = {0}, b = {0};
    if (!find_starts(sweeps, count, &a, &b)) return;
    name_place(&a, one);
    name_place(&b, other);
    fprintf(out,
            "different weights by the same train.init: %s began from CRC-32 %s, %s from "
            "%s\n",
            one, origin_of(&a)->init_crc, other, origin_of(&b)->init_crc);
}

Status origin_check_data(const Sweep *sweeps, size_t count, Err *err) {
    Place *first = NULL; /* a run for each choice of data, and each version */
    size_t firsts = 0, room = 0;
    Status status = OK;
    for (size_t s = 0; s < count; s++)
        for (size_t c = 0; c < sweeps[s].cell_count && !status; c++) {
            Place place = {&sweeps[s], c};
            const SweepOrigin *origin = origin_of(&place);
            if (!sweep_has_ended(&sweeps[s].cells[c]) || !origin->keys) continue;
            bool seen = false;
            for (size_t i = 0; i < firsts && !status; i++) {
                const SweepOrigin *had = origin_of(&first[i]);
                if (had->keys != origin->keys) continue;
                size_t split = different_split(had, origin);
                if (split < COUNT(had->hash))
                    status = refuse(&first[i], &place, split, err);
                seen |= !strcmp(had->version, origin->version);
            }
            if (seen || status) continue;
            GROW(first, firsts, room, 1);
            first[firsts++] = place;
        }
    mem_free(first);
    for (size_t s = 0; s < count && !status; s++) status = check_init(&sweeps[s], err);
    return status;
}

/* ---- which programs and machines ---- */

static const struct {
    const char *what;
    size_t offset; /* of the name in SweepOrigin */
} PARTS[] = {{"versions", offsetof(SweepOrigin, version)},
             {"number types", offsetof(SweepOrigin, real)},
             {"machines", offsetof(SweepOrigin, machine)}};

typedef struct Named {
    const char *name, *run; /* the first of it */
    size_t runs;
} Named;

static size_t count_names(const Sweep *sweeps, size_t count, size_t offset,
                          Named **list) {
    size_t names = 0, room = 0;
    *list = NULL;
    for (size_t s = 0; s < count; s++)
        for (size_t c = 0; c < sweeps[s].cell_count; c++) {
            const SweepCell *cell = &sweeps[s].cells[c];
            const char *name = (const char *)&cell->origin + offset;
            if (!sweep_has_ended(cell) || !*name) continue;
            size_t i = 0;
            while (i < names && strcmp((*list)[i].name, name) != 0) i++;
            if (i == names) {
                GROW(*list, names, room, 1);
                (*list)[names++] = (Named){name, cell->name, 0};
            }
            (*list)[i].runs++;
        }
    return names;
}

void origin_print(const Sweep *sweeps, size_t count, FILE *out) {
    enum { SHOWN = 4 };
    print_init(sweeps, count, out);
    for (size_t p = 0; p < COUNT(PARTS); p++) {
        Named *list;
        size_t names = count_names(sweeps, count, PARTS[p].offset, &list);
        if (names > 1) fprintf(out, "runs of %zu %s:", names, PARTS[p].what);
        for (size_t i = 0; i < MIN(names, (size_t)SHOWN) && names > 1; i++)
            fprintf(out, "%s %s (%zu run%s%s%s)", i ? "," : "", list[i].name,
                    list[i].runs, list[i].runs == 1 ? "" : "s", i ? ", first: " : "",
                    i ? list[i].run : "");
        if (names > SHOWN) fputs(", ...", out);
        if (names > 1) fputs("\n", out);
        mem_free(list);
    }
}

#include "tools/figure/layers.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core/grow.h"

void layer_label(const char *site, char label[96]) {
    snprintf(label, 96, "%s", site);
    size_t length = strlen(label);
    if (length > 5 && !strcmp(label + length - 5, ".attn")) label[length - 5] = '\0';
}

void layer_block_label(const char *site, char label[96]) {
    LayerName name = layer_name(site);
    if (name.in_block) text_format(label, 96, "blocks.%zu", name.block);
    else layer_label(site, label);
}

size_t layer_kind_count(const ProbeLog *probe, LayerKind kind) {
    size_t count = 0;
    for (size_t i = 0; i < probe->site_count; i++)
        count += layer_kind(probe->sites[i].name) == kind;
    return count;
}

EntropyLow layer_kind_lowest(const RunLog *run, LayerKind kind) {
    EntropyLow low = ENTROPY_LOW_NONE;
    const ProbeLog *probe = &run->probe;
    for (size_t p = 0; p < probe->count; p++)
        for (size_t i = 0; i < probe->site_count; i++) {
            const SiteLog *site = &probe->sites[i];
            if (layer_kind(site->name) == kind)
                entropy_low_see(&low, site->name, site->uniform[p], site->mean[p],
                                (size_t)probe->step[p]);
        }
    for (size_t i = 0; i < run->event_count; i++) {
        const RunEvent *event = &run->events[i];
        if (event->site && layer_kind(event->site) == kind)
            runlog_see_alarm(run, event, &low);
    }
    return low;
}

/* The first site of the same kind; its rank among first sites numbers the kind. */
static size_t kind_head(const ProbeLog *probe, size_t site) {
    LayerName own = layer_name(probe->sites[site].name);
    for (size_t i = 0; i < site; i++) {
        LayerName other = layer_name(probe->sites[i].name);
        if (layer_same_kind(&own, &other)) return i;
    }
    return site;
}

Hue layer_hue(const ProbeLog *probe, size_t site) {
    size_t head = kind_head(probe, site), rank = 0;
    for (size_t i = 0; i < head; i++) rank += kind_head(probe, i) == i;
    return (Hue)(rank % HUE_COUNT);
}

bool layer_chosen(const LayerChoice *choice, const char *site) {
    for (size_t i = 0; i < choice->count; i++)
        if (!strcmp(choice->names[i], site)) return true;
    return false;
}

/* How many chosen sites there are of the kind of `site`; *before: in front of it. */
static size_t rank(const LayerChoice *choice, const char *site, size_t *before) {
    LayerName own = layer_name(site);
    size_t all = 0;
    *before = 0;
    for (size_t i = 0; i < choice->count; i++) {
        LayerName other = layer_name(choice->names[i]);
        if (!layer_same_kind(&own, &other)) continue;
        *before += other.block < own.block;
        all++;
    }
    return all;
}

/* Of many layers the first get more of the ramp: where a run of 6 layers stands beside
 * one of 100, a colour is one layer in both, and the six are still told apart. */
double layer_shade(const LayerChoice *choice, const char *site) {
    size_t before, all = rank(choice, site, &before);
    double depth = all > 1 ? (double)before / (double)(all - 1) : 0.5;
    return all > 12 ? sqrt(depth) : depth;
}

size_t layer_chosen_count(const LayerChoice *choice, LayerKind kind) {
    size_t count = 0;
    for (size_t i = 0; i < choice->count; i++)
        count += layer_kind(choice->names[i]) == kind;
    return count;
}

bool layer_in_legend(const LayerChoice *choice, const char *site, size_t most) {
    size_t before, all = rank(choice, site, &before);
    if (all <= most) return true;
    for (size_t k = 0; k < most; k++)
        if (before == (k * (all - 1) + (most - 1) / 2) / (most - 1)) return true;
    return false;
}

static void choose(LayerChoice *choice, const char *site) {
    if (layer_chosen(choice, site)) return;
    GROW(choice->names, choice->count, choice->room, 1);
    snprintf(choice->names[choice->count++], sizeof *choice->names, "%s", site);
}

/* The site of each kind whose mean entropy came closest to zero. */
static void choose_lowest(LayerChoice *choice, const RunLog *run) {
    const ProbeLog *probe = &run->probe;
    for (size_t head = 0; head < probe->site_count; head++) {
        if (kind_head(probe, head) != head) continue;
        double lowest = INFINITY;
        size_t best = head;
        for (size_t i = head; i < probe->site_count; i++) {
            if (kind_head(probe, i) != head) continue;
            const SiteLog *site = &probe->sites[i];
            for (size_t p = 0; p < probe->count; p++) {
                double share = entropy_share(site->mean[p], site->uniform[p]);
                if (share < lowest) {
                    lowest = share;
                    best = i;
                }
            }
        }
        choose(choice, probe->sites[best].name);
    }
}

/* A site that collapsed, and when. */
typedef struct Fallen {
    double step;
    size_t site;
} Fallen;

static int by_step(const void *a, const void *b) {
    const Fallen *x = a, *y = b;
    int order = (x->step > y->step) - (x->step < y->step);
    return order ? order : (x->site > y->site) - (x->site < y->site);
}

/* By its probes; infinite: it did not. */
static double fell_at(const ProbeLog *probe, const SiteLog *site) {
    for (size_t p = 0; p < probe->count; p++)
        if (entropy_fell(entropy_share(site->mean[p], site->uniform[p]), COLLAPSE_SHARE))
            return probe->step[p];
    return INFINITY;
}

/* In the order of their fall; for mem_free. */
static Fallen *list_fallen(const RunLog *run, size_t *count) {
    const ProbeLog *probe = &run->probe;
    Fallen *fallen = mem_array(probe->site_count + 1, sizeof *fallen);
    for (size_t i = 0; i < probe->site_count; i++)
        fallen[i] = (Fallen){fell_at(probe, &probe->sites[i]), i};
    for (size_t e = 0; e < run->event_count; e++) {
        const RunEvent *event = &run->events[e];
        if (!event->site || !entropy_fell(event->share, COLLAPSE_SHARE)) continue;
        size_t i = stringmap_find(&run->site_names, event->site, strlen(event->site));
        if (i < probe->site_count) fallen[i].step = fmin(fallen[i].step, event->step);
    }
    qsort(fallen, probe->site_count, sizeof *fallen, by_step);
    *count = 0;
    while (*count < probe->site_count && isfinite(fallen[*count].step)) ++*count;
    return fallen;
}

static void choose_fallen(LayerChoice *choice, const RunLog *run) {
    size_t count;
    Fallen *fallen = list_fallen(run, &count);
    LayerChoice taken = {0};
    for (size_t i = 0; i < count; i++) {
        const char *site = run->probe.sites[fallen[i].site].name;
        size_t before;
        if (rank(&taken, site, &before) >= LAYERS_FALLEN) continue;
        choose(&taken, site);
        choose(choice, site);
    }
    layer_choice_free(&taken);
    mem_free(fallen);
}

typedef enum {
    PICK_ALL,
    PICK_FIRST,
    PICK_MIDDLE,
    PICK_LAST,
    PICK_LOWEST,
    PICK_COLLAPSED,
    PICK_NUMBER
} Pick;

static const char *const pick_names[] = {
    [PICK_ALL] = "all",   [PICK_FIRST] = "first",   [PICK_MIDDLE] = "middle",
    [PICK_LAST] = "last", [PICK_LOWEST] = "lowest", [PICK_COLLAPSED] = "collapsed"};

/* A kind of site with the number of its deepest block. */
typedef struct Depth {
    LayerName kind;
    size_t last;
} Depth;

static Depth *find_depth(Depth *depths, size_t count, const LayerName *name) {
    size_t k = 0;
    while (k < count && !layer_same_kind(&depths[k].kind, name)) k++;
    return &depths[k];
}

/* All of them (mem_free). */
static Depth *list_depths(const ProbeLog *probe, size_t *count) {
    Depth *depths = mem_zarray(probe->site_count + 1, sizeof *depths);
    *count = 0;
    for (size_t i = 0; i < probe->site_count; i++) {
        LayerName name = layer_name(probe->sites[i].name);
        Depth *depth = find_depth(depths, *count, &name);
        if (depth == depths + *count) *depth = (Depth){name, 0}, ++*count;
        depth->last = MAX(depth->last, name.block);
    }
    return depths;
}

static bool picked(const LayerName *name, size_t last, Pick pick, size_t wanted) {
    switch (pick) {
    case PICK_FIRST: return name->block == 0;
    case PICK_MIDDLE: return name->block == (last + 1) / 2;
    case PICK_LAST: return name->block == last;
    case PICK_NUMBER: return name->block == wanted;
    case PICK_ALL:
    case PICK_LOWEST:
    case PICK_COLLAPSED: break;
    }
    return true;
}

static Status choose_word(LayerChoice *choice, const RunLog *run, const char *word,
                          Err *err) {
    size_t pick = 0, number = 0;
    while (pick < COUNT(pick_names) && strcmp(pick_names[pick], word)) pick++;
    if (pick == COUNT(pick_names)) {
        char *end;
        number = strtoull(word, &end, 10);
        if (!isdigit((unsigned char)*word) || *end)
            return err_set(err, FAIL_USAGE,
                           "layer \"%s\": expected all, first, middle, last, lowest, "
                           "collapsed or numbers",
                           word);
    }
    if (pick == PICK_LOWEST) {
        choose_lowest(choice, run);
        return OK;
    }
    if (pick == PICK_COLLAPSED) {
        choose_fallen(choice, run);
        return OK;
    }
    size_t count, deepest = 0;
    Depth *depths = list_depths(&run->probe, &count);
    for (size_t k = 0; k < count; k++) deepest = MAX(deepest, depths[k].last);
    if (pick == PICK_NUMBER && count && number > deepest) {
        mem_free(depths);
        return err_set(err, FAIL_USAGE, "layer %.20s: the blocks of %.300s are 0 to %zu",
                       word, run->path, deepest);
    }
    for (size_t i = 0; i < run->probe.site_count; i++) {
        const char *site = run->probe.sites[i].name;
        LayerName name = layer_name(site);
        size_t last = find_depth(depths, count, &name)->last;
        if (picked(&name, last, (Pick)pick, number)) choose(choice, site);
    }
    mem_free(depths);
    return OK;
}

Status layer_choose(LayerChoice *choice, const RunLog *run, const char *text, Err *err) {
    char *words = mem_strdup(text), *rest = words, *word;
    Status status = OK;
    while (!status && (word = strsep(&rest, ",")))
        status = choose_word(choice, run, word, err);
    mem_free(words);
    return status;
}

void layer_choice_free(LayerChoice *choice) {
    mem_free(choice->names);
    *choice = (LayerChoice){0};
}

#include "data/picture/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/picture/augment.h"
#include "data/picture/read.h"
#include "data/stratify.h"

/* A largest class of this share, and so many times an even one, is worth a word. */
#define SHARE_LEAST 0.3
#define TIMES_LEAST 1.3

/* ---- classes ---- */

static const char *class_text(const Dataset *set, size_t k, char text[24]) {
    if (set->class_names) return set->class_names[k];
    text_format(text, 24, "%zu", k);
    return text;
}

static void note_largest(Dataset *set, const size_t *count, size_t present) {
    size_t largest = 0;
    char number[24];
    for (size_t k = 1; k < set->classes; k++)
        if (count[k] > count[largest]) largest = k;
    double share = (double)count[largest] / (double)set->count;
    if (share < SHARE_LEAST || share * (double)present < TIMES_LEAST) return;
    facts_note(&set->facts, count[largest],
               "class %s has %zu of %zu pictures: always answering it is correct in "
               "%.1f %%",
               class_text(set, largest, number), count[largest], set->count, 100 * share);
}

static int by_letters(const void *a, const void *b) {
    return strcasecmp(*(char *const *)a, *(char *const *)b);
}

/* Classes that are one class where a file system does not tell capitals apart. */
static void note_capitals(Dataset *set) {
    if (!set->class_names) return;
    char **name = mem_alloc(set->classes * sizeof *name);
    size_t pairs = 0, first = 0;
    memcpy(name, set->class_names, set->classes * sizeof *name);
    qsort(name, set->classes, sizeof *name, by_letters);
    for (size_t k = set->classes; k-- > 1;)
        if (!strcasecmp(name[k - 1], name[k])) pairs++, first = k;
    if (pairs)
        facts_note(
            &set->facts, pairs,
            "class names that differ only in case: %zu (first: %s and %s); they are "
            "different classes",
            pairs, name[first - 1], name[first]);
    mem_free(name);
}

Status survey_classes(Dataset *set, bool training, Err *err) {
    if (!set->label || !set->count) return OK;
    size_t *label = mem_alloc(set->count * sizeof *label), present = 0, some = 0,
           absent = 0;
    size_t *count = mem_alloc(set->classes * sizeof *count);
    for (size_t i = 0; i < set->count; i++) label[i] = set->label(set, i);
    class_counts(label, set->count, count, set->classes);
    for (size_t k = set->classes; k-- > 0;) {
        if (count[k]) present++, some = k;
        else absent = k;
    }
    mem_free(label);
    char number[24];
    Status status = OK;
    if (training && present < 2)
        status = err_set(
            err, FAIL_DATA,
            "all %zu training pictures are of one class (%s); a classifier needs at "
            "least two; for training without labels: steady recipes cifar-simclr",
            set->count, class_text(set, some, number));
    facts_note(&set->facts, set->classes - present,
               "%zu of %zu classes have no picture here (first: %s)%s",
               set->classes - present, set->classes, class_text(set, absent, number),
               training ? ": they cannot be learned" : "");
    if (present > 1) note_largest(set, count, present);
    if (training) note_capitals(set);
    mem_free(count);
    return status;
}

/* ---- a sample of pictures ---- */

typedef enum { TURNED, INKS, GREY, COLOUR, CLEAR, FLAT, HIDDEN, BROKEN, TRAITS } Trait;

static const char *const trait_text[TRAITS] = {
    [TURNED] = "have an Exif orientation and are rotated accordingly",
    [INKS] = "are CMYK and are converted to RGB without a colour profile",
    [GREY] = "are grey and are read as RGB (data.channels)",
    [COLOUR] = "have colours and are read as grey (data.channels = 1)",
    [CLEAR] = "have transparent pixels, which are blended with data.background",
    [FLAT] = "have one colour only",
    [HIDDEN] = "have one colour only, after blending with",
    [BROKEN] = "cannot be read and are skipped (data.on_error = skip)",
};

static const char *const candidates[] = {"white", "black", "grey"};

typedef struct Survey {
    const Dataset *set;
    const DataConfig *config;
    size_t read, count[TRAITS], helps[COUNT(candidates)];
    char *first[TRAITS]; /* file, or what is wrong with it; NULL: none */
    size_t *broken;      /* [classes] of the sample */
    Image image;
} Survey;

static void see(Survey *s, Trait trait, const char *text) {
    if (!s->count[trait]++) s->first[trait] = mem_strdup(text);
}

static bool is_flat(const Image *image) {
    size_t channels = image->channels, n = image->height * image->width * channels;
    return !memcmp(image->pixels, image->pixels + channels, n - channels);
}

/* Does another background show what this one hides? */
static bool shows_over(Survey *s, const char *path) {
    bool any = false;
    for (size_t k = 0; k < COUNT(candidates); k++) {
        PictureReading how = picture_reading(s->config);
        background_parse(candidates[k], how.background, NULL);
        if (image_read(path, &how, &s->image, NULL) || is_flat(&s->image)) continue;
        s->helps[k]++;
        any = true;
    }
    return any;
}

/* Of a set whose pictures share a file, pixels alone can be looked at. */
static Status look_at_pixels(Survey *s, size_t i, Err *err) {
    size_t label;
    char text[40];
    text_format(text, sizeof text, "item %zu", i);
    if (dataset_get(s->set, i, &s->image, &label, err)) return err->status;
    if (is_flat(&s->image)) see(s, FLAT, text);
    return OK;
}

static Status look_at(Survey *s, size_t i, Err *err) {
    if (!s->set->path) return look_at_pixels(s, i, err);
    char path[DATASET_PATH];
    PictureTraits traits = {0};
    PictureReading how = picture_reading(s->config);
    how.traits = &traits;
    s->set->path(s->set, i, path);
    Err own = ERR_NONE;
    Status status = image_read(path, &how, &s->image, &own);
    if (status == FAIL_DATA && s->config->on_error == ON_ERROR_SKIP) {
        see(s, BROKEN, own.text);
        s->broken[s->set->label(s->set, i)]++;
        return OK;
    }
    if (status) return err_set(err, status, "%s", own.text);
    if (traits.orientation > 1) see(s, TURNED, path);
    if (traits.inks) see(s, INKS, path);
    if (traits.grey && how.channels == 3) see(s, GREY, path);
    if (!traits.grey && how.channels == 1) see(s, COLOUR, path);
    if (!is_flat(&s->image)) {
        if (traits.clear) see(s, CLEAR, path);
        return OK;
    }
    see(s, traits.clear && shows_over(s, path) ? HIDDEN : FLAT, path);
    return OK;
}

/* Where every picture was read, a class without a good one cannot be learned. */
static Status check_lost(const Survey *s, Err *err) {
    const Dataset *set = s->set;
    if (s->read < set->count || !s->count[BROKEN]) return OK;
    size_t *count = mem_zalloc(set->classes * sizeof *count), lost = set->classes;
    for (size_t i = 0; i < set->count; i++) count[set->label(set, i)]++;
    for (size_t k = set->classes; k-- > 0;)
        if (count[k] && s->broken[k] == count[k]) lost = k;
    char number[24];
    Status status = OK;
    if (lost < set->classes)
        status =
            err_set(err, FAIL_DATA,
                    "none of the %zu pictures of class %s can be read (%zu of all %zu "
                    "cannot; data.on_error = skip ignores single ones); the first: %s",
                    count[lost], class_text(set, lost, number), s->count[BROKEN],
                    set->count, s->first[BROKEN]);
    mem_free(count);
    return status;
}

static void note_traits(const Survey *s, DataFacts *facts) {
    const char *sample = s->read < s->set->count ? " of a sample" : "";
    for (size_t k = 0; k < TRAITS; k++) {
        char help[120] = "", colours[AUGMENT_COLOURS];
        size_t best = 0;
        for (size_t b = 1; b < COUNT(candidates); b++)
            if (s->helps[b] > s->helps[best]) best = b;
        if (k == HIDDEN)
            snprintf(help, sizeof help, " %s; data.background = %s shows %zu of them",
                     s->config->background, candidates[best], s->helps[best]);
        if (k == GREY && s->count[k] == s->read)
            snprintf(help, sizeof help, "; to read them as grey: data.channels=1");
        if (k == GREY && augment_colours(s->config->augment, colours))
            snprintf(help + strlen(help), sizeof help - strlen(help),
                     "; data.augment: %s: no effect on them", colours);
        if (!s->count[k]) continue;
        facts_note(facts, s->count[k], "%zu of %zu pictures%s %s%s (first: %s)",
                   s->count[k], s->read, sample, trait_text[k], help, s->first[k]);
    }
}

Status survey_pictures(Dataset *set, const DataConfig *config, bool (*interrupted)(void),
                       Err *err) {
    if (!set->label || !set->count) return OK;
    Survey s = {.set = set,
                .config = config,
                .read = MIN(set->count, (size_t)SURVEY_MOST)};
    s.broken = mem_zalloc(set->classes * sizeof *s.broken);
    Status status = OK;
    for (size_t k = 0; k < s.read && !status; k++) {
        size_t i = k * set->count / s.read;
        status = look_at(&s, i, err);
        if (set->path)
            set->facts.hash = facts_hash_number(set->facts.hash, survey_content(set, i));
        if (!status && interrupted && interrupted())
            status =
                err_set(err, FAIL_INTERRUPTED, "interrupted while checking pictures");
    }
    if (!status) status = check_lost(&s, err);
    if (!status) note_traits(&s, &set->facts);
    for (size_t k = 0; k < TRAITS; k++) mem_free(s.first[k]);
    image_free(&s.image);
    mem_free(s.broken);
    return status;
}

/* notes: what was given and does nothing, and rates that are seldom meant
 * (tools/recipe/recipe.h). */
#include <stdarg.h>
#include <string.h>

#include "engine/optim/schedule.h"
#include "tools/recipe/intervene.h"
#include "tools/recipe/keys.h"

__attribute__((format(printf, 3, 4))) static void note(FILE *out, size_t *count,
                                                       const char *format, ...) {
    ++*count;
    if (!out) return;
    va_list values;
    va_start(values, format);
    fputs("steady: note: ", out);
    vfprintf(out, format, values);
    fputc('\n', out);
    va_end(values);
}

/* Rates that are allowed and seldom meant. */
static void note_rates(const Recipe *recipe, FILE *out, size_t *count) {
    const ScheduleConfig *schedule = &recipe->schedule;
    const TrainConfig *train = &recipe->train;
    bool falls = schedule_has_end(schedule->name);
    bool plateau = schedule->name == SCHEDULE_PLATEAU;
    if (train->steps && schedule->warmup_steps > train->steps)
        note(out, count,
             "schedule.warmup_steps = %zu is longer than the run (%zu step%s): the "
             "learning rate never reaches optim.lr",
             schedule->warmup_steps, train->steps, train->steps == 1 ? "" : "s");
    if (train->epochs > 0 && schedule->warmup_epochs > train->epochs)
        note(out, count,
             "schedule.warmup_epochs = %g is longer than the run (%g epoch%s): the "
             "learning rate never reaches optim.lr",
             schedule->warmup_epochs, train->epochs, train->epochs == 1 ? "" : "s");
    if ((falls || plateau) && schedule->min_lr > recipe->optim.lr)
        note(out, count,
             "schedule.min_lr = %g is above optim.lr = %g: the learning rate %s",
             schedule->min_lr, recipe->optim.lr,
             falls ? "rises to it" : "is never reduced");
}

/* Keys that act on more than they name. */
static void note_sharing(const Recipe *recipe, FILE *out, size_t *count) {
    bool tied =
        recipe->model.tied != TIED_NONE && key_applies(key_find("model.tied"), recipe);
    if (tied && recipe->optim.layer_decay != 1)
        note(out, count,
             "optim.layer_decay = %g gives the output matrix the lowest learning rate, "
             "that of the embeddings, because model.tied shares it with them",
             recipe->optim.layer_decay);
    if (tied && recipe->optim.front_lr_scale != 1)
        note(out, count,
             "optim.front_lr_scale = %g also acts on the output matrix, which "
             "model.tied shares with the embeddings",
             recipe->optim.front_lr_scale);
}

static bool is_default(const Key *key, const Recipe *recipe, const Recipe *standard) {
    char is[KEY_VALUE_MAX], was[KEY_VALUE_MAX];
    key_print(key, recipe, is, sizeof is);
    key_print(key, standard, was, sizeof was);
    return !strcmp(is, was);
}

/* A word is always named.  A file may write defaults out; and what a built-in recipe sets
 * is not the user's, who may well have switched off what it was for. */
static bool is_meant(const Key *key, const Recipe *recipe, const Recipe *standard) {
    if (!keyset_has(recipe->own, key)) return false;
    return keyset_has(recipe->worded, key) || !is_default(key, recipe, standard);
}

size_t recipe_notes(const Recipe *recipe, FILE *out) {
    char why[KEY_WHY_MAX];
    size_t count = 0;
    Recipe standard = recipe_default();
    for (const Key *key = keys; key < keys + keys_count; key++) {
        bool other = !key_applies(key, recipe);
        if (!keyset_has(recipe->given, key) || key_acts(key, recipe, why, sizeof why))
            continue;
        if (!other && !is_meant(key, recipe, &standard)) continue;
        note(out, &count, "%s.%s %s: %s", key->section, key->name,
             other ? "is ignored" : "has no effect", why);
        if (!strcmp(key->section, "data") && !strcmp(key->name, "path"))
            note(out, &count, "built-in data are used in the place of %s",
                 recipe->data.path);
    }
    note_rates(recipe, out, &count);
    note_sharing(recipe, out, &count);
    return count + intervene_notes(recipe, out);
}

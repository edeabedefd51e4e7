/* data: what a recipe says of recordings, as their reader takes it
 * (tools/task/transcribe/transcribe.h). */
#include <string.h>
#include <sys/stat.h>

#include "tools/task/transcribe/transcribe.h"

/* A path that speechset takes for one: with a slash in it. */
static void as_path(char *name, size_t size, const char *path) {
    text_format(name, size, "%s%s", strchr(path, '/') ? "" : "./", path);
}

static bool is_file(const char *path) {
    struct stat info;
    return !stat(path, &info) && S_ISREG(info.st_mode);
}

/* Names of the splits: as the recipe has them, else those that the source's folders bear.  data.path may
 * also be the training data themselves: a manifest, or a folder of speakers. */
static void name_splits(const DataConfig *d, SpeechConfig *c) {
    bool manifest = !strcmp(d->source, "manifest");
    text_format(c->train, sizeof c->train, "%s",
                *d->train_split ? d->train_split : "train*");
    bool itself = manifest ? is_file(d->path) : !speech_has(c, SPLIT_TRAIN);
    if (itself && !*d->train_split) as_path(c->train, sizeof c->train, d->path);
    const char *val = manifest ? "dev*" : "dev-clean";
    text_format(c->val, sizeof c->val, "%s", *d->val_split ? d->val_split : val);
    if (manifest && !*d->val_split && !speech_has(c, SPLIT_VAL))
        text_format(c->val, sizeof c->val, "val*");
    const char *test = manifest ? "test*" : "test-clean";
    text_format(c->test, sizeof c->test, "%s", *d->test_split ? d->test_split : test);
    if (*d->val_path) as_path(c->val, sizeof c->val, d->val_path);
    if (*d->test_path) as_path(c->test, sizeof c->test, d->test_path);
}

SpeechConfig transcribe_config(const Recipe *recipe) {
    const DataConfig *d = &recipe->data;
    SpeechConfig c = speech_config_default();
    text_format(c.source, sizeof c.source, "%s", d->source);
    text_format(c.path, sizeof c.path, "%s", d->path);
    c.limit = d->limit;
    /* As with texts, a val split of its own wins. */
    c.val_fraction = *d->val_split || *d->val_path ? 0 : d->val_fraction;
    c.on_error = d->on_error;
    c.synthetic_count = d->synthetic_count;
    c.filters = SPEECH_FILTERS;
    c.stride = SPEECH_STRIDE;
    c.cache_bytes = d->cache << 20;
    SpecAugment masks; /* the batch's (batch_config) */
    speech_augment_parse(d->augment, &c.speeds, &masks, NULL);
    name_splits(d, &c);
    return c;
}

bool transcribe_wants(const Recipe *recipe, const SpeechConfig *c, Split split) {
    const DataConfig *d = &recipe->data;
    bool named = split == SPLIT_VAL ? *d->val_split || *d->val_path || d->val_fraction > 0
                                    : *d->test_split || *d->test_path;
    return named || speech_has(c, split);
}

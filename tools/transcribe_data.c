#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/say.h"
#include "tools/transcribe_parts.h"

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

/* The most frames that an utterance has at one of its speeds. */
static size_t longest_frames(const SpeechSet *set, size_t i, bool speeds) {
    size_t most = set->item[i].frames;
    for (size_t speed = 1; speeds && speed < SPEECH_SPEEDS; speed++)
        most = MAX(most, speechset_frames_at(set, i, speed));
    return most;
}

/* Learned positions are so many; a longer utterance is found before the first step. */
static Status check_lengths(const Transcribe *t, const SpeechSet *set, Split split,
                            Err *err) {
    const Param *position = t->speech->position;
    bool speeds = split == SPLIT_TRAIN && set->config.speeds;
    for (size_t i = 0; position && i < set->count; i++) {
        size_t frames = longest_frames(set, i, speeds);
        size_t rows = (frames + SPEECH_STRIDE - 1) / SPEECH_STRIDE;
        if (rows <= position->tensor.shape[0]) continue;
        return err_set(err, FAIL_DATA,
                       "%s has %zu rows%s, but model.context = %zu positions are "
                       "learned; model.position = cape has no length limit",
                       set->item[i].path, rows,
                       frames > set->item[i].frames ? " at speed 0.9" : "",
                       position->tensor.shape[0]);
    }
    return OK;
}

/* The one rate of training; 0: it had several, or is unknown. */
static size_t trained_rate(const Transcribe *t) { return t->heard == 1 ? t->rate[0] : 0; }

static void tell_rate(const Transcribe *t, size_t rate, const char *where) {
    double own = (double)rate / 1000, trained = (double)t->rate[0] / 1000;
    if (t->heard > 1)
        say("steady: note: %s: %g kHz, but the model was trained on %g kHz and other rates, so "
            "its filters will not match; resample it",
            where, own, trained);
    else if (own > trained)
        say("steady: note: %s: %g kHz, treated as %g kHz, the training rate", where, own, trained);
    else
        say("steady: note: %s: %g kHz, but the model was trained on %g kHz: what is above %g "
            "kHz is missing",
            where, own, trained, own / 2);
}

size_t transcribe_hear(Task *task, size_t rate, const char *where) {
    Transcribe *t = (Transcribe *)task;
    size_t k = 0, trained = trained_rate(t);
    while (k < t->rates && t->rate[k] != rate) k++;
    if (k == t->rates && t->heard && ranks_lead(task->ranks)) {
        tell_rate(t, rate, where);
        if (t->rates < COUNT(t->rate)) t->rate[t->rates++] = rate;
    }
    return trained ? trained : rate;
}

/* The set's rates: the first set's are training's, others are noted. */
static void meet_rates(Transcribe *t, const SpeechSet *set, Split split) {
    if (!t->heard && split == SPLIT_TRAIN) {
        t->heard = t->rates = set->rates;
        memcpy(t->rate, set->rate, sizeof t->rate);
    }
    for (size_t k = 0; k < set->rates; k++)
        transcribe_hear(&t->task, set->rate[k], split_name(split));
}

SpeechSet *transcribe_set(Task *task, Split split, Err *err) {
    Transcribe *t = (Transcribe *)task;
    if (t->sets[split]) return t->sets[split];
    SpeechConfig config = transcribe_config(task->recipe);
    if (ranks_lead(task->ranks)) config.faults = stderr;
    config.heard = trained_rate(t);
    SpeechSet *set = speechset_open(&config, split, err);
    if (set && check_lengths(t, set, split, err)) {
        speechset_free(set);
        return NULL;
    }
    if (set) meet_rates(t, set, split);
    return t->sets[split] = set;
}

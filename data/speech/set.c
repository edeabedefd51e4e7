#include "data/speech/set.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/speech/sources.h"

struct SpeechStore {
    LogMel *mel[SPEECH_RATES_MOST]
               [SPEECH_SPEEDS]; /* others than [0] where they are asked for */
    pthread_mutex_t lock;
    real **kept; /* [count, SPEECH_SPEEDS] features, or NULL */
    size_t bytes;
};

SpeechConfig speech_config_default(void) {
    return (SpeechConfig){.source = SOURCE_LIBRISPEECH,
                          .train = "train*",
                          .val = "dev-clean",
                          .test = "test-clean",
                          .synthetic_count = 10000,
                          .filters = 80,
                          .stride = 3,
                          .cache_bytes = (size_t)2 << 30};
}

/* ---- rates ---- */

/* The rate that a recording is played at. */
static size_t played_at(size_t rate, size_t speed) {
    static const size_t TENTHS[SPEECH_SPEEDS] = {10, 9, 11};
    return (rate * TENTHS[speed] + 5) / 10;
}

static Status note_rates(SpeechSet *set, Err *err) {
    for (size_t i = 0; i < set->count; i++) {
        const SpeechItem *item = &set->item[i];
        size_t k = 0;
        set->seconds += (double)item->samples / (double)item->rate;
        while (k < set->rates && set->rate[k] != item->rate) k++;
        if (k < set->rates) continue;
        if (k == SPEECH_RATES_MOST)
            return err_set(err, FAIL_DATA,
                           "%s: more than %d sampling rates in one set; resample the "
                           "recordings",
                           item->path, SPEECH_RATES_MOST);
        set->rate[set->rates++] = item->rate;
        size_t heard = set->config.heard ? set->config.heard : item->rate;
        for (size_t s = 0; s < (set->config.speeds ? SPEECH_SPEEDS : 1); s++)
            set->store->mel[k][s] =
                logmel_new_played(heard, played_at(item->rate, s), set->config.filters);
    }
    return OK;
}

/* ---- opening ---- */

/* After all was looked at: is it good enough to go on? */
static Status conclude(const SpeechSet *set, const char *names, Err *err) {
    const SpeechReport *r = &set->report;
    char counts[500];
    speech_fault_text(r, counts, sizeof counts);
    if (r->left_out && (set->config.on_error == ON_ERROR_STOP || !set->count)) {
        bool several = r->left_out > 1;
        if (several && set->config.faults) speech_name_faults(r, set->config.faults);
        int first = (int)MIN(strcspn(r->named.text, "\n"), (size_t)500);
        bool listless = r->faults[SPEECH_NO_TEXT] == r->listed;
        return err_set(err, FAIL_DATA, "%.*s (%s%s: %s%s)", first, r->named.text,
                       set->count ? "to skip such utterances: data.on_error=skip; "
                                  : "no utterance is usable; ",
                       names, counts,
                       listless ? "; a list of paths and texts: data.source=manifest "
                                  "data.path=LIST"
                                : "");
    }
    if (set->count) return OK;
    return err_set(err, FAIL_DATA, "%s: no utterances in %s", set->config.path, names);
}

/* Lists are sorted by speakers, or by what else: an even share of them.  What the program
 * makes is not sorted. */
static void apply_limit(SpeechSet *set, const char *key, size_t limit) {
    size_t count = set->count, kept = 0;
    bool made = source_has(set->config.source, TRAIT_SYNTHETIC);
    if (!facts_limit(&set->facts, key, limit, count, "utterances")) return;
    for (size_t i = 0; i < count; i++)
        if (made ? i < limit : (i + 1) * limit / count > i * limit / count)
            set->item[kept++] = set->item[i];
        else speech_free_item(&set->item[i]);
    set->count = kept;
    if (!made)
        facts_note(&set->facts, count - kept,
                   "%s: using %zu of %zu utterances, evenly spread", key, kept, count);
}

/* What part of its names a split is. */
typedef struct Share {
    const char *key; /* of the limit */
    size_t limit;    /* so many utterances; 0: all */
    double apart;    /* share of the utterances that is apart from the others */
    bool is_apart;   /* the set is that share; else what is left */
} Share;

static Status take_share(SpeechSet *set, const Share *share, Err *err) {
    size_t count = set->count, kept = 0;
    size_t apart = (size_t)llround(share->apart * (double)count);
    for (size_t i = 0; i < count; i++) {
        bool is_apart = (i + 1) * apart / count > i * apart / count;
        if (is_apart == share->is_apart) set->item[kept++] = set->item[i];
        else speech_free_item(&set->item[i]);
    }
    set->count = kept;
    if (kept) return OK;
    return err_set(err, FAIL_USAGE,
                   "data.val_fraction = %g of %zu utterances leaves no %s utterances",
                   share->apart, count, share->is_apart ? "val" : "training");
}

/* The lists' own notes and faults are those of the training split where two
 * are cut from them. */
static void note_lists(SpeechFill *fill, const Share *share) {
    SpeechSet *set = fill->set;
    if (share->apart > 0 && share->is_apart) {
        text_free(&set->report.named);
        set->report = (SpeechReport){0};
        facts_free(&set->facts);
        return;
    }
    speech_note_tally(set, &fill->endings,
                      "files with other suffixes, not read (.flac and .wav are)");
    speech_note_tally(set, &fill->deep,
                      "folders not read, more than four levels below the split");
}

static Status need_sound(const SpeechSet *set, const char *names, Err *err) {
    size_t silent = 0;
    for (size_t i = 0; i < set->count; i++) silent += set->item[i].traits.silent;
    if (silent < set->count) return OK;
    return err_set(err, FAIL_DATA,
                   "%s: all %zu recordings are silent (all samples equal; first: %s), "
                   "so nothing can be learned",
                   names, silent, set->item[0].path);
}

static const char *const MADE_NAMES[] = {"train", "val", "test"};

static Status make_items(SpeechFill *fill, const char *name, Err *err) {
    Source source = fill->set->config.source;
    Split split = SPLIT_TRAIN;
    while (split <= SPLIT_TEST && strcmp(MADE_NAMES[split], name)) split++;
    if (split > SPLIT_TEST)
        return err_set(err, FAIL_USAGE, "%s have the splits train, val and test, not %s",
                       source_name(source), name);
    fill->set->split = split;
    return speech_source(source)->make(fill, split, err);
}

static Status fill_set(SpeechFill *fill, const char *names, const Share *share,
                       Err *err) {
    SpeechSet *set = fill->set;
    bool made = source_has(set->config.source, TRAIT_SYNTHETIC);
    if (source_check(set->config.source, 1 << EXAMPLES_SPEECH, err)) return err->status;
    if (!*names)
        return err_set(err, FAIL_DATA, "no such split: no folder or manifest is named");
    if (made ? make_items(fill, names, err) : speech_list(fill, names, err))
        return err->status;
    apply_limit(set, share->key, share->limit);
    if (speech_check_items(set, err) || conclude(set, names, err)) return err->status;
    if (share->apart > 0 && take_share(set, share, err)) return err->status;
    if (need_sound(set, names, err) || note_rates(set, err)) return err->status;
    note_lists(fill, share);
    speech_note(set);
    set->store->kept = mem_zalloc(SPEECH_SPEEDS * set->count * sizeof *set->store->kept);
    return OK;
}

static SpeechSet *open_names(const SpeechConfig *config, const char *names,
                             const Share *share, Err *err) {
    Err own = ERR_NONE;
    if (!err) err = &own;
    CHECK(config->stride && config->filters, "stride %zu, %zu filters", config->stride,
          config->filters);
    SpeechSet *set = mem_zalloc(sizeof *set);
    set->config = *config;
    set->store = mem_zalloc(sizeof *set->store);
    pthread_mutex_init(&set->store->lock, NULL);
    SpeechFill fill = {.set = set};
    Status status = fill_set(&fill, names, share, err);
    text_free(&fill.clean);
    if (!status) return set;
    speechset_free(set);
    return NULL;
}

SpeechSet *speechset_open_names(const SpeechConfig *config, const char *names, Err *err) {
    return open_names(config, names, &(Share){0}, err);
}

/* What a key names: data.path, or of a split a path of its own. */
static Status check_there(const SpeechConfig *c, Split split, const char *names,
                          Err *err) {
    bool own = split != SPLIT_TRAIN && strchr(names, '/');
    const char *path = own ? names : c->path;
    if (strchr(path, ',')) return OK; /* several, or one with a comma: the reader knows */
    return where_check(own ? where_key(split) : "data.path", path,
                       &speech_source(c->source)->wanted, err);
}

SpeechSet *speechset_open(const SpeechConfig *c, Split split, Err *err) {
    const char *const NAMES[] = {c->train, c->val, c->test};
    bool made = source_has(c->source, TRAIT_SYNTHETIC), cut = c->val_fraction > 0;
    Split from = cut && split == SPLIT_VAL ? SPLIT_TRAIN : split;
    Err own = ERR_NONE;
    bool listed = source_examples(c->source) == EXAMPLES_SPEECH && !made;
    if (listed && check_there(c, from, NAMES[from], err ? err : &own)) return NULL;
    const size_t limits[] = {c->limit, 0, c->test_limit};
    Share share = {.key = from == SPLIT_TEST ? "data.test_limit" : "data.limit",
                   .limit = limits[from],
                   .apart = cut && from == SPLIT_TRAIN ? c->val_fraction : 0,
                   .is_apart = split == SPLIT_VAL};
    return open_names(c, made ? MADE_NAMES[from] : NAMES[from], &share, err);
}

void speechset_free(SpeechSet *set) {
    if (!set) return;
    struct SpeechStore *store = set->store;
    for (size_t i = 0; i < set->count; i++) {
        for (size_t s = 0; store->kept && s < SPEECH_SPEEDS; s++)
            mem_free(store->kept[i * SPEECH_SPEEDS + s]);
        speech_free_item(&set->item[i]);
    }
    for (size_t i = 0; i < set->lists; i++) mem_free(set->list[i]);
    for (size_t i = 0; i < set->rates * SPEECH_SPEEDS; i++)
        logmel_free(store->mel[i / SPEECH_SPEEDS][i % SPEECH_SPEEDS]);
    text_free(&set->report.named);
    facts_free(&set->facts);
    pthread_mutex_destroy(&store->lock);
    mem_free(store->kept);
    mem_free(store);
    mem_free(set->item);
    mem_free(set->list);
    mem_free(set);
}

/* ---- features ---- */

static Status read_item(const SpeechSet *set, size_t i, Audio *audio, Err *err) {
    const SpeechItem *item = &set->item[i];
    const SpeechSource *source = speech_source(set->config.source);
    if (source->read_item) return source->read_item(set, item, audio), OK;
    if (audio_read(item->path, &item->span, audio, err))
        return err ? err->status : FAIL_DATA;
    if (audio->count == item->samples && audio->rate == item->rate &&
        audio->whole == item->whole)
        return OK;
    return err_set(err, FAIL_DATA, "%s has changed since it was checked", item->path);
}

static Status compute(const SpeechSet *set, size_t i, size_t speed, size_t frames,
                      real *features, Err *err) {
    const SpeechItem *item = &set->item[i];
    Audio audio = {0};
    size_t k = 0;
    Status status = read_item(set, i, &audio, err);
    while (set->rate[k] != item->rate) k++;
    if (!status) {
        logmel_compute(set->store->mel[k][speed], audio.samples, audio.count, features);
        logmel_normalise(features, frames * set->config.filters);
    }
    audio_free(&audio);
    return status;
}

/* Memory is asked for without the lock, for it may not be had (engine/core/trap.h). */
static void keep(SpeechSet *set, size_t place, const real *features, size_t bytes) {
    struct SpeechStore *store = set->store;
    pthread_mutex_lock(&store->lock);
    bool wanted = !store->kept[place] && bytes <= set->config.cache_bytes - store->bytes;
    if (wanted) store->bytes += bytes;
    pthread_mutex_unlock(&store->lock);
    if (!wanted) return;
    real *copy = mem_alloc(bytes);
    memcpy(copy, features, bytes);
    pthread_mutex_lock(&store->lock);
    bool late = store->kept[place] != NULL;
    if (late) store->bytes -= bytes;
    else store->kept[place] = copy;
    pthread_mutex_unlock(&store->lock);
    if (late) mem_free(copy);
}

size_t speechset_frames_at(const SpeechSet *set, size_t i, size_t speed) {
    const SpeechItem *item = &set->item[i];
    size_t frames = logmel_frames_at(played_at(item->rate, speed), item->samples);
    size_t needed = speech_rows_needed(item->labels, item->label_count);
    return frames / set->config.stride >= needed ? frames : 0;
}

Status speechset_features(SpeechSet *set, size_t i, real *features, Err *err) {
    return speechset_features_at(set, i, 0, features, err);
}

Status speechset_features_at(SpeechSet *set, size_t i, size_t speed, real *features,
                             Err *err) {
    struct SpeechStore *store = set->store;
    CHECK(i < set->count, "utterance %zu of %zu", i, set->count);
    CHECK(!speed || (set->config.speeds && speed < SPEECH_SPEEDS), "speed %zu", speed);
    size_t frames = speechset_frames_at(set, i, speed);
    size_t bytes = frames * set->config.filters * sizeof *features;
    size_t place = i * SPEECH_SPEEDS + speed;
    pthread_mutex_lock(&store->lock);
    const real *kept = store->kept[place]; /* never moved or freed before the set is */
    pthread_mutex_unlock(&store->lock);
    if (kept) {
        memcpy(features, kept, bytes);
        return OK;
    }
    Status status = compute(set, i, speed, frames, features, err);
    if (!status) keep(set, place, features, bytes);
    return status;
}

/* One of the list; each at most once. */
static Status read_augment(const char *word, bool *speeds, bool *masked,
                           SpecAugment *masks, Err *err) {
    static const char NAME[] = "specaugment";
    if (!strcmp(word, "none"))
        return err_set(err, FAIL_USAGE,
                       "data.augment: none cannot be combined with others; leave it out");
    bool speed = !strcmp(word, "speed"), mask = !strncmp(word, NAME, strlen(NAME));
    if (!speed && !mask)
        return err_set(err, FAIL_USAGE,
                       "data.augment has no \"%s\" for speech; expected none, or some "
                       "of speed, specaugment",
                       word);
    if (speed ? *speeds : *masked)
        return err_set(err, FAIL_USAGE, "data.augment names %s twice",
                       speed ? "speed" : NAME);
    *(speed ? speeds : masked) = true;
    return speed ? OK : specaugment_parse(word, masks, err);
}

Status speech_augment_parse(const char *list, bool *speeds, SpecAugment *masks,
                            Err *err) {
    char word[120];
    bool masked = false;
    *speeds = false;
    *masks = (SpecAugment){0};
    if (!strcmp(list, "none")) return OK;
    for (const char *at = list; *(at += strspn(at, ", \t"));) {
        size_t length = strcspn(at, ", \t");
        text_format(word, sizeof word, "%.*s", (int)MIN(length, sizeof word - 1), at);
        if (read_augment(word, speeds, &masked, masks, err)) return FAIL_USAGE;
        at += length;
    }
    return OK;
}

size_t speechset_cached(SpeechSet *set) {
    pthread_mutex_lock(&set->store->lock);
    size_t bytes = set->store->bytes;
    pthread_mutex_unlock(&set->store->lock);
    return bytes;
}

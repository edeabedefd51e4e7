/* data: the splits of speech: what the recipe says of them, their lengths and rates,
 * notes (tools/task/transcribe/transcribe.h). */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/speech/audio.h"
#include "tools/program/say.h"
#include "tools/run/rundir.h"
#include "tools/task/transcribe/transcribe.h"

/* ---- the recipe's data ---- */

SpeechConfig transcribe_config(const Recipe *recipe) {
    const DataConfig *d = &recipe->data;
    SpeechConfig c = speech_config_default();
    c.source = d->source;
    text_format(c.path, sizeof c.path, "%s", d->path);
    c.limit = d->limit;
    c.test_limit = d->test_limit;
    /* As with texts, a val split of its own wins. */
    c.val_fraction = *d->val_split || *d->val_path ? 0 : d->val_fraction;
    c.on_error = d->on_error;
    c.synthetic_count = d->synthetic_count;
    c.filters = SPEECH_FILTERS;
    c.stride = SPEECH_STRIDE;
    c.cache_bytes = d->cache << 20;
    SpecAugment masks; /* the batch's (batch_config) */
    speech_augment_parse(d->augment, &c.speeds, &masks, NULL);
    speech_name_splits(&c, d);
    return c;
}

bool transcribe_wants(const Recipe *recipe, const SpeechConfig *c, Split split) {
    const DataConfig *d = &recipe->data;
    bool named = split == SPLIT_VAL ? *d->val_split || *d->val_path || d->val_fraction > 0
                                    : *d->test_split || *d->test_path;
    return named || speech_has(c, split);
}

/* ---- lengths ---- */

/* The most frames that an utterance has at one of its speeds. */
static size_t longest_frames(const SpeechSet *set, size_t i, bool speeds) {
    size_t most = set->item[i].frames;
    for (size_t speed = 1; speeds && speed < SPEECH_SPEEDS; speed++)
        most = MAX(most, speechset_frames_at(set, i, speed));
    return most;
}

/* Learned positions are so many; who is longer is met before the first step. */
static Status check_lengths(const Transcribe *t, const SpeechSet *set, Split split,
                            Err *err) {
    const Param *position = t->speech->position;
    bool speeds = split == SPLIT_TRAIN && set->config.speeds;
    for (size_t i = 0; position && i < set->count; i++) {
        size_t frames = longest_frames(set, i, speeds);
        size_t rows = (frames + SPEECH_STRIDE - 1) / SPEECH_STRIDE;
        if (rows <= position->tensor.shape[0]) continue;
        return err_set(err, FAIL_DATA,
                       "%s has %zu rows%s, more than the model.context = %zu learned "
                       "positions; model.position = cape has no length limit",
                       set->item[i].path, rows,
                       frames > set->item[i].frames ? " at speed 0.9" : "",
                       position->tensor.shape[0]);
    }
    return OK;
}

/* model.dropout acts in attention, too, which has no masks for longer recordings. */
static Status check_masks(const SpeechSet *set, const Recipe *now, Err *err) {
    for (size_t i = 0; now->model.dropout > 0 && i < set->count; i++) {
        size_t frames = longest_frames(set, i, set->config.speeds);
        size_t rows = (frames + SPEECH_STRIDE - 1) / SPEECH_STRIDE;
        if (rows <= ATTENTION_MASKED) continue;
        return err_set(err, FAIL_DATA,
                       "%s has %zu rows%s: with model.dropout = %g at most %d; split it "
                       "into utterances, or set model.dropout=0",
                       set->item[i].path, rows,
                       frames > set->item[i].frames ? " at speed 0.9" : "",
                       now->model.dropout, ATTENTION_MASKED);
    }
    return OK;
}

/* Speeds are settled when the set is opened. */
Status transcribe_check_change(const Task *task, const Recipe *now, Err *err) {
    const Transcribe *t = (const Transcribe *)task;
    if (t->sets[SPLIT_TRAIN] && check_masks(t->sets[SPLIT_TRAIN], now, err))
        return err->status;
    if (transcribe_config(task->recipe).speeds == transcribe_config(now).speeds)
        return OK;
    return err_set(
        err, FAIL_USAGE,
        "data.augment = %s, before %s: speeds cannot change during a run; stop the run "
        "and resume it with the key changed",
        now->data.augment, task->recipe->data.augment);
}

/* ---- rates ---- */

/* The one rate of training; 0: it had several, or is unknown. */
static size_t trained_rate(const Transcribe *t) { return t->heard == 1 ? t->rate[0] : 0; }

/* What a rate that training did not have means; false: it had it, or this is known
 * already. */
static bool meet_rate(Transcribe *t, size_t rate, char *text, size_t size) {
    size_t k = 0;
    while (k < t->rates && t->rate[k] != rate) k++;
    if (k < t->rates || !t->heard) return false;
    if (t->rates < COUNT(t->rate)) t->rate[t->rates++] = rate;
    double own = (double)rate / 1000, trained = (double)t->rate[0] / 1000;
    if (t->heard > 1)
        snprintf(
            text, size,
            "%g kHz, but the model was trained on %g kHz and other rates, so its filters "
            "will not match; resample it",
            own, trained);
    else if (own > trained)
        snprintf(text, size, "%g kHz, treated as %g kHz, the training rate", own,
                 trained);
    else
        snprintf(text, size,
                 "%g kHz, but the model was trained on %g kHz: frequencies above %g "
                 "kHz are missing",
                 own, trained, own / 2);
    return true;
}

size_t transcribe_hear(Task *task, size_t rate, const char *where) {
    Transcribe *t = (Transcribe *)task;
    char text[200];
    size_t trained = trained_rate(t);
    if (meet_rate(t, rate, text, sizeof text)) say("steady: note: %s: %s", where, text);
    return trained ? trained : rate;
}

/* The set's rates: the first set's are training's, others are noted. */
static void meet_rates(Transcribe *t, SpeechSet *set, Split split) {
    char text[200];
    if (!t->heard && split == SPLIT_TRAIN) {
        t->heard = t->rates = set->rates;
        memcpy(t->rate, set->rate, sizeof t->rate);
    }
    for (size_t k = 0; k < set->rates; k++)
        if (meet_rate(t, set->rate[k], text, sizeof text))
            facts_note(&set->facts, 1, "%s", text);
}

/* An older run has none, a spoiled one none that recordings have: nothing is told
 * then. */
void transcribe_read_rates(Transcribe *t, const char *run_dir) {
    json_t *facts = rundir_load_json(run_dir, "task.json", NULL);
    const json_t *rates = json_object_get(facts, "rates");
    for (size_t k = 0; k < json_array_size(rates) && k < COUNT(t->rate); k++) {
        json_int_t rate = json_integer_value(json_array_get(rates, k));
        if (rate >= AUDIO_RATE_LEAST && rate <= AUDIO_RATE_MOST)
            t->rate[t->rates++] = (size_t)rate;
    }
    t->heard = t->rates;
    json_decref(facts);
}

/* ---- splits ---- */

SpeechSet *transcribe_set(Task *task, Split split, Err *err) {
    Transcribe *t = (Transcribe *)task;
    if (t->sets[split]) return t->sets[split];
    SpeechConfig config = transcribe_config(task->recipe);
    if (ranks_lead(task->ranks)) config.faults = say;
    config.heard = trained_rate(t);
    SpeechSet *set = speechset_open(&config, split, err);
    if (set && (check_lengths(t, set, split, err) ||
                (split == SPLIT_TRAIN && check_masks(set, task->recipe, err)))) {
        speechset_free(set);
        return NULL;
    }
    if (set) meet_rates(t, set, split);
    return t->sets[split] = set;
}

/* A score on what was trained on is no score. */
static void note_shared(Transcribe *t, Split split) {
    SpeechSet *set = t->sets[split], *train = t->sets[SPLIT_TRAIN];
    if (!set) return;
    SpeechShared shared = speechset_shared(set, train);
    facts_note(&set->facts, shared.same,
               "utterances that are also in the training set: %zu of %zu (first: %s)%s",
               shared.same, set->count, set->item[shared.first_same].path,
               shared.same == set->count ? ": the score says nothing about new ones"
                                         : "");
    facts_note(
        &set->facts, shared.reworded,
        "recordings that are in the training set with another text: %zu of %zu (first: "
        "%s)",
        shared.reworded, set->count, set->item[shared.first_reworded].path);
}

Status transcribe_open_sets(Transcribe *t, Err *err) {
    const Recipe *r = t->task.recipe;
    SpeechConfig config = transcribe_config(r);
    if (!transcribe_set(&t->task, SPLIT_TRAIN, err)) return err->status;
    for (Split s = SPLIT_VAL; s <= SPLIT_TEST; s++)
        if (transcribe_wants(r, &config, s) && !transcribe_set(&t->task, s, err))
            return err->status;
    note_shared(t, SPLIT_VAL);
    note_shared(t, SPLIT_TEST);
    t->task.examples = t->sets[SPLIT_TRAIN]->count;
    skips_begin(&t->task.skips, t->task.examples);
    t->task.has_val = t->sets[SPLIT_VAL] != NULL;
    t->task.has_test = t->sets[SPLIT_TEST] != NULL;
    t->task.chance = transcript_guess(t->sets[SPLIT_TRAIN]);
    return OK;
}

double transcribe_cache(const Transcribe *t) {
    double bytes = 0;
    for (size_t i = 0; i < COUNT(t->sets); i++) {
        const SpeechSet *set = t->sets[i];
        double all = set ? 100 * set->seconds * SPEECH_FILTERS * sizeof(real) : 0;
        bytes += set ? fmin(all, (double)set->config.cache_bytes) : 0;
    }
    return bytes;
}

void transcribe_tell(Transcribe *t, double padding) {
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) {
        const SpeechSet *set = t->sets[s];
        if (!set) continue;
        TextBuffer rates = {0};
        text_clear(&rates);
        for (size_t k = 0; k < set->rates; k++) {
            char one[40];
            text_format(one, sizeof one, "%s%g", k ? ", " : "",
                        (double)set->rate[k] / 1000);
            text_append(&rates, one, strlen(one));
        }
        say("%s: %zu utterances, %.1f min, %s kHz", split_name(s), set->count,
            set->seconds / 60, rates.text);
        text_free(&rates);
        speech_name_faults(&set->report, say);
    }
    say("%.1f%% of a batch is padding", 100 * padding);
    if (!t->sets[SPLIT_VAL] && !t->sets[SPLIT_TEST])
        facts_note(&t->task.notes, 1,
                   "no val or test split, so nothing is scored; set data.val_path, "
                   "data.val_split, data.val_fraction or data.test_path");
}

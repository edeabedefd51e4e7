/* What is looked at before anything is trained: each recording, its text
 * and both together. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/file/stringmap.h"
#include "data/speech/parts.h"
#include "engine/core/trap.h"

/* ---- recordings ---- */

static void look_at_one(SpeechItem *item, bool thorough, char **fault, Err *err) {
    Audio audio = {0};
    Status good = audio_check(item->path, &item->span, thorough, &audio, err);
    item->samples = audio.count;
    item->rate = audio.rate;
    item->whole = audio.whole;
    item->traits = audio.traits;
    audio_free(&audio);
    if (good) *fault = mem_strdup(err->text);
}

/* Nothing may jump out of the loop that OpenMP shares out. */
static void look_in_trap(SpeechItem *item, bool thorough, char **fault, Err *err) {
    Trap trap;
    trap_set(&trap);
    if (!setjmp(trap.place)) look_at_one(item, thorough, fault, err);
    else *err = trap.err;
    trap_end(&trap);
}

/* All of them, or every `stride`-th, several at a time; fault[i]: what is wrong with the
 * i-th, or NULL.  Without libsndfile nothing can be done. */
static Status look_at(SpeechSet *set, size_t stride, bool thorough, char **fault,
                      Err *err) {
    Status status = OK;
    bool trapped = trap_is_set();
#pragma omp parallel for schedule(dynamic, 16) if (set->count > 64)
    for (size_t i = 0; i < set->count; i += stride) {
        Err own = ERR_NONE;
        if (fault[i]) continue;
        (trapped ? look_in_trap : look_at_one)(&set->item[i], thorough, &fault[i], &own);
        if (own.status == FAIL_RUN)
#pragma omp critical(speech_check)
        {
            if (err) *err = own;
            status = FAIL_RUN;
        }
    }
    return status;
}

/* At their ends first, which says how much there is; then at all of it, or at
 * a part of the set. */
static Status check_recordings(SpeechSet *set, char **fault, Err *err) {
    if (look_at(set, 1, false, fault, err)) return FAIL_RUN;
    double samples = 0;
    for (size_t i = 0; i < set->count; i++)
        if (!fault[i]) samples += (double)set->item[i].samples;
    return look_at(set, (size_t)ceil(fmax(samples / SPEECH_SCANNED, 1)), true, fault,
                   err);
}

/* Is it long enough for its text?  Sets frames. */
static bool fits(const SpeechSet *set, SpeechItem *item, size_t *needed) {
    item->frames = logmel_frames_at(item->rate, item->samples);
    *needed = speech_rows_needed(item->labels, item->label_count);
    return item->frames / set->config.stride >= *needed;
}

/* A duration that was rounded to tenths cuts nothing. */
static void round_up(SpeechItem *item) {
    double left = (double)(item->whole - item->samples) / (double)item->rate;
    if (item->cut || item->span.seconds == 0 || left > 0.05) return;
    item->span.seconds =
        fmax(item->span.seconds, (double)item->whole / (double)item->rate);
    item->samples = item->whole;
}

static SpeechFault kind_of(const SpeechItem *item) {
    if (access(item->path, F_OK)) return SPEECH_NO_AUDIO;
    bool outside =
        item->whole && item->span.start * (double)item->rate >= (double)item->whole;
    return outside ? SPEECH_OUTSIDE : SPEECH_BROKEN;
}

static bool judge(SpeechSet *set, SpeechItem *item, const char *fault) {
    const char *list = set->list[item->list];
    size_t needed;
    if (fault) {
        speech_fault(set, kind_of(item), "%s:%zu: %s", list, item->line, fault);
        return false;
    }
    round_up(item);
    if (fits(set, item, &needed)) return true;
    speech_fault(set, SPEECH_TOO_SHORT,
                 "%s:%zu: %s: %zu characters with their repeats need %zu rows, but its "
                 "%.2f s give only %zu, so CTC cannot align them",
                 list, item->line, item->path, item->label_count, needed,
                 (double)item->samples / (double)item->rate,
                 item->frames / set->config.stride);
    return false;
}

Status speech_check_items(SpeechSet *set, Err *err) {
    char **fault = mem_zalloc(MAX(set->count, (size_t)1) * sizeof *fault);
    bool files = !source_has(set->config.source, TRAIT_SYNTHETIC);
    Status status = files ? check_recordings(set, fault, err) : OK;
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        SpeechItem *item = &set->item[i];
        if (!status && judge(set, item, fault[i])) set->item[kept++] = *item;
        else speech_free_item(item);
        mem_free(fault[i]);
    }
    set->count = kept;
    mem_free(fault);
    return status;
}

/* ---- what is worth a note ---- */

static void note_traits(SpeechSet *set) {
    SpeechTally silent = {0}, cancel = {0}, clipped = {0}, behind = {0};
    for (size_t i = 0; i < set->count; i++) {
        const SpeechItem *item = &set->item[i];
        const AudioTraits *t = &item->traits;
        if (t->silent) speech_tally(&silent, "%s", item->path);
        if (t->channel) speech_tally(&cancel, "%s, channel %zu", item->path, t->channel);
        if (t->clipped >= AUDIO_CLIPPED)
            speech_tally(&clipped, "%s, %.0f%%", item->path, 100 * t->clipped);
        if (t->behind) speech_tally(&behind, "%s, %zu bytes", item->path, t->behind);
    }
    speech_note_tally(set, &silent, "silent recordings (all samples equal)");
    speech_note_tally(
        set, &cancel,
        "recordings whose channels cancel each other: the loudest channel is "
        "used");
    speech_note_tally(set, &clipped,
                      "clipped recordings (at least 1% of the samples at full scale)");
    speech_note_tally(set, &behind,
                      "recordings with bytes after the end of the sound, which are "
                      "ignored");
}

static void note_spans(SpeechSet *set) {
    SpeechTally cut = {0}, longer = {0};
    for (size_t i = 0; i < set->count; i++) {
        const SpeechItem *item = &set->item[i];
        const char *list = set->list[item->list];
        double rate = (double)item->rate, lasts = (double)item->samples / rate;
        double more = item->span.seconds - lasts;
        if (item->samples < item->whole)
            speech_tally(&cut, "%s:%zu: %s, %.2f s of %.2f s", list, item->line,
                         item->path, lasts, (double)item->whole / rate);
        if (more > fmax(0.5, 0.05 * item->span.seconds))
            speech_tally(&longer, "%s:%zu: %s lasts %.2f s, not %.2f s", list, item->line,
                         item->path, lasts, item->span.seconds);
    }
    speech_note_tally(set, &cut,
                      "recordings of which the manifest (offset, duration) uses a part");
    speech_note_tally(
        set, &longer,
        "recordings that are shorter than their manifest says; they are used to their "
        "end");
}

static void note_repeats(SpeechSet *set) {
    SpeechTally same = {0}, other = {0};
    StringMap seen = {0};
    size_t *first = mem_alloc(MAX(set->count, (size_t)1) * sizeof *first);
    for (size_t i = 0; i < set->count; i++) {
        char key[SPEECH_PATH + 60];
        const SpeechItem *item = &set->item[i];
        text_format(key, sizeof key, "%.9g %zu %s", item->span.start, item->samples,
                    item->path);
        size_t known = seen.count, k = stringmap_add(&seen, key, strlen(key));
        if (k == known) first[k] = i;
        if (k == known) continue;
        bool equal = !strcmp(set->item[first[k]].text, item->text);
        speech_tally(equal ? &same : &other, "%s:%zu: %s, as line %zu",
                     set->list[item->list], item->line, item->path,
                     set->item[first[k]].line);
    }
    mem_free(first);
    stringmap_free(&seen);
    speech_note_tally(set, &same, "utterances that are listed more than once");
    speech_note_tally(set, &other,
                      "recordings that are listed more than once, with "
                      "different texts");
}

/* A name that stays when the data are moved: behind the set's or the list's folder. */
static const char *short_name(const SpeechSet *set, const SpeechItem *item) {
    const char *path = item->path, *list = set->list[item->list];
    const char *slash = strrchr(list, '/');
    size_t root = strlen(set->config.path);
    size_t folder = slash ? (size_t)(slash - list) + 1 : 0;
    if (root && !strncmp(path, set->config.path, root) && path[root] == '/')
        return path + root + 1;
    return path + (strncmp(path, list, folder) ? 0 : folder);
}

static void hash_items(SpeechSet *set) {
    uint64_t hash = 0;
    for (size_t i = 0; i < set->count; i++) {
        const SpeechItem *item = &set->item[i];
        const char *name = short_name(set, item);
        hash = facts_hash(hash, name, strlen(name) + 1);
        hash = facts_hash(hash, item->text, strlen(item->text) + 1);
        hash = facts_hash_number(hash, (uint64_t)llround(item->span.start * 1e6));
        hash = facts_hash_number(hash, item->samples);
        hash = facts_hash_number(hash, item->rate);
    }
    set->facts.count = set->count;
    set->facts.hash = hash;
}

void speech_note(SpeechSet *set) {
    const SpeechReport *r = &set->report;
    char counts[500];
    speech_fault_text(r, counts, sizeof counts);
    int first = r->left_out ? (int)MIN(strcspn(r->named.text, "\n"), (size_t)400) : 0;
    facts_note(&set->facts, r->left_out, "of %zu utterances skipped: %s (first: %.*s)",
               r->listed, counts, first, r->left_out ? r->named.text : "");
    hash_items(set);
    if (source_has(set->config.source, TRAIT_SYNTHETIC)) return;
    note_traits(set);
    note_spans(set);
    note_repeats(set);
}

/* ---- two sets ---- */

/* What makes it the same recording, and with its text the same utterance. */
static size_t make_key(const SpeechItem *item, TextBuffer *key) {
    char numbers[80];
    const char *slash = strrchr(item->path, '/');
    const char *name = slash ? slash + 1 : item->path;
    text_format(numbers, sizeof numbers, "%.9g %zu %zu ", item->span.start, item->samples,
                item->rate);
    text_clear(key);
    text_append(key, numbers, strlen(numbers));
    text_append(key, name, strlen(name) + 1);
    size_t recording = key->length;
    text_append(key, item->text, strlen(item->text));
    return recording;
}

SpeechShared speechset_shared(const SpeechSet *set, const SpeechSet *other) {
    StringMap utterances = {0}, recordings = {0};
    TextBuffer key = {0};
    SpeechShared shared = {0};
    for (size_t i = 0; i < other->count; i++) {
        size_t recording = make_key(&other->item[i], &key);
        stringmap_add(&utterances, key.text, key.length);
        stringmap_add(&recordings, key.text, recording);
    }
    for (size_t i = 0; i < set->count && other->count; i++) {
        size_t recording = make_key(&set->item[i], &key);
        if (stringmap_find(&utterances, key.text, key.length) != SIZE_MAX) {
            if (!shared.same++) shared.first_same = i;
        } else if (stringmap_find(&recordings, key.text, recording) != SIZE_MAX) {
            if (!shared.reworded++) shared.first_reworded = i;
        }
    }
    text_free(&key);
    stringmap_free(&utterances);
    stringmap_free(&recordings);
    return shared;
}

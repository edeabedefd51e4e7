/* fill: a set's lists, utterances and faults, as they are found (data/speech/parts.h). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/speech/parts.h"
#include "engine/core/grow.h"

/* ---- lists and utterances ---- */

void speech_begin_list(SpeechFill *fill, const char *path) {
    SpeechSet *set = fill->set;
    GROW(set->list, set->lists, fill->list_room, 1);
    set->list[set->lists++] = mem_strdup(path);
}

SpeechItem *speech_add_clean(SpeechFill *fill, const char *path, const char *text,
                             size_t line) {
    SpeechSet *set = fill->set;
    GROW(set->item, set->count, fill->room, 1);
    SpeechItem *item = &set->item[set->count++];
    *item = (SpeechItem){.path = mem_strdup(path), .text = mem_strdup(text)};
    item->list = set->lists - 1;
    item->line = line;
    item->labels = mem_alloc((strlen(text) + 2) * sizeof *item->labels);
    item->label_count = speech_encode(text, item->labels);
    return item;
}

SpeechItem *speech_add(SpeechFill *fill, const char *path, const char *text,
                       size_t length, size_t line) {
    SpeechSet *set = fill->set;
    const char *list = set->list[set->lists - 1];
    Err err = ERR_NONE;
    set->report.listed++;
    if (speech_clean(text, length, &fill->clean, &err))
        speech_fault(set, SPEECH_UNKNOWN, "%s:%zu: %s", list, line, err.text);
    else if (!fill->clean.length)
        speech_fault(set, SPEECH_EMPTY_TEXT, "%s:%zu: no words in the text", list, line);
    else return speech_add_clean(fill, path, fill->clean.text, line);
    return NULL;
}

void speech_free_item(SpeechItem *item) {
    mem_free(item->path);
    mem_free(item->text);
    mem_free(item->labels);
}

/* ---- faults ---- */

void speech_fault(SpeechSet *set, SpeechFault fault, const char *format, ...) {
    SpeechReport *r = &set->report;
    char text[SPEECH_PATH];
    r->faults[fault]++;
    r->left_out++;
    if (r->left_out > SPEECH_NAMED_MOST) return;
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    text_append(&r->named, text, strlen(text));
    text_append_byte(&r->named, '\n');
}

void speech_fault_text(const SpeechReport *report, char *text, size_t size) {
    static const struct {
        const char *one, *more;
    } NAMES[] = {{"transcript without a recording", "transcripts without a recording"},
                 {"recording without a transcript", "recordings without a transcript"},
                 {"empty transcript", "empty transcripts"},
                 {"with unknown characters", "with unknown characters"},
                 {"broken recording", "broken recordings"},
                 {"too short for its text", "too short for their text"},
                 {"malformed line", "malformed lines"},
                 {"outside its recording", "outside their recording"}};
    size_t at = 0;
    CHECK(size >= 400, "%zu bytes for a text", size);
    text[0] = 0;
    for (size_t i = 0; i < SPEECH_FAULTS; i++)
        if (report->faults[i])
            at += (size_t)snprintf(text + at, size - at, "%s%zu %s", at ? ", " : "",
                                   report->faults[i],
                                   report->faults[i] == 1 ? NAMES[i].one : NAMES[i].more);
}

/* How many lines say what is wrong: a few where it is the same with all utterances. */
static size_t lines_to_name(const SpeechReport *r) {
    enum { SAME = 3 };
    bool same = false;
    for (size_t i = 0; i < SPEECH_FAULTS; i++)
        same = same || r->faults[i] == MAX(r->listed, (size_t)SAME + 1);
    return same ? SAME : SPEECH_NAMED_MOST;
}

void speech_name_faults(const SpeechReport *r, SpeechSay *say) {
    if (!r->left_out) return;
    size_t most = lines_to_name(r), named = 0;
    for (const char *line = r->named.text; *line && named < most; named++) {
        size_t length = strcspn(line, "\n");
        say("%.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
    if (r->left_out > named) say("... and %zu more", r->left_out - named);
}

void speech_item_name(const SpeechItem *item, char *name, size_t size) {
    text_format(name, size, item->cut ? "%s@%g" : "%s", item->path, item->span.start);
}

/* ---- tallies ---- */

void speech_tally(SpeechTally *tally, const char *format, ...) {
    if (tally->count++) return;
    va_list values;
    va_start(values, format);
    vsnprintf(tally->first, sizeof tally->first, format, values);
    va_end(values);
}

void speech_note_tally(SpeechSet *set, const SpeechTally *tally, const char *what) {
    facts_note(&set->facts, tally->count, "%s: %zu of %zu (first: %.400s)", what,
               tally->count, MAX(set->count, tally->count), tally->first);
}

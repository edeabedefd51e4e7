#include "data/speech/text.h"

#include <string.h>

#include "data/file/utf8.h"

static bool has_label(char c) { return (c >= 'a' && c <= 'z') || c == '\''; }

static Status fail_unknown(const char *at, size_t left, Err *err) {
    uint32_t code = 0;
    size_t used = utf8_next(at, left, &code);
    return err_set(err, FAIL_DATA,
                   "the character '%.*s' (U+%04X) is not in the alphabet: a-z, "
                   "apostrophe, space",
                   code < ' ' ? 0 : (int)used, at, (unsigned)code);
}

Status speech_clean(const char *text, size_t length, TextBuffer *clean, Err *err) {
    text_clear(clean);
    for (size_t at = 0, word; utf8_word(text, length, &at, &word);) {
        const char *start = text + at - word;
        if (clean->length) text_append_byte(clean, ' ');
        for (size_t i = 0; i < word; i++) {
            char c = start[i] >= 'A' && start[i] <= 'Z' ? (char)(start[i] - 'A' + 'a')
                                                        : start[i];
            if (!has_label(c)) return fail_unknown(start + i, word - i, err);
            text_append_byte(clean, c);
        }
    }
    return OK;
}

static uint32_t label_of(char c) {
    return c == ' '    ? SPEECH_BOUNDARY
           : c == '\'' ? SPEECH_APOSTROPHE
                       : (uint32_t)(c - 'a') + SPEECH_A;
}

size_t speech_encode(const char *clean, uint32_t *labels) {
    size_t count = 0;
    labels[count++] = SPEECH_BOUNDARY;
    for (; *clean; clean++) {
        CHECK(*clean == ' ' || has_label(*clean), "'%c' in a clean text", *clean);
        labels[count++] = label_of(*clean);
    }
    labels[count++] = SPEECH_BOUNDARY;
    return count;
}

size_t speech_rows_needed(const uint32_t *labels, size_t count) {
    size_t rows = count;
    for (size_t i = 1; i < count; i++) rows += labels[i] == labels[i - 1];
    return rows;
}

void speech_read_path(const uint32_t *best, size_t count, TextBuffer *text) {
    text_clear(text);
    for (size_t i = 0; i < count; i++) {
        uint32_t label = best[i];
        CHECK(label < SPEECH_LABELS, "label %u", (unsigned)label);
        if (label == SPEECH_BLANK || (i && label == best[i - 1])) continue;
        if (label == SPEECH_BOUNDARY) {
            if (text->length && text->text[text->length - 1] != ' ')
                text_append_byte(text, ' ');
        } else {
            text_append_byte(text, label == SPEECH_APOSTROPHE
                                       ? '\''
                                       : (char)('a' + label - SPEECH_A));
        }
    }
    if (text->length && text->text[text->length - 1] == ' ')
        text->text[--text->length] = 0;
}

#include "text_sets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"

void texts_put(const char *root, const char *name, const char *text) {
    files_write(root, name, text, strlen(text));
}

DataConfig texts_config(const char *root, bool pairs, TokenKind kind) {
    DataConfig c = data_config_default();
    c.source = pairs ? SOURCE_PARALLEL : SOURCE_TEXT;
    text_format(c.path, sizeof c.path, "%s/train", root);
    strcpy(c.source_lang, "de");
    strcpy(c.target_lang, "en");
    c.tokens = kind;
    c.min_count = 1;
    c.bpe_merges = 20;
    c.max_length = 1024;
    return c;
}

void texts_put_pairs(const char *root, const char *source, const char *target) {
    texts_put(root, "train.de", source);
    texts_put(root, "train.en", target);
}

void texts_must_open(Texts *texts, const DataConfig *config) {
    Err err = ERR_NONE;
    bool pairs = source_examples(config->source) == EXAMPLES_PAIRS;
    if (texts_open(texts, config, pairs, &err)) fail_msg("%s", err.text);
}

void texts_refuse(const DataConfig *config, const char *part) {
    Texts texts;
    Err err = ERR_NONE;
    bool pairs = source_examples(config->source) == EXAMPLES_PAIRS;
    Status status = texts_open(&texts, config, pairs, &err);
    if (!status) fail_msg("opened, though \"%s\" was to be noticed", part);
    if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    assert_int_equal(status, FAIL_DATA);
    assert_int_equal(err.status, FAIL_DATA);
}

void texts_expect_text(const Texts *t, size_t side, const uint32_t *ids, size_t count,
                       const char *expected) {
    TextBuffer text = {0};
    tokenizer_decode(t->tokenizer[side], ids, count, &text);
    assert_string_equal(text.text, expected);
    text_free(&text);
}

void texts_expect_pair(const Texts *t, Split split, size_t i, const char *source,
                       const char *target) {
    size_t m, n;
    const TextSet *set = t->sets[split];
    assert_non_null(set);
    const uint32_t *x = textset_source(set, i, &m), *y = textset_target(set, i, &n);
    assert_int_equal(x[m - 1], ID_EOS);
    assert_int_equal(y[n - 1], ID_EOS);
    texts_expect_text(t, 0, x, m - 1, source);
    texts_expect_text(t, 1, y, n - 1, target);
}

void texts_expect_note(const TextSet *set, size_t count, const char *part,
                       const char *more) {
    for (size_t i = 0; i < set->facts.notes; i++) {
        const DataNote *note = &set->facts.note[i];
        if (!strstr(note->text, part)) continue;
        if (note->count != count || !strstr(note->text, more))
            fail_msg("%zu: \"%s\", wanted %zu and \"%s\"", note->count, note->text, count,
                     more);
        return;
    }
    fail_msg("no note of %zu has \"%s\"", set->facts.notes, part);
}

void texts_expect_no_notes(const TextSet *set) {
    if (set->facts.notes) fail_msg("%s", set->facts.note[0].text);
}

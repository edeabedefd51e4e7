#include "data/sources.h"

#include <string.h>

typedef struct Row {
    ExampleKind examples;
    unsigned traits;
} Row;

static const Row ROWS[] = {
#define SOURCE_ROW(NAME, name, examples, traits) {EXAMPLES_##examples, traits},
    SOURCE_LIST(SOURCE_ROW)
#undef SOURCE_ROW
};

const char *const source_names[] = {
#define SOURCE_WORD(NAME, name, examples, traits) #name,
    SOURCE_LIST(SOURCE_WORD)
#undef SOURCE_WORD
        NULL};

static const char *const TRAIT_WORDS[] = {
#define TRAIT_WORD(NAME, name) #name,
    SOURCE_TRAITS(TRAIT_WORD)
#undef TRAIT_WORD
};

const char *source_name(Source source) { return source_names[source]; }

ExampleKind source_examples(Source source) { return ROWS[source].examples; }

bool source_has(Source source, unsigned traits) {
    return (ROWS[source].traits & traits) == traits;
}

const char *examples_name(ExampleKind kind) {
    static const char *const NAMES[] = {[EXAMPLES_PICTURES] = "pictures",
                                        [EXAMPLES_TEXT] = "text",
                                        [EXAMPLES_PAIRS] = "pairs of sentences",
                                        [EXAMPLES_SPEECH] = "speech"};
    return NAMES[kind];
}

unsigned source_trait(const char *word, size_t length) {
    for (size_t i = 0; i < TRAIT_COUNT; i++)
        if (strlen(TRAIT_WORDS[i]) == length && !memcmp(TRAIT_WORDS[i], word, length))
            return 1u << i;
    return 0;
}

static bool is_chosen(Source source, SourceChoice choice) {
    bool kind = !choice.examples || choice.examples >> ROWS[source].examples & 1;
    return kind && source_has(source, choice.traits);
}

void source_list(SourceChoice choice, const char *between, const char *last, char *text,
                 size_t size) {
    size_t count = 0, shown = 0, used = 0;
    text_format(text, size, "%s", "");
    for (Source s = 0; s < SOURCES; s++) count += is_chosen(s, choice);
    for (Source s = 0; s < SOURCES; s++) {
        if (!is_chosen(s, choice)) continue;
        const char *sign = !shown ? "" : shown + 1 < count ? between : last;
        text_format(text + used, size - used, "%s%s", sign, source_names[s]);
        used += strlen(text + used);
        shown++;
    }
}

Status source_check(Source source, unsigned examples, Err *err) {
    char list[300];
    if (source < SOURCES && is_chosen(source, (SourceChoice){examples, 0})) return OK;
    source_list((SourceChoice){examples, 0}, ", ", ", ", list, sizeof list);
    return err_set(err, FAIL_USAGE, "unknown data.source = %s; expected one of %s",
                   source < SOURCES ? source_names[source] : "(no source)", list);
}

#include "tokenizers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

TextFile tokens_text(const char *text) {
    TextFile file;
    TextBuffer buffer = {0};
    text_append(&buffer, text, strlen(text));
    textfile_of(&file, &buffer, "text");
    return file;
}

TokenizerConfig tokens_config(TokenKind kind, bool specials) {
    return (TokenizerConfig){.kind = kind,
                             .specials = specials,
                             .vocab = "",
                             .codes = "",
                             .merges = 50,
                             .min_count = 1};
}

Tokenizer *tokens_build(const TokenizerConfig *config, const char *text) {
    Err err = ERR_NONE;
    TextFile file = tokens_text(text);
    const TextFile *files[] = {&file};
    Tokenizer *t = tokenizer_build(config, files, 1, &err);
    textfile_free(&file);
    if (!t) fail_msg("%s", err.text);
    return t;
}

void tokens_expect_ids(const Tokenizer *t, const char *line, size_t count,
                       const uint32_t *ids) {
    IdList list = {0};
    Err err = ERR_NONE;
    if (tokenizer_encode(t, line, strlen(line), &list, &err)) fail_msg("%s", err.text);
    assert_int_equal(list.count, count);
    for (size_t i = 0; i < count; i++) assert_int_equal(list.ids[i], ids[i]);
    idlist_free(&list);
}

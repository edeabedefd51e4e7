/* tokenizers: small tokenizers of a text in memory, for tests. */
#ifndef TEST_TOKENIZERS_H
#define TEST_TOKENIZERS_H

#include <stddef.h>

#include "data/text/tokenizer.h"

/* A text in memory. */
TextFile tokens_text(const char *text);

TokenizerConfig tokens_config(TokenKind kind, bool specials);

Tokenizer *tokens_build(const TokenizerConfig *config, const char *text);

void tokens_expect_ids(const Tokenizer *t, const char *line, size_t count,
                       const uint32_t *ids);

#define EXPECT_IDS(t, line, ...)                                                         \
    tokens_expect_ids(t, line, COUNT(((const uint32_t[]){__VA_ARGS__})),                 \
                      (const uint32_t[]){__VA_ARGS__})

#endif

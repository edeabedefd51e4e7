/* tokenizer: text to numbers and back: characters, words, or pieces of words.
 *
 *     tokenizer_encode(t, line, length, &ids, &err);      appends; no </s>
 *     tokenizer_decode(t, ids.ids, ids.count, &text);
 *
 * Dictionaries are fairseq's: ids 0-3 are <s> <pad> </s> <unk>, then one token a line
 * with its count, most frequent first (of equals the smaller string).  A character
 * language model has none of the four: its vocabulary is the sorted set of the training
 * text's characters, \n included. */
#ifndef STEADY_TOKENIZER_H
#define STEADY_TOKENIZER_H

#include "data/config.h"
#include "data/file/stringmap.h"
#include "data/file/textfile.h"

enum { ID_BOS, ID_PAD, ID_EOS, ID_UNK, ID_FIRST };

typedef struct IdList {
    uint32_t *ids;
    size_t count, room;
} IdList;

void idlist_add(IdList *list, uint32_t id);
void idlist_free(IdList *list);

typedef struct Tokenizer Tokenizer;

/* How text is taken apart, and where what is known of it comes from. */
typedef struct TokenizerConfig {
    TokenKind kind;
    bool specials; /* false: characters of a language model */
    bool lowercase;
    WordSplit word_split;
    const char *vocab; /* dictionary file, or "": made of the files */
    const char *codes; /* BPE codes, or "": learned */
    size_t merges, min_count;
} TokenizerConfig;

TokenizerConfig tokenizer_config(const DataConfig *data, bool specials, size_t side);

/* Out of training texts, where the files named do not say it. */
Tokenizer *tokenizer_build(const TokenizerConfig *config, const TextFile *const *files,
                           size_t file_count, Err *err);
void tokenizer_free(Tokenizer *t);

/* folder/NAME.vocab, NAME.codes, NAME.tokenizer: all that a run's predictions need.
 * Each is whole or as it was before.  FAIL_DATA where tokenizer_load would not give
 * the same one back. */
Status tokenizer_save(const Tokenizer *t, const char *folder, const char *name, Err *err);
Tokenizer *tokenizer_load(const char *folder, const char *name, Err *err);

/* Do they number the same tokens in the same way? */
bool tokenizer_same(const Tokenizer *a, const Tokenizer *b);

/* The same number where tokenizer_same holds, another (almost surely) where it does
 * not. */
uint64_t tokenizer_hash(const Tokenizer *t);

size_t tokenizer_size(const Tokenizer *t); /* V */
/* The token of an id as in the dictionary; not NUL-terminated. */
const char *tokenizer_token(const Tokenizer *t, uint32_t id, size_t *length);
uint32_t tokenizer_line_end(const Tokenizer *t); /* </s>, or the character \n (0: none) */
bool tokenizer_has_line_end(
    const Tokenizer *t); /* false: characters of a text of one line */
bool tokenizer_has_specials(const Tokenizer *t);
TokenKind tokenizer_kind(const Tokenizer *t);

/* The line as it is before it is split: lower case, punctuation apart. */
void tokenizer_prepare(const Tokenizer *t, const char *line, size_t length,
                       TextBuffer *out);
/* FAIL_DATA: a character that the vocabulary lacks, where there is no <unk>. */
Status tokenizer_encode(const Tokenizer *t, const char *line, size_t length, IdList *ids,
                        Err *err);

/* Visits each token of the line that has no id of its own (characters, words or pieces,
 * whichever the tokens are); `token` is valid during the call. */
typedef void VisitToken(void *context, const char *token, size_t length);
void tokenizer_unknown(const Tokenizer *t, const char *line, size_t length,
                       VisitToken *visit, void *context);

/* Appends the text: words between blanks, pieces joined; </s> is a new line, <s> and
 * <pad> are nothing. */
void tokenizer_decode(const Tokenizer *t, const uint32_t *ids, size_t count,
                      TextBuffer *text);

#endif

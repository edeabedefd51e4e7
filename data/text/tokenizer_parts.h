/* tokenizer_parts: what using tokenizers (data/text/tokenizer.c), their files
 * (tokenizer_files.c) and making them from a text (tokenizer_build.c) share. */
#ifndef STEADY_TOKENIZER_PARTS_H
#define STEADY_TOKENIZER_PARTS_H

#include "data/text/bpe.h"
#include "data/text/tokenizer.h"

enum { TOKENIZER_SPECIALS = ID_FIRST }; /* <s> <pad> </s> <unk> */

struct Tokenizer {
    TokenKind kind;
    bool specials, lowercase;
    WordSplit word_split;
    StringMap vocab; /* numbered by id; count_of as in the dictionary */
    Bpe *bpe;        /* TOKENS_BPE */
    uint32_t line_end;
    bool has_line_end;
};

/* Words end at any white space, as in fairseq; those of BPE as in subword-nmt. */
void tokenizer_each_word(TokenKind kind, const char *line, size_t length,
                         VisitToken *visit, void *context);
void tokenizer_each_token(const Tokenizer *t, const char *line, size_t length,
                          VisitToken *visit, void *context);
bool tokenizer_is_special(const char *token, size_t length);

void tokenizer_add_specials(Tokenizer *t);
void tokenizer_find_line_end(Tokenizer *t);

/* Fills the vocabulary from a dictionary file; `root` as in data/file/openfile.h. */
Status tokenizer_read_vocab(Tokenizer *t, const char *path, const char *root, Err *err);

#endif

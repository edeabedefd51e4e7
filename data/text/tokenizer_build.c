/* tokenizer_build: a tokenizer from the training text (data/text/tokenizer.h). */
#include <stdlib.h>
#include <string.h>

#include "data/text/tokenizer_parts.h"

/* ---- counting ---- */

static void count_token(void *context, const char *token, size_t length) {
    stringmap_count(context, token, length, 1);
}

/* Counts the tokens (or, for BPE that is to be learned, the words) of files. */
static void count_files(const Tokenizer *t, bool words, const TextFile *const *files,
                        size_t file_count, StringMap *counts) {
    TextBuffer prepared = {0};
    for (size_t f = 0; f < file_count; f++) {
        for (size_t i = 0; i < files[f]->count; i++) {
            size_t length;
            const char *line = textfile_line(files[f], i, &length);
            tokenizer_prepare(t, line, length, &prepared);
            if (words)
                tokenizer_each_word(t->kind, prepared.text, prepared.length, count_token,
                                    counts);
            else
                tokenizer_each_token(t, prepared.text, prepared.length, count_token,
                                     counts);
        }
        if (!t->specials && memchr(files[f]->bytes, '\n', files[f]->size))
            count_token(counts, "\n", 1);
    }
    text_free(&prepared);
}

/* Each word is split once, however often it stands in the text. */
static void count_pieces(const Tokenizer *t, const StringMap *words, StringMap *counts) {
    TextBuffer pieces = {0};
    for (size_t w = 0; w < words->count; w++) {
        size_t length;
        const char *word = stringmap_text(words, w, &length);
        text_clear(&pieces);
        if (tokenizer_is_special(word, length)) continue;
        bpe_split(t->bpe, word, length, &pieces);
        for (size_t at = 0; at < pieces.length;) {
            const char *blank = memchr(pieces.text + at, ' ', pieces.length - at);
            size_t end = blank ? (size_t)(blank - pieces.text) : pieces.length;
            stringmap_count(counts, pieces.text + at, end - at, words->count_of[w]);
            at = end + 1;
        }
    }
    text_free(&pieces);
}

typedef struct Counted {
    const StringMap *map;
    size_t index;
} Counted;

static int by_text(const void *a, const void *b) {
    const Counted *x = a, *y = b;
    return stringmap_compare(x->map, x->index, y->index);
}

static int by_count(const void *a, const void *b) {
    const Counted *x = a, *y = b;
    size_t m = x->map->count_of[x->index], n = y->map->count_of[y->index];
    return m != n ? (m > n ? -1 : 1) : by_text(a, b);
}

static void number_tokens(Tokenizer *t, const StringMap *counts, size_t min_count) {
    Counted *order = mem_alloc(MAX(counts->count, (size_t)1) * sizeof *order);
    for (size_t i = 0; i < counts->count; i++) order[i] = (Counted){counts, i};
    qsort(order, counts->count, sizeof *order, t->specials ? by_count : by_text);
    tokenizer_add_specials(t);
    for (size_t i = 0; i < counts->count; i++) {
        size_t length, count = counts->count_of[order[i].index];
        const char *token = stringmap_text(counts, order[i].index, &length);
        if (t->specials && (count < min_count || tokenizer_is_special(token, length)))
            continue;
        stringmap_count(&t->vocab, token, length, count);
    }
    mem_free(order);
}

/* ---- building ---- */

static Status get_bpe(Tokenizer *t, const TokenizerConfig *c, const StringMap *words,
                      Err *err) {
    if (t->kind != TOKENS_BPE) return OK;
    t->bpe = *c->codes ? bpe_load(c->codes, NULL, err) : bpe_learn(words, c->merges);
    return t->bpe ? OK : err->status;
}

static Status get_vocab(Tokenizer *t, const TokenizerConfig *c, const StringMap *words,
                        const TextFile *const *files, size_t file_count, Err *err) {
    if (*c->vocab) return tokenizer_read_vocab(t, c->vocab, NULL, err);
    StringMap counts = {0};
    if (t->kind == TOKENS_BPE) count_pieces(t, words, &counts);
    else count_files(t, false, files, file_count, &counts);
    number_tokens(t, &counts, c->min_count);
    stringmap_free(&counts);
    if (t->vocab.count > (t->specials ? TOKENIZER_SPECIALS : 0)) return OK;
    return err_set(err, FAIL_DATA,
                   "no token occurs %zu times in the training text; use a lower "
                   "data.min_count",
                   c->min_count);
}

Tokenizer *tokenizer_build(const TokenizerConfig *c, const TextFile *const *files,
                           size_t file_count, Err *err) {
    Tokenizer *t = mem_zalloc(sizeof *t);
    *t = (Tokenizer){.kind = c->kind,
                     .specials = c->specials,
                     .lowercase = c->lowercase,
                     .word_split = c->word_split};
    StringMap words = {0};
    if (c->kind == TOKENS_BPE) count_files(t, true, files, file_count, &words);
    if (!get_bpe(t, c, &words, err)) get_vocab(t, c, &words, files, file_count, err);
    stringmap_free(&words);
    if (err->status) {
        tokenizer_free(t);
        return NULL;
    }
    tokenizer_find_line_end(t);
    return t;
}

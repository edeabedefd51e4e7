#include "data/text/tokenizer_parts.h"

#include <string.h>

#include "data/facts.h"
#include "data/file/utf8.h"
#include "data/text/tok13a.h"
#include "engine/core/grow.h"

static const char *const SPECIALS[TOKENIZER_SPECIALS] = {"<s>", "<pad>", "</s>", "<unk>"};

/* ---- lists ---- */

void idlist_add(IdList *list, uint32_t id) {
    GROW(list->ids, list->count, list->room, 1);
    list->ids[list->count++] = id;
}

void idlist_free(IdList *list) {
    mem_free(list->ids);
    *list = (IdList){0};
}

/* ---- a line's way to tokens ---- */

static void lower(const char *line, size_t length, TextBuffer *out) {
    for (size_t at = 0, used; at < length; at += used) {
        uint32_t code;
        used = utf8_next(line + at, length - at, &code);
        if (used) text_append_code(out, utf8_lower(code));
        if (!used) text_append_byte(out, line[at]), used = 1;
    }
}

void tokenizer_prepare(const Tokenizer *t, const char *line, size_t length,
                       TextBuffer *out) {
    text_clear(out);
    if (t->word_split != SPLIT_WORDS_13A) {
        if (t->lowercase) lower(line, length, out);
        else text_append(out, line, length);
        return;
    }
    TextBuffer low = {0};
    text_clear(&low);
    if (t->lowercase) lower(line, length, &low);
    tok13a(t->lowercase ? low.text : line, t->lowercase ? low.length : length, out);
    text_free(&low);
}

static void each_character(const char *line, size_t length, VisitToken *visit,
                           void *context) {
    for (size_t at = 0, used; at < length; at += used) {
        uint32_t code;
        used = utf8_next(line + at, length - at, &code);
        if (!used) used = 1;
        visit(context, line + at, used);
    }
}

void tokenizer_each_word(TokenKind kind, const char *line, size_t length,
                         VisitToken *visit, void *context) {
    bool (*next)(const char *, size_t, size_t *, size_t *) =
        kind == TOKENS_BPE ? bpe_word : utf8_word;
    for (size_t at = 0, word; next(line, length, &at, &word);)
        visit(context, line + at - word, word);
}

bool tokenizer_is_special(const char *token, size_t length) {
    for (size_t i = 0; i < COUNT(SPECIALS); i++)
        if (strlen(SPECIALS[i]) == length && !memcmp(SPECIALS[i], token, length))
            return true;
    return false;
}

typedef struct Pieces {
    const Bpe *bpe;
    VisitToken *visit;
    void *context;
    TextBuffer text;
} Pieces;

static void split_word(void *context, const char *word, size_t length) {
    Pieces *p = context;
    if (tokenizer_is_special(word, length)) {
        p->visit(p->context, word, length);
        return;
    }
    text_clear(&p->text);
    bpe_split(p->bpe, word, length, &p->text);
    for (size_t at = 0; at < p->text.length;) {
        const char *blank = memchr(p->text.text + at, ' ', p->text.length - at);
        size_t end = blank ? (size_t)(blank - p->text.text) : p->text.length;
        p->visit(p->context, p->text.text + at, end - at);
        at = end + 1;
    }
}

void tokenizer_each_token(const Tokenizer *t, const char *line, size_t length,
                          VisitToken *visit, void *context) {
    if (t->kind == TOKENS_CHAR) {
        each_character(line, length, visit, context);
    } else if (t->kind == TOKENS_WORD) {
        tokenizer_each_word(t->kind, line, length, visit, context);
    } else {
        Pieces pieces = {.bpe = t->bpe, .visit = visit, .context = context};
        tokenizer_each_word(t->kind, line, length, split_word, &pieces);
        text_free(&pieces.text);
    }
}

/* ---- encoding and decoding ---- */

typedef struct Encoding {
    const Tokenizer *t;
    IdList *ids;
    char unknown[4 * UTF8_BYTES]; /* the first token that has no id, as far as it fits */
    size_t unknown_length;        /* 0: all have one */
} Encoding;

static void encode_token(void *context, const char *token, size_t length) {
    Encoding *e = context;
    size_t id = stringmap_find(&e->t->vocab, token, length);
    if (id == SIZE_MAX && !e->t->specials) {
        /* Pieces of words are gone when their line is through. */
        if (!e->unknown_length) {
            e->unknown_length = MIN(length, sizeof e->unknown);
            memcpy(e->unknown, token, e->unknown_length);
        }
        return;
    }
    if (e->t->specials && id == ID_PAD) id = ID_UNK; /* padding counts for nothing */
    idlist_add(e->ids, id == SIZE_MAX ? ID_UNK : (uint32_t)id);
}

const char *tokenizer_token(const Tokenizer *t, uint32_t id, size_t *length) {
    return stringmap_text(&t->vocab, id, length);
}

Status tokenizer_encode(const Tokenizer *t, const char *line, size_t length, IdList *ids,
                        Err *err) {
    TextBuffer prepared = {0};
    bool changed = t->lowercase || t->word_split != SPLIT_WORDS_NONE;
    if (changed) {
        tokenizer_prepare(t, line, length, &prepared);
        line = prepared.text, length = prepared.length;
    }
    Encoding e = {.t = t, .ids = ids};
    tokenizer_each_token(t, line, length, encode_token, &e);
    if (e.unknown_length) {
        uint32_t code = 0;
        utf8_next(e.unknown, e.unknown_length, &code);
        err_set(err, FAIL_DATA, "the character '%.*s' (U+%04X) is not in the vocabulary",
                (int)e.unknown_length, code == '\n' ? "" : e.unknown, (unsigned)code);
    }
    text_free(&prepared);
    return e.unknown_length ? FAIL_DATA : OK;
}

typedef struct Stranger {
    const Tokenizer *t;
    VisitToken *visit;
    void *context;
} Stranger;

static void visit_stranger(void *context, const char *token, size_t length) {
    const Stranger *s = context;
    size_t id = stringmap_find(&s->t->vocab, token, length);
    if (id == SIZE_MAX || (s->t->specials && (id == ID_UNK || id == ID_PAD)))
        s->visit(s->context, token, length);
}

void tokenizer_unknown(const Tokenizer *t, const char *line, size_t length,
                       VisitToken *visit, void *context) {
    TextBuffer prepared = {0};
    Stranger stranger = {t, visit, context};
    tokenizer_prepare(t, line, length, &prepared);
    tokenizer_each_token(t, prepared.text, prepared.length, visit_stranger, &stranger);
    text_free(&prepared);
}

/* "un@@ happy" is one word. */
static bool goes_on(const Tokenizer *t, const char *token, size_t length) {
    return t->kind == TOKENS_BPE && length > 2 && !memcmp(token + length - 2, "@@", 2);
}

void tokenizer_decode(const Tokenizer *t, const uint32_t *ids, size_t count,
                      TextBuffer *text) {
    bool fresh = true; /* nothing to be parted from */
    text_append(text, "", 0);
    for (size_t i = 0; i < count; i++) {
        CHECK(ids[i] < t->vocab.count, "id %u of %zu", ids[i], t->vocab.count);
        size_t length;
        const char *token = stringmap_text(&t->vocab, ids[i], &length);
        if (t->specials && (ids[i] == ID_BOS || ids[i] == ID_PAD)) continue;
        if (t->specials && ids[i] == ID_EOS) {
            text_append_byte(text, '\n');
            fresh = true;
            continue;
        }
        if (!fresh && t->kind != TOKENS_CHAR) text_append_byte(text, ' ');
        fresh = goes_on(t, token, length);
        text_append(text, token, length - (fresh ? 2 : 0));
    }
}

size_t tokenizer_size(const Tokenizer *t) { return t->vocab.count; }

uint32_t tokenizer_line_end(const Tokenizer *t) { return t->line_end; }

bool tokenizer_has_line_end(const Tokenizer *t) { return t->has_line_end; }

bool tokenizer_has_specials(const Tokenizer *t) { return t->specials; }

TokenKind tokenizer_kind(const Tokenizer *t) { return t->kind; }

/* ---- making one ---- */

TokenizerConfig tokenizer_config(const DataConfig *d, bool specials, size_t side) {
    return (TokenizerConfig){.kind = d->tokens,
                             .specials = specials || d->tokens != TOKENS_CHAR,
                             .lowercase = d->lowercase,
                             .word_split = d->word_split,
                             .vocab = side ? d->target_vocab : d->source_vocab,
                             .codes = d->bpe_codes,
                             .merges = d->bpe_merges,
                             .min_count = d->min_count};
}

void tokenizer_add_specials(Tokenizer *t) {
    for (size_t i = 0; t->specials && i < COUNT(SPECIALS); i++)
        stringmap_add(&t->vocab, SPECIALS[i], strlen(SPECIALS[i]));
}

void tokenizer_find_line_end(Tokenizer *t) {
    size_t id = t->specials ? (size_t)ID_EOS : stringmap_find(&t->vocab, "\n", 1);
    t->has_line_end = id != SIZE_MAX;
    t->line_end = t->has_line_end ? (uint32_t)id : 0;
}

void tokenizer_free(Tokenizer *t) {
    if (!t) return;
    stringmap_free(&t->vocab);
    bpe_free(t->bpe);
    mem_free(t);
}

/* ---- comparing ---- */

static bool same_tokens(const StringMap *a, const StringMap *b) {
    size_t bytes = a->count == b->count && a->count ? a->start[a->count] : 0;
    return a->count == b->count &&
           (!a->count ||
            (!memcmp(a->start, b->start, (a->count + 1) * sizeof *a->start) &&
             !memcmp(a->text.text, b->text.text, bytes)));
}

bool tokenizer_same(const Tokenizer *a, const Tokenizer *b) {
    if (!a->bpe != !b->bpe || (a->bpe && !bpe_same(a->bpe, b->bpe))) return false;
    return a->kind == b->kind && a->specials == b->specials &&
           a->lowercase == b->lowercase && a->word_split == b->word_split &&
           same_tokens(&a->vocab, &b->vocab);
}

uint64_t tokenizer_hash(const Tokenizer *t) {
    const StringMap *v = &t->vocab;
    uint64_t hash =
        facts_hash_number(0, (uint64_t)t->kind << 2 | (uint64_t)t->lowercase << 1 |
                                 (t->word_split != SPLIT_WORDS_NONE));
    for (size_t i = 0; i < v->count; i++) {
        hash =
            facts_hash(hash, v->text.text + v->start[i], v->start[i + 1] - v->start[i]);
        hash = facts_hash_number(hash, v->start[i + 1] - v->start[i]);
    }
    return t->bpe ? bpe_hash(t->bpe, hash) : hash;
}

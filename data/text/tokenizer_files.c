/* tokenizer_files: dictionaries, and what a run keeps of its tokenizers
 * (data/text/tokenizer.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/openfile.h"
#include "data/file/utf8.h"
#include "data/text/tokenizer_parts.h"

enum { PATH_MOST = 1400 };

/* ---- dictionary files ---- */

/* "U+0041", or the character itself. */
static bool read_character(const char *token, size_t size, uint32_t *code) {
    if (utf8_next(token, size, code) == size) return true;
    char text[16] = {0}, *end;
    memcpy(text, token, MIN(size, sizeof text - 1));
    if (strncmp(text, "U+", 2)) return false;
    unsigned long number = strtoul(text + 2, &end, 16);
    *code = (uint32_t)number;
    return end > text + 2 && !*end && number <= 0x10FFFF &&
           (number < 0xD800 || number > 0xDFFF);
}

/* "token count": where the count begins, or 0. */
static size_t count_place(const char *line, size_t length, size_t *count) {
    char number[24], *end;
    size_t at = length;
    while (at && line[at - 1] != ' ') at--;
    if (at < 2 || length - at >= sizeof number) return 0;
    memcpy(number, line + at, length - at);
    number[length - at] = 0;
    *count = (size_t)strtoull(number, &end, 10);
    return *number >= '0' && *number <= '9' && !*end ? at : 0;
}

static Status read_token(Tokenizer *t, const char *line, size_t length, Err *err) {
    size_t count, place = count_place(line, length, &count);
    char text[UTF8_BYTES], shown[80];
    const char *token = line;
    size_t size = place ? place - 1 : 0;
    uint32_t code;
    bool characters = t->kind == TOKENS_CHAR;
    if (!size || (characters && !read_character(line, size, &code)))
        return err_set(err, FAIL_DATA, "expected a token, a space and its count");
    if (characters) token = text, size = utf8_put(code, text);
    utf8_show(token, size, shown, sizeof shown);
    if (!characters && (memchr(token, ' ', size) || memchr(token, '\r', size)))
        return err_set(
            err, FAIL_DATA,
            "the token '%s' contains a space or a carriage return; expected a token, a "
            "space and its count",
            shown);
    size_t old = stringmap_find(&t->vocab, token, size);
    if (old != SIZE_MAX)
        return err_set(err, FAIL_DATA, "duplicate token '%s', already number %zu", shown,
                       old);
    stringmap_count(&t->vocab, token, size, count);
    return OK;
}

Status tokenizer_read_vocab(Tokenizer *t, const char *path, const char *root, Err *err) {
    TextFile file;
    if (textfile_read_in(&file, path, root, err)) return err->status;
    tokenizer_add_specials(t);
    for (size_t i = 0; i < file.count && !err->status; i++) {
        size_t length;
        const char *line = textfile_line(&file, i, &length);
        if (read_token(t, line, length, err)) err_wrap(err, "%s:%zu", path, i + 1);
    }
    if (!err->status && t->vocab.count <= (t->specials ? TOKENIZER_SPECIALS : 0))
        err_set(err, FAIL_DATA, "%s has no tokens", path);
    textfile_free(&file);
    return err->status;
}

static void write_token(const Tokenizer *t, size_t id, FILE *file) {
    size_t length;
    const char *token = stringmap_text(&t->vocab, id, &length);
    uint32_t code = 0;
    if (t->kind == TOKENS_CHAR && utf8_next(token, length, &code))
        fprintf(file, "U+%04X", (unsigned)code);
    else fwrite(token, 1, length, file);
    fprintf(file, " %zu\n", t->vocab.count_of[id]);
}

static void write_vocab(const Tokenizer *t, FILE *file) {
    for (size_t i = t->specials ? TOKENIZER_SPECIALS : 0; i < t->vocab.count; i++)
        write_token(t, i, file);
}

/* ---- a run's own ---- */

static void path_of(char path[PATH_MOST], const char *folder, const char *name,
                    const char *ending) {
    text_format(path, PATH_MOST, "%s/%s.%s", folder, name, ending);
}

static const char SETTINGS[] = "kind %d specials %d lowercase %d word_split %d\n";

static void write_settings(const Tokenizer *t, FILE *file) {
    fprintf(file, SETTINGS, (int)t->kind, t->specials, t->lowercase, (int)t->word_split);
}

static void write_codes(const Tokenizer *t, FILE *file) { bpe_write(t->bpe, file); }

/* The file as a draft first: one that is there already stays whole until the new one
 * is. */
static Status save_file(const Tokenizer *t, const char *folder, const char *name,
                        const char *ending, void (*write)(const Tokenizer *t, FILE *file),
                        Err *err) {
    char path[PATH_MOST], draft[PATH_MOST + 8];
    path_of(path, folder, name, ending);
    text_format(draft, sizeof draft, "%s.new", path);
    FILE *file = openfile_draft(draft, folder, err);
    if (!file) return err->status;
    write(t, file);
    bool failed = fflush(file) || ferror(file);
    int reason = errno;
    if (!((fclose(file) != 0) | failed))
        return openfile_replace(draft, path, folder, err);
    err_set(err, FAIL_RUN, "%s was not written: %s", path, strerror(reason));
    openfile_remove(draft, folder);
    return err->status;
}

/* A run that trains and cannot be opened afterwards would be worth nothing. */
static Status check_saved(const Tokenizer *t, const char *folder, const char *name,
                          Err *err) {
    Err why = ERR_NONE;
    Tokenizer *back = tokenizer_load(folder, name, &why);
    if (!back) return err_set(err, why.status, "%s (as it was just written)", why.text);
    bool same = tokenizer_same(t, back);
    tokenizer_free(back);
    if (same) return OK;
    return err_set(
        err, FAIL_DATA,
        "%s/%s.vocab or %s.codes cannot be read back as written, because of its "
        "tokens; choose other data.tokens, or a dictionary without them",
        folder, name, name);
}

Status tokenizer_save(const Tokenizer *t, const char *folder, const char *name,
                      Err *err) {
    if (save_file(t, folder, name, "vocab", write_vocab, err)) return err->status;
    if (t->bpe && save_file(t, folder, name, "codes", write_codes, err))
        return err->status;
    if (save_file(t, folder, name, "tokenizer", write_settings, err)) return err->status;
    return check_saved(t, folder, name, err);
}

static Status read_settings(Tokenizer *t, const char *path, const char *root, Err *err) {
    TextFile file;
    int kind, specials, low, split;
    if (textfile_read_in(&file, path, root, err)) return err->status;
    char line[120] = {0};
    memcpy(line, file.bytes, MIN(file.size, sizeof line - 1));
    textfile_free(&file);
    if (sscanf(line, SETTINGS, &kind, &specials, &low, &split) != 4 || kind < 0 ||
        kind > TOKENS_BPE || split < 0 || split > SPLIT_WORDS_13A ||
        (kind != TOKENS_CHAR && !specials))
        return err_set(err, FAIL_DATA, "%s: not the settings of a tokenizer", path);
    t->kind = (TokenKind)kind;
    t->specials = specials;
    t->lowercase = low;
    t->word_split = (WordSplit)split;
    return OK;
}

Tokenizer *tokenizer_load(const char *folder, const char *name, Err *err) {
    Tokenizer *t = mem_zalloc(sizeof *t);
    char path[PATH_MOST];
    path_of(path, folder, name, "tokenizer");
    Status status = read_settings(t, path, folder, err);
    path_of(path, folder, name, "vocab");
    if (!status) status = tokenizer_read_vocab(t, path, folder, err);
    path_of(path, folder, name, "codes");
    if (!status && t->kind == TOKENS_BPE && !(t->bpe = bpe_load(path, folder, err)))
        status = err->status;
    if (!status) {
        tokenizer_find_line_end(t);
        return t;
    }
    tokenizer_free(t);
    return NULL;
}

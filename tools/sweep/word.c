/* word: a word of a sweep's grid, taken apart (tools/sweep/word.h). */
#include <ctype.h>
#include <string.h>

#include "engine/core/grow.h"
#include "tools/recipe/keys.h"
#include "tools/sweep/sweep.h"
#include "tools/sweep/word.h"

/* ---- texts ---- */

static void texts_add(Texts *list, const char *text) {
    GROW(list->text, list->count, list->room, 1);
    list->text[list->count++] = mem_strdup(text);
}

void sweep_free_words(char **words, size_t count) {
    for (size_t i = 0; i < count; i++) mem_free(words[i]);
    mem_free(words);
}

void texts_free(Texts *list) { sweep_free_words(list->text, list->count); }

char *text_trim(char *text) {
    while (isspace((unsigned char)*text)) text++;
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1])) text[--length] = 0;
    return text;
}

bool keys_have(const char *list, const char *key) {
    char *copy = mem_strdup(list), *rest = copy, *wanted = mem_strdup(key), *part;
    const char *trimmed = text_trim(wanted);
    bool listed = false;
    while ((part = strsep(&rest, ",")) && !listed)
        listed = *trimmed && !strcmp(text_trim(part), trimmed);
    mem_free(wanted);
    mem_free(copy);
    return listed;
}

/* Where the brace that opens at `text` is closed, or NULL. */
static char *closing(char *text) {
    int depth = 0;
    for (char *c = text; *c; c++) {
        depth += (*c == '{') - (*c == '}');
        if (!depth) return c;
    }
    return NULL;
}

/* The inside of a text that is one pair of braces; the text where it begins with none;
 * NULL where the braces do not match. */
static char *unbraced(char *text) {
    if (*text != '{') return text;
    char *end = closing(text);
    if (!end || end[1]) return NULL;
    *end = 0;
    return text_trim(text + 1);
}

/* Cuts at `mark`, but not inside of braces; `strip` takes those of each part off. */
static Status cut(const char *word, char *text, char mark, bool strip, Texts *parts,
                  Err *err) {
    int depth = 0;
    for (char *c = text, *begin = text;; c++) {
        depth += (*c == '{') - (*c == '}');
        if (depth < 0 || (!*c && depth))
            return err_set(err, FAIL_USAGE, "%s: unbalanced braces", word);
        if (*c && (*c != mark || depth)) continue;
        bool last = !*c;
        *c = 0;
        char *part = text_trim(begin);
        if (strip) part = unbraced(part);
        if (!part)
            return err_set(err, FAIL_USAGE, "%s: text after a closing brace", word);
        if (!*part)
            return err_set(err, FAIL_USAGE, "%s: empty value between two `%c`", word,
                           mark);
        texts_add(parts, part);
        if (last) return OK;
        begin = c + 1;
    }
}

/* ---- a word ---- */

void word_free(Word *word) {
    texts_free(&word->recipes);
    texts_free(&word->keys);
    texts_free(&word->values);
    mem_free(word->copy);
}

static Status check_keys(const Word *word, Err *err) {
    for (size_t k = 0; k < word->keys.count; k++) {
        const char *name = word->keys.text[k];
        if (!key_of_word(name)) {
            char hint[NEAREST_HINT];
            return err_set(err, FAIL_USAGE, "unknown key %.80s%s", name,
                           key_hint(name, hint));
        }
        for (size_t j = 0; j < k; j++)
            if (!strcmp(name, word->keys.text[j]))
                return err_set(err, FAIL_USAGE, "%s: %s is given twice", word->text,
                               name);
    }
    return OK;
}

/* Has the value of a key commas itself?  Then they separate nothing. */
static bool is_whole(const char *name) {
    KeyType type = key_of_word(name)->type;
    return type == KEY_REALS || type == KEY_TEXT;
}

static Status read_values(Word *word, Err *err) {
    bool linked = word->keys.count > 1, braces = *word->value == '{';
    if (linked && !braces)
        return err_set(err, FAIL_USAGE,
                       "%s: list the values of linked keys in braces: "
                       "{KEY,KEY}={VALUE,VALUE;VALUE,VALUE}",
                       word->text);
    if (!braces && is_whole(word->keys.text[0])) {
        texts_add(&word->values, word->value);
        return OK;
    }
    char *inside = unbraced(word->value);
    if (!inside)
        return err_set(err, FAIL_USAGE,
                       "%s: unbalanced braces in the list; expected KEY={VALUE;VALUE}",
                       word->text);
    return cut(word->keys.text[0], inside, braces ? ';' : ',', !linked, &word->values,
               err);
}

Status word_read(Word *word, const char *text, Err *err) {
    *word = (Word){.text = text, .copy = mem_strdup(text)};
    char *left = word->copy, *equals = strchr(left, '=');
    *equals = 0;
    word->value = text_trim(equals + 1);
    char *colon = strchr(left, ':');
    if (colon) {
        *colon = 0;
        if (cut(text, text_trim(left), ',', true, &word->recipes, err))
            return err->status;
        left = colon + 1;
    }
    left = text_trim(left);
    char *inside = unbraced(left);
    if (!inside || (*left == '{' && !*inside))
        return err_set(err, FAIL_USAGE,
                       "%s: expected braces around keys as {KEY,KEY}=...", text);
    if (*left != '{') texts_add(&word->keys, left);
    else if (cut(text, inside, ',', true, &word->keys, err)) return err->status;
    if (check_keys(word, err)) return err->status;
    return read_values(word, err);
}

/* Splits one value of linked keys into their parts. */
Status word_parts(const Word *word, const char *value, Texts *parts, Err *err) {
    if (word->keys.count == 1) {
        texts_add(parts, value);
        return OK;
    }
    char *copy = mem_strdup(value);
    Status status = cut(word->text, copy, ',', true, parts, err);
    mem_free(copy);
    if (!status && parts->count != word->keys.count)
        status = err_set(err, FAIL_USAGE,
                         "%s: {%s} has %zu value%s for %zu keys; put a value with "
                         "commas into its own braces",
                         word->text, value, parts->count, parts->count == 1 ? "" : "s",
                         word->keys.count);
    return status;
}

#include "tools/task/strangers.h"

#include <string.h>

#include "data/file/textbuffer.h"
#include "data/file/utf8.h"
#include "tools/program/say.h"

static const char *name_of(const Strangers *s) {
    static const char *const NAMES[] = {
        [TOKENS_CHAR] = "character", [TOKENS_WORD] = "word", [TOKENS_BPE] = "piece"};
    return NAMES[tokenizer_kind(s->tokenizer)];
}

Strangers strangers_of(const Tokenizer *tokenizer) {
    return (Strangers){.tokenizer = tokenizer};
}

static void see(void *context, const char *token, size_t length) {
    Strangers *s = context;
    char shown[80];
    if (s->tokens.count < STRANGERS_NAMED) stringmap_add(&s->tokens, token, length);
    if (s->count++) return;
    utf8_show(token, length, shown, sizeof shown);
    char line[24] = "";
    if (s->line) text_format(line, sizeof line, ":%zu", s->line);
    say("steady: note: %s%s: the %s '%s' is not in the vocabulary and is read as <unk>",
        s->where, line, name_of(s), shown);
}

size_t strangers_see(Strangers *s, const char *where, size_t line, const char *text,
                     size_t length) {
    size_t before = s->count;
    if (!tokenizer_has_specials(s->tokenizer)) return 0; /* an error names it */
    s->where = where;
    s->line = line;
    tokenizer_unknown(s->tokenizer, text, length, see, s);
    return s->count - before;
}

void strangers_end(Strangers *s) {
    if (s->count > 1) {
        TextBuffer list = {0};
        text_clear(&list);
        for (size_t i = 0; i < s->tokens.count; i++) {
            size_t length;
            char shown[80];
            const char *token = stringmap_text(&s->tokens, i, &length);
            utf8_show(token, length, shown, sizeof shown);
            text_append(&list, i ? ", '" : "'", i ? 3 : 1);
            text_append(&list, shown, strlen(shown));
            text_append_byte(&list, '\'');
        }
        say("steady: note: %zu %ss of the input are not in the vocabulary: %s%s",
            s->count, name_of(s), list.text, s->count > s->tokens.count ? " ..." : "");
        text_free(&list);
    }
    stringmap_free(&s->tokens);
}

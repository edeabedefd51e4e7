#include "tools/program/shell.h"

#include <ctype.h>
#include <string.h>

#include "engine/core/base.h"

static bool is_plain(const char *word) {
    for (const char *c = word; *c; c++)
        if (!isalnum((unsigned char)*c) && (unsigned char)*c < 0x80 &&
            !strchr("_-./=,:+@%^", *c))
            return false;
    return *word;
}

/* Inside of single quotes only their end means something: it's -> 'it'\''s' */
const char *shell_word(const char *word, char out[SHELL_WORD]) {
    static const char QUOTE[] = "'\\''";
    size_t used = 0, most = SHELL_WORD - sizeof QUOTE - 2;
    bool plain = is_plain(word);
    if (!plain) out[used++] = '\'';
    for (; *word && used < most; word++) {
        if (*word != '\'' || plain) out[used++] = *word;
        else memcpy(out + used, QUOTE, sizeof QUOTE - 1), used += sizeof QUOTE - 1;
    }
    if (!plain) out[used++] = '\'';
    out[used] = 0;
    return out;
}

/* A text file: its lines are valid UTF-8 and lie inside it; then the ways
 * to take them apart. */
#include "data/file/textfile.h"
#include "data/file/utf8.h"
#include "data/text/bleu.h"
#include "data/text/tok13a.h"
#include "test/fuzz/fuzz.h"

static void take_apart(const char *line, size_t length) {
    TextBuffer words = {0};
    tok13a(line, length, &words);
    BleuCounts counts = {0};
    bleu_add(&counts, BLEU_13A, line, length, words.text ? words.text : "", words.length);
    bleu_score(&counts, BLEU_13A);
    for (size_t at = 0, word; utf8_word(line, length, &at, &word);) at += word;
    for (size_t at = 0; at < length;) {
        uint32_t code;
        char out[UTF8_BYTES];
        at += utf8_next(line + at, length - at, &code);
        fuzz_expect(utf8_put(utf8_lower(code), out) > 0);
    }
    text_free(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Err err = ERR_NONE;
    TextFile text;
    if (textfile_read(&text, fuzz_file("a.txt", data, size), &err)) return 0;
    for (size_t i = 0; i < text.count; i++) {
        size_t length, bad;
        const char *line = textfile_line(&text, i, &length);
        fuzz_expect(utf8_valid(line, length, &bad));
        take_apart(line, length);
    }
    textfile_free(&text);
    return 0;
}

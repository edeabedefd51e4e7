/* The rules look at ASCII alone, and no byte of a longer code point is ASCII: so bytes
 * serve as well as code points do. */
#include "data/text/tok13a.h"

#include <string.h>

#include "data/file/utf8.h"

/* Each step reads `now`, writes `next` and swaps the two. */
typedef struct Work {
    TextBuffer now, next;
} Work;

static void end_step(Work *work) {
    TextBuffer kept = work->now;
    work->now = work->next;
    work->next = kept;
    text_clear(&work->next);
}

static void replace_all(Work *work, const char *what, const char *with) {
    const char *text = work->now.text, *end = text + work->now.length;
    size_t n = strlen(what);
    for (const char *at; (at = memmem(text, (size_t)(end - text), what, n));
         text = at + n) {
        text_append(&work->next, text, (size_t)(at - text));
        text_append(&work->next, with, strlen(with));
    }
    text_append(&work->next, text, (size_t)(end - text));
    end_step(work);
}

/* All ASCII from space on that is neither letter nor digit nor one of ' , - . */
static bool is_apart(char c) {
    return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
           (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

static void set_punctuation_apart(Work *work) {
    for (size_t i = 0; i < work->now.length; i++) {
        char c = work->now.text[i];
        text_append(&work->next, (char[]){' ', c, ' '} + !is_apart(c),
                    is_apart(c) ? 3 : 1);
    }
    end_step(work);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_stop(char c) { return c == '.' || c == ','; }

static bool no_digit_then_stop(char a, char b) { return !is_digit(a) && is_stop(b); }
static bool stop_then_no_digit(char a, char b) { return is_stop(a) && !is_digit(b); }
static bool digit_then_dash(char a, char b) { return is_digit(a) && b == '-'; }

/* Writes neighbours that match as `form`, in which a and b stand for themselves.  Both
 * are used up by that: the next match begins behind them. */
static void split_pairs(Work *work, bool (*match)(char a, char b), const char *form) {
    const TextBuffer *now = &work->now;
    for (size_t i = 0; i < now->length; i++) {
        const char *pair = now->text + i;
        if (i + 1 == now->length || !match(pair[0], pair[1])) {
            text_append_byte(&work->next, pair[0]);
            continue;
        }
        for (const char *f = form; *f; f++)
            text_append_byte(&work->next, *f == 'a' ? pair[0] : *f == 'b' ? pair[1] : *f);
        i++;
    }
    end_step(work);
}

static void join_words(const TextBuffer *text, TextBuffer *tokens) {
    text_clear(tokens);
    for (size_t at = 0, n; utf8_word(text->text, text->length, &at, &n);) {
        if (tokens->length) text_append_byte(tokens, ' ');
        text_append(tokens, text->text + at - n, n);
    }
}

void tok13a(const char *line, size_t length, TextBuffer *tokens) {
    static const char *const REPLACED[][2] = {
        {"<skipped>", ""}, {"-\n", ""},   {"\n", " "},   {"&quot;", "\""},
        {"&amp;", "&"},    {"&lt;", "<"}, {"&gt;", ">"},
    };
    Work work = {{0}, {0}};
    text_append(&work.now, line, length);
    for (size_t k = 0; k < COUNT(REPLACED); k++)
        replace_all(&work, REPLACED[k][0], REPLACED[k][1]);
    text_append_byte(&work.next, ' ');
    text_append(&work.next, work.now.text, work.now.length);
    text_append_byte(&work.next, ' ');
    end_step(&work);
    set_punctuation_apart(&work);
    split_pairs(&work, no_digit_then_stop, "a b ");
    split_pairs(&work, stop_then_no_digit, " a b");
    split_pairs(&work, digit_then_dash, "a b ");
    join_words(&work.now, tokens);
    text_free(&work.now);
    text_free(&work.next);
}

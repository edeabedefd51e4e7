#include "data/text/bleu.h"

#include <math.h>
#include <string.h>

#include "data/file/textbuffer.h"
#include "data/file/utf8.h"
#include "data/text/tok13a.h"
#include "engine/core/hash.h"

/* ---- tokens ------------------------------------------------------------------------------ */

/* Tokens in one line with a space between each two.  No token holds a space, so an n-gram
 * is a stretch of the line, and two stretches are equal only as the same tokens. */
typedef struct Tokens {
    TextBuffer line;
    size_t *
        begin; /* [count + 1]; begin[count] = length + 1, as if one more token followed */
    size_t count;
} Tokens;

static void append_lower(TextBuffer *out, const char *text, size_t length) {
    for (size_t at = 0, used; at < length; at += used) {
        uint32_t code;
        used = utf8_next(text + at, length - at, &code);
        if (!used) {
            used = 1;
            text_append_byte(out, text[at]);
        } else if (code == 0x130) { /* the one letter whose lower case is two codes */
            text_append(out, "i\xCC\x87", 3);
        } else {
            text_append_code(out, utf8_lower(code));
        }
    }
}

static size_t length_without_space(const char *text, size_t length) {
    size_t at = 0, end = 0;
    for (size_t word; utf8_word(text, length, &at, &word);) end = at;
    return end;
}

static void join_words(TextBuffer *out, const char *text, size_t length) {
    for (size_t at = 0, word; utf8_word(text, length, &at, &word);) {
        if (out->length) text_append_byte(out, ' ');
        text_append(out, text + at - word, word);
    }
}

/* sacreBLEU's order: lower case, then no white space at the end, then the tokenizer. */
static void make_line(TextBuffer *line, BleuMethod method, const char *text,
                      size_t length) {
    TextBuffer lower = {0};
    text_clear(line);
    if (method == BLEU_13A_LOWER) {
        append_lower(&lower, text, length);
        text = lower.text;
        length = lower.length;
    }
    if (method == BLEU_TOKENS) join_words(line, text, length);
    else tok13a(text, length_without_space(text, length), line);
    text_free(&lower);
}

static Tokens tokens_new(BleuMethod method, const char *text, size_t length) {
    Tokens tokens = {{0}, NULL, 0};
    make_line(&tokens.line, method, text, length);
    const TextBuffer *line = &tokens.line;
    for (size_t i = 0; i < line->length; i++) tokens.count += line->text[i] == ' ';
    tokens.count += line->length > 0;
    tokens.begin = mem_zalloc((tokens.count + 1) * sizeof *tokens.begin);
    for (size_t i = 0, k = 1; i < line->length; i++)
        if (line->text[i] == ' ') tokens.begin[k++] = i + 1;
    if (tokens.count) tokens.begin[tokens.count] = line->length + 1;
    return tokens;
}

static void tokens_free(Tokens *tokens) {
    text_free(&tokens->line);
    mem_free(tokens->begin);
}

/* ---- n-grams ----------------------------------------------------------------------------- */

typedef struct Ngram {
    const char *text; /* NULL: a free place */
    size_t length;
    size_t count; /* in the reference, less those that have been matched */
} Ngram;

/* Open addressing; more than half of the places stay free. */
typedef struct NgramTable {
    Ngram *place;
    size_t places; /* a power of two */
} NgramTable;

static Ngram ngram_of(const Tokens *tokens, size_t first, size_t n) {
    size_t begin = tokens->begin[first], end = tokens->begin[first + n] - 1;
    return (Ngram){tokens->line.text + begin, end - begin, 0};
}

/* Where the table has the n-gram, or the free place where it belongs. */
static Ngram *find_ngram(const NgramTable *table, Ngram wanted) {
    for (size_t at = hash_folded(wanted.text, wanted.length);; at++) {
        Ngram *place = &table->place[at & (table->places - 1)];
        if (!place->text) return place;
        if (place->length == wanted.length &&
            !memcmp(place->text, wanted.text, wanted.length))
            return place;
    }
}

static void count_reference(NgramTable *table, const Tokens *reference, size_t n) {
    memset(table->place, 0, table->places * sizeof *table->place);
    for (size_t i = 0; i + n <= reference->count; i++) {
        Ngram ngram = ngram_of(reference, i, n), *place = find_ngram(table, ngram);
        if (!place->text) *place = ngram;
        place->count++;
    }
}

/* Each n-gram of the hypothesis uses up one of the reference, which is the clipping. */
static size_t count_matches(const NgramTable *table, const Tokens *hypothesis, size_t n) {
    size_t matches = 0;
    for (size_t i = 0; i + n <= hypothesis->count; i++) {
        Ngram *place = find_ngram(table, ngram_of(hypothesis, i, n));
        if (!place->count) continue; /* of a free place too */
        place->count--;
        matches++;
    }
    return matches;
}

static void count_ngrams(BleuCounts *counts, const Tokens *hypothesis,
                         const Tokens *reference) {
    NgramTable table = {NULL, 1};
    while (table.places <= 2 * reference->count) table.places *= 2;
    table.place = mem_alloc(table.places * sizeof *table.place);
    for (size_t n = 1; n <= BLEU_ORDER && n <= hypothesis->count; n++) {
        count_reference(&table, reference, n);
        counts->match[n - 1] += count_matches(&table, hypothesis, n);
        counts->total[n - 1] += hypothesis->count - n + 1;
    }
    mem_free(table.place);
    counts->hypothesis_length += hypothesis->count;
    counts->reference_length += reference->count;
}

void bleu_add(BleuCounts *counts, BleuMethod method, const char *hypothesis,
              size_t hypothesis_length, const char *reference, size_t reference_length) {
    Tokens ours = tokens_new(method, hypothesis, hypothesis_length);
    Tokens theirs = tokens_new(method, reference, reference_length);
    count_ngrams(counts, &ours, &theirs);
    tokens_free(&ours);
    tokens_free(&theirs);
}

/* ---- the score --------------------------------------------------------------------------- */

static double find_brevity_penalty(const BleuCounts *counts) {
    double ours = (double)counts->hypothesis_length;
    double theirs = (double)counts->reference_length;
    if (ours >= theirs) return 1;
    return ours > 0 ? exp(1 - theirs / ours) : 0;
}

/* Precisions in per cent.  Orders without a match get 1/2, 1/4, ... of one where `smooth`
 * is set (Chen and Cherry 2014, method 3; mteval-v13a). */
static void find_precisions(const BleuCounts *counts, bool smooth,
                            double precision[BLEU_ORDER]) {
    double least = 1;
    for (size_t n = 0; n < BLEU_ORDER; n++) {
        double match = (double)counts->match[n];
        if (smooth && !match) match = least /= 2;
        precision[n] = counts->total[n] ? 100 * match / (double)counts->total[n] : 0;
    }
}

void bleu_join(BleuCounts *counts, const BleuCounts *part) {
    for (size_t n = 0; n < BLEU_ORDER; n++) {
        counts->match[n] += part->match[n];
        counts->total[n] += part->total[n];
    }
    counts->hypothesis_length += part->hypothesis_length;
    counts->reference_length += part->reference_length;
}

BleuScore bleu_score(const BleuCounts *counts, BleuMethod method) {
    BleuScore score = {.brevity_penalty = find_brevity_penalty(counts),
                       .hypothesis_length = counts->hypothesis_length,
                       .reference_length = counts->reference_length};
    /* Where no word matches, no higher order does: nothing to smooth. */
    find_precisions(counts, method != BLEU_TOKENS && counts->match[0], score.precision);
    double sum = 0;
    for (size_t n = 0; n < BLEU_ORDER; n++) {
        if (!score.precision[n]) return score;
        sum += log(score.precision[n]);
    }
    score.score = score.brevity_penalty * exp(sum / BLEU_ORDER);
    return score;
}

double bleu_sentence(const BleuCounts *counts) {
    double precision[BLEU_ORDER], sum = 0;
    size_t orders = 0;
    if (!counts->hypothesis_length) return counts->reference_length ? 0 : 100;
    if (!counts->match[0]) return 0;
    find_precisions(counts, true, precision);
    for (; orders < BLEU_ORDER && counts->total[orders]; orders++)
        sum += log(precision[orders]);
    return find_brevity_penalty(counts) * exp(sum / (double)orders);
}

char *bleu_line(const BleuScore *score, char line[BLEU_LINE]) {
    const double *p = score->precision;
    double ours = (double)score->hypothesis_length;
    double theirs = (double)score->reference_length;
    text_format(line, BLEU_LINE,
                "BLEU = %.2f %.1f/%.1f/%.1f/%.1f (BP = %.3f ratio = %.3f hyp_len = %zu "
                "ref_len = %zu)",
                score->score, p[0], p[1], p[2], p[3], score->brevity_penalty,
                theirs > 0 ? ours / theirs : 0, score->hypothesis_length,
                score->reference_length);
    return line;
}

const char *bleu_signature(BleuMethod method) {
    static const char *const SIGNATURES[] = {
        [BLEU_TOKENS] = "nrefs:1|case:mixed|eff:no|tok:none|smooth:none|version:"
                        "steady-" STEADY_VERSION,
        [BLEU_13A] =
            "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:steady-" STEADY_VERSION,
        [BLEU_13A_LOWER] =
            "nrefs:1|case:lc|eff:no|tok:13a|smooth:exp|version:steady-" STEADY_VERSION,
    };
    return SIGNATURES[method];
}

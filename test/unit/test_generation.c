/* Decoding token by token over key caches gives what the whole sequence run at once
 * gives, and beam search over it finds what trying everything finds. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/beam.h"
#include "models/generation.h"
#include "toy_models.h"

enum { VOCAB = 11, SENTENCES = 3, SOURCE = 7, STEPS = 6, MOST = 8 };
static const size_t COUNTS[SENTENCES] = {7, 2, 5};

typedef struct Case {
    Translator *t;
    Tape *tape;
    uint32_t source[SENTENCES * SOURCE];
} Case;

static TokenRows sources(const Case *c) {
    return (TokenRows){c->source, SENTENCES, SOURCE, COUNTS};
}

static Case make_case(const ModelConfig *config) {
    Case c = {.t = toy_translator(config, VOCAB, VOCAB, 9, 11), .tape = tape_new()};
    for (size_t i = 0; i < SENTENCES * SOURCE; i++) c.source[i] = TOY_PAD;
    for (size_t s = 0; s < SENTENCES; s++)
        toy_sentence(c.source + s * SOURCE, COUNTS[s], VOCAB, 20 + s);
    return c;
}

static void case_free(Case *c) {
    tape_free(c->tape);
    translator_free(c->t);
}

/* What has been read for one row. */
typedef struct Prefix {
    size_t sentence, length;
    uint32_t ids[STEPS + 2];
} Prefix;

/* ln p of what follows the prefix, the sentence alone and unpadded, its
 * decoder run whole. */
static void whole(const Case *c, const Prefix *prefix, real *log_prob) {
    ForwardMode mode = toy_mode();
    size_t s = prefix->sentence;
    TokenRows source = {c->source + s * SOURCE, 1, COUNTS[s], NULL};
    TokenRows input = {prefix->ids, 1, prefix->length, NULL};
    Tape *tape = tape_new();
    tape_begin(tape, (TapeMode){0});
    Tensor *memory = translator_encode(c->t, tape, &mode, &source);
    Tensor *x = translator_decode(c->t, tape, &mode, memory, NULL, &input, NULL);
    const Tensor *y = translator_output(c->t, tape, x);
    const real *z = y->value + (prefix->length - 1) * VOCAB;
    double sum = 0;
    for (size_t v = 0; v < VOCAB; v++) sum += exp((double)z[v]);
    for (size_t v = 0; v < VOCAB; v++) log_prob[v] = (real)((double)z[v] - log(sum));
    tape_free(tape);
}

static void expect_rows(const Case *c, const Prefix *prefixes, size_t rows,
                        const real *log_prob, const char *what) {
    for (size_t r = 0; r < rows; r++) {
        real wanted[VOCAB];
        whole(c, &prefixes[r], wanted);
        for (size_t v = 0; v < VOCAB; v++)
            if (!(fabs((double)(log_prob[r * VOCAB + v] - wanted[v])) <= 1e-5))
                fail_msg("%s: row %zu of %zu, %zu tokens read: ln p of %zu is %.7f, "
                         "wanted %.7f",
                         what, r, rows, prefixes[r].length, v,
                         (double)log_prob[r * VOCAB + v], (double)wanted[v]);
    }
}

/* Rows of steps 0 ... 5: all, each twice, changed about with copies and drops, one
 * sentence gone, as many rows as before of other sentences, one row. */
static const struct {
    size_t rows, from[MOST];
} PLAN[STEPS] = {{3, {0, 1, 2}},    {6, {0, 0, 1, 1, 2, 2}}, {6, {1, 0, 3, 3, 5, 4}},
                 {4, {0, 1, 4, 4}}, {4, {3, 2, 1, 0}},       {1, {2}}};

static void expect_cached(const ModelConfig *config, const char *what) {
    Case c = make_case(config);
    ForwardMode mode = toy_mode();
    TokenRows source = sources(&c);
    Generation *g = generation_of_pairs(c.t, c.tape, &mode, &source);
    Prefix now[MOST] = {{0}}, next[MOST];
    for (size_t s = 0; s < SENTENCES; s++) now[s].sentence = s;
    for (size_t n = 0; n < STEPS; n++) {
        uint32_t token[MOST];
        real log_prob[MOST * VOCAB];
        for (size_t r = 0; r < PLAN[n].rows; r++) {
            next[r] = now[PLAN[n].from[r]];
            token[r] = n ? (uint32_t)(TOY_FIRST + (3 * n + 2 * r) % 7) : TOY_END;
            next[r].ids[next[r].length++] = token[r];
        }
        generation_step(g, PLAN[n].rows, token, PLAN[n].from, log_prob);
        memcpy(now, next, sizeof now);
        expect_rows(&c, now, PLAN[n].rows, log_prob, what);
    }
    generation_free(g);
    case_free(&c);
}

static void a_cached_decoder_gives_what_the_whole_one_gives(void **state) {
    (void)state;
    static const char *const NAMES[] = {"pre", "post", "deepnorm", "none"};
    for (NormPlace place = NORM_PRE; place <= NORM_NONE; place++) {
        ModelConfig c = toy_config(place);
        c.tied = TIED_DECODER;
        c.reparam = place >= NORM_DEEPNORM ? REPARAM_SIGMA : REPARAM_NONE;
        expect_cached(&c, NAMES[place]);
        c.position = POSITION_LEARNED;
        expect_cached(&c, "learned positions");
    }
}

static void groupings_and_ties_are_cached_alike(void **state) {
    (void)state;
    ModelConfig c = toy_config(NORM_POST);
    c.reparam = REPARAM_SIGMA;
    c.reparam_scope = SCOPE_ALL;
    for (QkvGrouping g = QKV_JOINT; g <= QKV_SEPARATE; g++) {
        c.qkv = g;
        c.tied = g == QKV_JOINT ? TIED_ALL : TIED_NONE;
        c.decoder_depth = 1 + g;
        c.activation = g == QKV_QK_V ? ACTIVATION_RELU : ACTIVATION_GELU;
        expect_cached(&c, "qkv");
    }
    c.reparam = REPARAM_WEIGHT;
    c.position = POSITION_NONE;
    expect_cached(&c, "weight norm, no positions");
}

/* Caches begin with few rows of room and grow. */
static void long_outputs_outgrow_the_first_room(void **state) {
    (void)state;
    ModelConfig c = toy_config(NORM_PRE);
    Case k = make_case(&c);
    ForwardMode mode = toy_mode();
    TokenRows source = sources(&k);
    Generation *g = generation_of_pairs(k.t, k.tape, &mode, &source);
    enum { LONG = 150 };
    uint32_t ids[SENTENCES * LONG];
    real last[SENTENCES * VOCAB];
    for (size_t n = 0; n < LONG; n++) {
        uint32_t token[SENTENCES];
        size_t from[SENTENCES] = {0, 1, 2};
        for (size_t s = 0; s < SENTENCES; s++)
            ids[s * LONG + n] = token[s] = (uint32_t)(TOY_FIRST + n * (s + 1) % 7);
        generation_step(g, SENTENCES, token, from, last);
    }
    TokenRows input = {ids, SENTENCES, LONG, NULL};
    tape_begin(k.tape, (TapeMode){0});
    Tensor *memory = translator_encode(k.t, k.tape, &mode, &source);
    Tensor *x = translator_decode(k.t, k.tape, &mode, memory, COUNTS, &input, NULL);
    const Tensor *y = translator_output(k.t, k.tape, x);
    for (size_t s = 0; s < SENTENCES; s++) {
        const real *z = y->value + ((s + 1) * LONG - 1) * VOCAB;
        double sum = 0;
        for (size_t v = 0; v < VOCAB; v++) sum += exp((double)z[v]);
        for (size_t v = 0; v < VOCAB; v++)
            assert_true(fabs((double)last[s * VOCAB + v] - ((double)z[v] - log(sum))) <=
                        1e-5);
    }
    generation_free(g);
    case_free(&k);
}

/* ---- beam search --------------------------------------------------------------------------- */

enum { TINY = 5, LONGEST = 3, TEXTS_MOST = 64 };

/* All texts of 1 ... LONGEST tokens of {0, 3, 4} (1 is the pad, 2 the end),
 * with their scores. */
typedef struct Text {
    size_t length;
    uint32_t tokens[LONGEST];
    double log_prob, score;
} Text;

static double score_of(const Case *c, const Text *text, double penalty,
                       double *log_prob) {
    ForwardMode mode = toy_mode();
    uint32_t input[LONGEST + 1] = {TOY_END};
    memcpy(input + 1, text->tokens, text->length * sizeof *input);
    TokenRows source = {c->source, 1, COUNTS[0], NULL};
    TokenRows rows = {input, 1, text->length + 1, NULL};
    tape_begin(c->tape, (TapeMode){0});
    Tensor *memory = translator_encode(c->t, c->tape, &mode, &source);
    Tensor *x = translator_decode(c->t, c->tape, &mode, memory, NULL, &rows, NULL);
    const Tensor *y = translator_output(c->t, c->tape, x);
    *log_prob = 0;
    for (size_t i = 0; i <= text->length; i++) {
        const real *z = y->value + i * TINY;
        double sum = 0;
        for (size_t v = 0; v < TINY; v++) sum += exp((double)z[v]);
        uint32_t next = i < text->length ? text->tokens[i] : TOY_END;
        *log_prob += (double)z[next] - log(sum);
    }
    return *log_prob / pow((double)text->length + 1, penalty);
}

static int by_score(const void *a, const void *b) {
    const Text *x = a, *y = b;
    return x->score > y->score ? -1 : x->score < y->score;
}

static size_t all_texts(const Case *c, double penalty, Text *texts) {
    static const uint32_t WORDS[] = {0, 3, 4};
    size_t count = 0;
    for (size_t length = 1, n = 3; length <= LONGEST; length++, n *= 3)
        for (size_t k = 0; k < n; k++) {
            Text *text = &texts[count++];
            text->length = length;
            for (size_t i = 0, rest = k; i < length; i++, rest /= 3)
                text->tokens[i] = WORDS[rest % 3];
            text->score = score_of(c, text, penalty, &text->log_prob);
        }
    qsort(texts, count, sizeof *texts, by_score);
    return count;
}

/* 27 texts are on the way at most, and a candidate is kept for each of their ends. */
static void a_beam_as_wide_as_all_texts_finds_what_trying_all_finds(void **state) {
    (void)state;
    ModelConfig config = toy_config(NORM_POST);
    config.reparam = REPARAM_SIGMA;
    config.tied = TIED_NONE;
    for (size_t i = 0; i < 3; i++) {
        Case c = {.t = toy_translator(&config, VOCAB, TINY, 9, 30 + i),
                  .tape = tape_new()};
        toy_sentence(c.source, COUNTS[0], VOCAB, i);
        double penalty = 0.5 * (double)i;
        Text texts[TEXTS_MOST];
        size_t count = all_texts(&c, penalty, texts);
        assert_int_equal(count, 3 + 9 + 27);
        ForwardMode mode = toy_mode();
        TokenRows source = {c.source, 1, COUNTS[0], NULL};
        Generation *g = generation_of_pairs(c.t, c.tape, &mode, &source);
        BeamModel model = {TINY, generation_step, g};
        BeamConfig beam = beam_config_default();
        beam.beam = TEXTS_MOST, beam.max_length = LONGEST;
        beam.length_penalty = penalty;
        BeamResult *results = beam_search(&model, &beam);
        assert_int_equal(results[0].count, count);
        for (size_t k = 0; k < count; k++) {
            const BeamHypothesis *h = &results[0].best[k];
            assert_true(fabs(h->score - texts[k].score) <= 1e-5);
            if (k && texts[k - 1].score - texts[k].score < 1e-5) continue;
            if (k + 1 < count && texts[k].score - texts[k + 1].score < 1e-5) continue;
            assert_int_equal(h->length, texts[k].length);
            assert_memory_equal(h->tokens, texts[k].tokens,
                                h->length * sizeof *h->tokens);
            assert_true(fabs(h->log_prob - texts[k].log_prob) <= 1e-5);
        }
        beam_results_free(results, 1);
        generation_free(g);
        case_free(&c);
    }
}

/* ---- text ---------------------------------------------------------------------------------- */

enum { PROMPT = 9, WORDS = 30 };

static void expect_text(const ModelConfig *config, const char *what) {
    Language *lm = toy_language(config, WORDS, 2);
    Tape *tape = tape_new();
    ForwardMode mode = toy_mode();
    uint32_t ids[PROMPT];
    toy_sentence(ids, PROMPT, WORDS, 5);
    TokenRows rows = {ids, 1, PROMPT, NULL};
    tape_begin(tape, (TapeMode){0});
    real wanted[PROMPT * WORDS], found[WORDS];
    memcpy(wanted, language_logits(lm, tape, &mode, &rows)->value, sizeof wanted);
    /* a token at a time, a few first, and all at once */
    static const size_t FIRST[] = {1, 4, PROMPT};
    for (size_t i = 0; i < COUNT(FIRST); i++) {
        Generation *g = generation_of_text(lm, tape, &mode);
        for (size_t t = 0, n = FIRST[i]; t < PROMPT; t += n, n = 1) {
            assert_true(generation_read(g, ids + t, n, found));
            if (!(toy_apart(found, wanted + (t + n - 1) * WORDS, WORDS) <= 1e-5))
                fail_msg("%s: %zu tokens read at once: logits of token %zu differ", what,
                         FIRST[i], t + n - 1);
        }
        generation_free(g);
    }
    tape_free(tape);
    language_free(lm);
}

static void text_read_in_pieces_gives_the_logits_of_the_whole(void **state) {
    (void)state;
    for (NormPlace place = NORM_PRE; place <= NORM_NONE; place++) {
        ModelConfig c = toy_config(place);
        c.tied = place == NORM_POST ? TIED_NONE : TIED_DECODER;
        c.reparam = place >= NORM_DEEPNORM ? REPARAM_SIGMA : REPARAM_NONE;
        expect_text(&c, "sinusoidal");
        c.position = POSITION_LEARNED;
        expect_text(&c, "learned");
    }
    ModelConfig c = toy_config(NORM_PRE);
    c.tied = TIED_DECODER;
    c.cutoffs[0] = 5, c.cutoffs[1] = 12;
    c.cutoff_count = 2, c.adaptive_factor = 2;
    expect_text(&c, "bands");
}

static void learned_positions_have_an_end(void **state) {
    (void)state;
    ModelConfig c = toy_config(NORM_PRE);
    c.position = POSITION_LEARNED;
    c.context = 6;
    Language *lm = toy_language(&c, WORDS, 2);
    Tape *tape = tape_new();
    ForwardMode mode = toy_mode();
    uint32_t ids[PROMPT];
    real logits[WORDS], again[WORDS];
    toy_sentence(ids, PROMPT, WORDS, 5);
    Generation *g = generation_of_text(lm, tape, &mode);
    assert_false(generation_read(g, ids, 7, logits));
    assert_true(generation_read(g, ids, 5, logits));
    assert_false(generation_read(g, ids + 5, 2, logits)); /* and nothing was read */
    assert_true(generation_read(g, ids + 5, 1, logits));
    assert_false(generation_read(g, ids + 6, 1, again));
    generation_free(g);
    g = generation_of_text(lm, tape, &mode);
    assert_true(generation_read(g, ids, 6, again));
    assert_true(toy_apart(logits, again, WORDS) <= 1e-5);
    generation_free(g);
    tape_free(tape);
    language_free(lm);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_cached_decoder_gives_what_the_whole_one_gives),
        cmocka_unit_test(groupings_and_ties_are_cached_alike),
        cmocka_unit_test(long_outputs_outgrow_the_first_room),
        cmocka_unit_test(a_beam_as_wide_as_all_texts_finds_what_trying_all_finds),
        cmocka_unit_test(text_read_in_pieces_gives_the_logits_of_the_whole),
        cmocka_unit_test(learned_positions_have_an_end),
    };
    return cmocka_run_group_tests_name("generation", cases, NULL, NULL);
}

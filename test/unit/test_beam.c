/* Beam search over toy models whose probabilities depend on all tokens so far. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/rng.h"
#include "models/beam.h"

enum { END = 2, PAD = 1, LENGTH = 12, VOCAB = 150, ROWS = 4000 };

/* ---- a model that is a table ------------------------------------------------------------- */

typedef struct Prefix {
    size_t sentence, length;
    uint32_t tokens[LENGTH + 1];
} Prefix;

typedef struct Table Table;
struct Table {
    void (*fill)(const Table *table, const Prefix *prefix, real *log_prob);
    uint64_t seed;
    size_t vocab, sentences;
    Prefix *now, *next; /* [ROWS] */
    size_t calls, rows; /* of the last call */
    size_t rows_of[16]; /* calls that had rows of the sentence */
};

/* ln softmax of normal numbers that are a function of seed, sentence and prefix. */
static void fill_random(const Table *table, const Prefix *prefix, real *log_prob) {
    uint64_t hash = prefix->sentence + 1;
    for (size_t i = 0; i < prefix->length; i++)
        hash = hash * 1000003 + prefix->tokens[i] + 1;
    Rng dice = rng_make(table->seed, RNG_SYNTHETIC, hash);
    double sum = 0, x[VOCAB];
    for (size_t v = 0; v < table->vocab; v++) sum += exp(x[v] = rng_normal(dice, v));
    for (size_t v = 0; v < table->vocab; v++) log_prob[v] = (real)(x[v] - log(sum));
}

static void step(void *context, size_t rows, const uint32_t *token, const size_t *from,
                 real *log_prob) {
    Table *table = context;
    size_t before = table->calls ? table->rows : table->sentences;
    assert_true(rows > 0 && rows <= ROWS);
    for (size_t r = 0; r < rows; r++) {
        if (!table->calls) {
            assert_int_equal(token[r], END);
            assert_int_equal(from[r], r);
            table->next[r] = (Prefix){.sentence = r};
        } else {
            assert_true(from[r] < before && token[r] < table->vocab);
            Prefix *prefix = &table->next[r];
            *prefix = table->now[from[r]];
            prefix->tokens[prefix->length++] = token[r];
        }
        size_t sentence = table->next[r].sentence;
        assert_true(!r || table->next[r - 1].sentence <= sentence);
        table->rows_of[sentence] += !r || table->next[r - 1].sentence < sentence;
        table->fill(table, &table->next[r], log_prob + r * table->vocab);
    }
    Prefix *kept = table->now;
    table->now = table->next;
    table->next = kept;
    table->rows = rows;
    table->calls++;
}

static Table *table_new(uint64_t seed, size_t vocab, size_t sentences) {
    Table *table = mem_zalloc(sizeof *table);
    *table = (Table){
        .fill = fill_random, .seed = seed, .vocab = vocab, .sentences = sentences};
    table->now = mem_alloc(ROWS * sizeof *table->now);
    table->next = mem_alloc(ROWS * sizeof *table->next);
    return table;
}

static void table_free(Table *table) {
    mem_free(table->now);
    mem_free(table->next);
    mem_free(table);
}

static BeamResult *search(Table *table, BeamConfig config) {
    BeamModel model = {table->vocab, step, table};
    config.sentences = table->sentences;
    table->calls = 0;
    memset(table->rows_of, 0, sizeof table->rows_of);
    return beam_search(&model, &config);
}

static BeamConfig small_config(size_t beam, size_t max_length) {
    BeamConfig config = beam_config_default();
    config.beam = beam;
    config.max_length = max_length;
    return config;
}

/* ---- other ways to the same results ------------------------------------------------------ */

typedef struct List {
    struct Found {
        Prefix prefix;
        double log_prob, score;
    } * found;
    size_t count;
} List;

static List list_new(void) { return (List){mem_alloc(ROWS * sizeof(struct Found)), 0}; }

static void keep(List *list, const BeamConfig *config, const Prefix *prefix,
                 double log_prob) {
    assert_true(list->count < ROWS);
    double score = log_prob / pow((double)prefix->length + 1, config->length_penalty);
    list->found[list->count++] = (struct Found){*prefix, log_prob, score};
}

static int by_score(const void *a, const void *b) {
    double x = ((const struct Found *)a)->score, y = ((const struct Found *)b)->score;
    return (x < y) - (x > y);
}

/* All texts there are. */
static void visit_all(const Table *table, const BeamConfig *config, Prefix *prefix,
                      double log_prob, List *list) {
    real ln_p[VOCAB];
    table->fill(table, prefix, ln_p);
    if (prefix->length >= MIN(config->min_length, config->max_length))
        keep(list, config, prefix, log_prob + (double)ln_p[END]);
    if (prefix->length == config->max_length) return;
    for (uint32_t v = 0; v < table->vocab; v++) {
        if (v == END || v == PAD) continue;
        prefix->tokens[prefix->length++] = v;
        visit_all(table, config, prefix, log_prob + (double)ln_p[v], list);
        prefix->length--;
    }
}

static List exhaustive_search(const Table *table, const BeamConfig *config,
                              size_t sentence) {
    List list = list_new();
    visit_all(table, config, &(Prefix){.sentence = sentence}, 0, &list);
    qsort(list.found, list.count, sizeof *list.found, by_score);
    return list;
}

/* One sentence as the definition says it, all candidates sorted. */
static List plain_search(const Table *table, const BeamConfig *config, size_t sentence) {
    List done = list_new(), rows = list_new(), all = list_new();
    BeamConfig sums = *config;
    sums.length_penalty = 0;
    keep(&rows, &sums, &(Prefix){.sentence = sentence}, 0);
    for (size_t t = 0; rows.count && done.count < config->beam; t++) {
        all.count = 0;
        for (size_t r = 0; r < rows.count; r++) {
            real ln_p[VOCAB];
            table->fill(table, &rows.found[r].prefix, ln_p);
            for (uint32_t v = 0; v < table->vocab; v++) {
                if (v == PAD ||
                    (v == END && t < MIN(config->min_length, config->max_length)))
                    continue;
                if (v != END && t == config->max_length) continue;
                Prefix longer = rows.found[r].prefix;
                longer.tokens[longer.length++] = v;
                keep(&all, &sums, &longer, rows.found[r].log_prob + (double)ln_p[v]);
            }
        }
        qsort(all.found, all.count, sizeof *all.found, by_score);
        rows.count = 0;
        for (size_t c = 0; c < MIN(all.count, 2 * config->beam); c++) {
            Prefix *prefix = &all.found[c].prefix;
            bool ends = prefix->tokens[prefix->length - 1] == END;
            if (ends && c < config->beam && done.count < config->beam) {
                prefix->length--;
                keep(&done, config, prefix, all.found[c].log_prob);
            } else if (!ends && rows.count < config->beam) {
                keep(&rows, &sums, prefix, all.found[c].log_prob);
            }
        }
    }
    qsort(done.found, done.count, sizeof *done.found, by_score);
    mem_free(rows.found);
    mem_free(all.found);
    return done;
}

/* Same texts in the same order; the sums are made in the same order too. */
static void assert_same(const BeamResult *result, const List *list) {
    assert_int_equal(result->count, list->count);
    for (size_t h = 0; h < list->count; h++) {
        const BeamHypothesis *seen = &result->best[h];
        const struct Found *wanted = &list->found[h];
        assert_int_equal(seen->length, wanted->prefix.length);
        assert_memory_equal(seen->tokens, wanted->prefix.tokens,
                            seen->length * sizeof *seen->tokens);
        assert_true(fabs(seen->log_prob - wanted->log_prob) < 1e-12);
        assert_true(fabs(seen->score - wanted->score) < 1e-12);
    }
}

/* ---- properties -------------------------------------------------------------------------- */

static void a_beam_that_drops_nothing_finds_all_texts_in_order(void **state) {
    (void)state;
    for (unsigned trial = 0; trial < 30; trial++) {
        Table *table = table_new(trial, 4 + trial % 3, 2);
        BeamConfig config = small_config(600, 3 + trial % 2 + (table->vocab < 6));
        config.length_penalty = trial % 5 * 0.5;
        config.min_length = trial % 3;
        BeamResult *results = search(table, config);
        for (size_t s = 0; s < table->sentences; s++) {
            List all = exhaustive_search(table, &config, s);
            assert_true(all.count > 10 && all.count < config.beam);
            assert_same(&results[s], &all);
            mem_free(all.found);
        }
        beam_results_free(results, table->sentences);
        table_free(table);
    }
}

static void narrow_beams_keep_what_the_definition_keeps(void **state) {
    (void)state;
    for (unsigned trial = 0; trial < 120; trial++) {
        Table *table = table_new(trial, trial % 4 ? 3 + trial % 9 : VOCAB, 1 + trial % 5);
        BeamConfig config = small_config(1 + trial % 6, trial % 9);
        config.length_penalty = trial % 7 * 0.3;
        config.min_length = trial % 4;
        BeamResult *results = search(table, config);
        for (size_t s = 0; s < table->sentences; s++) {
            List wanted = plain_search(table, &config, s);
            assert_true(wanted.count > 0);
            assert_same(&results[s], &wanted);
            mem_free(wanted.found);
        }
        beam_results_free(results, table->sentences);
        table_free(table);
    }
}

static void a_beam_of_one_takes_the_likeliest_token_each_time(void **state) {
    (void)state;
    for (unsigned trial = 0; trial < 20; trial++) {
        Table *table = table_new(trial, 10, 1);
        Prefix prefix = {0};
        BeamConfig config = small_config(1, LENGTH);
        BeamResult *results = search(table, config);
        for (uint32_t next = 0; prefix.length < LENGTH;
             prefix.tokens[prefix.length++] = next) {
            real ln_p[VOCAB];
            table->fill(table, &prefix, ln_p);
            next = 0;
            for (uint32_t v = 2; v < table->vocab; v++)
                if (ln_p[v] > ln_p[next] && (v != END || prefix.length)) next = v;
            if (next == END) break;
        }
        assert_int_equal(results[0].count, 1);
        assert_int_equal(results[0].best[0].length, prefix.length);
        assert_memory_equal(results[0].best[0].tokens, prefix.tokens,
                            prefix.length * sizeof *prefix.tokens);
        beam_results_free(results, 1);
        table_free(table);
    }
}

static void a_sentence_leaves_the_batch_at_its_own_length(void **state) {
    (void)state;
    static const size_t LENGTHS[] = {6, 0, 3};
    Table *table = table_new(5, 30, 3);
    BeamConfig config = small_config(3, 99);
    config.min_length = 9; /* so that none ends before */
    config.max_lengths = LENGTHS;
    BeamResult *results = search(table, config);
    assert_int_equal(table->calls, 7);
    for (size_t s = 0; s < 3; s++) {
        assert_int_equal(table->rows_of[s], LENGTHS[s] + 1);
        assert_int_equal(results[s].count, LENGTHS[s] ? 3 : 1);
        for (size_t h = 0; h < results[s].count; h++)
            assert_int_equal(results[s].best[h].length, LENGTHS[s]);
    }
    beam_results_free(results, 3);
    table_free(table);
}

/* ---- by hand ----------------------------------------------------------------------------- */

/* p of tokens 0 ... 4 (1 is the pad, 2 the end), whatever stands before. */
static real FIXED[5];

static void fill_fixed(const Table *table, const Prefix *prefix, real *log_prob) {
    (void)prefix;
    for (size_t v = 0; v < table->vocab; v++) log_prob[v] = (real)log((double)FIXED[v]);
}

static Table *fixed_table(real a, real pad, real end, real b, real c) {
    Table *table = table_new(0, 5, 1);
    table->fill = fill_fixed;
    memcpy(FIXED, (real[]){a, pad, end, b, c}, sizeof FIXED);
    return table;
}

static void an_end_counts_only_among_the_best_of_the_beam(void **state) {
    (void)state;
    Table *table = fixed_table((real)0.5, 0, (real)0.3, (real)0.1, (real)0.1);
    BeamConfig config = small_config(1, 2);
    config.min_length = 0;
    BeamResult *results = search(table, config); /* the end is second each time */
    assert_int_equal(results[0].best[0].length, 2);
    assert_true(fabs(results[0].best[0].log_prob - log(0.5 * 0.5 * 0.3)) < 1e-6);
    assert_true(fabs(results[0].best[0].score - log(0.5 * 0.5 * 0.3) / 3) < 1e-6);
    beam_results_free(results, 1);
    config.beam = 2;
    results = search(table, config); /* the end is second of two */
    assert_int_equal(results[0].best[0].length + results[0].best[1].length, 1);
    assert_int_equal(table->calls, 2); /* two have ended: done before max_length */
    beam_results_free(results, 1);
    table_free(table);
}

static void the_pad_and_early_ends_are_never_chosen(void **state) {
    (void)state;
    Table *table = fixed_table((real)0.01, (real)0.6, (real)0.37, (real)0.01, (real)0.01);
    BeamConfig config = small_config(4, 6);
    config.min_length = 3;
    BeamResult *results = search(table, config);
    assert_int_equal(results[0].count, 4);
    for (size_t h = 0; h < 4; h++) {
        assert_int_equal(results[0].best[h].length, 3);
        for (size_t i = 0; i < 3; i++)
            assert_int_not_equal(results[0].best[h].tokens[i], PAD);
    }
    beam_results_free(results, 1);
    config.pad = UINT32_MAX; /* no pad: token 1 is one like others */
    results = search(table, config);
    for (size_t i = 0; i < 3; i++) assert_int_equal(results[0].best[0].tokens[i], 1);
    beam_results_free(results, 1);
    table_free(table);
}

static void equal_sums_keep_the_order_of_ids(void **state) {
    (void)state;
    Table *table = fixed_table((real)0.2, 0, (real)0.2, (real)0.2, (real)0.2);
    BeamConfig config = small_config(3, 1);
    BeamResult *results = search(table, config);
    assert_int_equal(results[0].count, 3);
    for (uint32_t h = 0; h < 3; h++)
        assert_int_equal(results[0].best[h].tokens[0], h ? h + 2 : 0);
    beam_results_free(results, 1);
    table_free(table);
}

static void what_is_impossible_or_no_number_is_never_chosen(void **state) {
    (void)state;
    Table *table = fixed_table((real)NAN, 0, (real)0.1, 0, (real)0.9);
    BeamResult *results = search(table, small_config(4, 3));
    for (size_t h = 0; h < results[0].count; h++)
        for (size_t i = 0; i < results[0].best[h].length; i++)
            assert_int_equal(results[0].best[h].tokens[i], 4);
    assert_int_equal(results[0].count, 3); /* of lengths 1, 2, 3 */
    beam_results_free(results, 1);
    FIXED[END] = (real)NAN;
    results = search(table, small_config(4, 3));
    assert_int_equal(results[0].count, 0);
    beam_results_free(results, 1);
    table_free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beam_that_drops_nothing_finds_all_texts_in_order),
        cmocka_unit_test(narrow_beams_keep_what_the_definition_keeps),
        cmocka_unit_test(a_beam_of_one_takes_the_likeliest_token_each_time),
        cmocka_unit_test(a_sentence_leaves_the_batch_at_its_own_length),
        cmocka_unit_test(an_end_counts_only_among_the_best_of_the_beam),
        cmocka_unit_test(the_pad_and_early_ends_are_never_chosen),
        cmocka_unit_test(equal_sums_keep_the_order_of_ids),
        cmocka_unit_test(what_is_impossible_or_no_number_is_never_chosen),
    };
    return cmocka_run_group_tests_name("beam", tests, NULL, NULL);
}

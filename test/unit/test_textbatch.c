/* Batches of texts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/text/batch.h"
#include "engine/core/rng.h"
#include "files.h"

/* A stream of the numbers 10, 11, ...: what stands where can be seen. */
static TextSet make_stream(size_t count) {
    TextSet set = {.stream_count = count};
    for (size_t i = 0; i < count; i++) idlist_add(&set.own, (uint32_t)(10 + i));
    set.stream = set.own.ids;
    return set;
}

/* Pairs of random lengths up to `longest` with </s>; tokens tell pair and side. */
static TextSet make_pairs(size_t count, size_t longest) {
    TextSet set = {.pairs = true, .count = count};
    RngCursor dice = {rng_make(3, 1, 2), 0};
    for (size_t s = 0; s < 2; s++)
        set.side[s].start = mem_zalloc((count + 1) * sizeof(size_t));
    for (size_t i = 0; i < count; i++)
        for (size_t s = 0; s < 2; s++) {
            size_t words = 1 + (size_t)(rng_next(&dice) * (double)(longest - 1));
            for (size_t k = 0; k < words; k++)
                idlist_add(&set.side[s].ids, (uint32_t)(10 + 1000 * i + 10 * k + s));
            idlist_add(&set.side[s].ids, ID_EOS);
            set.side[s].start[i + 1] = set.side[s].ids.count;
        }
    return set;
}

static void release(TextSet *set) {
    idlist_free(&set->own);
    for (size_t s = 0; s < 2; s++) {
        idlist_free(&set->side[s].ids);
        mem_free(set->side[s].start);
    }
}

static TextPlan *plan_of(const TextSet *set, TextPlanConfig config) {
    Err err = ERR_NONE;
    TextPlan *plan = textplan_new(set, &config, &err);
    if (!plan) fail_msg("%s", err.text);
    return plan;
}

/* Each row holds its pair, padded behind. */
static void check_rows(const TextSet *set, const TextBatch *b) {
    size_t source = 0, target = 0;
    for (size_t k = 0; k < b->count; k++) {
        size_t m, n;
        const uint32_t *x = textset_source(set, b->item[k], &m);
        const uint32_t *y = textset_target(set, b->item[k], &n);
        assert_int_equal(b->source_count[k], m);
        assert_int_equal(b->target_count[k], n);
        const uint32_t *rows[] = {b->source + k * b->source_length,
                                  b->target + k * b->length, b->input + k * b->length};
        for (size_t i = 0; i < b->source_length; i++)
            assert_int_equal(rows[0][i], i < m ? x[i] : ID_PAD);
        for (size_t i = 0; i < b->length; i++) {
            assert_int_equal(rows[1][i], i < n ? y[i] : ID_PAD);
            assert_int_equal(rows[2][i], i >= n ? ID_PAD : i ? y[i - 1] : ID_EOS);
        }
        source = MAX(source, m), target = MAX(target, n);
    }
    assert_int_equal(b->source_length, source);
    assert_int_equal(b->length, target);
}

static void check_order(const TextBatch *b) {
    for (size_t k = 1; k < b->count; k++) {
        assert_true(b->target_count[k - 1] <= b->target_count[k]);
        if (b->target_count[k - 1] == b->target_count[k])
            assert_true(b->source_count[k - 1] <= b->source_count[k]);
    }
}

static size_t target_tokens(const TextBatch *b) {
    size_t sum = 0;
    for (size_t k = 0; k < b->count; k++) sum += b->target_count[k];
    return sum;
}

/* ---- streams ---- */

static void block_i_has_inputs_from_iT_and_targets_one_later(void **state) {
    (void)state;
    TextSet set = make_stream(41); /* (41 - 1) / 4 = 10 blocks, 3 batches of 3 */
    TextPlan *plan = plan_of(&set, (TextPlanConfig){.context = 4, .batch = 3});
    assert_int_equal(textplan_items(plan), 10);
    assert_int_equal(textplan_steps(plan), 3);
    TextBatch b = {0};
    for (size_t n = 1; n <= 7; n++) {
        textplan_fill(plan, n, &b);
        assert_int_equal(b.count, 3);
        assert_int_equal(b.source_length, 0);
        assert_int_equal(b.length, 4);
        assert_int_equal(b.targets, 12);
        for (size_t k = 0; k < 3; k++) {
            size_t item = (n - 1) % 3 * 3 + k;
            assert_int_equal(b.item[k], item);
            for (size_t i = 0; i < 4; i++) {
                assert_int_equal(b.input[4 * k + i], 10 + 4 * item + i);
                assert_int_equal(b.target[4 * k + i], 11 + 4 * item + i);
            }
        }
    }
    textbatch_free(&b);
    textplan_free(plan);
    release(&set);
}

static void a_target_needs_one_token_more_than_the_blocks(void **state) {
    (void)state;
    TextSet set = make_stream(12);
    TextPlan *plan = plan_of(&set, (TextPlanConfig){.context = 4, .batch = 1});
    assert_int_equal(textplan_items(plan), 2);
    textplan_free(plan);
    set.stream_count = 13;
    set.own.count = 13;
    plan = plan_of(&set, (TextPlanConfig){.context = 4, .batch = 1});
    assert_int_equal(textplan_items(plan), 3);
    textplan_free(plan);
    release(&set);
}

static void an_epoch_of_blocks_follows_the_permutation_of_seed_and_epoch(void **state) {
    (void)state;
    enum { BLOCKS = 20, BATCH = 3 };
    TextSet set = make_stream(5 * BLOCKS + 1);
    TextPlanConfig config = {.context = 5, .batch = BATCH, .seed = 7, .shuffle = true};
    TextPlan *plan = plan_of(&set, config);
    TextBatch b = {0};
    size_t steps = textplan_steps(plan), order[BLOCKS];
    assert_int_equal(steps, BLOCKS / BATCH);
    for (size_t n = 3 * steps; n >= 1; n--) { /* in no order but that of n itself */
        rng_permutation(rng_make(7, RNG_SHUFFLE, (n - 1) / steps), order, BLOCKS);
        textplan_fill(plan, n, &b);
        for (size_t k = 0; k < BATCH; k++)
            assert_int_equal(b.item[k], order[(n - 1) % steps * BATCH + k]);
    }
    textbatch_free(&b);
    textplan_free(plan);
    release(&set);
}

static void too_little_text_is_refused(void **state) {
    (void)state;
    Err err = ERR_NONE;
    TextSet set = make_stream(40);
    TextPlanConfig config = {.context = 4, .batch = 10};
    assert_null(textplan_new(&set, &config, &err));
    assert_int_equal(err.status, FAIL_USAGE);
    assert_non_null(strstr(err.text, "train.batch = 10"));
    set.stream_count = 0;
    config.batch = 1;
    assert_null(textplan_new(&set, &config, &err));
    release(&set);
    set = make_pairs(5, 4);
    config = (TextPlanConfig){.batch = 1, .batch_tokens = 1000, .accumulate = 2};
    assert_null(textplan_new(&set, &config, &err));
    assert_non_null(strstr(err.text, "train.accumulate = 2"));
    release(&set);
}

/* ---- pairs ---- */

static void batches_of_so_many_pairs_follow_the_permutation_too(void **state) {
    (void)state;
    enum { PAIRS = 50, BATCH = 8 };
    TextSet set = make_pairs(PAIRS, 9);
    TextPlanConfig config = {.batch = BATCH, .seed = 4, .shuffle = true};
    TextPlan *plan = plan_of(&set, config);
    TextBatch b = {0};
    size_t steps = textplan_steps(plan), order[PAIRS];
    assert_int_equal(steps, PAIRS / BATCH);
    for (size_t n = 1; n <= 2 * steps; n++) {
        rng_permutation(rng_make(4, RNG_SHUFFLE, (n - 1) / steps), order, PAIRS);
        textplan_fill(plan, n, &b);
        assert_int_equal(b.count, BATCH);
        assert_int_equal(b.whole, BATCH);
        assert_int_equal(b.targets, target_tokens(&b));
        check_rows(&set, &b);
        check_order(&b);
        for (size_t k = 0; k < BATCH; k++) { /* the same pairs, by length */
            bool there = false;
            for (size_t j = 0; j < BATCH; j++)
                there |= b.item[j] == order[(n - 1) % steps * BATCH + k];
            assert_true(there);
        }
    }
    textbatch_free(&b);
    textplan_free(plan);
    release(&set);
}

static void buckets_keep_to_their_tokens_and_hold_each_pair_once(void **state) {
    (void)state;
    enum { PAIRS = 700, TOKENS = 200 };
    TextSet set = make_pairs(PAIRS, 30);
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        TextPlanConfig config = {
            .batch = 1, .batch_tokens = TOKENS, .seed = 4, .shuffle = shuffle};
        TextPlan *plan = plan_of(&set, config);
        TextBatch b = {0};
        size_t steps = textplan_steps(plan), odd = 0;
        for (size_t epoch = 0; epoch < 2; epoch++) {
            size_t seen[PAIRS] = {0};
            for (size_t n = epoch * steps + 1; n <= (epoch + 1) * steps; n++) {
                textplan_fill(plan, n, &b);
                check_rows(&set, &b);
                assert_true(b.count * MAX(b.source_length, b.length) <= TOKENS);
                odd += b.count > 8 && b.count % 8;
                for (size_t k = 0; k < b.count; k++) seen[b.item[k]]++;
            }
            for (size_t i = 0; i < PAIRS; i++) assert_int_equal(seen[i], 1);
        }
        assert_true(odd <= 2); /* the last of all pairs, once an epoch */
        textbatch_free(&b);
        textplan_free(plan);
    }
    release(&set);
}

static void a_step_takes_so_many_buckets_and_epochs_differ_in_order(void **state) {
    (void)state;
    TextSet set = make_pairs(700, 30);
    TextPlanConfig config = {
        .batch = 1, .batch_tokens = 600, .accumulate = 3, .seed = 4, .shuffle = true};
    TextPlan *plan = plan_of(&set, config), *same = plan_of(&set, config);
    TextBatch b = {0}, again = {0};
    size_t steps = textplan_steps(plan), moved = 0;
    for (size_t n = 1; n <= steps; n++) {
        textplan_fill(plan, n, &b);
        check_rows(&set, &b);
        check_order(&b);
        assert_true(target_tokens(&b) <= 600);
        textplan_fill(same, steps + 1 - n, &again); /* another order of asking */
        textplan_fill(same, n, &again);
        assert_int_equal(again.count, b.count);
        assert_memory_equal(again.item, b.item, b.count * sizeof *b.item);
        textplan_fill(same, n + steps, &again);
        moved += again.count != b.count ||
                 memcmp(again.item, b.item, b.count * sizeof *b.item);
    }
    assert_true(moved > steps / 2);
    textbatch_free(&b), textbatch_free(&again);
    textplan_free(plan), textplan_free(same);
    release(&set);
}

static void a_pair_longer_than_a_bucket_has_one_of_its_own(void **state) {
    (void)state;
    TextSet set = make_pairs(20, 40);
    TextPlan *plan = plan_of(&set, (TextPlanConfig){.batch = 1, .batch_tokens = 5});
    TextBatch b = {0};
    size_t seen = 0;
    for (size_t n = 1; n <= textplan_steps(plan); n++) {
        textplan_fill(plan, n, &b);
        check_rows(&set, &b);
        assert_true(b.count == 1 || b.count * MAX(b.source_length, b.length) <= 5);
        seen += b.count;
    }
    assert_int_equal(seen, 20);
    textbatch_free(&b);
    textplan_free(plan);
    release(&set);
}

static void parts_of_ranks_make_the_whole_batch(void **state) {
    (void)state;
    TextSet sets[] = {make_pairs(60, 12), make_stream(61)};
    for (size_t s = 0; s < 2; s++)
        for (size_t parts = 1; parts <= 5; parts++) {
            TextPlanConfig config = {
                .context = 3, .batch = 13, .seed = 2, .shuffle = true, .parts = 1};
            TextPlan *plan = plan_of(&sets[s], config);
            TextBatch whole = {0}, b = {0};
            textplan_fill(plan, 2, &whole);
            assert_int_equal(whole.whole, 13);
            size_t next = 0, least = SIZE_MAX, most = 0, seen[60] = {0};
            config.parts = parts;
            for (config.part = 0; config.part < parts; config.part++) {
                TextPlan *own = plan_of(&sets[s], config);
                textplan_fill(own, 2, &b);
                assert_int_equal(b.first, next); /* numbered without gap or overlap */
                assert_int_equal(b.whole, 13);
                assert_int_equal(b.targets, whole.targets);
                next += b.count;
                least = MIN(least, b.count), most = MAX(most, b.count);
                for (size_t k = 0; k < b.count; k++) seen[b.item[k]]++;
                textplan_free(own);
            }
            assert_int_equal(next, 13);
            assert_true(most - least <= 1);
            for (size_t k = 0; k < 13; k++) assert_int_equal(seen[whole.item[k]], 1);
            textbatch_free(&whole), textbatch_free(&b);
            textplan_free(plan);
        }
    release(&sets[0]), release(&sets[1]);
}

static void a_piece_is_rows_of_the_batch_with_less_padding(void **state) {
    (void)state;
    TextSet set = make_pairs(40, 20);
    TextPlan *plan =
        plan_of(&set, (TextPlanConfig){.batch = 12, .seed = 1, .shuffle = true});
    TextBatch b = {0}, piece = {0};
    textplan_fill(plan, 1, &b);
    for (size_t from = 0; from < b.count; from++)
        for (size_t to = b.count; to > from; to--) {
            textbatch_cut(&b, from, to, &piece);
            assert_int_equal(piece.count, to - from);
            assert_int_equal(piece.first, from);
            assert_int_equal(piece.whole, 12);
            assert_int_equal(piece.targets, b.targets);
            assert_memory_equal(piece.item, b.item + from, (to - from) * sizeof *b.item);
            check_rows(&set, &piece);
        }
    textbatch_cut(&b, 0, 1, &piece);
    assert_true(piece.length < b.length);
    textbatch_free(&b), textbatch_free(&piece);
    textplan_free(plan);
    release(&set);
}

static void as_many_micro_batches_as_buckets_are_the_buckets(void **state) {
    (void)state;
    enum { TOKENS = 600, BUCKETS = 3 };
    TextSet set = make_pairs(700, 30);
    for (size_t parts = 1; parts <= 3; parts++) {
        TextPlanConfig config = {.batch = 1,
                                 .batch_tokens = TOKENS,
                                 .accumulate = BUCKETS,
                                 .parts = parts,
                                 .seed = 4,
                                 .shuffle = true};
        TextBatch b = {0}, piece = {0};
        for (config.part = 0; config.part < parts; config.part++) {
            TextPlan *plan = plan_of(&set, config);
            for (size_t n = 1; n <= textplan_steps(plan); n++) {
                textplan_fill(plan, n, &b);
                assert_int_equal(textbatch_edge(&b, 0, BUCKETS), 0);
                assert_int_equal(textbatch_edge(&b, BUCKETS, BUCKETS), b.count);
                for (size_t i = 0; i < BUCKETS; i++) {
                    textbatch_cut(&b, textbatch_edge(&b, i, BUCKETS),
                                  textbatch_edge(&b, i + 1, BUCKETS), &piece);
                    size_t longest = MAX(piece.source_length, piece.length);
                    /* a rank has at most one row more than its share */
                    assert_true(!piece.count ||
                                (piece.count - 1) * parts * longest < TOKENS / BUCKETS);
                }
            }
            textplan_free(plan);
        }
        textbatch_free(&b), textbatch_free(&piece);
    }
    release(&set);
}

static void edges_part_a_batch_into_as_many_tokens_each(void **state) {
    (void)state;
    TextSet set = make_pairs(400, 30);
    TextPlan *plan =
        plan_of(&set, (TextPlanConfig){.batch = 100, .seed = 1, .shuffle = true});
    TextBatch b = {0};
    textplan_fill(plan, 1, &b);
    for (size_t parts = 1; parts <= 150; parts++) {
        size_t all = 0;
        assert_int_equal(textbatch_edge(&b, 0, parts), 0);
        assert_int_equal(textbatch_edge(&b, parts, parts), 100);
        for (size_t k = 0; k < b.count; k++) all += b.source_count[k] + b.target_count[k];
        for (size_t i = 0; i < parts; i++) {
            size_t from = textbatch_edge(&b, i, parts),
                   to = textbatch_edge(&b, i + 1, parts);
            double tokens = 0;
            assert_true(from <= to);
            for (size_t k = from; k < to; k++)
                tokens += (double)(b.source_count[k] + b.target_count[k]);
            assert_true(fabs(tokens - (double)all / (double)parts) <=
                        60); /* a pair's most */
        }
    }
    textbatch_free(&b);
    textplan_free(plan);
    release(&set);
}

static void evaluation_meets_each_pair_once_over_all_parts(void **state) {
    (void)state;
    enum { PAIRS = 300, TOKENS = 250 };
    TextSet set = make_pairs(PAIRS, 30);
    for (size_t parts = 1; parts <= 3; parts++) {
        size_t seen[PAIRS] = {0};
        TextBatch b = {0};
        for (size_t part = 0; part < parts; part++) {
            TextEval *eval = texteval_new(&set, TOKENS, part, parts);
            size_t longest = 0;
            while (texteval_next(eval, &b)) {
                check_rows(&set, &b);
                check_order(&b);
                assert_true(b.count * MAX(b.source_length, b.length) <= TOKENS);
                assert_true(b.target_count[0] >= longest);
                longest = b.length;
                assert_int_equal(b.targets, target_tokens(&b));
                for (size_t k = 0; k < b.count; k++) seen[b.item[k]]++;
            }
            texteval_free(eval);
        }
        for (size_t i = 0; i < PAIRS; i++) assert_int_equal(seen[i], 1);
        textbatch_free(&b);
    }
    release(&set);
}

static void padding_is_the_share_of_slots_without_a_token(void **state) {
    (void)state;
    TextSet set = make_pairs(100, 20);
    TextPlanConfig config = {.batch = 10, .seed = 1, .shuffle = true};
    TextPlan *plan = plan_of(&set, config);
    TextBatch b = {0};
    size_t slots = 0, pads = 0;
    for (size_t n = 1; n <= textplan_steps(plan); n++) {
        textplan_fill(plan, n, &b);
        slots += b.count * (b.source_length + b.length);
        for (size_t i = 0; i < b.count * b.source_length; i++)
            pads += b.source[i] == ID_PAD;
        for (size_t i = 0; i < b.count * b.length; i++) pads += b.target[i] == ID_PAD;
    }
    double expected = (double)pads / (double)slots, plain = textplan_padding(plan);
    assert_true(fabs(plain - expected) < 1e-12);
    textplan_free(plan);
    config.batch_tokens = 200;
    plan = plan_of(&set, config);
    assert_true(textplan_padding(plan) < plain);
    textbatch_free(&b);
    textplan_free(plan);
    release(&set);
}

static void multi30k_in_buckets_pads_at_most_a_tenth(void **state) {
    (void)state;
    Err err = ERR_NONE;
    DataConfig config = data_config_default();
    config.source = SOURCE_PARALLEL;
    text_format(config.path, sizeof config.path, "%s/train", files_real("multi30k"));
    strcpy(config.source_lang, "de"), strcpy(config.target_lang, "en");
    config.tokens = TOKENS_BPE;
    config.bpe_merges = 2000;
    config.joint = true;
    config.max_length = 1024;
    Texts texts;
    if (texts_open(&texts, &config, true, &err)) fail_msg("%s", err.text);
    assert_int_equal(texts.sets[SPLIT_TRAIN]->count, 29000);
    for (size_t accumulate = 1; accumulate <= 2; accumulate++) {
        TextPlan *plan =
            plan_of(texts.sets[SPLIT_TRAIN], (TextPlanConfig){.batch = 1,
                                                              .batch_tokens = 4096,
                                                              .accumulate = accumulate,
                                                              .seed = 1,
                                                              .shuffle = true});
        double padding = textplan_padding(plan);
        if (padding > 0.1)
            fail_msg("padding %g with accumulate %zu", padding, accumulate);
        textplan_free(plan);
    }
    texts_close(&texts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_i_has_inputs_from_iT_and_targets_one_later),
        cmocka_unit_test(a_target_needs_one_token_more_than_the_blocks),
        cmocka_unit_test(an_epoch_of_blocks_follows_the_permutation_of_seed_and_epoch),
        cmocka_unit_test(too_little_text_is_refused),
        cmocka_unit_test(batches_of_so_many_pairs_follow_the_permutation_too),
        cmocka_unit_test(buckets_keep_to_their_tokens_and_hold_each_pair_once),
        cmocka_unit_test(a_step_takes_so_many_buckets_and_epochs_differ_in_order),
        cmocka_unit_test(a_pair_longer_than_a_bucket_has_one_of_its_own),
        cmocka_unit_test(parts_of_ranks_make_the_whole_batch),
        cmocka_unit_test(a_piece_is_rows_of_the_batch_with_less_padding),
        cmocka_unit_test(as_many_micro_batches_as_buckets_are_the_buckets),
        cmocka_unit_test(edges_part_a_batch_into_as_many_tokens_each),
        cmocka_unit_test(evaluation_meets_each_pair_once_over_all_parts),
        cmocka_unit_test(padding_is_the_share_of_slots_without_a_token),
        cmocka_unit_test(multi30k_in_buckets_pads_at_most_a_tenth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

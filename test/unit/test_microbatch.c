/* microbatch: pieces cover the batch, and layer drop's numbers follow the recipe alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/task/microbatch.h"

enum { PART = 24 };

/* Items 0 ... 23 weigh 1 ... 24; pieces have like weights, as those of speech have. */
static size_t weighed_edge(const Task *task, size_t i, size_t pieces) {
    size_t all = task->part * (task->part + 1) / 2, sum = 0, at = 0;
    while (at < task->part && sum * pieces < all * i) sum += ++at;
    return at;
}

static const TaskOps EQUAL = {.name = "equal"};
static const TaskOps WEIGHED = {.name = "weighed", .edge = weighed_edge};

static Recipe recipe_of(size_t accumulate, double layer_drop) {
    Recipe recipe = recipe_default();
    recipe.model.width = 8;
    recipe.model.layer_drop = layer_drop;
    recipe.train.accumulate = accumulate;
    return recipe;
}

/* Which forward pass each example is in, with micro-batches cut for this cache. */
static void passes_of(const Task *task, size_t cache, size_t *pass) {
    size_t pieces = microbatch_pieces(task, cache), next = 0;
    for (size_t i = 0; i < pieces; i++) {
        size_t from = microbatch_edge(task, i, pieces);
        size_t to = microbatch_edge(task, i + 1, pieces);
        assert_int_equal(from, next);
        for (size_t k = from; k < to; k++) pass[k] = microbatch_pass(task, from);
        next = to;
    }
    assert_int_equal(next, task->part);
}

static void what_an_example_draws_does_not_depend_on_the_cache(void **state) {
    (void)state;
    static const size_t caches[] = {0, 1, 1 << 14, 1 << 15, 1 << 16, 1 << 20};
    for (size_t accumulate = 1; accumulate <= 30; accumulate++)
        for (int w = 0; w < 2; w++) {
            Recipe recipe = recipe_of(accumulate, 0.3);
            Task task = {.ops = w ? &WEIGHED : &EQUAL,
                         .recipe = &recipe,
                         .part = PART,
                         .tokens = 50};
            size_t wanted[PART], seen[PART], most = 0;
            passes_of(&task, 0, wanted);
            for (size_t c = 0; c < COUNT(caches); c++) {
                passes_of(&task, caches[c], seen);
                assert_memory_equal(seen, wanted, sizeof seen);
                most = MAX(most, microbatch_pieces(&task, caches[c]));
            }
            /* some cache cut further */
            assert_true(most > accumulate || accumulate > 16);
            for (size_t k = 0; k < PART; k++) assert_true(wanted[k] < accumulate);
        }
}

static void each_micro_batch_draws_for_itself(void **state) {
    (void)state;
    Recipe recipe = recipe_of(4, 0.3);
    Task task = {.ops = &EQUAL, .recipe = &recipe, .part = PART, .tokens = 50};
    size_t pass[PART];
    passes_of(&task, 1, pass);
    for (size_t k = 0; k < PART; k++) assert_int_equal(pass[k], k / (PART / 4));
}

static void without_layer_drop_pieces_are_those_of_the_cache(void **state) {
    (void)state;
    Recipe recipe = recipe_of(3, 0);
    Task task = {.ops = &EQUAL, .recipe = &recipe, .part = PART, .tokens = 50};
    size_t fitting = model_parts(&recipe.model, 50, PART, 1 << 16);
    if (fitting <= 3 || fitting % 3 == 0) fail_msg("%zu pieces show nothing", fitting);
    assert_int_equal(microbatch_pieces(&task, 1 << 16), fitting);
    assert_int_equal(microbatch_pieces(&task, 0), 3);
    task.part = 2;
    assert_int_equal(microbatch_pieces(&task, 0), 2);
    task.part = 0;
    assert_int_equal(microbatch_pieces(&task, 0), 1);
    assert_int_equal(microbatch_last(&task, 1), 1);
}

static void the_last_piece_has_an_example(void **state) {
    (void)state;
    Recipe recipe = recipe_of(8, 0.3);
    Task task = {.ops = &WEIGHED, .recipe = &recipe, .part = 2, .tokens = 50};
    size_t pieces = microbatch_pieces(&task, 0), last = microbatch_last(&task, pieces);
    assert_int_equal(pieces, 8);
    assert_true(microbatch_edge(&task, last, pieces) < 2);
    assert_int_equal(microbatch_edge(&task, last + 1, pieces), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_example_draws_does_not_depend_on_the_cache),
        cmocka_unit_test(each_micro_batch_draws_for_itself),
        cmocka_unit_test(without_layer_drop_pieces_are_those_of_the_cache),
        cmocka_unit_test(the_last_piece_has_an_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* buckets, and what the tape tells them: gradients leave early, but never
 * before they are final. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/dist/buckets.h"
#include "engine/dist/ranks.h"
#include "models/vit.h"

/* ---- cutting ---- */

/* Trained sizes in the slab: 32, 16, 48, 16, 64; a buffer in between. */
static ParamSet *make_set(void) {
    ParamSet *set = params_new();
    params_add(set, PARAM_MATRIX, 1, (size_t[]){32}, "a");
    params_add(set, PARAM_VECTOR, 1, (size_t[]){3}, "b");
    params_add(set, PARAM_BUFFER, 1, (size_t[]){100}, "u");
    params_add(set, PARAM_MATRIX, 1, (size_t[]){33}, "c");
    params_add(set, PARAM_GAIN, 1, (size_t[]){1}, "d");
    params_add(set, PARAM_MATRIX, 1, (size_t[]){64}, "e");
    params_finish(set);
    return set;
}

static Tensor *tensor_of(ParamSet *set, const char *name) {
    return &params_find(set, name)->tensor;
}

static void buckets_cover_the_slab_once_from_its_end(void **state) {
    (void)state;
    ParamSet *set = make_set();
    for (size_t most = 1; most <= 200; most++) {
        Buckets *b = buckets_new(set, most);
        buckets_begin(b);
        size_t end = set->trained, params = 0, count = 0;
        for (const Bucket *k; (k = buckets_rest(b)); count++) {
            assert_int_equal(k->offset + k->size, end);
            assert_true(k->size <= most || k->count == 1);
            for (size_t i = 0; i < k->count; i++) {
                assert_in_range(k->params[i]->offset, k->offset, end - 1);
                assert_true(param_is_trained(k->params[i]));
            }
            params += k->count;
            end = k->offset;
        }
        assert_int_equal(end, 0);
        assert_int_equal(params, 5);
        assert_int_equal(count, buckets_count(b));
        buckets_free(b);
    }
    params_free(set);
}

static void a_bucket_takes_in_what_fits(void **state) {
    (void)state;
    ParamSet *set = make_set();
    static const size_t wanted[][2] = {{16, 5}, {80, 3}, {96, 2}, {128, 2}, {176, 1}};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        Buckets *b = buckets_new(set, wanted[i][0]);
        assert_int_equal(buckets_count(b), wanted[i][1]);
        buckets_free(b);
    }
    params_free(set);
}

/* ---- leaving ---- */

static size_t all_next(Buckets *b) {
    size_t count = 0;
    while (buckets_next(b)) count++;
    return count;
}

static size_t all_rest(Buckets *b) {
    size_t count = 0;
    while (buckets_rest(b)) count++;
    return count;
}

/* A pass that uses e once, c twice, b and a once; d, a gain, has its
 * gradient from elsewhere. */
static void a_pass_without_a_count_sends_all_at_its_end(void **state) {
    (void)state;
    ParamSet *set = make_set();
    Buckets *b = buckets_new(set, 80); /* {d, e}, {b, c}, {a} */
    static const char *const order[] = {"e", "c", "c", "b", "a"};
    static const size_t left[] = {1, 0, 0, 1, 1};
    buckets_begin(b);
    for (size_t i = 0; i < COUNT(order); i++) {
        buckets_touch(b, tensor_of(set, order[i]));
        assert_int_equal(all_next(b), 0);
    }
    assert_int_equal(all_rest(b), 3);
    for (int pass = 0; pass < 3; pass++) {
        buckets_begin(b);
        for (size_t i = 0; i < COUNT(order); i++) {
            buckets_touch(b, tensor_of(set, order[i]));
            assert_int_equal(all_next(b), left[i]);
        }
        assert_int_equal(all_rest(b), 0);
    }
    buckets_free(b);
    params_free(set);
}

static void buckets_leave_in_their_order_whatever_is_final_first(void **state) {
    (void)state;
    ParamSet *set = make_set();
    Buckets *b = buckets_new(set, 16); /* e, d, c, b, a */
    static const char *const order[] = {"a", "b", "c", "e"};
    static const size_t left[] = {0, 0, 0, 5};
    for (int pass = 0; pass < 3; pass++) {
        buckets_begin(b);
        for (size_t i = 0; i < COUNT(order); i++) {
            buckets_touch(b, tensor_of(set, order[i]));
            assert_int_equal(all_next(b), pass ? left[i] : 0);
        }
        assert_int_equal(all_rest(b), pass ? 0 : 5);
    }
    buckets_free(b);
    params_free(set);
}

static void a_parameter_that_a_pass_leaves_out_holds_its_bucket_to_the_end(void **state) {
    (void)state;
    ParamSet *set = make_set();
    Buckets *b = buckets_new(set, 64); /* e, {c, d}, {a, b} */
    buckets_begin(b);
    for (const char *name = "ecba"; *name; name++)
        buckets_touch(b, tensor_of(set, (char[]){*name, 0}));
    all_rest(b);
    buckets_begin(b);
    for (const char *name = "eba"; *name; name++)
        buckets_touch(b, tensor_of(set, (char[]){*name, 0}));
    assert_int_equal(all_next(b), 1);
    assert_int_equal(all_rest(b), 2);
    buckets_free(b);
    params_free(set);
}

/* Layer drop leaves blocks out of the passes that count. */
static void a_parameter_that_comes_late_was_not_sent_before(void **state) {
    (void)state;
    ParamSet *set = make_set();
    Buckets *b = buckets_new(set, 16); /* e, d, c, b, a */
    const char *const passes[] = {"eba", "ecba", "ecba"};
    const size_t rest[] = {5, 3, 0}; /* all; c, b, a; nothing */
    for (size_t pass = 0; pass < COUNT(passes); pass++) {
        buckets_begin(b);
        for (const char *name = passes[pass]; *name; name++) {
            buckets_touch(b, tensor_of(set, (char[]){*name, 0}));
            all_next(b);
        }
        assert_int_equal(all_rest(b), rest[pass]);
    }
    buckets_free(b);
    params_free(set);
}

/* c is not touched in any pass: from the second on the buckets behind do not wait. */
static void a_frozen_parameter_holds_nothing_up(void **state) {
    (void)state;
    ParamSet *set = make_set();
    assert_int_equal(params_freeze(set, "c", 1), 1);
    Buckets *b = buckets_new(set, 16); /* e, d, c, b, a */
    const size_t left[] = {0, 5};
    for (int pass = 0; pass < 2; pass++) {
        size_t count = 0;
        buckets_begin(b);
        for (const char *name = "eba"; *name; name++) {
            buckets_touch(b, tensor_of(set, (char[]){*name, 0}));
            count += all_next(b);
        }
        assert_int_equal(count, left[pass]);
        assert_int_equal(all_rest(b), 5 - left[pass]);
    }
    buckets_free(b);
    params_free(set);
}

/* In a child, since a CHECK ends the process. */
static void a_gradient_that_is_written_after_it_left_is_a_bug(void **state) {
    (void)state;
    ParamSet *set = make_set();
    Buckets *b = buckets_new(set, 16);
    for (int pass = 0; pass < 2; pass++) {
        buckets_begin(b);
        buckets_touch(b, tensor_of(set, "e"));
        all_next(b);
        if (!pass) all_rest(b);
    }
    pid_t child = fork();
    if (!child) {
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        buckets_touch(b, tensor_of(set, "e"));
        _exit(0);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
    buckets_free(b);
    params_free(set);
}

/* ---- with a model ---- */

typedef struct Watch {
    Buckets *buckets;
    ParamSet *params;
    real *left; /* [trained] gradients as they were when their bucket left */
    size_t early;
} Watch;

static void keep(Watch *w, const Bucket *bucket) {
    memcpy(w->left + bucket->offset, w->params->grads + bucket->offset,
           bucket->size * sizeof(real));
}

static void listen(void *context, Tensor *const *touched, size_t count) {
    Watch *w = context;
    for (size_t i = 0; i < count; i++)
        if (touched[i]->is_param) buckets_touch(w->buckets, touched[i]);
    for (const Bucket *k; (k = buckets_next(w->buckets)); w->early++) keep(w, k);
}

/* One step of two micro-batches. */
static void run_step(Vit *vit, Tape *tape, Watch *w, bool recompute) {
    static real pixels[4 * 3 * 8 * 8];
    static const size_t labels[4] = {0, 1, 2, 0};
    for (size_t i = 0; i < COUNT(pixels); i++) pixels[i] = (real)(i % 17) / 17;
    ForwardMode mode = {.temperature = 1, .recompute = recompute};
    params_clear_grads(w->params);
    memset(w->left, 0, w->params->trained * sizeof(real));
    w->early = 0;
    for (size_t part = 0; part < 2; part++) {
        tape_begin(tape, (TapeMode){.gradients = true, .training = true, .seed = 5});
        Tensor *x = tape_wrap(tape, pixels + part * 2 * 192, 4, (size_t[]){2, 3, 8, 8});
        Target target = {.label = labels + 2 * part, .divisor = 4};
        Tensor *loss = op_cross_entropy(tape, vit_logits(vit, tape, &mode, x), &target);
        if (part) buckets_begin(w->buckets), tape_listen(tape, listen, w);
        tape_backward(tape, loss);
    }
    tape_listen(tape, NULL, NULL);
    for (const Bucket *k; (k = buckets_rest(w->buckets));) keep(w, k);
}

static void what_left_early_was_final(void **state) {
    (void)state;
    for (int recompute = 0; recompute < 2; recompute++) {
        ModelConfig config = model_config_default();
        config.width = 16, config.depth = 3, config.heads = 2, config.drop_path = 0.3;
        config.dropout = 0.1, config.reparam = REPARAM_SIGMA;
        Vit *vit = vit_new(&config, (PictureShape){3, 8, 8}, 3);
        vit_initialize(vit, 3);
        model_start(&vit->model, NULL);
        ParamSet *params = vit->model.params;
        Tape *tape = tape_new();
        Watch w = {.params = params, .buckets = buckets_new(params, 512)};
        w.left = mem_alloc(params->trained * sizeof(real));
        size_t count = buckets_count(w.buckets);
        assert_true(count > 10);
        for (int step = 0; step < 3; step++) {
            run_step(vit, tape, &w, recompute);
            assert_memory_equal(w.left, params->grads, params->trained * sizeof(real));
            assert_int_equal(w.early, step ? count : 0);
        }
        mem_free(w.left);
        buckets_free(w.buckets);
        tape_free(tape);
        vit_free(vit);
    }
}

/* ---- one process alone ---- */

static void no_ranks_are_one_rank_that_agrees_with_itself(void **state) {
    (void)state;
    double x[] = {1, 2};
    Err err = ERR_NONE;
    assert_true(ranks_lead(NULL) && ranks_count(NULL) == 1 && ranks_number(NULL) == 0);
    ranks_add(NULL, x, 2);
    ranks_max(NULL, x, 2);
    assert_true(x[0] == 1 && x[1] == 2);
    assert_int_equal(ranks_sharing(NULL, 7), 1);
    assert_int_equal(ranks_agree(NULL, &err), OK);
    err_set(&err, FAIL_DATA, "a file");
    assert_int_equal(ranks_agree(NULL, &err), FAIL_DATA);
    assert_string_equal(err.text, "a file");
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(buckets_cover_the_slab_once_from_its_end),
        cmocka_unit_test(a_bucket_takes_in_what_fits),
        cmocka_unit_test(a_pass_without_a_count_sends_all_at_its_end),
        cmocka_unit_test(buckets_leave_in_their_order_whatever_is_final_first),
        cmocka_unit_test(a_parameter_that_a_pass_leaves_out_holds_its_bucket_to_the_end),
        cmocka_unit_test(a_parameter_that_comes_late_was_not_sent_before),
        cmocka_unit_test(a_frozen_parameter_holds_nothing_up),
        cmocka_unit_test(a_gradient_that_is_written_after_it_left_is_a_bug),
        cmocka_unit_test(what_left_early_was_final),
        cmocka_unit_test(no_ranks_are_one_rank_that_agrees_with_itself),
    };
    return cmocka_run_group_tests_name("buckets", cases, NULL, NULL);
}

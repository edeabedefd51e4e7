/* What sites measure over a whole step does not depend on how its batch is cut, on blocks
 * that are recomputed or dropped, and no number of the step depends on it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/speech.h"
#include "models/step.h"
#include "toy_models.h"

enum { PAIRS = 6, LENGTH = 9, VOCAB = 20 };

static const size_t SOURCE[PAIRS] = {9, 3, 5, 1, 7, 2},
                    TARGET[PAIRS] = {4, 9, 1, 6, 2, 8};

typedef struct Batch {
    Translator *translator;
    uint32_t source[PAIRS * LENGTH], target[PAIRS * LENGTH];
} Batch;

static Tensor *loss_of(void *context, Tape *tape, const ForwardMode *mode, size_t from,
                       size_t to) {
    Batch *b = context;
    TokenRows source = {b->source + from * LENGTH, to - from, LENGTH, SOURCE + from};
    TokenRows input = {b->target + from * LENGTH, to - from, LENGTH, TARGET + from};
    VocabTarget target = {.label = b->target + from * LENGTH,
                          .ignore = TOY_PAD,
                          .divisor = PAIRS * LENGTH};
    return translator_loss(b->translator, tape, mode, &source, &input, &target);
}

typedef struct Run {
    size_t accumulate, cache;
    bool recompute;
    double dropout, init;
    MeasureLevel measure;
} Run;

typedef struct Result {
    double loss, grad_norm;
    size_t count;
    double number[400]; /* of all sites */
} Result;

static void keep(Result *r, double number) {
    assert_true(r->count < COUNT(r->number));
    r->number[r->count++] = number;
}

static void keep_site(Result *r, const Site *site) {
    for (int memory = 0; memory <= (int)site->cross; memory++) {
        keep(r, site_input(site, memory));
        keep(r, site_input_largest(site, memory));
        keep(r, site_common(site, memory));
    }
    keep(r, site_rank(site));
    for (size_t h = 0; h < site->heads; h++) keep(r, site_bound(site, h));
    for (size_t h = 0; h < site->heads && site->measured.level == MEASURE_HEADS; h++)
        if (site->entropy[h] < site_bound(site, h) - 1e-6)
            fail_msg("%s: entropy %g under %g", site->name, site->entropy[h],
                     site_bound(site, h));
}

static Result take_step(const Run *run) {
    ModelConfig config = toy_config(NORM_PRE);
    config.dropout = config.attention_dropout = run->dropout;
    Batch batch = {.translator = toy_translator(&config, VOCAB, VOCAB, LENGTH, 3)};
    Model *model = &batch.translator->model;
    for (size_t i = 0; i < PAIRS; i++) {
        for (size_t j = 0; j < LENGTH; j++)
            batch.source[i * LENGTH + j] = batch.target[i * LENGTH + j] = TOY_PAD;
        toy_sentence(batch.source + i * LENGTH, SOURCE[i], VOCAB, 10 + i);
        toy_sentence(batch.target + i * LENGTH, TARGET[i], VOCAB, 90 + i);
    }
    for (size_t i = 0; i < model->site_count && run->init > 0; i++)
        param_scale_rows(model->sites[i]->query->weight, 0,
                         model->sites[i]->query->weight->tensor.shape[0], run->init);
    Step step;
    step_begin(&step, model, NULL, NULL);
    step.seed = 1, step.loss_of = loss_of, step.context = &batch;
    step.accumulate = run->accumulate, step.cache = run->cache;
    StepBatch b = {.number = 3, .examples = PAIRS, .tokens = LENGTH, .mode = toy_mode()};
    b.mode.measure = run->measure, b.mode.recompute = run->recompute;
    step_gradients(&step, &b);
    Result r = {.loss = step.loss, .grad_norm = step.grad_norm};
    for (size_t i = 0; i < model->site_count; i++) keep_site(&r, model->sites[i]);
    step_end(&step);
    translator_free(batch.translator);
    return r;
}

static void expect_same(const Result *a, const Result *b, double share) {
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        if (!(fabs(a->number[i] - b->number[i]) <= share * fabs(b->number[i])))
            fail_msg("number %zu: %.9g, not %.9g", i, a->number[i], b->number[i]);
}

static void measuring_changes_no_bit_of_a_step(void **state) {
    (void)state;
    for (int recompute = 0; recompute < 2; recompute++) {
        Run run = {.recompute = recompute, .dropout = 0.2};
        Result plain = take_step(&run);
        for (int level = MEASURE_INPUTS; level <= MEASURE_HEADS; level++) {
            run.measure = (MeasureLevel)level;
            Result measured = take_step(&run);
            assert_true(measured.loss == plain.loss);
            assert_true(measured.grad_norm == plain.grad_norm);
        }
    }
}

static void pieces_of_a_batch_add_up(void **state) {
    (void)state;
    static const double SIZES[] = {0.01, 0.2, 1};
    for (size_t i = 0; i < COUNT(SIZES); i++) {
        Run run = {.measure = MEASURE_HEADS, .init = SIZES[i]};
        Result whole = take_step(&run);
        for (size_t k = 0; k < whole.count; k++) assert_true(whole.number[k] >= 0);
        run.accumulate = 3;
        Result three = take_step(&run);
        expect_same(&three, &whole, 1e-5);
        run.accumulate = PAIRS;
        Result each = take_step(&run);
        expect_same(&each, &whole, 1e-5);
    }
}

static void recomputed_blocks_are_measured_once(void **state) {
    (void)state;
    Run run = {.measure = MEASURE_HEADS, .init = 0.2, .accumulate = 2};
    Result kept = take_step(&run);
    run.recompute = true;
    Result again = take_step(&run);
    expect_same(&again, &kept, 0);
}

static void a_step_that_does_not_measure_has_no_numbers(void **state) {
    (void)state;
    Result r = take_step(&(Run){.measure = MEASURE_NOTHING});
    for (size_t i = 0; i < r.count; i++) assert_true(isnan(r.number[i]));
    r = take_step(&(Run){.measure = MEASURE_INPUTS});
    size_t known = 0;
    for (size_t i = 0; i < r.count; i++) known += !isnan(r.number[i]);
    assert_int_equal(known, 4 * 3 + 2 * 6); /* self-attention, cross */
}

/* ---- layer drop ---- */

enum { SOUNDS = 4, FRAMES = 12, FILTERS = 3, LABELS = 5 };

static Tensor *sound_loss(void *context, Tape *tape, const ForwardMode *mode, size_t from,
                          size_t to) {
    static const size_t COUNTS[SOUNDS] = {12, 9, 12, 6}, ROWS[SOUNDS] = {4, 3, 4, 2};
    static const uint32_t LABEL[SOUNDS] = {1, 2, 0, 3};
    static const size_t LABEL_COUNTS[SOUNDS] = {1, 1, 1, 1};
    real *x = tape_alloc(tape, SOUNDS * FRAMES * FILTERS * sizeof *x);
    for (size_t i = 0; i < SOUNDS * FRAMES * FILTERS; i++)
        x[i] = (real)rng_normal(rng_make(4, 0, 0), from * FRAMES * FILTERS + i);
    SpeechRows rows = {.x = tape_wrap(tape, x, 3, (size_t[]){to - from, FRAMES, FILTERS}),
                       .frames = COUNTS + from,
                       .before = 2};
    CtcTarget target = {.label = LABEL + from,
                        .length = 1,
                        .label_count = LABEL_COUNTS + from,
                        .frame_count = ROWS + from,
                        .blank = LABELS - 1,
                        .divisor = SOUNDS};
    return op_ctc(tape, speech_logits(context, tape, mode, &rows), &target);
}

static void blocks_that_are_left_out_are_measured(void **state) {
    (void)state;
    ModelConfig config = toy_config(NORM_POST);
    config.position = POSITION_NONE;
    config.layer_drop = 0.99;
    Speech *s = speech_new(&config, FILTERS, LABELS);
    speech_initialize(s, 1);
    model_start(&s->model, NULL);
    Step step;
    step_begin(&step, &s->model, NULL, NULL);
    step.seed = 1, step.loss_of = sound_loss, step.context = s, step.accumulate = 2;
    StepBatch b = {.number = 3, .examples = SOUNDS, .tokens = 4, .mode = toy_mode()};
    b.mode.measure = MEASURE_HEADS;
    step_gradients(&step, &b);
    for (size_t i = 0; i < s->model.site_count; i++) {
        const Site *site = s->model.sites[i];
        assert_true(site->measured.sums[SUM_TOKENS] == 13);
        assert_true(site->measured.sums[SUM_QUERIES] == site->weight);
        assert_true(site->measured.sums[SUM_EXAMPLES] == SOUNDS);
        assert_true(site_rank(site) > 0.99);
    }
    step_end(&step);
    speech_free(s);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(measuring_changes_no_bit_of_a_step),
        cmocka_unit_test(pieces_of_a_batch_add_up),
        cmocka_unit_test(recomputed_blocks_are_measured_once),
        cmocka_unit_test(a_step_that_does_not_measure_has_no_numbers),
        cmocka_unit_test(blocks_that_are_left_out_are_measured),
    };
    return cmocka_run_group_tests_name("look_step", cases, NULL, NULL);
}

/* The language model: its names, that no token sees a later one, and its losses; the
 * adaptive softmax against its own logits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "toy_models.h"

enum { VOCAB = 30, ROWS = 2, LENGTH = 10, NO_LABEL = 999 };

static ModelConfig config_of(NormPlace place) {
    ModelConfig c = toy_config(place);
    c.tied = TIED_DECODER;
    return c;
}

/* Vectors of 16, 8 and 4 numbers for tokens up to 5, 12 and 30. */
static ModelConfig banded(void) {
    ModelConfig c = config_of(NORM_PRE);
    c.cutoffs[0] = 5, c.cutoffs[1] = 12;
    c.cutoff_count = 2;
    c.adaptive_factor = 2;
    return c;
}

static void expect_shape(const Language *lm, const char *name, size_t rows,
                         size_t columns) {
    const Param *p = params_find(lm->model.params, name);
    if (!p) fail_msg("there is no %s", name);
    assert_int_equal(p->tensor.dims, 2);
    assert_int_equal(p->tensor.shape[0], rows);
    assert_int_equal(p->tensor.shape[1], columns);
}

/* ---- names ------------------------------------------------------------------------------- */

static void names_are_those_of_the_documentation(void **state) {
    (void)state;
    ModelConfig c = config_of(NORM_PRE);
    Language *lm = language_new(&c, VOCAB);
    expect_shape(lm, "embed.weight", VOCAB, 16);
    expect_shape(lm, "blocks.1.attn.qkv.weight", 48, 16);
    expect_shape(lm, "blocks.1.mlp.fc2.weight", 16, 32);
    assert_non_null(params_find(lm->model.params, "norm.bias"));
    assert_null(params_find(lm->model.params, "pos_embed"));
    assert_null(params_find(lm->model.params, "head.weight"));
    assert_null(params_find(lm->model.params, "blocks.0.cross.q.weight"));
    assert_int_equal(lm->model.params->count, 1 + 2 * 12 + 2);
    language_free(lm);
    c.tied = TIED_NONE;
    c.position = POSITION_LEARNED;
    lm = language_new(&c, VOCAB);
    expect_shape(lm, "head.weight", VOCAB, 16);
    expect_shape(lm, "pos_embed", 12, 16);
    assert_null(params_find(lm->model.params, "head.bias"));
    assert_int_equal(lm->model.params->count, 3 + 2 * 12 + 2);
    language_free(lm);
}

static void each_band_has_vectors_of_its_own_length(void **state) {
    (void)state;
    ModelConfig c = banded();
    Language *lm = language_new(&c, VOCAB);
    expect_shape(lm, "embed.0.weight", 5, 16);
    expect_shape(lm, "embed.1.weight", 7, 8);
    expect_shape(lm, "embed.2.weight", 18, 4);
    expect_shape(lm, "embed.0.proj.weight", 16, 16);
    expect_shape(lm, "embed.1.proj.weight", 16, 8);
    expect_shape(lm, "embed.2.proj.weight", 16, 4);
    expect_shape(lm, "head.weight", 2, 16);
    assert_null(params_find(lm->model.params, "embed.weight"));
    language_free(lm);
}

/* ---- what cannot be ---------------------------------------------------------------------- */

static void expect_refused(const ModelConfig *c, size_t vocab, Status status,
                           const char *word) {
    Err err = ERR_NONE;
    assert_int_equal(language_check(c, vocab, &err), status);
    if (!strstr(err.text, word)) fail_msg("no %s in: %s", word, err.text);
}

static void what_cannot_be_is_told_by_key(void **state) {
    (void)state;
    ModelConfig c = config_of(NORM_PRE);
    assert_int_equal(language_check(&c, 2, NULL), OK);
    expect_refused(&c, 1, FAIL_DATA, "1 tokens");
    c.context = 0;
    expect_refused(&c, VOCAB, FAIL_USAGE, "model.context");
    c = config_of(NORM_PRE);
    c.heads = 3;
    expect_refused(&c, VOCAB, FAIL_USAGE, "model.heads = 3");
    c = banded();
    assert_int_equal(language_check(&c, 13, NULL), OK);
    expect_refused(&c, 12, FAIL_USAGE, "model.cutoffs");
    c.tied = TIED_NONE;
    expect_refused(&c, VOCAB, FAIL_USAGE, "model.tied");
}

/* ---- causality --------------------------------------------------------------------------- */

static void make_text(uint32_t *ids, size_t count) {
    toy_sentence(ids, count, VOCAB, 8);
    ids[count - 1] = TOY_FIRST;
}

/* Logits of ROWS x LENGTH tokens, in new memory. */
static real *logits_of(Language *lm, Tape *tape, const uint32_t *ids) {
    ForwardMode mode = toy_mode();
    TokenRows rows = {ids, ROWS, LENGTH, NULL};
    tape_begin(tape, (TapeMode){0});
    const Tensor *y = language_logits(lm, tape, &mode, &rows);
    assert_int_equal(y->size, ROWS * LENGTH * VOCAB);
    real *kept = mem_alloc(y->size * sizeof(real));
    memcpy(kept, y->value, y->size * sizeof(real));
    return kept;
}

/* Token `at` of row 0 becomes another: only what follows in that row may change. */
static void expect_causal(const ModelConfig *c, size_t at) {
    Language *lm = toy_language(c, VOCAB, 4);
    Tape *tape = tape_new();
    uint32_t ids[ROWS * LENGTH];
    make_text(ids, ROWS * LENGTH);
    real *before = logits_of(lm, tape, ids);
    ids[at] = ids[at] == 9 ? 20 : 9;
    real *after = logits_of(lm, tape, ids);
    for (size_t t = 0; t < ROWS * LENGTH; t++) {
        double apart = toy_apart(after + t * VOCAB, before + t * VOCAB, VOCAB);
        bool may = t >= at && t < LENGTH;
        if (may ? !(apart > 1e-4) : !(apart <= 1e-6))
            fail_msg("token %zu changed, logits of token %zu moved by %g", at, t, apart);
    }
    mem_free(before);
    mem_free(after);
    tape_free(tape);
    language_free(lm);
}

static void a_later_token_changes_no_earlier_logits(void **state) {
    (void)state;
    for (NormPlace place = NORM_PRE; place <= NORM_NONE; place++) {
        ModelConfig c = config_of(place);
        c.reparam = place == NORM_NONE ? REPARAM_SIGMA : REPARAM_NONE;
        expect_causal(&c, 0);
        expect_causal(&c, 6);
        c.position = POSITION_LEARNED;
        expect_causal(&c, LENGTH - 1);
    }
    ModelConfig c = banded();
    expect_causal(&c, 4);
}

/* ---- the scope of a reparametrisation ---------------------------------------------------- */

/* How far logits move when the output matrix is multiplied by 8. */
static double moved_by_output(ReparamMethod method, ReparamScope scope) {
    ModelConfig c = config_of(NORM_PRE);
    c.tied = TIED_NONE;
    c.reparam = method, c.reparam_scope = scope;
    Language *lm = toy_language(&c, VOCAB, 4);
    Tape *tape = tape_new();
    uint32_t ids[ROWS * LENGTH];
    make_text(ids, ROWS * LENGTH);
    real *before = logits_of(lm, tape, ids);
    Tensor *w = &lm->head.weight->tensor;
    for (size_t i = 0; i < w->size; i++) w->value[i] *= 8;
    model_freeze(&lm->model);
    real *after = logits_of(lm, tape, ids);
    double apart = toy_apart(after, before, ROWS * LENGTH * VOCAB);
    mem_free(before), mem_free(after);
    tape_free(tape);
    language_free(lm);
    return apart;
}

static void scope_all_holds_an_untied_output_and_the_others_do_not(void **state) {
    (void)state;
    for (ReparamMethod m = REPARAM_SIGMA; m <= REPARAM_WEIGHT; m++) {
        assert_true(moved_by_output(m, SCOPE_ALL) < 1e-4);
        assert_true(moved_by_output(m, SCOPE_AUTO) > 0.1);
        assert_true(moved_by_output(m, SCOPE_BLOCKS) > 0.1);
    }
}

/* The clusters beside the first band's rows are part of a table: as that, never. */
static void the_adaptive_softmax_is_in_no_scope(void **state) {
    (void)state;
    ModelConfig c = banded();
    c.reparam = REPARAM_SIGMA, c.reparam_scope = SCOPE_ALL;
    Language *lm = language_new(&c, VOCAB);
    assert_null(lm->head.reparam);
    assert_null(params_find(lm->model.params, "head.gamma"));
    assert_null(params_find(lm->model.params, "embed.1.proj.gamma"));
    assert_non_null(params_find(lm->model.params, "blocks.0.mlp.fc2.gamma"));
    language_free(lm);
}

/* ---- losses ------------------------------------------------------------------------------ */

static double loss_of(Language *lm, Tape *tape, const VocabTarget *target) {
    uint32_t ids[ROWS * LENGTH];
    make_text(ids, ROWS * LENGTH);
    ForwardMode mode = toy_mode();
    TokenRows rows = {ids, ROWS, LENGTH, NULL};
    tape_begin(tape, (TapeMode){0});
    return (double)language_loss(lm, tape, &mode, &rows, target)->value[0];
}

static void a_model_of_zeros_loses_ln_v(void **state) {
    (void)state;
    uint32_t label[ROWS * LENGTH];
    toy_sentence(label, ROWS * LENGTH, VOCAB, 3);
    for (int tied = 0; tied < 2; tied++) {
        ModelConfig c = config_of(NORM_PRE);
        c.tied = tied ? TIED_DECODER : TIED_NONE;
        Language *lm = language_new(&c, VOCAB);
        Tape *tape = tape_new();
        double nll = 0;
        VocabTarget target = {.label = label,
                              .ignore = NO_LABEL,
                              .smoothing = 0.3,
                              .divisor = ROWS * LENGTH,
                              .nll = &nll};
        assert_true(fabs(loss_of(lm, tape, &target) - log(VOCAB)) < 1e-6);
        assert_true(fabs(nll / (ROWS * LENGTH) - log(VOCAB)) < 1e-6);
        tape_free(tape);
        language_free(lm);
    }
}

/* -sum over tokens that count of ln p, from the logits (with bands: from ln p). */
static double nll_by_hand(Language *lm, Tape *tape, const uint32_t *label) {
    uint32_t ids[ROWS * LENGTH];
    make_text(ids, ROWS * LENGTH);
    real *z = logits_of(lm, tape, ids);
    double sum = 0;
    for (size_t t = 0; t < ROWS * LENGTH; t++) {
        if (label[t] == NO_LABEL) continue;
        double total = 0;
        for (size_t v = 0; v < VOCAB; v++) total += exp((double)z[t * VOCAB + v]);
        if (lm->embed.band_count && !(fabs(total - 1) < 1e-5))
            fail_msg("probabilities of token %zu add up to %g", t, total);
        sum += log(total) - (double)z[t * VOCAB + label[t]];
    }
    mem_free(z);
    return sum;
}

static void the_loss_is_that_of_the_logits(void **state) {
    (void)state;
    uint32_t label[ROWS * LENGTH];
    for (uint32_t i = 0; i < ROWS * LENGTH; i++) label[i] = i * 7 % VOCAB; /* all bands */
    label[3] = label[11] = NO_LABEL;
    for (int bands = 0; bands < 2; bands++) {
        ModelConfig c = bands ? banded() : config_of(NORM_POST);
        Language *lm = toy_language(&c, VOCAB, 6);
        Tape *tape = tape_new();
        double wanted = nll_by_hand(lm, tape, label);
        VocabTarget target = {.label = label, .ignore = NO_LABEL, .divisor = 4};
        double found = 4 * loss_of(lm, tape, &target);
        if (!(fabs(found - wanted) <= 1e-5 * wanted))
            fail_msg("%s: loss %.8f, by hand %.8f", bands ? "bands" : "one table", found,
                     wanted);
        tape_free(tape);
        language_free(lm);
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(names_are_those_of_the_documentation),
        cmocka_unit_test(each_band_has_vectors_of_its_own_length),
        cmocka_unit_test(what_cannot_be_is_told_by_key),
        cmocka_unit_test(a_later_token_changes_no_earlier_logits),
        cmocka_unit_test(scope_all_holds_an_untied_output_and_the_others_do_not),
        cmocka_unit_test(the_adaptive_softmax_is_in_no_scope),
        cmocka_unit_test(a_model_of_zeros_loses_ln_v),
        cmocka_unit_test(the_loss_is_that_of_the_logits),
    };
    return cmocka_run_group_tests_name("language", cases, NULL, NULL);
}

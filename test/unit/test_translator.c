/* The translator: its names and counts; padding and recomputation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "models/step.h"
#include "toy_models.h"

/* ---- names ------------------------------------------------------------------------------- */

typedef struct Wanted {
    const char *name;
    size_t shape[2];
    int dims;
} Wanted;

static void expect_param(const ParamSet *params, const Wanted *w) {
    const Param *p = params_find(params, w->name);
    if (!p) fail_msg("there is no %s", w->name);
    if (p->tensor.dims != w->dims ||
        memcmp(p->tensor.shape, w->shape, (size_t)w->dims * sizeof(size_t)))
        fail_msg("%s has another shape", w->name);
}

static void expect_params(const ParamSet *params, const Wanted *wanted, size_t count) {
    for (size_t i = 0; i < count; i++) expect_param(params, &wanted[i]);
}

/* Width 6, hidden 12, vocabularies 8 and 9, one block a side. */
static Translator *small(ModelConfig *c) {
    c->width = 6, c->depth = 1;
    size_t target = c->tied == TIED_ALL ? 8 : 9;
    return translator_new(c, 8, target, c->context);
}

static void names_and_shapes_are_those_of_the_documentation(void **state) {
    (void)state;
    static const Wanted WANTED[] = {{"encoder.embed.weight", {8, 6}, 2},
                                    {"decoder.embed.weight", {9, 6}, 2},
                                    {"encoder.blocks.0.norm1.weight", {6}, 1},
                                    {"encoder.blocks.0.norm1.bias", {6}, 1},
                                    {"encoder.blocks.0.attn.qkv.weight", {18, 6}, 2},
                                    {"encoder.blocks.0.attn.qkv.bias", {18}, 1},
                                    {"encoder.blocks.0.attn.proj.weight", {6, 6}, 2},
                                    {"encoder.blocks.0.attn.proj.bias", {6}, 1},
                                    {"encoder.blocks.0.norm2.weight", {6}, 1},
                                    {"encoder.blocks.0.norm2.bias", {6}, 1},
                                    {"encoder.blocks.0.mlp.fc1.weight", {12, 6}, 2},
                                    {"encoder.blocks.0.mlp.fc1.bias", {12}, 1},
                                    {"encoder.blocks.0.mlp.fc2.weight", {6, 12}, 2},
                                    {"encoder.blocks.0.mlp.fc2.bias", {6}, 1},
                                    {"encoder.norm.weight", {6}, 1},
                                    {"encoder.norm.bias", {6}, 1},
                                    {"decoder.blocks.0.norm1.weight", {6}, 1},
                                    {"decoder.blocks.0.norm1.bias", {6}, 1},
                                    {"decoder.blocks.0.attn.qkv.weight", {18, 6}, 2},
                                    {"decoder.blocks.0.attn.qkv.bias", {18}, 1},
                                    {"decoder.blocks.0.attn.proj.weight", {6, 6}, 2},
                                    {"decoder.blocks.0.attn.proj.bias", {6}, 1},
                                    {"decoder.blocks.0.norm2.weight", {6}, 1},
                                    {"decoder.blocks.0.norm2.bias", {6}, 1},
                                    {"decoder.blocks.0.cross.q.weight", {6, 6}, 2},
                                    {"decoder.blocks.0.cross.q.bias", {6}, 1},
                                    {"decoder.blocks.0.cross.kv.weight", {12, 6}, 2},
                                    {"decoder.blocks.0.cross.kv.bias", {12}, 1},
                                    {"decoder.blocks.0.cross.proj.weight", {6, 6}, 2},
                                    {"decoder.blocks.0.cross.proj.bias", {6}, 1},
                                    {"decoder.blocks.0.norm3.weight", {6}, 1},
                                    {"decoder.blocks.0.norm3.bias", {6}, 1},
                                    {"decoder.blocks.0.mlp.fc1.weight", {12, 6}, 2},
                                    {"decoder.blocks.0.mlp.fc1.bias", {12}, 1},
                                    {"decoder.blocks.0.mlp.fc2.weight", {6, 12}, 2},
                                    {"decoder.blocks.0.mlp.fc2.bias", {6}, 1},
                                    {"decoder.norm.weight", {6}, 1},
                                    {"decoder.norm.bias", {6}, 1}};
    ModelConfig c = toy_config(NORM_PRE);
    c.tied = TIED_DECODER;
    Translator *t = small(&c);
    assert_int_equal(t->model.params->count, COUNT(WANTED));
    expect_params(t->model.params, WANTED, COUNT(WANTED));
    translator_free(t);
}

static void queries_keys_and_values_are_grouped_as_asked(void **state) {
    (void)state;
    static const Wanted QK_V[] = {{"encoder.blocks.0.attn.qk.weight", {12, 6}, 2},
                                  {"encoder.blocks.0.attn.qk.bias", {12}, 1},
                                  {"encoder.blocks.0.attn.v.weight", {6, 6}, 2},
                                  {"decoder.blocks.0.attn.qk.weight", {12, 6}, 2},
                                  {"decoder.blocks.0.attn.v.bias", {6}, 1},
                                  {"decoder.blocks.0.cross.q.weight", {6, 6}, 2},
                                  {"decoder.blocks.0.cross.k.weight", {6, 6}, 2},
                                  {"decoder.blocks.0.cross.k.bias", {6}, 1},
                                  {"decoder.blocks.0.cross.v.weight", {6, 6}, 2}};
    static const Wanted APART[] = {{"encoder.blocks.0.attn.q.weight", {6, 6}, 2},
                                   {"encoder.blocks.0.attn.k.bias", {6}, 1},
                                   {"encoder.blocks.0.attn.v.weight", {6, 6}, 2},
                                   {"decoder.blocks.0.attn.q.weight", {6, 6}, 2},
                                   {"decoder.blocks.0.attn.k.weight", {6, 6}, 2},
                                   {"decoder.blocks.0.cross.q.bias", {6}, 1},
                                   {"decoder.blocks.0.cross.k.weight", {6, 6}, 2},
                                   {"decoder.blocks.0.cross.v.weight", {6, 6}, 2}};
    ModelConfig c = toy_config(NORM_PRE);
    c.tied = TIED_DECODER;
    for (QkvGrouping g = QKV_QK_V; g <= QKV_SEPARATE; g++) {
        c.qkv = g;
        Translator *t = small(&c);
        bool apart = g == QKV_SEPARATE;
        expect_params(t->model.params, apart ? APART : QK_V,
                      apart ? COUNT(APART) : COUNT(QK_V));
        /* each matrix more has a weight and a bias */
        assert_int_equal(t->model.params->count, 38 + (apart ? 10 : 6));
        assert_null(params_find(t->model.params, "decoder.blocks.0.cross.kv.weight"));
        assert_null(params_find(t->model.params, "encoder.blocks.0.attn.qkv.weight"));
        translator_free(t);
    }
}

static void tied_tables_are_there_once(void **state) {
    (void)state;
    ModelConfig c = toy_config(NORM_PRE);
    c.tied = TIED_NONE;
    Translator *t = small(&c);
    expect_param(t->model.params, &(Wanted){"decoder.head.weight", {9, 6}, 2});
    assert_null(params_find(t->model.params, "decoder.head.bias"));
    assert_ptr_equal(t->head.weight, params_find(t->model.params, "decoder.head.weight"));
    assert_int_equal(t->model.params->count, 39);
    translator_free(t);
    c.tied = TIED_ALL;
    t = small(&c);
    expect_param(t->model.params, &(Wanted){"embed.weight", {8, 6}, 2});
    assert_int_equal(t->model.params->count, 37);
    assert_ptr_equal(t->source.table, t->target.table);
    assert_null(t->head.weight);
    translator_free(t);
}

static void norms_stand_where_they_are_asked_for(void **state) {
    (void)state;
    ModelConfig c = toy_config(NORM_PRE);
    c.tied = TIED_DECODER;
    c.final_norm = false;
    Translator *t = small(&c);
    assert_int_equal(t->model.params->count, 34);
    assert_null(params_find(t->model.params, "encoder.norm.weight"));
    translator_free(t);
    c.final_norm = true;
    for (NormPlace place = NORM_POST; place <= NORM_DEEPNORM; place++) {
        c.norm = place;
        t = small(&c);
        assert_int_equal(t->model.params->count, 34); /* no norm behind the stacks */
        assert_null(params_find(t->model.params, "decoder.norm.weight"));
        assert_non_null(params_find(t->model.params, "decoder.blocks.0.norm3.bias"));
        translator_free(t);
    }
    c.norm = NORM_NONE;
    t = small(&c);
    assert_int_equal(t->model.params->count, 24);
    assert_null(params_find(t->model.params, "encoder.blocks.0.norm1.weight"));
    translator_free(t);
}

static void learned_positions_and_companions_of_sigma_have_their_names(void **state) {
    (void)state;
    ModelConfig c = toy_config(NORM_POST);
    c.tied = TIED_NONE;
    c.position = POSITION_LEARNED;
    c.reparam = REPARAM_SIGMA;
    Translator *t = small(&c);
    const ParamSet *params = t->model.params;
    expect_param(params, &(Wanted){"encoder.pos_embed", {12, 6}, 2});
    expect_param(params, &(Wanted){"decoder.pos_embed", {12, 6}, 2});
    expect_param(params, &(Wanted){"decoder.blocks.0.cross.kv.gamma", {1}, 1});
    expect_param(params, &(Wanted){"decoder.blocks.0.cross.kv.u", {6}, 1});
    expect_param(params, &(Wanted){"decoder.blocks.0.cross.kv.v", {12}, 1});
    assert_null(params_find(params, "decoder.head.gamma"));
    assert_null(params_find(params, "encoder.embed.gamma"));
    /* 4 + 7 layers with three companions each */
    assert_int_equal(params->count, 35 + 2 + 3 * 11);
    assert_int_equal(t->model.layer_count, 11);
    translator_free(t);
    c.reparam_scope = SCOPE_ALL;
    t = small(&c);
    expect_param(t->model.params, &(Wanted){"decoder.head.gamma", {1}, 1});
    expect_param(t->model.params, &(Wanted){"decoder.head.v", {9}, 1});
    assert_int_equal(t->model.layer_count, 12);
    translator_free(t);
}

static void the_sides_can_differ_in_depth(void **state) {
    (void)state;
    ModelConfig c = toy_config(NORM_PRE);
    c.depth = 3, c.decoder_depth = 1;
    Translator *t = translator_new(&c, 8, 8, 0);
    assert_non_null(params_find(t->model.params, "encoder.blocks.2.mlp.fc1.weight"));
    assert_null(params_find(t->model.params, "decoder.blocks.1.mlp.fc1.weight"));
    assert_int_equal(t->model.site_count, 3 + 2);
    assert_string_equal(t->model.sites[3]->name, "decoder.blocks.0.attn");
    assert_string_equal(t->model.sites[4]->name, "decoder.blocks.0.cross");
    translator_free(t);
}

/* ---- counts ------------------------------------------------------------------------------ */

/* The 44,138,496 numbers of torch.nn.Transformer (512, 8 heads, 6 + 6 blocks, hidden
 * 2048; with its two last norms 44,140,544), and two tables of 10,000 vectors. */
static void a_base_translator_has_54378496_parameters(void **state) {
    (void)state;
    ModelConfig c = toy_config(NORM_POST);
    c.width = 512, c.heads = 8, c.depth = 6, c.mlp_ratio = 4;
    c.tied = TIED_DECODER;
    Translator *t = translator_new(&c, 10000, 10000, 0);
    assert_int_equal(params_trained_count(t->model.params), 44138496 + 2 * 5120000);
    translator_free(t);
    c.norm = NORM_PRE, c.tied = TIED_ALL;
    t = translator_new(&c, 10000, 10000, 0);
    assert_int_equal(params_trained_count(t->model.params), 44140544 + 5120000);
    translator_free(t);
}

/* ---- padding and recomputation ----------------------------------------------------------- */

enum { ROWS = 3, SOURCE = 9, TARGET = 8, VOCAB = 13 };

static const size_t SOURCES[ROWS] = {4, 9, 6}, TARGETS[ROWS] = {8, 3, 5};

typedef struct Pairs {
    uint32_t source[ROWS * SOURCE], input[ROWS * TARGET], label[ROWS * TARGET];
} Pairs;

/* What stands in the padding is a token like others: it must not matter. */
static Pairs make_pairs(uint32_t filler) {
    Pairs p;
    for (size_t i = 0; i < ROWS * SOURCE; i++) p.source[i] = filler;
    for (size_t i = 0; i < ROWS * TARGET; i++) p.input[i] = filler, p.label[i] = TOY_PAD;
    for (size_t r = 0; r < ROWS; r++) {
        uint32_t *label = p.label + r * TARGET, *input = p.input + r * TARGET;
        toy_sentence(p.source + r * SOURCE, SOURCES[r], VOCAB, 1 + r);
        toy_sentence(label, TARGETS[r], VOCAB, 50 + r);
        input[0] = TOY_END;
        memcpy(input + 1, label, (TARGETS[r] - 1) * sizeof *label);
    }
    return p;
}

static Tensor *loss_of(Translator *t, Tape *tape, const ForwardMode *mode, const Pairs *p,
                       const uint32_t *label, size_t rows) {
    TokenRows source = {p->source, rows, SOURCE, SOURCES};
    TokenRows input = {p->input, rows, TARGET, TARGETS};
    VocabTarget target = {
        .label = label, .ignore = TOY_PAD, .smoothing = 0.1, .divisor = 10};
    return translator_loss(t, tape, mode, &source, &input, &target);
}

/* Row r alone, without a token of padding. */
static double loss_alone(Translator *t, Tape *tape, const Pairs *p, size_t r) {
    ForwardMode mode = toy_mode();
    TokenRows source = {p->source + r * SOURCE, 1, SOURCES[r], NULL};
    TokenRows input = {p->input + r * TARGET, 1, TARGETS[r], NULL};
    VocabTarget target = {.label = p->label + r * TARGET,
                          .ignore = TOY_PAD,
                          .smoothing = 0.1,
                          .divisor = 10};
    tape_begin(tape, (TapeMode){0});
    return (double)translator_loss(t, tape, &mode, &source, &input, &target)->value[0];
}

static void padding_does_not_change_a_sentences_loss(void **state) {
    (void)state;
    Tape *tape = tape_new();
    for (NormPlace place = NORM_PRE; place <= NORM_NONE; place++) {
        ModelConfig c = toy_config(place);
        c.reparam = place == NORM_NONE ? REPARAM_SIGMA : REPARAM_NONE;
        c.position = place == NORM_POST ? POSITION_LEARNED : POSITION_SINUSOIDAL;
        Translator *t = toy_translator(&c, VOCAB, VOCAB, 12, 3);
        Pairs pairs = make_pairs(7);
        ForwardMode mode = toy_mode();
        for (size_t r = 0; r < ROWS; r++) {
            uint32_t label[ROWS * TARGET]; /* of this row alone */
            for (size_t i = 0; i < ROWS * TARGET; i++)
                label[i] = i / TARGET == r ? pairs.label[i] : TOY_PAD;
            tape_begin(tape, (TapeMode){0});
            double padded =
                (double)loss_of(t, tape, &mode, &pairs, label, ROWS)->value[0];
            double alone = loss_alone(t, tape, &pairs, r);
            if (!(fabs(padded - alone) <= 1e-5 * alone))
                fail_msg("norm %d, sentence %zu: %.8f alone, %.8f padded", (int)place, r,
                         alone, padded);
        }
        translator_free(t);
    }
    tape_free(tape);
}

typedef struct Batch {
    Translator *translator;
    Pairs pairs;
} Batch;

static Tensor *loss_of_batch(void *context, Tape *tape, const ForwardMode *mode,
                             size_t from, size_t to) {
    Batch *b = context;
    assert_int_equal(from, 0);
    return loss_of(b->translator, tape, mode, &b->pairs, b->pairs.label, to);
}

/* One step's gradients, in the parameters; returns its loss. */
static double gradients(Translator *t, bool recompute, uint32_t filler) {
    Batch b = {t, make_pairs(filler)};
    Step step;
    step_begin(&step, &t->model, NULL, NULL);
    step.seed = 9, step.context = &b, step.loss_of = loss_of_batch;
    StepBatch batch = {.number = 4, .examples = ROWS, .mode = toy_mode()};
    batch.mode.recompute = recompute;
    step_gradients(&step, &batch);
    double loss = step.loss;
    step_end(&step);
    return loss;
}

static void what_stands_in_the_padding_gets_no_gradient(void **state) {
    (void)state;
    ModelConfig c = toy_config(NORM_PRE);
    Translator *t = toy_translator(&c, VOCAB, VOCAB, 0, 3);
    gradients(t, false, TOY_FIRST - 1); /* a token that no sentence has */
    const Tensor *table = &t->source.table->tensor;
    for (size_t k = 0; k < 16; k++)
        assert_true(table->grad[(TOY_FIRST - 1) * 16 + k] == 0);
    double sum = 0;
    for (size_t i = 0; i < table->size; i++) sum += fabs((double)table->grad[i]);
    assert_true(sum > 0);
    translator_free(t);
}

static void recomputed_blocks_give_the_same_loss_and_gradients(void **state) {
    (void)state;
    for (NormPlace place = NORM_PRE; place <= NORM_NONE; place++) {
        ModelConfig c = toy_config(place);
        c.reparam = REPARAM_SIGMA;
        c.dropout = c.attention_dropout = c.activation_dropout = c.drop_path = 0.2;
        Translator *kept = toy_translator(&c, VOCAB, VOCAB, 0, 3);
        Translator *again = toy_translator(&c, VOCAB, VOCAB, 0, 3);
        double loss = gradients(kept, false, TOY_PAD);
        assert_true(gradients(again, true, TOY_PAD) == loss);
        assert_true(toy_apart(again->model.params->grads, kept->model.params->grads,
                              kept->model.params->trained) <= 1e-6);
        translator_free(kept);
        translator_free(again);
    }
}

static void vocabularies_that_differ_cannot_be_tied(void **state) {
    (void)state;
    Err err = ERR_NONE;
    ModelConfig c = toy_config(NORM_PRE);
    c.tied = TIED_ALL;
    assert_int_equal(translator_check(&c, 8, 9, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "8 and 9"));
    assert_int_equal(translator_check(&c, 8, 8, &err), OK);
    c.heads = 3;
    assert_int_equal(translator_check(&c, 8, 8, &err), FAIL_USAGE);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(names_and_shapes_are_those_of_the_documentation),
        cmocka_unit_test(queries_keys_and_values_are_grouped_as_asked),
        cmocka_unit_test(tied_tables_are_there_once),
        cmocka_unit_test(norms_stand_where_they_are_asked_for),
        cmocka_unit_test(learned_positions_and_companions_of_sigma_have_their_names),
        cmocka_unit_test(the_sides_can_differ_in_depth),
        cmocka_unit_test(a_base_translator_has_54378496_parameters),
        cmocka_unit_test(padding_does_not_change_a_sentences_loss),
        cmocka_unit_test(what_stands_in_the_padding_gets_no_gradient),
        cmocka_unit_test(recomputed_blocks_give_the_same_loss_and_gradients),
        cmocka_unit_test(vocabularies_that_differ_cannot_be_tied),
    };
    return cmocka_run_group_tests_name("translator", cases, NULL, NULL);
}

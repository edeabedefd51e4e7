/* What a site measures in a forward pass, against sums in double over the inputs as the
 * blocks' formulas give them: norms and shift before, padding, causal masks, memory. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/kern/bound.h"
#include "models/heads.h"
#include "models/look.h"
#include "models/speech.h"
#include "models/translator.h"
#include "models/vit.h"

void dgesvd_(const char *jobu, const char *jobvt, const int *m, const int *n, double *a,
             const int *lda, double *s, double *u, const int *ldu, double *vt,
             const int *ldvt, double *work, const int *lwork, int *info);

enum { D = 8, H = 2, K = D / H, B = 3, T = 7, S = 5 };

static const size_t COUNTS[B] = {7, 4, 1}, MEMORY_COUNTS[B] = {2, 5, 3};

typedef struct Case {
    Model *model;
    Block *block;
    BlockInput input;
    ForwardMode mode;
    real x[B * T * D], memory[B * S * D];
    bool first; /* block_forward_first */
} Case;

static void draw(real *x, size_t n, uint64_t seed, double common) {
    Rng rng = rng_make(seed, 0, 0);
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(rng_normal(rng, i) + common * (double)(i % D == 2));
}

/* Weights that are large enough for bounds to matter, or small enough. */
static void begin(Case *c, Model *model, Block *block, double size) {
    *c = (Case){.model = model, .block = block};
    c->mode = (ForwardMode){.temperature = 1.5, .measure = MEASURE_HEADS};
    for (size_t i = 0; i < model->params->count; i++)
        if (model->params->list[i]->role != PARAM_BUFFER)
            param_normal(model->params->list[i], 5, size);
    bool *loaded = mem_zalloc(model->params->count);
    model_start(model, loaded);
    mem_free(loaded);
    draw(c->x, COUNT(c->x), 1, 0.5);
    draw(c->memory, COUNT(c->memory), 2, 0);
}

static void run(Case *c, Tape *tape) {
    tape_begin(tape, (TapeMode){.gradients = true, .training = true});
    if (c->block->has_cross)
        c->input.memory = tape_wrap(tape, c->memory, 3, (size_t[]){B, S, D});
    Tensor *x = tape_wrap(tape, c->x, 3, (size_t[]){B, T, D});
    model_stats_reset(c->model);
    look_start(c->model, &c->mode);
    if (c->first) block_forward_first(tape, c->block, &c->mode, x);
    else block_forward(tape, c->block, &c->mode, &c->input, x);
    model_stats_gather(c->model);
}

/* ---- the judge ---- */

static double value(const Param *p, size_t i) {
    return p ? (double)p->tensor.value[i] : 0;
}

/* What the site's products read of token `row` of x. */
static void input_row(const Case *c, const AttentionPart *part, const real *x,
                      double out[D]) {
    double shift = value(part->shift, 0), mean = 0, var = 0;
    for (size_t j = 0; j < D; j++) mean += (double)x[j] / D;
    for (size_t j = 0; j < D; j++)
        var += ((double)x[j] - mean) * ((double)x[j] - mean) / D;
    for (size_t j = 0; j < D; j++) {
        out[j] = (double)x[j];
        if (c->block->place == NORM_PRE)
            out[j] = value(part->norm.weight, j) * (out[j] - mean) /
                         sqrt(var + part->norm.eps) +
                     value(part->norm.bias, j);
        out[j] += shift;
    }
}

static size_t valid(const size_t *count, size_t b, size_t all) {
    return count ? count[b] : all;
}

/* Singular values of a [rows, columns], falling; 0 behind them. */
static void singular_values(const double *a, size_t rows, size_t columns,
                            double values[D + 1]) {
    double copy[T * (D + 1)], work[40 * (D + 1)];
    memset(values, 0, (D + 1) * sizeof *values);
    if (!rows) return;
    memcpy(copy, a, rows * columns * sizeof *copy);
    int m = (int)columns, n = (int)rows, one = 1, room = COUNT(work), info;
    dgesvd_("N", "N", &m, &n, copy, &m, values, NULL, &one, NULL, &one, work, &room,
            &info);
    assert_int_equal(info, 0);
}

/* The tokens of an input as rows, with a one behind each. */
typedef struct Tokens {
    double row[B][T][D + 1];
    size_t count[B];
    bool ones;
} Tokens;

static double norm_of(const Tokens *t, size_t b) {
    double packed[T * (D + 1)], values[D + 1];
    size_t columns = D + t->ones;
    for (size_t i = 0; i < t->count[b]; i++)
        memcpy(packed + i * columns, t->row[b][i], columns * sizeof(double));
    singular_values(packed, t->count[b], columns, values);
    return values[0];
}

static void expect_within(const char *what, double got, double wanted, double share) {
    if (!(fabs(got - wanted) <= share * fabs(wanted)))
        fail_msg("%s: %.12g, not %.12g", what, got, wanted);
}

static void expect_input(const Site *site, const Tokens *t, bool memory) {
    double tokens = 0, squares = 0, largest = 0, total[D] = {0}, common = 0;
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < t->count[b]; i++) {
            double own = 0;
            for (size_t j = 0; j < D; j++) {
                own += t->row[b][i][j] * t->row[b][i][j];
                total[j] += t->row[b][i][j];
            }
            tokens++, squares += own, largest = fmax(largest, own);
        }
    for (size_t j = 0; j < D; j++) common += total[j] * total[j];
    expect_within("input", site_input(site, memory), squares / tokens, 1e-5);
    expect_within("largest", site_input_largest(site, memory), largest, 1e-5);
    expect_within("common", site_common(site, memory), common / tokens / squares, 1e-5);
}

/* Sum over queries of the theorem's bound, row by row. */
static double bound_of(const Case *c, const Tokens *q, const Tokens *k, double pair,
                       double looser) {
    double sum = 0, queries = 0;
    for (size_t b = 0; b < B; b++) {
        double sigma = looser * pair * norm_of(q, b) * norm_of(k, b) /
                       (sqrt(K) * c->mode.temperature);
        for (size_t i = 0; i < q->count[b]; i++)
            sum += entropy_bound(c->block->causal && q == k ? i + 1 : k->count[b], sigma);
        queries += (double)q->count[b];
    }
    return sum / queries;
}

static void take(const Case *c, const AttentionPart *part, const real *x, size_t room,
                 const size_t *count, bool plain, Tokens *t) {
    *t = (Tokens){.ones = part->in[0].bias != NULL};
    for (size_t b = 0; b < B; b++) {
        t->count[b] = valid(count, b, room);
        for (size_t i = 0; i < t->count[b]; i++) {
            const real *row = x + (b * room + i) * D;
            if (plain)
                for (size_t j = 0; j < D; j++) t->row[b][i][j] = (double)row[j];
            else input_row(c, part, row, t->row[b][i]);
            t->row[b][i][D] = 1;
        }
    }
}

/* The bound is that of the theorem, or lower by what 1 % of the norm makes; and no
 * entropy is under it. */
static void expect_bounds(const Case *c, const Site *site, const Tokens *q,
                          const Tokens *k) {
    HeadWeights heads[H];
    heads_measure(site, heads);
    for (size_t h = 0; h < H; h++) {
        double exact = bound_of(c, q, k, heads[h].pair, 1);
        double low = bound_of(c, q, k, heads[h].pair, 1.013), got = site_bound(site, h);
        if (!(got <= exact * (1 + 1e-6) && got >= low * (1 - 1e-6) - 1e-4))
            fail_msg("%s, head %zu: bound %.9g, not %.9g ... %.9g", site->name, h, got,
                     low, exact);
        if (site->entropy[h] < got - 1e-6)
            fail_msg("%s, head %zu: entropy %.9g under %.9g", site->name, h,
                     site->entropy[h], got);
    }
}

/* Of the self-attention that stands first in the block. */
static void expect_self(const Case *c) {
    Tokens t;
    const AttentionPart *part = &c->block->self;
    take(c, part, c->x, T, c->input.count, false, &t);
    expect_input(&part->site, &t, false);
    assert_true(isnan(site_input(&part->site, false)) ||
                part->site.measured.sums[SUM_MEMORY_TOKENS] == 0);
    expect_bounds(c, &part->site, &t, &t);
}

/* ---- models of all kinds ---- */

static ModelConfig config_of(QkvGrouping qkv, ReparamMethod reparam, NormPlace norm) {
    ModelConfig c = model_config_default();
    c.width = D, c.heads = H, c.depth = 2, c.patch = 3, c.qkv = qkv, c.norm = norm;
    c.reparam = reparam, c.position = POSITION_NONE;
    return c;
}

static const double SIZES[] = {0.05, 0.3, 2};

static void a_vit_shows_its_inputs_and_bounds(void **state) {
    (void)state;
    Tape *tape = tape_new();
    for (int n = NORM_PRE; n <= NORM_NONE; n++)
        for (int qkv = QKV_JOINT; qkv <= QKV_SEPARATE; qkv++)
            for (size_t i = 0; i < COUNT(SIZES); i++) {
                ModelConfig config =
                    config_of((QkvGrouping)qkv, (ReparamMethod)(qkv + 1), (NormPlace)n);
                Vit *vit = vit_new(&config, (PictureShape){1, 6, 6}, 3);
                Case c;
                begin(&c, &vit->model, &vit->stack.blocks[1], SIZES[i]);
                run(&c, tape);
                expect_self(&c);
                double rank = site_rank(&c.block->self.site);
                assert_true(rank > 0.9999 && rank < T);
                c.first = true;
                run(&c, tape);
                expect_self(&c);
                assert_true(site_rank(&c.block->self.site) == rank);
                vit_free(vit);
            }
    tape_free(tape);
}

static void padding_and_causal_masks_are_left_out(void **state) {
    (void)state;
    Tape *tape = tape_new();
    for (int n = NORM_PRE; n <= NORM_NONE; n++)
        for (size_t i = 0; i < COUNT(SIZES); i++) {
            ModelConfig config = config_of(QKV_JOINT, REPARAM_SIGMA, (NormPlace)n);
            config.position = POSITION_SINUSOIDAL;
            Translator *t = translator_new(&config, 7, 7, 9);
            Case c;
            begin(&c, &t->model, &t->encoder.blocks[0], SIZES[i]);
            c.input.count = COUNTS;
            run(&c, tape);
            expect_self(&c);
            c.block = &t->decoder.blocks[1];
            c.input.memory_count = MEMORY_COUNTS;
            run(&c, tape);
            expect_self(&c);
            translator_free(t);
        }
    tape_free(tape);
}

/* x of cross attention is what the block made of its self-attention: without norms and
 * with a projection of zeros it is x itself. */
static void cross_attention_shows_queries_and_memory(void **state) {
    (void)state;
    Tape *tape = tape_new();
    for (int qkv = QKV_JOINT; qkv <= QKV_SEPARATE; qkv++)
        for (size_t i = 0; i < COUNT(SIZES); i++) {
            ModelConfig config = config_of((QkvGrouping)qkv, REPARAM_NONE, NORM_PRE);
            config.position = POSITION_SINUSOIDAL;
            Translator *t = translator_new(&config, 7, 7, 9);
            Case c;
            begin(&c, &t->model, &t->decoder.blocks[0], SIZES[i]);
            param_fill(c.block->self.proj.weight, 0);
            param_fill(c.block->self.proj.bias, 0);
            c.input = (BlockInput){.count = COUNTS, .memory_count = MEMORY_COUNTS};
            run(&c, tape);
            Tokens q, k;
            const AttentionPart *part = &c.block->cross;
            take(&c, part, c.x, T, COUNTS, false, &q);
            take(&c, part, c.memory, S, MEMORY_COUNTS, true, &k);
            expect_input(&part->site, &q, false);
            expect_input(&part->site, &k, true);
            expect_bounds(&c, &part->site, &q, &k);
            translator_free(t);
        }
    tape_free(tape);
}

static void speech_shows_its_shift(void **state) {
    (void)state;
    Tape *tape = tape_new();
    for (int n = NORM_PRE; n <= NORM_NONE; n++) {
        ModelConfig config = config_of(QKV_SEPARATE, REPARAM_SIGMA, (NormPlace)n);
        Speech *s = speech_new(&config, 4, 5);
        Case c;
        begin(&c, &s->model, &s->stack.blocks[0], 0.5);
        c.input.count = COUNTS;
        param_fill(c.block->self.shift, 1.25);
        run(&c, tape);
        expect_self(&c);
        speech_free(s);
    }
    tape_free(tape);
}

/* ---- the tight case, and ranks ---- */

/* X = sqrt(s) I, M of norm m: |X|^2 = s exactly, one row meets the bound. */
static void the_norm_of_orthogonal_tokens_is_theirs(void **state) {
    (void)state;
    Tape *tape = tape_new();
    ModelConfig config = config_of(QKV_JOINT, REPARAM_NONE, NORM_NONE);
    Speech *s = speech_new(&config, 4, 5);
    Case c;
    begin(&c, &s->model, &s->stack.blocks[0], 0.5);
    param_fill(c.block->self.shift, 0);
    memset(c.x, 0, sizeof c.x);
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < T; i++) c.x[(b * T + i) * D + i] = (real)2;
    run(&c, tape);
    expect_self(&c);
    const Site *site = &c.block->self.site;
    assert_true(fabs(site_input(site, false) - 4) < 1e-6);
    assert_true(fabs(site_common(site, false) - 1.0 / T) < 1e-6);
    speech_free(s);
    tape_free(tape);
}

/* The rank of what attention gives: one where all queries see the same, that of the
 * values where each query sees one key of its own. */
static void rank_collapse_is_not_entropy_collapse(void **state) {
    (void)state;
    Tape *tape = tape_new();
    ModelConfig config = config_of(QKV_SEPARATE, REPARAM_NONE, NORM_NONE);
    Speech *s = speech_new(&config, 4, 5);
    for (int sharp = 0; sharp < 2; sharp++) {
        Case c;
        begin(&c, &s->model, &s->stack.blocks[0], 0.5);
        param_fill(c.block->self.shift, 0);
        AttentionPart *part = &c.block->self;
        for (size_t i = 0; i < 3; i++) {
            param_fill(part->in[i].weight, 0);
            double size = i == 2 ? 1 : sharp ? 9 : 0;
            for (size_t j = 0; j < D; j++)
                part->in[i].weight->tensor.value[j * D + j] = (real)size;
        }
        for (size_t b = 0; b < B; b++) /* tokens +-e_j in each head */
            for (size_t i = 0; i < T; i++)
                for (size_t j = 0; j < D; j++)
                    c.x[(b * T + i) * D + j] = j % K == i % K ? (i < K ? 1 : -1) : 0;
        run(&c, tape);
        const Site *site = &part->site;
        double share = site->entropy[0] / site->uniform;
        if (sharp) assert_true(share < 0.01 && site_rank(site) > 3.5);
        else assert_true(share > 0.999 && site_rank(site) < 1.001);
    }
    speech_free(s);
    tape_free(tape);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_vit_shows_its_inputs_and_bounds),
        cmocka_unit_test(padding_and_causal_masks_are_left_out),
        cmocka_unit_test(cross_attention_shows_queries_and_memory),
        cmocka_unit_test(speech_shows_its_shift),
        cmocka_unit_test(the_norm_of_orthogonal_tokens_is_theirs),
        cmocka_unit_test(rank_collapse_is_not_entropy_collapse),
    };
    return cmocka_run_group_tests_name("look", cases, NULL, NULL);
}

/* model.freeze: what is frozen stays to the bit in every kind of task, nothing else does,
 * and what names no parameter is refused.  That the others go where PyTorch's go is in
 * test_golden (freeze-*). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/run/probe.h"
#include "tools/task/freeze.h"
#include "tools/task/step.h"

enum { STEPS = 3, WORDS = 8 };

typedef struct Run {
    Recipe recipe;
    Task *task;
    Step step;
} Run;

/* Words of one case; NULL ends them.  False: `err` says why it cannot be opened. */
static bool open_run(Run *r, const char *recipe, const char *const *words, Err *err) {
    *err = ERR_NONE;
    r->recipe = recipe_default();
    if (recipe_load(&r->recipe, recipe, err)) fail_msg("%s", err->text);
    for (; *words; words++)
        if (recipe_set(&r->recipe, *words, err)) fail_msg("%s", err->text);
    if (recipe_check(&r->recipe, err)) fail_msg("%s", err->text);
    r->task = task_open(&r->recipe, NULL, err);
    if (!r->task) return false;
    task_initialize(r->task);
    model_start(r->task->model, NULL);
    task_step_begin(r->task, 1, &r->step);
    r->step.ema = ema_new(r->task->model->params, 0.5);
    if (r->task->ops->start(r->task, 1, err)) fail_msg("%s", err->text);
    return true;
}

static void must_open(Run *r, const char *recipe, const char *const *words) {
    Err err;
    if (!open_run(r, recipe, words, &err)) fail_msg("%s: %s", recipe, err.text);
}

static void close_run(Run *r) {
    step_end(&r->step);
    task_free(r->task);
}

static void take_steps(Run *r, bool recompute) {
    Err err = ERR_NONE;
    for (size_t n = 1; n <= STEPS; n++) {
        if (r->task->ops->next(r->task, &err)) fail_msg("%s", err.text);
        ForwardMode mode = {.temperature = 1, .recompute = recompute};
        StepBatch batch = task_step_batch(r->task, n, mode);
        step_gradients(&r->step, &batch);
        step_update(&r->step, 0.01, 0.1);
    }
}

/* Values, then the averages. */
static real *copy(const Run *r) {
    const ParamSet *params = r->task->model->params;
    real *kept = mem_alloc((2 * params->trained + params->buffered) * sizeof *kept);
    memcpy(kept, params->values, params->trained * sizeof *kept);
    memcpy(kept + params->trained, ema_values(r->step.ema),
           params->trained * sizeof *kept);
    memcpy(kept + 2 * params->trained, params->buffers, params->buffered * sizeof *kept);
    return kept;
}

static bool same(const Param *p, const real *a, const real *b) {
    return !memcmp(a + p->offset, b + p->offset, p->tensor.size * sizeof *a);
}

static void expect_moved(const Run *r, const real *before, const char *what) {
    const ParamSet *params = r->task->model->params;
    real *now = copy(r);
    size_t trained = params->trained, frozen = 0;
    for (size_t i = 0; i < params->count; i++) {
        const Param *p = params->list[i];
        if (!param_is_trained(p)) continue;
        bool moved = !same(p, before, now) && !same(p, before + trained, now + trained);
        if (moved == p->frozen)
            fail_msg("%s: %s %s", what, p->name, moved ? "moved" : "stayed");
        frozen += p->frozen;
        for (size_t k = 0; p->frozen && k < p->tensor.size; k++)
            assert_true(params->grads[p->offset + k] == 0);
    }
    assert_true(frozen > 0);
    mem_free(now);
}

static const struct {
    const char *recipe, *words[WORDS];
} KINDS[] = {
    {"demo", {"data.synthetic_count=200", "model.freeze=patch_embed", "optim.name=adam"}},
    {"demo-sigma",
     {"data.synthetic_count=200", "model.freeze=patch_embed blocks.0, norm",
      "model.norm=pre", "optim.name=lamb", "model.depth=2"}},
    {"grammar",
     {"data.synthetic_count=3000", "model.freeze=embed,blocks.0", "model.context=16"}},
    {"numbers-pre",
     {"data.synthetic_count=100", "train.batch=8", "model.freeze=encoder",
      "model.depth=2", "train.batch_tokens=0"}},
    {"tones",
     {"data.synthetic_count=20", "model.freeze=input_norm,conv.weight,blocks.1.attn",
      "model.depth=2", "train.batch_seconds=5"}},
};

static void what_is_frozen_stays_and_all_else_moves(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(KINDS); i++)
        for (int recompute = 0; recompute < 2; recompute++) {
            Run r;
            must_open(&r, KINDS[i].recipe, KINDS[i].words);
            real *before = copy(&r);
            take_steps(&r, recompute);
            expect_moved(&r, before, KINDS[i].recipe);
            mem_free(before);
            close_run(&r);
        }
}

/* Frozen with a gain that learns, a gain that is frozen alone, and both. */
static void u_and_v_of_a_frozen_layer_stay(void **state) {
    (void)state;
    Run r;
    must_open(&r, "demo-sigma",
              (const char *[]){"data.synthetic_count=200", "model.depth=2",
                               "model.uv_init=random", "model.gamma_init=spectral",
                               "model.freeze=blocks.0.mlp,blocks.1.attn.proj.weight,"
                               "blocks.1.mlp.fc1.gamma",
                               NULL});
    const ParamSet *params = r.task->model->params;
    real *before = copy(&r);
    take_steps(&r, false);
    expect_moved(&r, before, "demo-sigma");
    const real *buffers = before + 2 * params->trained;
    for (size_t i = 0; i < r.task->model->layer_count; i++) {
        const Reparam *p = r.task->model->layers[i]->reparam;
        bool stays = !memcmp(buffers + p->u->offset, params->buffers + p->u->offset,
                             p->u->tensor.size * sizeof *buffers);
        if (stays != p->w->frozen) fail_msg("%s %d", p->u->name, stays);
    }
    /* They would never come closer, so they begin where they belong. */
    const Reparam *fixed = r.task->model->layers[3]->reparam;
    double gamma = (double)fixed->gamma->tensor.value[0];
    assert_string_equal(fixed->w->name, "blocks.0.mlp.fc1.weight");
    assert_true(fabs((double)fixed->sigma / gamma - 1) < 1e-5);
    mem_free(before);
    close_run(&r);
}

/* It is that of the others. */
static void the_norm_does_not_count_what_is_frozen(void **state) {
    (void)state;
    Run all, part;
    const char *const words[] = {"data.synthetic_count=200", "train.batch=16", NULL};
    const char *const more[] = {"data.synthetic_count=200", "train.batch=16",
                                "model.freeze=blocks head", NULL};
    Err err = ERR_NONE;
    must_open(&all, "demo", words);
    must_open(&part, "demo", more);
    Run *runs[] = {&all, &part};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(runs[i]->task->ops->next(runs[i]->task, &err), OK);
        StepBatch batch =
            task_step_batch(runs[i]->task, 1, (ForwardMode){.temperature = 1});
        step_gradients(&runs[i]->step, &batch);
    }
    const ParamSet *params = all.task->model->params;
    double squares = 0;
    for (size_t i = 0; i < params->count; i++) {
        const Param *p = params->list[i];
        if (!strncmp(p->name, "blocks.", 7) || !strncmp(p->name, "head.", 5)) continue;
        for (size_t k = 0; k < p->tensor.size; k++)
            squares += (double)p->tensor.grad[k] * (double)p->tensor.grad[k];
    }
    assert_true(fabs(part.step.grad_norm / sqrt(squares) - 1) < 1e-6);
    assert_true(part.step.grad_norm < 0.9 * all.step.grad_norm);
    close_run(&all);
    close_run(&part);
}

static void a_frozen_weight_has_no_gradient_in_probes(void **state) {
    (void)state;
    Run r;
    must_open(&r, "demo",
              (const char *[]){"data.synthetic_count=200", "model.freeze=patch_embed",
                               NULL});
    take_steps(&r, false);
    Prober *prober = prober_new(r.task->model);
    prober_look(prober, &r.recipe.probe, 1);
    const Optimizer *const optims[] = {r.step.optim, NULL};
    for (size_t i = 0; i < 2; i++) {
        json_t *row = prober_row(prober, &r.recipe.probe, 1, optims[i]);
        const json_t *rows = json_object_get(row, "weights");
        const json_t *patch = json_array_get(rows, 0), *other = json_array_get(rows, 1);
        assert_true(json_is_null(json_object_get(patch, "grad_inf")));
        assert_true(json_is_null(json_object_get(patch, "grad_norm")));
        assert_true(json_is_null(json_object_get(patch, "update")));
        assert_true(json_is_number(json_object_get(patch, "sigma")));
        assert_true(json_number_value(json_object_get(other, "grad_inf")) > 0);
        json_decref(row);
    }
    prober_free(prober);
    close_run(&r);
}

static void a_name_ends_at_a_dot(void **state) {
    (void)state;
    Run r;
    must_open(&r, "demo",
              (const char *[]){"data.synthetic_count=200", "model.depth=11",
                               "model.freeze=blocks.1. , head.bias", NULL});
    const ParamSet *params = r.task->model->params;
    assert_true(params_find(params, "blocks.1.norm1.bias")->frozen);
    assert_true(params_find(params, "head.bias")->frozen);
    assert_false(params_find(params, "blocks.10.norm1.bias")->frozen);
    assert_false(params_find(params, "head.weight")->frozen);
    close_run(&r);
}

static void what_means_nothing_is_refused(void **state) {
    (void)state;
    static const char *const BAD[][2] = {
        {"model.freeze=patch_embd", "the nearest is patch_embed"},
        {"model.freeze=b", "the nearest is blocks"},
        {"model.freeze= , ", "has no name in it"},
        {"model.freeze=head, blocks.0.atn.qkv", "the nearest is blocks.0.attn.qkv"},
        {"model.freeze=block", "the nearest is blocks"},
        {"model.freeze=.", "nor the start"},
        {"model.freeze=cls_token pos_embed patch_embed blocks norm head",
         "leaves nothing to train"},
    };
    for (size_t i = 0; i < COUNT(BAD); i++) {
        Run r;
        Err err;
        const char *const words[] = {"data.synthetic_count=200", BAD[i][0], NULL};
        if (open_run(&r, "demo", words, &err)) fail_msg("%s is taken", BAD[i][0]);
        assert_int_equal(err.status, FAIL_USAGE);
        if (!strstr(err.text, BAD[i][1])) fail_msg("%s: %s", BAD[i][0], err.text);
    }
    /* buffers are not trained as it is */
    Run r;
    Err err;
    assert_false(
        open_run(&r, "demo-sigma", (const char *[]){"model.freeze=head.u", NULL}, &err));
    assert_non_null(strstr(err.text, "not a trained parameter"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_frozen_stays_and_all_else_moves),
        cmocka_unit_test(u_and_v_of_a_frozen_layer_stay),
        cmocka_unit_test(the_norm_does_not_count_what_is_frozen),
        cmocka_unit_test(a_frozen_weight_has_no_gradient_in_probes),
        cmocka_unit_test(a_name_ends_at_a_dot),
        cmocka_unit_test(what_means_nothing_is_refused),
    };
    return cmocka_run_group_tests_name("freeze", tests, NULL, NULL);
}

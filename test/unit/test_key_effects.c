/* Conditions of keys (tools/recipe/keys.c) against what the library does: where a
 * condition holds the key changes numbers, where it does not it changes none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"
#include "models/language.h"
#include "models/speech.h"
#include "models/translator.h"
#include "models/vit.h"
#include "tools/recipe/keys.h"

enum { NUMBERS = 1 << 16 };

/* What a recipe makes, as numbers; returns how many. */
typedef size_t Maker(const Recipe *recipe, double *numbers);

static void set_words(Recipe *recipe, const char *words) {
    char copy[400], *rest = copy;
    Err err = ERR_NONE;
    text_format(copy, sizeof copy, "%s", words);
    for (char *word; (word = strsep(&rest, " "));)
        if (*word && recipe_set(recipe, word, &err)) fail_msg("%s", err.text);
}

/* The word changes numbers if, and only if, its key's condition holds. */
static void expect_effect(Maker *make, const char *words, const char *word) {
    static double before[NUMBERS], after[NUMBERS];
    char name[60];
    Recipe recipe = recipe_default();
    set_words(&recipe, words);
    size_t count = make(&recipe, before);
    set_words(&recipe, word);
    assert_int_equal(make(&recipe, after), count);
    assert_in_range(count, 1, NUMBERS);
    text_format(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    bool changed = memcmp(before, after, count * sizeof *before) != 0;
    bool wanted = key_has_effect(key_find(name), &recipe, NULL, 0);
    if (changed != wanted)
        fail_msg("%s %s: %s", words, word, changed ? "changes" : "does nothing");
}

/* ---- optimizers ---- */

static size_t three_steps(const Recipe *recipe, double *numbers) {
    ParamSet *set = params_new();
    params_add(set, PARAM_MATRIX, 2, (size_t[]){2, 2}, "w");
    params_add(set, PARAM_VECTOR, 1, (size_t[]){4}, "b");
    params_finish(set);
    for (size_t i = 0; i < set->trained; i++)
        set->values[i] = (real)(1 + 0.3 * (double)i);
    Optimizer *o = optim_new(&recipe->optim, set);
    for (size_t n = 0; n < 3; n++) {
        for (size_t i = 0; i < set->trained; i++)
            set->grads[i] = (real)(0.1 * (double)(n + 1) - 0.07 * (double)(i % 4));
        optim_step(o, (real)0.05, 1);
    }
    size_t count = set->trained;
    for (size_t i = 0; i < count; i++) numbers[i] = (double)set->values[i];
    optim_free(o);
    params_free(set);
    return count;
}

static void keys_of_optimizers(void **state) {
    (void)state;
    static const char *const WORDS[] = {"optim.beta1=0.5",      "optim.beta2=0.5",
                                        "optim.eps=0.1",        "optim.momentum=0.5",
                                        "optim.nesterov=true",  "optim.trust=0.1",
                                        "optim.adapt_1d=true",  "optim.decay=coupled",
                                        "optim.decay_scope=all"};
    for (size_t i = 0; i < OPTIM_KINDS; i++)
        for (size_t k = 0; k < COUNT(WORDS); k++)
            for (size_t decay = 0; decay < 2; decay++) {
                char base[200];
                const char *word = WORDS[k];
                text_format(base, sizeof base, "optim.name=%s%s%s",
                            optim_name((OptimKind)i),
                            decay ? " optim.weight_decay=0.1" : "",
                            strstr(word, "nesterov") ? " optim.momentum=0.9" : "");
                if (strstr(word, "decay=") && i) word = "optim.decay=decoupled";
                expect_effect(three_steps, base, word);
            }
}

/* ---- schedules ---- */

static size_t rates(const Recipe *recipe, double *numbers) {
    const ScheduleConfig *s = &recipe->schedule;
    for (size_t n = 0; n < 40; n++)
        numbers[n] = schedule_rate(s, 0.1, n + 1, 40, s->warmup_steps, n / 16);
    return 40;
}

static void keys_of_schedules(void **state) {
    (void)state;
    const char *const *names = key_find("schedule.name")->choices;
    static const char *const WORDS[] = {"schedule.warmup_init=0.05",
                                        "schedule.step_at=12", "schedule.step_factor=0.3",
                                        "schedule.min_lr=0.03"};
    for (size_t i = 0; i < SCHEDULE_KINDS; i++)
        for (size_t k = 0; k < COUNT(WORDS); k++)
            for (size_t warm = 0; warm < 2; warm++) {
                char base[200];
                text_format(base, sizeof base, "schedule.name=%s%s%s", names[i],
                            warm ? " schedule.warmup_steps=5" : "",
                            i == SCHEDULE_STEP ? " schedule.step_at=10" : "");
                expect_effect(rates, base, WORDS[k]);
            }
}

/* ---- initial weights ---- */

static size_t take(const ParamSet *params, double *numbers) {
    assert_true(params->trained <= NUMBERS);
    for (size_t i = 0; i < params->trained; i++) numbers[i] = (double)params->values[i];
    return params->trained;
}

static size_t initial_weights(const Recipe *recipe, double *numbers) {
    ModelConfig c = recipe->model;
    size_t count = 0;
    c.width = 8, c.depth = 1, c.heads = 2, c.context = 6;
    if (recipe->task == TASK_CLASSIFY) {
        Vit *vit = vit_new(&c, (PictureShape){1, 8, 8}, 3);
        vit_initialize(vit, 1);
        count = take(vit->model.params, numbers);
        vit_free(vit);
    } else if (recipe->task == TASK_LANGUAGE) {
        Language *lm = language_new(&c, 9);
        language_initialize(lm, 1);
        count = take(lm->model.params, numbers);
        language_free(lm);
    } else if (recipe->task == TASK_TRANSLATE) {
        Translator *t = translator_new(&c, 9, 9, 6);
        translator_initialize(t, 1, 1);
        count = take(t->model.params, numbers);
        translator_free(t);
    } else {
        Speech *s = speech_new(&c, 8, 5);
        speech_initialize(s, 1);
        count = take(s->model.params, numbers);
        speech_free(s);
    }
    return count;
}

static void init_std(void **state) {
    (void)state;
    static const char *const TASKS[] = {"language", "translate", "transcribe"};
    static const char *const INITS[] = {"normal", "fairseq", "uniform"};
    static const char *const POSITIONS[][3] = {{"learned", "sinusoidal", "none"},
                                               {"learned", "sinusoidal", "none"},
                                               {"learned", "cape", "none"}};
    expect_effect(initial_weights, "task.kind=classify", "model.init_std=0.3");
    for (size_t i = 0; i < 3 * 3 * 3 * 2; i++) {
        size_t task = i / 18, init = i / 6 % 3, position = i / 2 % 3;
        char base[200];
        text_format(base, sizeof base, "task.kind=%s model.init=%s model.position=%s%s",
                    TASKS[task], INITS[init], POSITIONS[task][position],
                    i % 2 ? " model.tied=decoder" : "");
        expect_effect(initial_weights, base, "model.init_std=0.3");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_optimizers),
        cmocka_unit_test(keys_of_schedules),
        cmocka_unit_test(init_std),
    };
    return cmocka_run_group_tests_name("effects of keys", tests, NULL, NULL);
}

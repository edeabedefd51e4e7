/* A run whose keys change at a step is, bit for bit, two runs joined there by a resume
 * with the keys changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "small_trainer.h"
#include "tools/run/runlog.h"

/* glyphs, 4 steps an epoch */
static const char TINY[] = "[data]\nsource = glyphs\nsynthetic_count = 64\n"
                           "[model]\nwidth = 16\ndepth = 2\nheads = 2\npatch = 7\n"
                           "[optim]\nname = adamw\nlr = 0.003\nweight_decay = 0.1\n"
                           "[train]\nsteps = 8\nbatch = 16\nthreads = 1\n"
                           "[probe]\nevery = 1\n";
static const char SPEECH[] =
    "[task]\nkind = transcribe\n[data]\nsource = tones\nsynthetic_count = 24\n"
    "[model]\nwidth = 16\ndepth = 3\nheads = 2\nposition = cape\ndropout = 0.1\n"
    "layer_drop = 0.1\ncape_shift = 1\n"
    "[optim]\nname = adam\nlr = 0.001\n[train]\nsteps = 6\nbatch = 8\nthreads = 1\n";

static const char PAIRS[] =
    "[task]\nkind = translate\n[data]\nsource = numbers\nsynthetic_count = 100\n"
    "[model]\nwidth = 16\ndepth = 1\nheads = 2\n[train]\nsteps = 8\nbatch = 8\n";

static const char VIEWS[] =
    "[task]\nkind = contrastive\n[data]\nsource = glyphs\nsynthetic_count = 64\n"
    "augment = crop:2, flip\n[model]\nwidth = 16\ndepth = 1\nheads = 2\npatch = 7\n"
    "[optim]\nlr = 0.003\n[train]\nsteps = 6\nbatch = 16\nthreads = 1\n";

static char folder[] = "/tmp/intervene-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    char command[100];
    (void)state;
    text_format(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void set(Recipe *recipe, const char *words) {
    char *copy = mem_strdup(words), *rest = copy, *word;
    Err err = ERR_NONE;
    while ((word = strsep(&rest, " ")))
        if (*word && recipe_set(recipe, word, &err)) fail_msg("%s", err.text);
    mem_free(copy);
}

/* What a run leaves behind that the next step goes on from. */
typedef struct Ending {
    size_t count, slots;
    real *values;
    double temperature, loss, grad_norm;
} Ending;

static Ending ending_of(const Trainer *t) {
    const ParamSet *p = t->task->model->params;
    size_t slots = optim_slot_count(t->step.optim);
    Ending e = {.temperature = t->at.temperature,
                .loss = t->step.loss,
                .grad_norm = t->step.grad_norm};
    e.count = p->trained * (1 + slots) + p->buffered;
    e.values = mem_zalloc(e.count * sizeof(real));
    memcpy(e.values, p->values, p->trained * sizeof(real));
    for (size_t i = 0; i < slots; i++)
        memcpy(e.values + (i + 1) * p->trained, optim_slot(t->step.optim, i),
               p->trained * sizeof(real));
    if (p->buffered)
        memcpy(e.values + (slots + 1) * p->trained, p->buffers,
               p->buffered * sizeof(real));
    return e;
}

static Ending run(const char *name, const Recipe *recipe, const Recipe *was) {
    char dir[200];
    Trainer t;
    text_format(dir, sizeof dir, "%s/%s", folder, name);
    small_trainer_run(&t, recipe, was, dir);
    Ending e = ending_of(&t);
    trainer_close(&t);
    return e;
}

static size_t number;

static bool same(const Ending *a, const Ending *b) {
    return a->count == b->count &&
           !memcmp(a->values, b->values, a->count * sizeof(real)) && a->loss == b->loss &&
           a->grad_norm == b->grad_norm && a->temperature == b->temperature;
}

/* A run by `words` and interventions against one that is left at step `at` and resumed
 * with `change`. */
static void check_joined(const char *text, const char *words, size_t at,
                         const char *intervene, const char *change) {
    char whole_name[40], part_name[40], path[PATH_SIZE], dir[200];
    Recipe whole = small_trainer_recipe(text, words), part = whole;
    set(&whole, intervene);
    assert_int_equal(recipe_check(&whole, NULL), OK);
    text_format(whole_name, sizeof whole_name, "whole%zu", number);
    Ending a = run(whole_name, &whole, NULL);

    part.train.checkpoint_every = at;
    text_format(part_name, sizeof part_name, "part%zu", number++);
    Ending plain = run(part_name, &part, NULL);
    text_format(dir, sizeof dir, "%s/%s", folder, part_name);
    checkpoint_path(path, dir, part.train.steps);
    assert_int_equal(remove(path), 0);
    Recipe rest = part;
    set(&rest, change);
    assert_int_equal(recipe_check(&rest, NULL), OK);
    Ending b = run(part_name, &rest, &part);

    if (!same(&a, &b)) fail_msg("%s: loss %.9g, joined %.9g", intervene, a.loss, b.loss);
    if (same(&a, &plain)) fail_msg("%s: no effect", intervene);
    mem_free(a.values);
    mem_free(b.values);
    mem_free(plain.values);
}

static void any_key_changes_as_a_resume_would_change_it(void **state) {
    (void)state;
    static const struct {
        const char *words, *key, *value;
    } CASES[] = {
        {"", "optim.lr", "0.01"},
        {"", "model.temperature", "0.1"},
        {"", "model.temperature_at", "blocks.1:0.01"},
        {"", "model.dropout", "0.5"},
        {"", "optim.front_lr_scale", "3"},
        {"model.drop_path=0.1", "model.drop_path", "0.5"},
        {"", "optim.weight_decay", "0.9"},
        {"", "optim.decay_scope", "all"},
        {"", "optim.beta1", "0.5"},
        {"", "optim.beta2", "0.9"},
        {"", "optim.eps", "0.01"},
        {"", "optim.clip", "0.01"},
        {"", "train.label_smoothing", "0.2"},
        {"", "train.mixup", "0.5"},
        {"", "data.augment", "flip"},
        {"schedule.name=cosine", "schedule.min_lr", "0.002"},
        {"schedule.warmup_steps=20", "schedule.warmup_steps", "2"},
        {"", "schedule.name", "linear"},
        {"optim.name=sgd optim.momentum=0.9", "optim.momentum", "0.5"},
        {"optim.name=lamb", "optim.adapt_1d", "true"},
        {"model.reparam=sigma", "model.power_steps", "3"},
        {"model.reparam=sigma", "optim.gamma_lr_scale", "5"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char intervene[200], change[100];
        text_format(intervene, sizeof intervene, "intervene.at=5 intervene.%s=%s",
                    CASES[i].key, CASES[i].value);
        text_format(change, sizeof change, "%s=%s", CASES[i].key, CASES[i].value);
        check_joined(TINY, CASES[i].words, 5, intervene, change);
    }
}

static void epochs_count_as_their_steps(void **state) {
    (void)state;
    check_joined(TINY, "", 4, "intervene.at=1e intervene.optim.lr=0.01", "optim.lr=0.01");
    check_joined(TINY, "", 6, "intervene.at=1.5e intervene.optim.lr=0.01",
                 "optim.lr=0.01");
    check_joined(TINY, "", 6, "intervene.at=1.3e intervene.optim.lr=0.01",
                 "optim.lr=0.01");
    /* 25 steps an epoch: 0.28 * 25 is more than 7 in floating point */
    check_joined(TINY, "data.synthetic_count=100 train.batch=4", 7,
                 "intervene.at=0.28e intervene.optim.lr=0.01", "optim.lr=0.01");
}

/* Running means and the probe, which are buffers, go on too. */
static void views_are_compared_by_the_keys_of_the_step(void **state) {
    (void)state;
    check_joined(VIEWS, "", 3, "intervene.at=3 intervene.contrast.temperature=0.5",
                 "contrast.temperature=0.5");
    check_joined(VIEWS, "", 3, "intervene.at=3 intervene.contrast.probe_lr=0.01",
                 "contrast.probe_lr=0.01");
    check_joined(VIEWS, "model.reparam=sigma train.accumulate=2", 3,
                 "intervene.at=3 intervene.data.augment=flip", "data.augment=flip");
}

static void speech_has_its_own_way_with_dropout(void **state) {
    (void)state;
    check_joined(SPEECH, "", 3, "intervene.at=3 intervene.model.dropout=0.4",
                 "model.dropout=0.4");
    check_joined(SPEECH, "", 3, "intervene.at=3 intervene.model.layer_drop=0.6",
                 "model.layer_drop=0.6");
    check_joined(SPEECH, "", 3, "intervene.at=3 intervene.model.cape_shift=5",
                 "model.cape_shift=5");
}

/* Stopped before, at and behind each moment: what the unbroken run is. */
static void groups_come_one_after_another_also_when_the_run_is_resumed(void **state) {
    (void)state;
    static const char WORDS[] = "intervene.at=6 intervene.optim.lr=0.01 "
                                "intervene.at2=3 intervene.optim.lr2=0.02 "
                                "intervene.model.temperature2=0.5";
    Recipe whole = small_trainer_recipe(TINY, WORDS);
    Ending a = run("groups", &whole, NULL);
    for (size_t stop = 1; stop < 8; stop++) {
        char name[40];
        Recipe part = whole;
        part.train.steps = stop;
        text_format(name, sizeof name, "stop%zu", stop);
        mem_free(run(name, &part, NULL).values);
        Ending b = run(name, &whole, &part);
        if (memcmp(a.values, b.values, a.count * sizeof(real)) || a.loss != b.loss ||
            b.temperature != 0.5)
            fail_msg("stopped at %zu", stop);
        mem_free(b.values);
    }
    mem_free(a.values);
}

static void each_key_has_a_row_at_the_last_step_before(void **state) {
    (void)state;
    char dir[200];
    text_format(dir, sizeof dir, "%s/stop3", folder);
    RunLog *log = runlog_open(dir, NULL);
    size_t seen = 0;
    static const struct {
        double step;
        const char *text;
    } WANTED[] = {{3, "optim.lr changed from 0.003 to 0.02"},
                  {3, "model.temperature changed from 1 to 0.5"},
                  {6, "optim.lr changed from 0.02 to 0.01"}};
    assert_non_null(log);
    for (size_t i = 0; i < log->event_count; i++) {
        if (strcmp(log->events[i].kind, "intervene")) continue;
        assert_true(seen < COUNT(WANTED));
        assert_true(log->events[i].step == WANTED[seen].step);
        assert_string_equal(log->events[i].text, WANTED[seen].text);
        seen++;
    }
    assert_int_equal(seen, COUNT(WANTED));
    assert_true(log->train.lr[2] == 0.003 && log->train.lr[3] == 0.02);
    assert_true(log->train.lr[5] == 0.02 && log->train.lr[6] == 0.01);
    runlog_free(log);
}

static RunLog *log_of(const char *name, const char *words) {
    char dir[200];
    Recipe r = small_trainer_recipe(TINY, words);
    mem_free(run(name, &r, NULL).values);
    text_format(dir, sizeof dir, "%s/%s", folder, name);
    RunLog *log = runlog_open(dir, NULL);
    assert_non_null(log);
    return log;
}

/* With a rate at which weights stay what they are. */
/* The guard ends the run in the step behind the change, which is not taken. */
static void a_run_that_stops_at_its_change_makes_it_again(void **state) {
    (void)state;
    char dir[200];
    Err err = ERR_NONE;
    Trainer t;
    Recipe was = small_trainer_recipe(TINY, "guard.collapse=stop intervene.at=6 "
                                            "intervene.model.temperature=0.0001");
    text_format(dir, sizeof dir, "%s/stopped", folder);
    int kept = silence_begin("/dev/null");
    assert_int_equal(trainer_open(&t, &was, NULL, dir, NULL, false, &err), OK);
    assert_int_equal(trainer_run(&t, &err), FAIL_COLLAPSED);
    trainer_close(&t);
    silence_end(kept);
    Recipe is = was;
    set(&is, "guard.collapse=warn");
    Ending e = run("stopped", &is, &was);
    assert_true(e.temperature == 0.0001);
    mem_free(e.values);
    RunLog *log = runlog_open(dir, &err);
    size_t found = 0;
    for (size_t i = 0; i < log->event_count; i++)
        if (!strcmp(log->events[i].kind, "intervene")) {
            assert_true(log->events[i].step == 6);
            found++;
        }
    assert_int_equal(found, 1);
    runlog_free(log);
}

static void attention_sharpens_with_the_step_behind_the_change(void **state) {
    (void)state;
    RunLog *plain = log_of("plain", "optim.lr=0.0000001");
    RunLog *all = log_of("all", "optim.lr=0.0000001 intervene.at=4 "
                                "intervene.model.temperature=0.001");
    RunLog *one = log_of("one", "optim.lr=0.0000001 intervene.at=4 "
                                "intervene.model.temperature_at=blocks.1.attn:0.001");
    for (size_t i = 0; i < 8; i++)
        for (size_t s = 0; s < 2; s++) {
            double was = plain->probe.sites[s].mean[i];
            double sharp = all->probe.sites[s].mean[i];
            double second = one->probe.sites[s].mean[i];
            assert_true((plain->train.loss[i] == all->train.loss[i]) == (i < 4));
            assert_true((plain->train.loss[i] == one->train.loss[i]) == (i < 4));
            if (i < 4) assert_true(was == sharp && was == second);
            else assert_true(sharp < 0.9 * was && (second < 0.9 * was) == (s == 1));
        }
    runlog_free(plain);
    runlog_free(all);
    runlog_free(one);
}

static void refused_in(const char *name, Recipe is, const Recipe *was, const char *words,
                       const char *part) {
    char dir[200];
    Err err = ERR_NONE;
    Trainer t;
    text_format(dir, sizeof dir, "%s/%s", folder, name);
    set(&is, words);
    assert_int_equal(recipe_check(&is, NULL), OK);
    int kept = silence_begin("/dev/null");
    Status status = trainer_open(&t, &is, was, dir, NULL, false, &err);
    if (!status) trainer_close(&t);
    silence_end(kept);
    assert_int_equal(status, FAIL_USAGE);
    if (!strstr(err.text, part)) fail_msg("%s: %s", part, err.text);
}

static void refused(const Recipe *was, const char *words, const char *part) {
    refused_in("part0", *was, was, words, part);
}

/* Of a new run. */
static void refused_new(const char *text, const char *words, const char *part) {
    refused_in("new", small_trainer_recipe(text, ""), NULL, words, part);
}

static void what_has_acted_is_past_at_a_resume(void **state) {
    (void)state;
    char name[] = "part0";
    Recipe was =
        small_trainer_recipe(TINY,
                             "intervene.at=3 intervene.optim.lr=0.01 train.steps=6");
    char command[200];
    text_format(command, sizeof command, "rm -rf %s/%s", folder, name);
    assert_int_equal(system(command), 0);
    mem_free(run(name, &was, NULL).values);
    refused(&was, "train.steps=9 intervene.at=4", "intervene.at took effect");
    refused(&was, "train.steps=9 intervene.optim.lr=0.1", "intervene.at took effect");
    refused(&was, "train.steps=9 intervene.at2=5 intervene.optim.lr2=1",
            "intervene.at2 = 5 is before step 6");
    refused(&was, "train.steps=9 intervene.at2=1e intervene.optim.lr2=1",
            "use 6 or later");
    refused(&was, "train.steps=9 optim.lr=0.1",
            "optim.lr = 0.1 has no effect: intervene.at has set it to 0.01");
    Recipe is = was;
    set(&is, "train.steps=9 intervene.at2=6 intervene.optim.lr2=1 optim.clip=1");
    mem_free(run(name, &is, &was).values);
}

static void what_the_model_or_the_epochs_show_is_refused_at_the_start(void **state) {
    (void)state;
    refused_new(TINY,
                "intervene.at=4 intervene.optim.lr=1 intervene.at2=1e "
                "intervene.optim.lr2=2",
                "are both step 4 (4 steps per epoch)");
    refused_new(PAIRS,
                "train.beam=0 intervene.at=5 intervene.train.best=bleu "
                "intervene.at2=1e intervene.train.beam2=1",
                "with intervene.at: train.best = bleu needs translations");
    refused_new(TINY, "intervene.at=4 intervene.model.temperature_at=block.1:2",
                "block.1 is not an attention site");
    refused_new(
        TINY, "intervene.at=4 intervene.model.temperature_at=blocks.1:2,blocks.1.attn:3",
        "blocks.1 has no effect, because later entries cover the same sites");
    refused_new(TINY, "model.temperature_at=decoder:2",
                "decoder is not an attention site");
    refused_new(SPEECH, "intervene.at=4 intervene.data.augment=speed",
                "speeds cannot change during a run");
    refused_new(PAIRS, "intervene.at=4 intervene.train.label_smoothing=0.9999",
                "with intervene.at: train.label_smoothing = 0.9999");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_key_changes_as_a_resume_would_change_it),
        cmocka_unit_test(epochs_count_as_their_steps),
        cmocka_unit_test(views_are_compared_by_the_keys_of_the_step),
        cmocka_unit_test(speech_has_its_own_way_with_dropout),
        cmocka_unit_test(groups_come_one_after_another_also_when_the_run_is_resumed),
        cmocka_unit_test(each_key_has_a_row_at_the_last_step_before),
        cmocka_unit_test(a_run_that_stops_at_its_change_makes_it_again),
        cmocka_unit_test(attention_sharpens_with_the_step_behind_the_change),
        cmocka_unit_test(what_has_acted_is_past_at_a_resume),
        cmocka_unit_test(what_the_model_or_the_epochs_show_is_refused_at_the_start),
    };
    return cmocka_run_group_tests_name("intervened runs", tests, make_folder,
                                       remove_folder);
}

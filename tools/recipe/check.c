/* check: what several keys say together (tools/recipe/recipe.h).  One function a rule. */
#include <math.h>
#include <string.h>

#include "engine/op/attention_parts.h"
#include "engine/optim/optim.h"
#include "tools/recipe/intervene.h"
#include "tools/recipe/keys.h"
#include "tools/recipe/metric.h"
#include "tools/recipe/recipe.h"

/* The number nearest to `heads` that divides the width. */
static size_t nearest_heads(size_t width, size_t heads) {
    for (size_t away = 1;; away++) {
        if (away < heads && width % (heads - away) == 0) return heads - away;
        if (width % (heads + away) == 0) return heads + away;
        if (heads + away > width) return 1;
    }
}

static Status check_heads(const Recipe *recipe, Err *err) {
    size_t width = recipe->model.width, heads = recipe->model.heads;
    if (width % heads == 0) return OK;
    size_t below = width / heads * heads;
    return err_set(err, FAIL_USAGE,
                   "model.width = %zu is not a multiple of model.heads = %zu; "
                   "the nearest multiples are %zu and %zu; or model.heads=%zu",
                   width, heads, below ? below : heads, below + heads,
                   nearest_heads(width, heads));
}

/* What dropout of attention has masks for (engine/op/attention.c). */
static Status check_masks(const Recipe *recipe, Err *err) {
    bool speech = task_is(recipe->task, FOR_SPEECH);
    const ModelConfig *model = &recipe->model;
    double dropout = speech ? model->dropout : model->attention_dropout;
    const struct {
        const char *key;
        size_t value, most;
    } limits[] = {
        {"model.heads", model->heads, (size_t)1 << HEAD_BITS},
        {"model.context", model->context, ATTENTION_MASKED},
        {"train.batch", recipe->train.batch, (size_t)1 << EXAMPLE_BITS},
    };
    if (!(dropout > 0) || task_is(recipe->task, FOR_VISION)) return OK;
    for (size_t i = 0; i < COUNT(limits); i++)
        if (limits[i].value > limits[i].most)
            return err_set(err, FAIL_USAGE,
                           "%s = %zu: with model.%s = %g at most %zu; lower it, or set "
                           "model.%s=0",
                           limits[i].key, limits[i].value,
                           speech ? "dropout" : "attention_dropout", dropout,
                           limits[i].most, speech ? "dropout" : "attention_dropout");
    return OK;
}

/* models/block.c rounds in the same way. */
static Status check_mlp(const Recipe *recipe, Err *err) {
    double width = (double)recipe->model.width, ratio = recipe->model.mlp_ratio;
    if (round(ratio * width) >= 1) return OK;
    return err_set(err, FAIL_USAGE,
                   "model.mlp_ratio = %g of model.width = %.0f gives the MLP no hidden "
                   "units; use at least %g",
                   ratio, width, 1 / width);
}

static Status check_position(const Recipe *recipe, Err *err) {
    bool pictures = task_is(recipe->task, FOR_VISION);
    PositionKind position = recipe->model.position;
    if (task_is(recipe->task, FOR_SPEECH)) {
        if (position != POSITION_SINCOS && position != POSITION_SINUSOIDAL) return OK;
        return err_set(
            err, FAIL_USAGE,
            "model.position = %s is not for speech; choose cape, learned or none",
            position == POSITION_SINCOS ? "sincos" : "sinusoidal");
    }
    if (position == POSITION_CAPE)
        return err_set(err, FAIL_USAGE, "model.position = cape is for speech only");
    if (position == (pictures ? POSITION_SINUSOIDAL : POSITION_SINCOS))
        return err_set(err, FAIL_USAGE,
                       "model.position = %s is for %s only; for %s "
                       "use %s",
                       pictures ? "sinusoidal" : "sincos",
                       pictures ? "texts" : "pictures", pictures ? "pictures" : "texts",
                       pictures ? "sincos" : "sinusoidal");
    if (recipe->model.position != POSITION_SINCOS || recipe->model.width % 4 == 0)
        return OK;
    return err_set(err, FAIL_USAGE,
                   "model.position = sincos needs a model.width that is a "
                   "multiple of 4, not %zu",
                   recipe->model.width);
}

/* Each kind of model has initial values of its own. */
static Status check_init(const Recipe *recipe, Err *err) {
    static const char *const NAMES[] = {[INIT_NORMAL] = "normal",
                                        [INIT_FAIRSEQ] = "fairseq",
                                        [INIT_UNIFORM] = "uniform",
                                        [INIT_MOCOV3] = "mocov3"};
    bool pictures = task_is(recipe->task, FOR_VISION);
    InitKind init = recipe->model.init;
    if (init == INIT_NORMAL || (init == INIT_MOCOV3) == pictures) return OK;
    return err_set(err, FAIL_USAGE, "model.init = %s is for %s only; for %s use %s",
                   NAMES[init], pictures ? "texts and speech" : "pictures",
                   pictures ? "pictures" : "texts and speech",
                   pictures ? "normal or mocov3" : "normal, fairseq or uniform");
}

static Status check_patch(const Recipe *recipe, Err *err) {
    if (!task_is(recipe->task, FOR_VISION)) return OK;
    size_t side = recipe->data.image_size, patch = recipe->model.patch;
    if (side % patch == 0) return OK;
    return err_set(err, FAIL_USAGE,
                   "data.image_size = %zu is not a multiple of model.patch = %zu; "
                   "change one of them",
                   side, patch);
}

static Status check_length(const Recipe *recipe, Err *err) {
    bool epochs = recipe->train.epochs > 0, steps = recipe->train.steps > 0;
    if (epochs != steps) return OK;
    if (!epochs)
        return err_set(err, FAIL_USAGE,
                       "no training length: set train.epochs or train.steps");
    return err_set(err, FAIL_USAGE,
                   "train.epochs = %g and train.steps = %zu are both given; "
                   "set one of them to 0",
                   recipe->train.epochs, recipe->train.steps);
}

static Status check_accumulate(const Recipe *recipe, Err *err) {
    size_t batch = recipe->train.batch, parts = recipe->train.accumulate;
    if (recipe->train.batch_tokens || recipe->train.batch_seconds > 0) return OK;
    if (batch % parts == 0) return OK;
    return err_set(err, FAIL_USAGE,
                   "train.batch = %zu is not a multiple of train.accumulate = %zu, the "
                   "number of micro-batches; change one of them",
                   batch, parts);
}

static Status check_mixing(const Recipe *recipe, Err *err) {
    const TrainConfig *train = &recipe->train;
    if ((train->mixup == 0 && train->cutmix == 0) || train->batch >= 2) return OK;
    return err_set(err, FAIL_USAGE,
                   "train.%s mixes pairs of images, but train.batch is 1; use 2 or more",
                   train->mixup > 0 ? "mixup" : "cutmix");
}

/* From 1 on the rate would rise; PyTorch refuses that too. */
static Status check_plateau(const Recipe *recipe, Err *err) {
    const ScheduleConfig *schedule = &recipe->schedule;
    if (schedule->name != SCHEDULE_PLATEAU || schedule->step_factor < 1) return OK;
    return err_set(err, FAIL_USAGE,
                   "schedule.step_factor = %g does not lower the learning rate; "
                   "schedule.name = plateau needs a factor below 1",
                   schedule->step_factor);
}

/* "loss or ppl or bleu": what a schedule of the task can watch. */
static void watchable(TaskKind task, char *text, size_t size) {
    size_t used = 0;
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        const char *key = metrics[m].key;
        bool named = !strcmp(metric_watch_names[metric_watch_place(key)], key);
        if (!named || !task_is(task, metrics[m].tasks)) continue;
        text_format(text + used, size - used, "%s%s", used ? " or " : "", key);
        used += strlen(text + used);
    }
}

/* Translations are what some scores are of. */
static Status check_translated(const Recipe *recipe, const char *key, Metric metric,
                               Err *err) {
    if (!metrics[metric].translated || recipe->train.beam) return OK;
    return err_set(err, FAIL_USAGE, "%s = %s needs translations; set train.beam > 0", key,
                   metrics[metric].key);
}

/* Whether the task measures what the schedule watches. */
static Status check_watch(const Recipe *recipe, Err *err) {
    const ScheduleConfig *schedule = &recipe->schedule;
    Metric metric = metric_watch(schedule->watch);
    char wanted[200];
    if (schedule->name != SCHEDULE_PLATEAU) return OK;
    if (task_is(recipe->task, metrics[metric].tasks))
        return check_translated(recipe, "schedule.watch", metric, err);
    watchable(recipe->task, wanted, sizeof wanted);
    return err_set(err, FAIL_USAGE,
                   "schedule.watch = %s: task.kind = %s has no such score; expected %s",
                   metrics[metric].key, task_name(recipe->task), wanted);
}

static Status check_step_at(const Recipe *recipe, Err *err) {
    const ScheduleConfig *schedule = &recipe->schedule;
    if (schedule->name == SCHEDULE_STEP && schedule->step_count == 0)
        return err_set(err, FAIL_USAGE,
                       "schedule.name = step needs schedule.step_at, the steps at "
                       "which the learning rate is reduced");
    for (size_t i = 1; i < schedule->step_count; i++)
        if (schedule->step_at[i] <= schedule->step_at[i - 1])
            return err_set(err, FAIL_USAGE,
                           "schedule.step_at has %.0f after %.0f; list the steps in "
                           "increasing order",
                           schedule->step_at[i], schedule->step_at[i - 1]);
    return OK;
}

static Status check_warmup(const Recipe *recipe, Err *err) {
    const ScheduleConfig *schedule = &recipe->schedule;
    if (schedule->warmup_steps && schedule->warmup_epochs > 0)
        return err_set(err, FAIL_USAGE,
                       "schedule.warmup_steps = %zu and schedule.warmup_epochs "
                       "= %g are both given; set one of them to 0",
                       schedule->warmup_steps, schedule->warmup_epochs);
    return OK;
}

static Status check_nesterov(const Recipe *recipe, Err *err) {
    const OptimConfig *optim = &recipe->optim;
    const Key *key = key_find("optim.nesterov");
    if (!optim->nesterov || optim->momentum > 0) return OK;
    if (!key_has_effect(key, recipe, NULL, 0)) return OK;
    return err_set(err, FAIL_USAGE,
                   "optim.nesterov needs momentum; set optim.momentum, for example to "
                   "0.9");
}

static Status check_source(const Recipe *recipe, Err *err) {
    Source source = recipe->data.source;
    ExampleKind wanted = task_examples(recipe->task);
    char list[300];
    source_list((SourceChoice){1u << wanted, 0}, ", ", " or ", list, sizeof list);
    if (source_examples(source) != wanted)
        return err_set(err, FAIL_USAGE,
                       "data.source = %s is not for task.kind = %s, which needs %s: %s",
                       source_name(source), task_name(recipe->task),
                       examples_name(wanted), list);
    if (*recipe->data.path || source_has(source, TRAIT_SYNTHETIC)) return OK;
    return err_set(err, FAIL_USAGE,
                   "data.source = %s needs data.path, the location of its files",
                   source_name(source));
}

static Status check_languages(const Recipe *recipe, Err *err) {
    const DataConfig *data = &recipe->data;
    if (!task_is(recipe->task, FOR_PAIRS) || data->source != SOURCE_PARALLEL) return OK;
    if (!*data->source_lang || !*data->target_lang)
        return err_set(err, FAIL_USAGE,
                       "data.source = parallel needs data.source_lang and "
                       "data.target_lang, the suffixes of its files");
    if (strcmp(data->source_lang, data->target_lang)) return OK;
    return err_set(err, FAIL_USAGE,
                   "data.source_lang and data.target_lang are both %s; expected two "
                   "languages",
                   data->source_lang);
}

static Status check_tied(const Recipe *recipe, Err *err) {
    if (!task_is(recipe->task, FOR_PAIRS) || recipe->model.tied != TIED_ALL ||
        recipe->data.joint)
        return OK;
    return err_set(err, FAIL_USAGE,
                   "model.tied = all needs one dictionary for both languages: set "
                   "data.joint = true");
}

static Status check_cutoffs(const Recipe *recipe, Err *err) {
    const ModelConfig *model = &recipe->model;
    for (size_t i = 1; i < model->cutoff_count; i++)
        if (model->cutoffs[i] <= model->cutoffs[i - 1])
            return err_set(err, FAIL_USAGE,
                           "model.cutoffs has %.0f after %.0f; list them in increasing "
                           "order",
                           model->cutoffs[i], model->cutoffs[i - 1]);
    return OK;
}

static Status check_adaptive(const Recipe *recipe, Err *err) {
    if (!recipe->model.cutoff_count || recipe->train.label_smoothing == 0) return OK;
    return err_set(
        err, FAIL_USAGE,
        "model.cutoffs (the adaptive softmax) and train.label_smoothing cannot be "
        "combined; unset one of them");
}

static Status check_joint(const Recipe *recipe, Err *err) {
    const DataConfig *data = &recipe->data;
    if (!data->joint || !*data->target_vocab ||
        !strcmp(data->target_vocab, data->source_vocab))
        return OK;
    return err_set(err, FAIL_USAGE,
                   "data.joint = true uses one dictionary, data.source_vocab; leave "
                   "out data.target_vocab = %s",
                   data->target_vocab);
}

static Status check_stride(const Recipe *recipe, Err *err) {
    size_t stride = recipe->train.eval_stride, context = recipe->model.context;
    if (stride <= context) return OK;
    return err_set(err, FAIL_USAGE,
                   "train.eval_stride = %zu is more than the %zu tokens of model.context",
                   stride, context);
}

static Status check_best(const Recipe *recipe, Err *err) {
    Metric metric = metric_best(recipe->train.best);
    if (metric == METRIC_COUNT) return OK;
    if (task_is(recipe->task, metrics[metric].tasks))
        return check_translated(recipe, "train.best", metric, err);
    return err_set(err, FAIL_USAGE, "train.best = %s: task.kind = %s has no such score",
                   metrics[metric].key, task_name(recipe->task));
}

static Status check_augment(const Recipe *recipe, Err *err) {
    const char *augment = recipe->data.augment;
    bool speech = task_is(recipe->task, FOR_SPEECH), masks = !strncmp(augment, "spe", 3);
    if (!strcmp(augment, "none") || !*augment || speech == masks) return OK;
    return err_set(err, FAIL_USAGE, "data.augment = %s is only for %s", augment,
                   masks ? "speech" : "pictures; for speech: speed, specaugment");
}

static Status check_layer_drop(const Recipe *recipe, Err *err) {
    if (recipe->model.layer_drop == 0 || recipe->model.norm != NORM_DEEPNORM) return OK;
    return err_set(err, FAIL_USAGE,
                   "model.layer_drop and model.norm = deepnorm cannot be combined");
}

static Status check_channels(const Recipe *recipe, Err *err) {
    const DataConfig *data = &recipe->data;
    size_t most = MAX(data->mean_count, data->std_count);
    size_t least = MIN(data->mean_count, data->std_count);
    if (data->channels == 2 || data->channels == 4)
        return err_set(err, FAIL_USAGE,
                       "data.channels = %zu: expected 1 (grey), 3 (RGB) or 0 (3)",
                       data->channels);
    if (least > 1 && least != most)
        return err_set(err, FAIL_USAGE,
                       "data.mean has %zu numbers and data.std %zu; give each one "
                       "number, or one per channel",
                       data->mean_count, data->std_count);
    if (data->channels == 0 || most == 1 || most == data->channels) return OK;
    return err_set(err, FAIL_USAGE,
                   "data.mean or data.std has %zu numbers for data.channels = %zu; "
                   "give one, or one per channel",
                   most, data->channels);
}

static Status check_rules(const Recipe *recipe, Err *err);

/* State that a run keeps from its first step on cannot begin later, or end. */
static Status check_state(const Recipe *recipe, const Recipe *now, Err *err) {
    if (optim_slots_needed(&recipe->optim) != optim_slots_needed(&now->optim))
        return err_set(
            err, FAIL_USAGE,
            "optim.momentum cannot change from or to 0 during a run, because its "
            "buffers exist from the first step or not at all; begin with a small value "
            "such as 1e-6");
    if (!(recipe->contrast.probe_lr > 0) && now->contrast.probe_lr > 0)
        return err_set(err, FAIL_USAGE,
                       "contrast.probe_lr cannot change from 0 during a run, because "
                       "the probe exists from the first step or not at all");
    if (recipe->train.precision != TRAIN_AUTO && now->train.precision == TRAIN_AUTO)
        return err_set(err, FAIL_USAGE,
                       "train.precision = auto is resolved when a run begins and "
                       "cannot be set later; give fp32 or bf16");
    if ((recipe->train.ema > 0) != (now->train.ema > 0))
        return err_set(
            err, FAIL_USAGE,
            "train.ema cannot change from or to 0 during a run, because the average "
            "exists from the first step or not at all; begin with a small value such "
            "as 1e-6");
    return OK;
}

static Status check_in_force(const Recipe *recipe, const Recipe *now, Err *err) {
    Status status = check_rules(now, err);
    return status ? status : check_state(recipe, now, err);
}

Status recipe_check_course(const Recipe *recipe, const Acted *acted,
                           const double place[INTERVENE_GROUPS], Err *err) {
    return intervene_check_course(recipe, acted, place, check_in_force, err);
}

static Status check_course(const Recipe *recipe, double steps_per_epoch, Err *err) {
    double place[INTERVENE_GROUPS];
    intervene_places(recipe, steps_per_epoch, place);
    return recipe_check_course(recipe, &(Acted){0}, place, err);
}

/* Is there a number of steps per epoch with which two moments, one in steps and one in
 * epochs, come in an order that is right?  The order changes where they meet. */
static bool some_order_is_right(const Recipe *recipe, Moment steps, Moment epochs) {
    if (steps.unit != MOMENT_STEPS || epochs.unit != MOMENT_EPOCHS || epochs.value == 0)
        return false;
    double meet = steps.value / epochs.value;
    return !check_course(recipe, meet, NULL) ||
           !check_course(recipe, meet * (1 - 1e-9), NULL) ||
           !check_course(recipe, meet * (1 + 1e-9), NULL);
}

/* The recipe from each moment on, as if it had been given.  How many steps an epoch has
 * is not known yet: FAIL_USAGE if it cannot be right. */
static Status check_interventions(const Recipe *recipe, Err *err) {
    const Intervention *group = recipe->intervene.group;
    Status status = intervene_check(recipe, err);
    Err first = ERR_NONE;
    if (status || !check_course(recipe, 1, &first)) return status;
    for (size_t g = 0; g < INTERVENE_GROUPS; g++)
        for (size_t h = 0; h < INTERVENE_GROUPS; h++)
            if (some_order_is_right(recipe, group[g].at, group[h].at)) return OK;
    if (err) *err = first;
    return first.status;
}

/* Two stacks: which layer of the one is as far from the output as one of the other? */
static Status check_layer_decay(const Recipe *recipe, Err *err) {
    if (!task_is(recipe->task, FOR_PAIRS) || recipe->optim.layer_decay == 1) return OK;
    return err_set(
        err, FAIL_USAGE,
        "optim.layer_decay = %g is not for task.kind = translate, where encoder and "
        "decoder have no common order of layers; leave it out",
        recipe->optim.layer_decay);
}

static Status (*const rules[])(const Recipe *, Err *) = {
    check_heads,      check_mlp,     check_position, check_patch,   check_length,
    check_mixing,     check_step_at, check_warmup,   check_tied,    check_accumulate,
    check_nesterov,   check_source,  check_channels, check_cutoffs, check_languages,
    check_stride,     check_best,    check_adaptive, check_joint,   check_augment,
    check_layer_drop, check_plateau, check_watch,    check_init,    check_layer_decay,
    check_masks,
};

static Status check_rules(const Recipe *recipe, Err *err) {
    Status status = OK;
    for (size_t i = 0; i < COUNT(rules) && !status; i++) status = rules[i](recipe, err);
    return status;
}

static void reset_unused(Recipe *recipe) {
    for (const Key *key = keys; key < keys + keys_count; key++)
        if (key_is_stored(key) && !key_applies(key, recipe))
            key_parse(key, recipe, key->standard, NULL);
}

Status recipe_check(Recipe *recipe, Err *err) {
    reset_unused(recipe);
    Status status = check_rules(recipe, err);
    return status ? status : check_interventions(recipe, err);
}

#include "data/picture/maker.h"

#include <math.h>
#include <string.h>

#include "data/picture/augment.h"
#include "data/picture/mix.h"
#include "data/picture/plan.h"

struct Maker {
    const Dataset *set;
    LoaderConfig config;
    Plan plan;
    Augment *augment;
    Image image, original;         /* of pairs: before it is augmented */
    real level[CHANNELS_MAX][256]; /* normalised value of each byte */
};

/* --- making and checking ------------------------------------------------------------ */

static Status check_count(const char *key, size_t count, size_t channels, Err *err) {
    if (count == 1 || count == channels) return OK;
    if (channels == 1)
        return err_set(
            err, FAIL_USAGE,
            "data.%s has %zu numbers: expected 1, because the pictures have one "
            "channel",
            key, count);
    return err_set(err, FAIL_USAGE,
                   "data.%s has %zu numbers: expected 1, or %zu (one per channel)", key,
                   count, channels);
}

Status maker_check_levels(const DataConfig *data, size_t channels, Err *err) {
    Status status = check_count("mean", data->mean_count, channels, err);
    if (!status) status = check_count("std", data->std_count, channels, err);
    for (size_t c = 0; !status && c < data->std_count; c++)
        if (!(data->std[c] > 0))
            status = err_set(err, FAIL_USAGE, "data.std is %g: expected more than 0",
                             data->std[c]);
    return status;
}

static Status check_config(const Dataset *set, const LoaderConfig *config, Err *err) {
    const DataConfig *data = &config->data;
    CHECK(config->batch && config->height && config->width, "batch %zu of %zu x %zu",
          config->batch, config->height, config->width);
    CHECK(set->channels && set->channels <= CHANNELS_MAX, "%zu channels", set->channels);
    if (maker_check_levels(data, set->channels, err)) return err->status;
    if (config->training && set->count < config->batch)
        return err_set(err, FAIL_USAGE,
                       "train.batch is %zu, but the training split (%s) has only %zu "
                       "images; use a smaller batch",
                       config->batch, set->source, set->count);
    return OK;
}

/* value = (p / 255 - mean) / std; gaps of moved pictures are filled with the mean
 * colour. */
static void set_levels(Maker *maker) {
    const DataConfig *data = &maker->config.data;
    for (size_t c = 0; c < maker->set->channels; c++) {
        double mean = data->mean[data->mean_count > 1 ? c : 0];
        double std = data->std[data->std_count > 1 ? c : 0];
        for (int p = 0; p < 256; p++)
            maker->level[c][p] = (real)((p / 255.0 - mean) / std);
    }
    augment_set_fill(maker->augment, data->mean, data->mean_count, maker->set->channels);
}

Maker *maker_new(const Dataset *set, const LoaderConfig *config, Err *err) {
    if (check_config(set, config, err)) return NULL;
    Augment *augment = augment_parse(config->data.augment, err);
    if (!augment) return NULL;
    Maker *maker = mem_zalloc(sizeof *maker);
    maker->set = set;
    maker->config = *config;
    maker->augment = augment;
    maker->plan = (Plan){.items = set->count,
                         .sample = MIN(config->sample, set->count),
                         .batch = config->batch,
                         .part = config->part,
                         .parts = config->parts,
                         .repeat = config->data.repeat,
                         .training = config->training,
                         .shuffle = config->data.shuffle,
                         .start = config->start,
                         .seed = config->seed};
    plan_begin(&maker->plan);
    set_levels(maker);
    return maker;
}

void maker_free(Maker *maker) {
    if (!maker) return;
    plan_end(&maker->plan);
    augment_free(maker->augment);
    image_free(&maker->image);
    image_free(&maker->original);
    mem_free(maker);
}

size_t maker_last(const Maker *maker) {
    return maker->config.training ? SIZE_MAX : plan_batches(&maker->plan);
}

size_t batch_room(const LoaderConfig *config) {
    size_t parts = MAX(config->parts, (size_t)1);
    return (config->batch + parts - 1) / parts + (parts > 1);
}

size_t batch_views(const LoaderConfig *config) {
    if (!config->pairs) return 1;
    return config->training ? 2 : 3;
}

void batch_begin(Batch *batch, const Dataset *set, const LoaderConfig *config) {
    size_t slots = batch_room(config);
    *batch = (Batch){.channels = set->channels,
                     .height = config->height,
                     .width = config->width};
    size_t picture = set->channels * config->height * config->width;
    batch->pixels = mem_array(slots, picture * sizeof(real));
    if (config->pairs) {
        batch->view[0] =
            config->training ? batch->pixels : mem_array(slots, picture * sizeof(real));
        batch->view[1] = mem_array(slots, picture * sizeof(real));
    }
    batch->label = mem_zalloc(slots * sizeof *batch->label);
    batch->mixed_label = mem_zalloc(slots * sizeof *batch->mixed_label);
    batch->mix = mem_zalloc(slots * sizeof *batch->mix);
    batch->item = mem_zalloc(slots * sizeof *batch->item);
    batch->skip_reason = "";
}

void batch_end(Batch *batch) {
    skiplist_free(&batch->broken);
    if (batch->view[0] != batch->pixels) mem_free(batch->view[0]);
    mem_free(batch->view[1]);
    mem_free(batch->pixels);
    mem_free(batch->label);
    mem_free(batch->mixed_label);
    mem_free(batch->mix);
    mem_free(batch->item);
    *batch = (Batch){0};
}

/* --- filling ------------------------------------------------------------------------ */

/* [Y, X, C] bytes become [C, Y, X] normalised. */
static void normalise(const Maker *maker, real *to) {
    const Image *image = &maker->image;
    size_t area = image->height * image->width, channels = image->channels;
    for (size_t c = 0; c < channels; c++)
        for (size_t p = 0; p < area; p++)
            *to++ = maker->level[c][image->pixels[p * channels + c]];
}

static void make_augmented(Maker *maker, Rng rng, real *to) {
    const LoaderConfig *config = &maker->config;
    RngCursor dice = {rng, 0};
    augment_train(maker->augment, &maker->image, config->height, config->width, &dice);
    normalise(maker, to);
    augment_erase(maker->augment, to, maker->image.channels, config->height,
                  config->width, &dice);
}

/* The random numbers of a picture belong to its slot, whatever item stands there. */
static void make_view(Maker *maker, size_t n, size_t slot, real *to) {
    const LoaderConfig *config = &maker->config;
    if (config->training) {
        make_augmented(maker, rng_make(config->seed, RNG_AUGMENT + slot, n), to);
        return;
    }
    augment_eval(maker->augment, &maker->image, config->height, config->width);
    normalise(maker, to);
}

static real *picture_of(const Batch *batch, real *pixels, size_t place) {
    return pixels + place * batch->channels * batch->height * batch->width;
}

/* The views of the picture at `place` that `pixels` are not. */
static void make_pair(Maker *maker, size_t n, size_t slot, size_t place, Batch *batch) {
    const LoaderConfig *config = &maker->config;
    for (size_t v = config->training; v < 2; v++) {
        Rng rng = config->training ? rng_make(config->seed, RNG_VIEW + slot, n)
                                   : rng_make(0, RNG_VIEW_FIXED + v, batch->item[place]);
        image_copy(&maker->original, &maker->image);
        make_augmented(maker, rng, picture_of(batch, batch->view[v], place));
    }
}

/* Reads the slot's item for `place` of the batch; with on_error = skip in training the
 * next good one of the order.  FAIL_DATA with skip in evaluation: the slot stays out. */
static Status read_slot(Maker *maker, size_t n, size_t slot, size_t place, Batch *batch,
                        Err *err) {
    bool skip = maker->config.data.on_error == ON_ERROR_SKIP;
    size_t tries = skip && maker->config.training ? maker->set->count : 1;
    for (size_t k = 0; k < tries; k++) {
        batch->item[place] = plan_item(&maker->plan, n, slot, k);
        Status status = dataset_get(maker->set, batch->item[place], &maker->image,
                                    &batch->label[place], err);
        if (status != FAIL_DATA || !skip) return status;
        skiplist_add(&batch->broken, batch->item[place], err->text);
        batch->skipped++;
    }
    if (tries > 1) err_wrap(err, "none of %zu images can be read; the last", tries);
    return FAIL_DATA;
}

/* The partner of our example at `place`, which is in another part: made again, in the
 * spare place at the end.  A broken item counts where it is trained on, not here. */
static Status mix_stranger(Maker *maker, size_t n, size_t place, const Mix *mix,
                           Batch *batch, Err *err) {
    size_t spare = batch_room(&maker->config) - 1;
    size_t skipped = batch->skipped, skips = batch->broken.count;
    size_t slot = batch->whole - 1 - (batch->first + place);
    Status status = read_slot(maker, n, slot, spare, batch, err);
    batch->skipped = skipped;
    skiplist_cut(&batch->broken, skips);
    if (status) return status;
    real *other = picture_of(batch, batch->pixels, spare);
    make_view(maker, n, slot, other);
    mix_pair(mix, batch, picture_of(batch, batch->pixels, place), other);
    batch->mixed_label[place] = batch->label[spare];
    return OK;
}

/* The partner of slot s is slot whole-1-s; the middle one of an odd batch is its own. */
static Status mix_part(Maker *maker, size_t n, Batch *batch, const atomic_bool *stop,
                       Err *err) {
    const LoaderConfig *config = &maker->config;
    RngCursor dice = {rng_make(config->seed, RNG_MIX, n), 0};
    Mix mix = mix_draw(batch, config->mixup, config->cutmix, &dice);
    for (size_t place = 0; place < batch->count; place++) {
        size_t other = batch->whole - 1 - (batch->first + place);
        batch->mix[place] = (real)mix.lambda;
        if (other < batch->first || other >= batch->first + batch->count) {
            if (atomic_load(stop)) return FAIL_INTERRUPTED;
            Status status = mix_stranger(maker, n, place, &mix, batch, err);
            if (status) return status;
            continue;
        }
        other -= batch->first;
        batch->mixed_label[place] = batch->label[other];
        if (place < other)
            mix_pair(&mix, batch, picture_of(batch, batch->pixels, place),
                     picture_of(batch, batch->pixels, other));
    }
    return OK;
}

Status maker_fill(Maker *maker, size_t n, Batch *batch, const atomic_bool *stop,
                  Err *err) {
    const LoaderConfig *config = &maker->config;
    bool may_leave_out = !config->training && config->data.on_error == ON_ERROR_SKIP;
    size_t end = plan_part(&maker->plan, n, &batch->first);
    batch->whole = plan_count(&maker->plan, n);
    batch->count = batch->skipped = 0;
    skiplist_cut(&batch->broken, 0);
    for (size_t slot = batch->first; slot < end; slot++) {
        size_t place = batch->count;
        if (atomic_load(stop)) return FAIL_INTERRUPTED;
        Status status = read_slot(maker, n, slot, place, batch, err);
        if (status == FAIL_DATA && may_leave_out) {
            batch->whole--;
            continue;
        }
        if (status) return status;
        if (config->pairs) image_copy(&maker->image, &maker->original);
        make_view(maker, n, slot, picture_of(batch, batch->pixels, place));
        if (config->pairs) make_pair(maker, n, slot, place, batch);
        batch->mixed_label[place] = batch->label[place];
        batch->mix[place] = 1;
        batch->count++;
    }
    bool mixing =
        config->training && !config->pairs && (config->mixup > 0 || config->cutmix > 0);
    return mixing ? mix_part(maker, n, batch, stop, err) : OK;
}

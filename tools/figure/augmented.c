#include "tools/figure/augmented.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/picture/augment.h"
#include "data/picture/dataset.h"
#include "data/picture/maker.h"
#include "engine/core/text.h"
#include "tools/chart/sheet.h"

typedef struct Making {
    const DataConfig *data;
    const AugmentedOptions *options;
    Dataset *set;
    Augment *augment;
    size_t most, rows, columns; /* most: rows that there may be */
    size_t height, width;       /* of a view */
    Image *image;               /* [rows, columns] */
    char (*name)[64];           /* [rows] of its class */
    real *pixels;               /* of a view, normalised */
    bool *taken;                /* [count] items that a row has, or that are broken */
    size_t broken;
    char reason[400]; /* of the last of them */
} Making;

static double channel_of(const double *numbers, size_t count, size_t c) {
    return numbers[MIN(c, count - 1)];
}

/* Random erasing changes normalised pictures: there and back. */
static void erase(const Making *m, Image *image, RngCursor *dice) {
    const DataConfig *data = m->data;
    size_t channels = image->channels, area = image->height * image->width;
    for (size_t c = 0; c < channels; c++)
        for (size_t p = 0; p < area; p++) {
            double level = image->pixels[p * channels + c] / 255.0;
            double mean = channel_of(data->mean, data->mean_count, c);
            double std = channel_of(data->std, data->std_count, c);
            m->pixels[c * area + p] = (real)((level - mean) / std);
        }
    augment_erase(m->augment, m->pixels, channels, image->height, image->width, dice);
    for (size_t c = 0; c < channels; c++)
        for (size_t p = 0; p < area; p++) {
            double mean = channel_of(data->mean, data->mean_count, c);
            double std = channel_of(data->std, data->std_count, c);
            double level = 255 * ((double)m->pixels[c * area + p] * std + mean);
            image->pixels[p * channels + c] = (uint8_t)lround(MAX(0, MIN(255, level)));
        }
}

/* Any good item from `item` on that no row has, or with data.on_error = stop that one.
 * FAIL_DATA: there is none. */
static Status read_item(Making *m, size_t item, Image *image, size_t *label, Err *err) {
    for (size_t k = 0; k < m->set->count; k++, item++) {
        item %= m->set->count;
        if (m->taken[item]) continue;
        m->taken[item] = true;
        Err own = ERR_NONE;
        Status status = dataset_get(m->set, item, image, label, &own);
        if (!status) return OK;
        if (status != FAIL_DATA || m->data->on_error == ON_ERROR_STOP)
            return err_set(err, status, "%s", own.text);
        m->broken++;
        text_format(m->reason, sizeof m->reason, "%.390s", own.text);
    }
    return err_set(err, FAIL_DATA, "none of %zu pictures can be read; the last: %s",
                   m->set->count, m->reason);
}

/* As data.image_size says, or all pictures have, or the first has. */
static void find_size(Making *m, const Image *first) {
    size_t side = m->data->image_size;
    m->height = side ? side : m->set->height ? m->set->height : first->height;
    m->width = side ? side : m->set->width ? m->set->width : first->width;
    m->pixels = mem_array(m->height * m->width, first->channels * sizeof *m->pixels);
}

static Status make_row(Making *m, size_t row, Err *err) {
    Image *image = m->image + row * m->columns;
    /* One further each time, since classes may follow one another in turn. */
    size_t count = m->set->count, between = count / m->most;
    size_t label = 0, item = row * count / m->most + row % between;
    if (read_item(m, item, image, &label, err)) return err->status;
    if (!m->pixels) find_size(m, image);
    if (m->set->class_names)
        utf8_show(m->set->class_names[label], strlen(m->set->class_names[label]),
                  m->name[row], sizeof m->name[row]);
    else text_format(m->name[row], sizeof m->name[row], "%zu", label);
    for (size_t draw = 1; draw < m->columns; draw++) {
        RngCursor dice = {rng_make(m->options->seed, RNG_AUGMENT + row, draw), 0};
        image_copy(image, &image[draw]);
        augment_train(m->augment, &image[draw], m->height, m->width, &dice);
        erase(m, &image[draw], &dice);
    }
    return OK;
}

/* As many as there are good pictures for. */
static Status make_rows(Making *m, Err *err) {
    size_t most = m->most = MIN(m->options->pictures, m->set->count);
    Status status = OK;
    m->image = mem_zarray(most * m->columns, sizeof *m->image);
    m->name = mem_zarray(most, sizeof *m->name);
    m->taken = mem_zarray(m->set->count, sizeof *m->taken);
    augment_set_fill(m->augment, m->data->mean, m->data->mean_count, m->set->channels);
    while (m->rows < most && !(status = make_row(m, m->rows, err))) m->rows++;
    bool some = status == FAIL_DATA && m->rows && m->data->on_error == ON_ERROR_SKIP;
    if (some) *err = ERR_NONE;
    return some ? OK : status;
}

static Status draw(const Making *m, const char *path, Err *err) {
    const char *rows[AUGMENTED_MOST], *columns[AUGMENTED_MOST + 1] = {"as read"};
    char number[AUGMENTED_MOST + 1][24], detail[400];
    for (size_t r = 0; r < m->rows; r++) rows[r] = m->name[r];
    for (size_t c = 1; c < m->columns; c++) {
        text_format(number[c], sizeof number[c], "%zu", c);
        columns[c] = number[c];
    }
    text_format(detail, sizeof detail, "data.augment = %s",
                *m->data->augment ? m->data->augment : "none");
    Sheet sheet = {.title = m->options->title,
                   .detail = detail,
                   .rows = m->rows,
                   .columns = m->columns,
                   .image = m->image,
                   .row_names = rows,
                   .column_names = columns,
                   .theme = m->options->theme};
    return sheet_write(&sheet, path, err);
}

static void note(const Making *m, DataFacts *notes) {
    char colours[AUGMENT_COLOURS];
    const char *list = m->data->augment;
    facts_note(notes, m->broken, "%zu broken picture%s skipped (the last: %s)", m->broken,
               m->broken == 1 ? " is" : "s are", m->reason);
    if (!*list || !strcmp(list, "none"))
        facts_note(notes, 1, "data.augment = none: every draw is the unchanged picture");
    if (m->set->channels < 3 && augment_colours(list, colours))
        facts_note(notes, 1,
                   "data.augment: %s: no effect on pictures of %zu "
                   "channel%s",
                   colours, m->set->channels, m->set->channels == 1 ? "" : "s");
    if (m->rows < m->options->pictures)
        facts_note(notes, 1, "the training split has only %zu readable picture%s",
                   m->rows, m->rows == 1 ? "" : "s");
}

static void release(Making *m) {
    for (size_t k = 0; m->image && k < m->most * m->columns; k++)
        image_free(&m->image[k]);
    mem_free(m->image);
    mem_free(m->name);
    mem_free(m->taken);
    mem_free(m->pixels);
    augment_free(m->augment);
    dataset_free(m->set);
}

Status augmented_write(const DataConfig *data, const AugmentedOptions *options,
                       const char *path, DataFacts *notes, Err *err) {
    CHECK(options->pictures && options->pictures <= AUGMENTED_MOST && options->draws &&
              options->draws <= AUGMENTED_MOST,
          "%zu pictures, %zu draws", options->pictures, options->draws);
    Making m = {.data = data, .options = options, .columns = options->draws + 1};
    m.augment = augment_parse(data->augment, err);
    m.set = m.augment ? dataset_open(data, SPLIT_TRAIN, err) : NULL;
    Status status = m.set ? maker_check_levels(data, m.set->channels, err) : err->status;
    if (!status) status = make_rows(&m, err);
    if (!status) status = draw(&m, path, err);
    if (!status) note(&m, notes);
    release(&m);
    return status;
}

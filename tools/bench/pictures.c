/* pictures: what data.augment costs a view, on one thread (tools/bench/bench.h). */
#include <string.h>

#include "data/picture/augment.h"
#include "engine/core/rng.h"
#include "tools/bench/bench.h"

enum { VIEWS = 32 }; /* of a call: draws differ, and some do nothing */

/* What a contrastive recipe has, where no list is given. */
static const char SIMCLR[] =
    "random-resized-crop,flip,jitter:0.4:0.4:0.4:0.1:0.8,grey,blur";

typedef struct Views {
    Augment *augment;
    Image original, image;
    size_t height, width; /* of a view */
    uint64_t calls;
} Views;

/* Noise: of small pictures the view's size, of larger ones a third more, as photographs
 * are kept. */
static void make_original(Views *v, size_t channels) {
    size_t more = v->height > 64 ? v->height / 3 : 0;
    Image *image = &v->original;
    Rng rng = rng_make(0, RNG_SYNTHETIC, 0);
    image_resize_buffer(image, v->height + more, v->width + 2 * more, channels);
    for (size_t p = 0; p < image->height * image->width * channels; p++)
        image->pixels[p] = (uint8_t)rng_below(rng, p, 256);
}

static double time_views(void *context) {
    Views *v = context;
    double began = clock_now();
    for (size_t k = 0; k < VIEWS; k++) {
        RngCursor dice = {rng_make(0, RNG_AUGMENT + k, v->calls), 0};
        image_copy(&v->original, &v->image);
        augment_train(v->augment, &v->image, v->height, v->width, &dice);
    }
    v->calls++;
    return (clock_now() - began) / VIEWS;
}

static Status time_list(const Bench *bench, const BenchSubject *subject, Views *v,
                        const char *list, const char *name, Err *err) {
    BenchRow row = {.level = "picture", .per_step = subject->batch};
    v->augment = augment_parse(list, err);
    if (!v->augment) return err->status;
    row.time = bench_time(time_views, v, &bench->effort);
    augment_free(v->augment);
    text_format(row.name, sizeof row.name, "%s", name);
    text_format(row.shape, sizeof row.shape, "%zux%zu to %zux%zu", v->original.height,
                v->original.width, v->height, v->width);
    bench_print_row(bench, subject, &row);
    return OK;
}

/* Each entry alone, then all. */
Status bench_pictures(Bench *bench, const BenchSubject *subject, Err *err) {
    const char *list = subject->recipe.data.augment;
    if (!*list || !strcmp(list, "none")) list = SIMCLR;
    Views v = {.height = subject->picture.height, .width = subject->picture.width};
    make_original(&v, subject->picture.channels);
    bench_print_heading(bench, "views of pictures", subject);
    char *entries = mem_strdup(list), *rest = entries;
    Status status = OK;
    for (char *entry; !status && (entry = strsep(&rest, ","));)
        status = time_list(bench, subject, &v, entry, entry, err);
    if (!status) status = time_list(bench, subject, &v, list, "all of data.augment", err);
    mem_free(entries);
    image_free(&v.original);
    image_free(&v.image);
    return status;
}

#include <string.h>

#include "data/picture/pixels.h"
#include "data/picture/planes.h"

static size_t byte_count(const Image *image) {
    return image->height * image->width * image->channels;
}

/* A point operation: one table for all channels, or one for a channel. */
static void apply_table(Image *image, const uint8_t table[256]) {
    size_t n = byte_count(image);
    for (size_t p = 0; p < n; p++) image->pixels[p] = table[image->pixels[p]];
}

static void apply_channel(Image *image, size_t channel, const uint8_t table[256]) {
    size_t n = byte_count(image);
    for (size_t p = channel; p < n; p += image->channels)
        image->pixels[p] = table[image->pixels[p]];
}

static void count_levels(const Image *image, size_t channel, size_t levels[256]) {
    memset(levels, 0, 256 * sizeof *levels);
    size_t n = byte_count(image);
    for (size_t p = channel; p < n; p += image->channels) levels[image->pixels[p]]++;
}

static uint8_t to_byte(double value) {
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void image_autocontrast(Image *image) {
    for (size_t c = 0; c < image->channels; c++) {
        size_t levels[256];
        count_levels(image, c, levels);
        int low = 0, high = 255;
        while (low < 255 && !levels[low]) low++;
        while (high > 0 && !levels[high]) high--;
        if (high <= low) continue;
        double scale = 255.0 / (high - low), offset = -low * scale;
        uint8_t table[256];
        for (int p = 0; p < 256; p++) table[p] = to_byte(p * scale + offset);
        apply_channel(image, c, table);
    }
}

/* Level p becomes (pixels darker than p, plus half a step) / step; the pixels below the
 * brightest level make 255 steps. */
static bool equal_table(const size_t levels[256], uint8_t table[256]) {
    size_t sum = 0, used = 0, brightest = 0;
    for (size_t p = 0; p < 256; p++) {
        sum += levels[p];
        used += levels[p] > 0;
        if (levels[p]) brightest = levels[p];
    }
    size_t step = (sum - brightest) / 255, below = step / 2;
    if (used <= 1 || step == 0) return false;
    for (size_t p = 0; p < 256; p++) {
        table[p] = (uint8_t)MIN(below / step, (size_t)255);
        below += levels[p];
    }
    return true;
}

void image_equalize(Image *image) {
    for (size_t c = 0; c < image->channels; c++) {
        size_t levels[256];
        uint8_t table[256];
        count_levels(image, c, levels);
        if (equal_table(levels, table)) apply_channel(image, c, table);
    }
}

void image_invert(Image *image) { image_solarize(image, 0); }

void image_posterize(Image *image, int bits) {
    uint8_t table[256];
    for (int p = 0; p < 256; p++) table[p] = (uint8_t)(p & ~((1 << (8 - bits)) - 1));
    apply_table(image, table);
}

void image_solarize(Image *image, int threshold) {
    uint8_t table[256];
    for (int p = 0; p < 256; p++) table[p] = (uint8_t)(p < threshold ? p : 255 - p);
    apply_table(image, table);
}

void image_solarize_add(Image *image, int added) {
    uint8_t table[256];
    for (int p = 0; p < 256; p++) table[p] = (uint8_t)(p < 128 ? MIN(255, p + added) : p);
    apply_table(image, table);
}

/* plain + factor * (value - plain), in float and cut towards zero as Pillow's blend
 * does. */
static uint8_t blend(uint8_t plain, uint8_t value, float factor) {
    float mixed = (float)plain + factor * (float)((int)value - (int)plain);
    return (uint8_t)(mixed <= 0 ? 0 : mixed >= 255 ? 255 : mixed);
}

void image_greyscale(Image *image) {
    if (image->channels < 3) return;
    uint8_t *end = image->pixels + byte_count(image);
    Planes p;
    for (uint8_t *pixel = image->pixels; pixel < end;
         pixel += p.count * image->channels) {
        planes_load(&p, pixel, end, image->channels);
        for (size_t i = 0; i < p.count; i++)
            p.red[i] = p.green[i] = p.blue[i] = luma(p.red[i], p.green[i], p.blue[i]);
        planes_store(&p, pixel, image->channels);
    }
}

void image_saturate(Image *image, double factor) {
    if (image->channels < 3) return;
    float share = (float)factor;
    uint8_t *end = image->pixels + byte_count(image);
    Planes p;
    for (uint8_t *pixel = image->pixels; pixel < end;
         pixel += p.count * image->channels) {
        planes_load(&p, pixel, end, image->channels);
        for (size_t i = 0; i < p.count; i++) {
            uint8_t grey = luma(p.red[i], p.green[i], p.blue[i]);
            p.red[i] = blend(grey, p.red[i], share);
            p.green[i] = blend(grey, p.green[i], share);
            p.blue[i] = blend(grey, p.blue[i], share);
        }
        planes_store(&p, pixel, image->channels);
    }
}

static void blend_level(Image *image, uint8_t level, double factor) {
    uint8_t *value = image->pixels; /* which could be bytes of *image, were it not here */
    size_t n = byte_count(image);
    float share = (float)factor;
    for (size_t p = 0; p < n; p++) value[p] = blend(level, value[p], share);
}

static size_t sum_greys(const Image *image) {
    const uint8_t *end = image->pixels + byte_count(image);
    size_t sum = 0;
    if (image->channels < 3) {
        for (const uint8_t *pixel = image->pixels; pixel < end; pixel += image->channels)
            sum += *pixel;
        return sum;
    }
    Planes p;
    for (const uint8_t *pixel = image->pixels; pixel < end;
         pixel += p.count * image->channels) {
        uint32_t part = 0;
        planes_load(&p, pixel, end, image->channels);
        for (size_t i = 0; i < p.count; i++)
            part += luma(p.red[i], p.green[i], p.blue[i]);
        sum += part;
    }
    return sum;
}

void image_contrast(Image *image, double factor) {
    double mean = (double)sum_greys(image) / (double)(image->height * image->width);
    blend_level(image, (uint8_t)(mean + 0.5), factor);
}

void image_brighten(Image *image, double factor) { blend_level(image, 0, factor); }

/* Mean of 3 x 3 pixels, the middle one counted five times. */
static uint8_t smooth(const uint8_t *pixel, size_t stride, size_t channels) {
    unsigned sum = 4u * *pixel;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
            sum += pixel[dy * (ptrdiff_t)stride + dx * (ptrdiff_t)channels];
    return (uint8_t)((2 * sum + 13) / 26);
}

/* The rim stays as it is. */
void image_sharpen(Image *image, double factor, Image *spare) {
    size_t channels = image->channels, stride = image->width * channels;
    image_resize_buffer(spare, image->height, image->width, channels);
    memcpy(spare->pixels, image->pixels, byte_count(image));
    for (size_t y = 1; y + 1 < image->height; y++)
        for (size_t x = channels; x + channels < stride; x++) {
            const uint8_t *pixel = spare->pixels + y * stride + x;
            image->pixels[y * stride + x] =
                blend(smooth(pixel, stride, channels), *pixel, (float)factor);
        }
}

#include "data/picture/jitter.h"

#include "data/picture/pixels.h"

/* order = the permutation of 0 ... n-1 at place `rank` of their alphabetical order. */
static void nth_order(uint8_t *order, size_t n, size_t rank) {
    bool used[JITTER_CHANGES] = {false};
    size_t orders = 1;
    for (size_t k = 2; k < n; k++) orders *= k; /* of all but the first */
    for (size_t k = 0; k < n; k++) {
        size_t free = rank / orders, pick = 0;
        while (used[pick] || free--) pick++;
        used[pick] = true;
        order[k] = (uint8_t)pick;
        rank %= orders;
        orders /= MAX(n - k - 1, (size_t)1);
    }
}

/* Without hue, and with probability 1, the numbers drawn are those of three changes
 * alone: an older recipe keeps its pictures. */
Jitter jitter_draw(const JitterRule *rule, RngCursor *dice) {
    static const uint8_t ORDERS[] = {[3] = 6, [4] = 24};
    Jitter jitter = {0};
    if (rule->probability < 1 && rng_next(dice) >= rule->probability) return jitter;
    jitter.count = rule->strength[JITTER_HUE] > 0 ? 4 : 3;
    double orders = ORDERS[jitter.count];
    nth_order(jitter.order, jitter.count, (size_t)(orders * rng_next(dice)));
    for (size_t k = 0; k < jitter.count; k++) {
        size_t change = jitter.order[k];
        double middle = change == JITTER_HUE ? 0 : 1, most = rule->strength[change];
        jitter.factor[change] = rng_next_between(dice, middle - most, middle + most);
    }
    return jitter;
}

void jitter_apply(const Jitter *jitter, Image *image) {
    static void (*const CHANGES[JITTER_CHANGES])(Image *, double) = {
        [JITTER_BRIGHTNESS] = image_brighten,
        [JITTER_CONTRAST] = image_contrast,
        [JITTER_SATURATION] = image_saturate,
        [JITTER_HUE] = image_hue,
    };
    for (size_t k = 0; k < jitter->count; k++)
        CHANGES[jitter->order[k]](image, jitter->factor[jitter->order[k]]);
}

/* jitter: changes of brightness, contrast, saturation and hue in random order, as
 * torchvision's ColorJitter makes them of 8-bit pictures.
 *
 *     Jitter jitter = jitter_draw(&(JitterRule){{0.4, 0.4, 0.4, 0.1}, 0.8}, &dice);
 *     jitter_apply(&jitter, &image);
 *
 * Factors of the first three are uniform in 1 +- strength, the turn of the hue in
 * +- strength of a circle.  Each order of those that are on is equally likely. */
#ifndef STEADY_JITTER_H
#define STEADY_JITTER_H

#include "data/picture/image.h"
#include "engine/core/rng.h"

enum {
    JITTER_BRIGHTNESS,
    JITTER_CONTRAST,
    JITTER_SATURATION,
    JITTER_HUE,
    JITTER_CHANGES
};

typedef struct JitterRule {
    double strength[JITTER_CHANGES]; /* 0 ... 1; of hue 0 ... 0.5, 0: no hue */
    double probability;              /* that a picture is changed */
} JitterRule;

typedef struct Jitter {
    size_t count;                  /* of changes; 0: the picture stays */
    uint8_t order[JITTER_CHANGES]; /* [count] */
    double factor[JITTER_CHANGES]; /* by change */
} Jitter;

Jitter jitter_draw(const JitterRule *rule, RngCursor *dice);
/* In place.  Hue and saturation need three channels: others stay as they are. */
void jitter_apply(const Jitter *jitter, Image *image);

#endif

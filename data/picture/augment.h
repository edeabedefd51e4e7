/* augment: random changes of training images, and the fixed resize of evaluation.
 *
 * `data.augment` is a comma-separated list, each with optional :numbers, applied in
 * the order of this table whatever the order in the list.  Numbers go by place or by
 * name ("rand-augment:7:ops=3"):
 *
 *   random-resized-crop[:min=0.08[:max=1]]  area share, ratio 3/4-4/3, bicubic
 *   crop[:padding=4]                        random crop after zero padding
 *   flip                                    left-right, p = 1/2
 *   jitter[:b=0.4[:c=0.4[:s=0.4[:hue=0[:p=1]]]]]
 *                                           brightness, contrast, saturation, hue
 *   grey[:p=0.2]                            luma in all channels
 *   blur[:p=0.5[:min=0.1[:max=2]]]          Gaussian, sigma uniform, in pixels
 *   rand-augment[:m=9[:sd=0.5[:ops=2]]]     timm's rand-m9-mstd0.5-inc1
 *   erasing[:p=0.25]                        after normalisation, N(0, 1) pixels
 *
 * All but erasing change 8-bit pictures, and are torchvision's operations on those (not
 * on its tensors of floats): equal to the bit, blur but for sums that lie between two
 * levels (test/golden/make_augment.py).  SimCLR's list (Chen et al. 2020, strength 1/2):
 * "random-resized-crop,flip,jitter:0.4:0.4:0.4:0.1:0.8,grey,blur".
 *
 * Sources: facts in Cubuk et al. 2020 (RandAugment), Zhong et al. 2020 (erasing), and
 * the recipes of DeiT and MAE.  Geometry never needs the label, so mixing lives in the
 * loader. */
#ifndef STEADY_AUGMENT_H
#define STEADY_AUGMENT_H

#include "data/config.h"
#include "data/picture/image.h"
#include "engine/core/rng.h"

/* Holds scratch memory: one thread at a time. */
typedef struct Augment Augment;

/* NULL: FAIL_USAGE with the table's names.  "none" and "" are an empty list. */
Augment *augment_parse(const char *list, Err *err);
void augment_free(Augment *augment);

/* What of a good list needs colours, "jitter:s, jitter:hue, grey": it changes nothing in
 * pictures of one or two channels, or of grey pixels.  False, and "": nothing of it. */
enum { AUGMENT_COLOURS = 32 };
bool augment_colours(const char *list, char text[AUGMENT_COLOURS]);

/* Colour that rand-augment puts where a moved picture leaves gaps: the data's mean, 0 to
 * 1, one number or one a channel (timm's rule); grey 128 until set. */
void augment_set_fill(Augment *augment, const double *mean, size_t count,
                      size_t channels);

/* Training view: image (any size) becomes height x width in place.  Without
 * random-resized-crop it is resized to cover that, and its centre is cut out. */
void augment_train(Augment *augment, Image *image, size_t height, size_t width,
                   RngCursor *dice);

/* Evaluation view: the shorter side is resized to round(side / 0.875) when the image
 * is larger than wanted and random-resized-crop is on, to the wanted side otherwise;
 * centre crop. */
void augment_eval(Augment *augment, Image *image, size_t height, size_t width);

/* Random erasing of one normalised picture, pixels [C, Y, X], if it is in the list. */
void augment_erase(const Augment *augment, real *pixels, size_t channels, size_t height,
                   size_t width, RngCursor *dice);

#endif

/* vision: how far apart two colours are for readers with each kind of sight.
 *
 *     vision_distance(a, b, VISION_DEUTAN)        CIELAB, 1976
 *
 * Matrices of Machado, Oliveira and Fernandes (2009), severity 1, in linear RGB. */
#ifndef STEADY_TEST_VISION_H
#define STEADY_TEST_VISION_H

typedef enum {
    VISION_NORMAL,
    VISION_PROTAN, /* without red cones */
    VISION_DEUTAN, /* without green ones */
    VISION_TRITAN, /* without blue ones */
    VISION_KINDS
} Vision;

extern const char *const vision_names[VISION_KINDS];

/* rgb: 0 ... 1, sRGB; lab: L 0 ... 100, a, b. */
void vision_lab(const double rgb[3], Vision vision, double lab[3]);
double vision_distance(const double a[3], const double b[3], Vision vision);
double vision_lightness(const double rgb[3], Vision vision);

#endif

/* Colours of charts.  colour_map and the ramps are made in OKLab (Ottosson 2020),
 * where equal steps look equal; where a screen cannot show a colour it loses
 * saturation, not lightness. */
#include <math.h>

#include "tools/chart/parts.h"

static double gamma_encode(double v) {
    v = MIN(MAX(v, 0), 1);
    return v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055;
}

/* lightness 0..1, chroma, hue in degrees; linear light, which may leave 0..1 */
static Colour linear_oklch(double lightness, double chroma, double hue) {
    double a = chroma * cos(hue * M_PI / 180), b = chroma * sin(hue * M_PI / 180);
    double l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
    double m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
    double s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
    return (Colour){4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
                    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
                    -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

static bool in_gamut(Colour c) {
    return fmin(c.r, fmin(c.g, c.b)) >= 0 && fmax(c.r, fmax(c.g, c.b)) <= 1;
}

static Colour from_oklch(double lightness, double chroma, double hue) {
    Colour c = linear_oklch(lightness, chroma, hue);
    for (; !in_gamut(c) && chroma > 1e-3; chroma *= 0.97)
        c = linear_oklch(lightness, chroma, hue);
    return (Colour){gamma_encode(c.r), gamma_encode(c.g), gamma_encode(c.b)};
}

Colour colour_map(double value) {
    double t = MIN(MAX(value, 0), 1);
    double chroma = 0.125 - 0.03 * sin(M_PI * t) + 0.05 * t * t * t;
    return from_oklch(0.24 + 0.67 * t, chroma, 305 - 200 * t);
}

Colour chart_palette(const Chart *chart, size_t i) {
    static const Colour hues[] = {
        {0.000, 0.447, 0.698}, {0.835, 0.369, 0.000}, {0.000, 0.620, 0.451},
        {0.800, 0.475, 0.655}, {0.902, 0.624, 0.000}, {0.337, 0.706, 0.914},
        {0.450, 0.450, 0.450}, {0.600, 0.050, 0.950},
    };
    (void)
        chart; /* the first six are Okabe and Ito's; the hues are of middle lightness: they serve both themes */
    return hues[i % COUNT(hues)];
}

Colour chart_ramp(const Chart *chart, Hue hue, double depth) {
    static const double degrees[HUE_COUNT] = {250, 55, 160, 325};
    double t = MIN(MAX(depth, 0), 1);
    if (chart->theme == THEME_LIGHT) t = 1 - t;
    double turn = degrees[hue] - 55 * (1 - t) + 15;
    if (chart->theme == THEME_DARK)
        return from_oklch(0.58 + 0.34 * t, 0.14 - 0.06 * t, turn);
    return from_oklch(0.78 - 0.46 * t, 0.12, turn);
}

Colour theme_paper(Theme theme) {
    return theme == THEME_DARK ? (Colour){0.090, 0.102, 0.122} : (Colour){1, 1, 1};
}

Colour theme_grid(Theme theme) {
    return theme == THEME_DARK ? (Colour){0.20, 0.22, 0.25} : (Colour){0.91, 0.92, 0.93};
}

Colour theme_soft(Theme theme) {
    return theme == THEME_DARK ? (Colour){0.63, 0.66, 0.70} : (Colour){0.40, 0.42, 0.45};
}

Colour theme_ink(Theme theme) {
    return theme == THEME_DARK ? (Colour){0.90, 0.91, 0.93} : (Colour){0.12, 0.13, 0.15};
}

Colour chart_ink(const Chart *chart) { return theme_ink(chart->theme); }

Colour chart_warning(const Chart *chart) {
    return chart->theme == THEME_DARK ? (Colour){0.98, 0.45, 0.25}
                                      : (Colour){0.80, 0.20, 0.05};
}

#include "vision.h"

#include <math.h>

const char *const vision_names[VISION_KINDS] = {"normal", "protan", "deutan", "tritan"};

static const double SIGHT[VISION_KINDS][3][3] = {
    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
    {{0.152286, 1.052583, -0.204868},
     {0.114503, 0.786281, 0.099216},
     {-0.003882, -0.048116, 1.051998}},
    {{0.367322, 0.860646, -0.227968},
     {0.280085, 0.672501, 0.047413},
     {-0.011820, 0.042940, 0.968881}},
    {{1.255528, -0.076749, -0.178779},
     {-0.078411, 0.930809, 0.147602},
     {0.004733, 0.691367, 0.303900}},
};

static const double XYZ[3][3] = {{0.4124564, 0.3575761, 0.1804375},
                                 {0.2126729, 0.7151522, 0.0721750},
                                 {0.0193339, 0.1191920, 0.9503041}};
static const double WHITE[3] = {0.95047, 1, 1.08883};

static double linear(double c) {
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double cube_root(double t) {
    return t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

static void multiply(const double m[3][3], const double x[3], double y[3]) {
    for (int i = 0; i < 3; i++) y[i] = m[i][0] * x[0] + m[i][1] * x[1] + m[i][2] * x[2];
}

void vision_lab(const double rgb[3], Vision vision, double lab[3]) {
    double light[3], seen[3], xyz[3], f[3];
    for (int i = 0; i < 3; i++) light[i] = linear(rgb[i]);
    multiply(SIGHT[vision], light, seen);
    for (int i = 0; i < 3; i++) seen[i] = fmin(fmax(seen[i], 0), 1);
    multiply(XYZ, seen, xyz);
    for (int i = 0; i < 3; i++) f[i] = cube_root(xyz[i] / WHITE[i]);
    lab[0] = 116 * f[1] - 16;
    lab[1] = 500 * (f[0] - f[1]);
    lab[2] = 200 * (f[1] - f[2]);
}

double vision_distance(const double a[3], const double b[3], Vision vision) {
    double x[3], y[3];
    vision_lab(a, vision, x);
    vision_lab(b, vision, y);
    return sqrt((x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1]) +
                (x[2] - y[2]) * (x[2] - y[2]));
}

double vision_lightness(const double rgb[3], Vision vision) {
    double lab[3];
    vision_lab(rgb, vision, lab);
    return lab[0];
}

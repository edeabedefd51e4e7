#include "engine/reparam/track.h"

#include <math.h>
#include <string.h>

#include "engine/core/rng.h"
#include "engine/kern/rows.h"

/* TRACKED vectors x, then as many residuals r, then as many moves p. */
enum { TRACKED = FEW_BACK, SQUARE = FEW * FEW };

/* Rows of W are cut into chunks by its size alone. */
enum { CHUNKS_MAX = 16, CHUNK_SIZE = 16384 };

typedef struct Look {
    const real *w;
    size_t out, in, chunks;
    const real *space; /* S [FEW, in] */
    real *images;      /* [out, FEW]: W S^T */
    real *sides;       /* [out, TRACKED]: v = W x / |W x| */
    real *back;        /* [chunks, TRACKED, in]: W^T v; the sum is put into the first */
    double *gram;      /* [chunks, FEW, FEW]: S W^T W S^T, likewise */
    double value[FEW]; /* its eigenvalues, falling ... */
    double vector[FEW][FEW]; /* ... and eigenvectors, in rows */
} Look;

static size_t first_row(const Look *l, size_t chunk) {
    return l->out * chunk / l->chunks;
}

/* ---- W S^T and its Gram matrix ---- */

static void add_gram(double *gram, const real *images, size_t rows) {
    memset(gram, 0, SQUARE * sizeof *gram);
    for (size_t r = 0; r < rows; r++)
        for (size_t a = 0; a < FEW; a++)
            for (size_t b = 0; b < FEW; b++)
                gram[a * FEW + b] +=
                    (double)images[r * FEW + a] * (double)images[r * FEW + b];
}

static void map_space(Look *l) {
#pragma omp parallel for schedule(static) if (l->chunks > 1)
    for (size_t c = 0; c < l->chunks; c++) {
        size_t first = first_row(l, c), rows = first_row(l, c + 1) - first;
        real *images = l->images + first * FEW;
        few_forward(rows, l->in, l->w + first * l->in, l->space, images);
        add_gram(l->gram + c * SQUARE, images, rows);
    }
    for (size_t c = 1; c < l->chunks; c++)
        for (size_t i = 0; i < SQUARE; i++) l->gram[i] += l->gram[c * SQUARE + i];
}

/* ---- eigenvectors of the Gram matrix, by Jacobi's rotations ---- */

/* Rows and columns i and j of a, and rows i and j of `vector`, turned: a_ij = 0. */
static void rotate(double a[FEW][FEW], double vector[FEW][FEW], size_t i, size_t j) {
    double theta = (a[j][j] - a[i][i]) / (2 * a[i][j]);
    double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (size_t k = 0; k < FEW; k++) {
        double x = a[k][i], y = a[k][j];
        a[k][i] = c * x - s * y, a[k][j] = s * x + c * y;
    }
    for (size_t k = 0; k < FEW; k++) {
        double x = a[i][k], y = a[j][k];
        a[i][k] = c * x - s * y, a[j][k] = s * x + c * y;
        x = vector[i][k], y = vector[j][k];
        vector[i][k] = c * x - s * y, vector[j][k] = s * x + c * y;
    }
}

static void order(Look *l) {
    for (size_t i = 0; i < FEW; i++)
        for (size_t j = i + 1; j < FEW; j++) {
            if (!(l->value[j] > l->value[i])) continue;
            double value = l->value[i], vector[FEW];
            l->value[i] = l->value[j], l->value[j] = value;
            memcpy(vector, l->vector[i], sizeof vector);
            memcpy(l->vector[i], l->vector[j], sizeof vector);
            memcpy(l->vector[j], vector, sizeof vector);
        }
}

/* Each sweep squares what is left beside the diagonal, once that is small. */
static void find_vectors(Look *l) {
    enum { SWEEPS = 12 };
    double a[FEW][FEW], trace = 0;
    memcpy(a, l->gram, sizeof a);
    memset(l->vector, 0, sizeof l->vector);
    for (size_t i = 0; i < FEW; i++) l->vector[i][i] = 1, trace += a[i][i];
    for (size_t sweep = 0; sweep < SWEEPS; sweep++)
        for (size_t i = 0; i < FEW; i++)
            for (size_t j = i + 1; j < FEW; j++)
                if (fabs(a[i][j]) > 1e-17 * trace) rotate(a, l->vector, i, j);
    for (size_t i = 0; i < FEW; i++) l->value[i] = fmax(a[i][i], 0);
    order(l);
}

/* ---- W^T v ---- */

static void make_sides(Look *l, real factor[TRACKED][FEW], size_t first, size_t last) {
    for (size_t r = first; r < last; r++)
        for (size_t i = 0; i < TRACKED; i++) {
            real sum = 0;
            for (size_t k = 0; k < FEW; k++) sum += factor[i][k] * l->images[r * FEW + k];
            l->sides[r * TRACKED + i] = sum;
        }
}

static void map_back(Look *l) {
    real factor[TRACKED][FEW];
    for (size_t i = 0; i < TRACKED; i++)
        for (size_t k = 0; k < FEW; k++) {
            double sigma = sqrt(l->value[i]);
            factor[i][k] = sigma > 0 ? (real)(l->vector[i][k] / sigma) : 0;
        }
#pragma omp parallel for schedule(static) if (l->chunks > 1)
    for (size_t c = 0; c < l->chunks; c++) {
        size_t first = first_row(l, c), last = first_row(l, c + 1);
        make_sides(l, factor, first, last);
        few_back(last - first, l->in, l->w + first * l->in, l->sides + first * TRACKED,
                 l->back + c * TRACKED * l->in);
    }
    for (size_t c = 1; c < l->chunks; c++)
        for (size_t j = 0; j < TRACKED * l->in; j++)
            l->back[j] += l->back[c * TRACKED * l->in + j];
}

/* ---- the next space ---- */

static double length_of(const real *x, size_t n) {
    return sqrt((double)row_dot(x, x, n));
}

static void scale(real *x, double factor, size_t n) {
    for (size_t j = 0; j < n; j++) x[j] *= (real)factor;
}

/* Row k, made orthogonal to those before and of length 1; false where little is left. */
static bool make_orthonormal(real *space, size_t in, size_t k) {
    static const double LITTLE = 1e-3;
    real *x = space + k * in;
    double length = length_of(x, in);
    if (!(length > 0)) return false;
    scale(x, 1 / length, in);
    for (int twice = 0; twice < 2; twice++) {
        for (size_t i = 0; i < k; i++) {
            const real *q = space + i * in;
            real inner = row_dot(q, x, in);
            for (size_t j = 0; j < in; j++) x[j] -= inner * q[j];
        }
        length = length_of(x, in);
        if (!(length > LITTLE)) return false;
        scale(x, 1 / length, in);
    }
    return true;
}

void track_fill(real *space, size_t in) {
    for (size_t k = 0; k < TRACK_SPACE; k++) {
        real *x = space + k * in;
        if (make_orthonormal(space, in, k)) continue;
        Rng rng = rng_make(0, RNG_PROBE, k);
        for (size_t j = 0; j < in; j++) x[j] = (real)rng_normal(rng, j);
        if (!make_orthonormal(space, in, k)) memset(x, 0, in * sizeof(real));
    }
}

/* x = sum over k >= `from` of factor_k S_k */
static void combine(const Look *l, const double *factor, size_t from, real *x) {
    memset(x, 0, l->in * sizeof(real));
    for (size_t k = from; k < FEW; k++) {
        const real *s = l->space + k * l->in;
        real f = (real)factor[k];
        for (size_t j = 0; j < l->in; j++) x[j] += f * s[j];
    }
}

/* residual[i]: |W^T W x - sigma_i^2 x|. */
static void next_space(const Look *l, real *next, double residual[TRACKED]) {
    for (size_t i = 0; i < TRACKED; i++) {
        real *x = next + i * l->in, *r = x + TRACKED * l->in, *p = r + TRACKED * l->in;
        real sigma = (real)sqrt(l->value[i]);
        combine(l, l->vector[i], 0, x);
        combine(l, l->vector[i], TRACKED, p);
        for (size_t j = 0; j < l->in; j++) r[j] = l->back[i * l->in + j] - sigma * x[j];
        residual[i] = length_of(r, l->in) * (double)sigma;
    }
    track_fill(next, l->in);
}

/* How far eigenvalue i may be above what the space has for it. */
static double lift(const Look *l, const double residual[TRACKED], size_t i) {
    double gap = l->value[i] - l->value[i + 1];
    return fmin(residual[i], residual[i] * residual[i] / gap);
}

/* The first value is below the largest eigenvalue by its own lift, or by more where the
 * second, lifted, is above it. */
static double off_by(const Look *l, const double residual[TRACKED]) {
    double first = l->value[0] + lift(l, residual, 0);
    double second = l->value[1] + lift(l, residual, 1);
    return (fmax(first, second) / l->value[0] - 1) / 2;
}

Track track_look(const real *w, size_t out, size_t in, real *space) {
    Look l = {.w = w, .out = out, .in = in, .space = space};
    l.chunks = MIN(MIN((size_t)CHUNKS_MAX, out), out * in / CHUNK_SIZE + 1);
    l.images = mem_alloc((out * (FEW + TRACKED) + (l.chunks * TRACKED + FEW) * in) *
                         sizeof(real));
    l.sides = l.images + out * FEW;
    l.back = l.sides + out * TRACKED;
    l.gram = mem_alloc(l.chunks * SQUARE * sizeof(double));
    Track track = {.sigma = 0};
    map_space(&l);
    for (size_t i = 0; i < FEW; i++) track.sigma += l.gram[i * FEW + i];
    if (track.sigma > 0 && isfinite(track.sigma)) {
        real *next = l.back + l.chunks * TRACKED * in;
        double residual[TRACKED];
        find_vectors(&l);
        map_back(&l);
        next_space(&l, next, residual);
        memcpy(space, next, FEW * in * sizeof(real));
        track.sigma = sqrt(l.value[0]);
        track.off = off_by(&l, residual);
    } else if (track.sigma != 0) track.sigma = (double)NAN;
    mem_free(l.gram);
    mem_free(l.images);
    return track;
}

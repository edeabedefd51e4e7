/* Factors lie within -1 ... 1 and are rounded to bf16, so that both ways see the same
 * ones.  Their sums of k products differ by at most 2 u k sum |a b| (blas_check.c); a
 * result in bf16 by one step of it more. */
#include "engine/kern/bf16_check.h"

#include <math.h>
#include <omp.h>

#include "engine/core/rng.h"
#include "engine/kern/bf16_panel.h"

enum { M_MAX = 210, N_MAX = 130, K_MAX = 1550, APART = 3 };

typedef struct Work {
    real *a, *b;           /* factors, as many as A and B can have */
    bf16 *a16;             /* A rounded */
    bf16 *packed, *strips; /* B and A in the product's order */
    bf16 *room;
    real *c[2]; /* of both ways */
    bf16 *c16[2];
} Work;

static const size_t SIZE_A = (size_t)(M_MAX + APART) * (K_MAX + APART),
                    SIZE_B = (size_t)(N_MAX + APART) * (K_MAX + APART),
                    SIZE_C = (size_t)M_MAX * (N_MAX + APART);

static Work open_work(void) {
    Rng rng = rng_make(1, RNG_PROBE, 0);
    Work w = {.a = mem_alloc(SIZE_A * sizeof(real)),
              .b = mem_alloc(SIZE_B * sizeof(real))};
    for (size_t i = 0; i < SIZE_A; i++) w.a[i] = (real)(2 * rng_uniform(rng, i) - 1);
    for (size_t i = 0; i < SIZE_B; i++) w.b[i] = (real)(2 * rng_uniform(rng, ~i) - 1);
    w.a16 = mem_alloc(SIZE_A * sizeof(bf16));
    bf16_round(w.a16, w.a, SIZE_A);
    w.packed = mem_alloc(bf16_panel_size(K_MAX, N_MAX) * sizeof(bf16));
    w.strips = mem_alloc(bf16_strips_size(K_MAX, M_MAX) * sizeof(bf16));
    w.room = mem_alloc(bf16_panel_room(K_MAX, N_MAX) * sizeof(bf16));
    for (size_t i = 0; i < 2; i++) {
        w.c[i] = mem_alloc(SIZE_C * sizeof(real));
        w.c16[i] = mem_alloc(SIZE_C * sizeof(bf16));
    }
    return w;
}

static void close_work(Work *w) {
    for (size_t i = 0; i < 2; i++) mem_free(w->c[i]), mem_free(w->c16[i]);
    mem_free(w->a), mem_free(w->b), mem_free(w->a16);
    mem_free(w->packed), mem_free(w->strips), mem_free(w->room);
}

/* C is narrow in every third case; B is packed before in every fourth. */
static void multiply(const Work *w, const BlasCase *c, Bf16Way way) {
    Bf16Matrix b = {.wide = w->b, .ld = (c->tb ? c->k : c->n) + APART};
    PanelOrder order = c->tb ? PANEL_TRANSPOSED : PANEL_PLAIN;
    Bf16PanelProduct p = {.way = way,
                          .m = c->m,
                          .n = c->n,
                          .k = c->k,
                          .alpha = (real)c->alpha,
                          .a = w->a16,
                          .lda = c->k + APART,
                          .b = b,
                          .order = order,
                          .room = w->room,
                          .bias = w->b,
                          .bias_factor = 1,
                          .ldc = c->n + APART};
    if (c->ta) {
        bf16_strips_pack(w->strips, (Bf16Matrix){.wide = w->a, .ld = c->m + APART}, c->k,
                         c->m);
        p.strips = w->strips;
    }
    if (c->number % 4 == 0) {
        bf16_panel_pack(w->packed, b, c->k, c->n, order);
        p.packed = w->packed;
    }
    if (c->number % 3 == 0) p.c16 = w->c16[way];
    else p.c = w->c[way];
    bf16_panel_product(&p);
}

static Status compare(const Work *w, const BlasCase *c, Err *err) {
    double k = (double)c->k;
    double bound = ldexp(1, -23) * (k + 3) * (fabs(c->alpha) * (k / 4 + 2 * sqrt(k)) + 2);
    bool narrow = c->number % 3 == 0;
    for (size_t i = 0; i < c->m; i++)
        for (size_t j = 0; j < c->n; j++) {
            size_t at = i * (c->n + APART) + j;
            double x[2];
            for (int way = 0; way < 2; way++)
                x[way] =
                    narrow ? (double)bf16_float(w->c16[way][at]) : (double)w->c[way][at];
            double step = narrow ? fabs(x[BF16_PLAIN]) / 64 : 0;
            if (fabs(x[BF16_BEST] - x[BF16_PLAIN]) <= bound + step) continue;
            char text[160];
            blas_case_text(c, text, sizeof text);
            return err_set(err, FAIL_RUN,
                           "%s: C[%zu, %zu] is %.9g; plain loops give %.9g", text, i, j,
                           x[BF16_BEST], x[BF16_PLAIN]);
        }
    return OK;
}

/* Around blocks of 6 rows, vectors of 16 columns, panels of 64, and 768 rows of B. */
static Status try_sizes(const Work *w, BlasCase *now, Err *err) {
    static const size_t M[] = {1, 6, 29, 205}, N[] = {1, 16, 63, 130},
                        K[] = {1, 2, 35, 768, 1541};
    enum { SIZES = COUNT(M) * COUNT(N) * COUNT(K) };
    for (size_t i = 0; i < 4 * SIZES; i++) {
        BlasCase c = {BLAS_BF16, .single = true, .ta = i % 4 / 2, .tb = i % 2};
        c.m = M[i / 4 % COUNT(M)];
        c.n = N[i / (4 * COUNT(M)) % COUNT(N)];
        c.k = K[i / (4 * COUNT(M) * COUNT(N))];
        c.alpha = i % 5 ? 1 : -0.5;
        c.threads = (size_t)omp_get_max_threads();
        c.number = now->number + 1;
        *now = c;
        multiply(w, now, BF16_BEST);
        multiply(w, now, BF16_PLAIN);
        if (compare(w, now, err)) return FAIL_RUN;
    }
    return OK;
}

Status bf16_check(size_t threads, BlasCase *now, Err *err) {
    int before = omp_get_max_threads();
    Status status = OK;
    omp_set_num_threads((int)threads);
    Work w = open_work();
    for (int alone = 1; alone >= 0 && !status; alone--) {
        omp_set_num_threads(alone ? 1 : (int)threads);
        if (alone || threads > 1) status = try_sizes(&w, now, err);
    }
    close_work(&w);
    omp_set_num_threads(before);
    return status;
}

#include "engine/op/product.h"

#include "engine/kern/bf16_panel.h"
#include "engine/kern/gemm.h"
#include "engine/op/numbers.h"

enum { PIECE = 2048 }; /* of the dimension that a vocabulary may be */

Products product_choose(const Tape *tape, const Scale *scale, size_t rows) {
    return (Products){product_in_bf16(tape, scale, rows), numbers_way(tape)};
}

/* to [rows, columns] = x, rounded. */
static void round_rows(bf16 *to, const real *x, size_t ldx, size_t rows, size_t columns) {
#pragma omp parallel for schedule(static) if (rows * columns > 8192)
    for (size_t i = 0; i < rows; i++) bf16_round(to + i * columns, x + i * ldx, columns);
}

/* C [m, n] = alpha A B + beta C, whose k is cut: pieces of A are rounded, B is packed by
 * who uses it. */
typedef struct Rounded {
    Bf16Way way;
    size_t m, n, k;
    real alpha;
    const real *a;
    size_t lda;
    const real *b;
    size_t ldb;
    real beta;
    real *c;
    size_t ldc;
} Rounded;

static void rounded_rows(Tape *tape, const Rounded *r, PanelOrder order) {
    size_t step = MIN(r->k, (size_t)PIECE);
    bf16 *left = tape_scratch16(tape, r->m * step);
    Bf16PanelProduct t = {.way = r->way,
                          .m = r->m,
                          .n = r->n,
                          .alpha = r->alpha,
                          .a = left,
                          .order = order,
                          .room = tape_scratch16(tape, bf16_panel_room(step, r->n)),
                          .add = r->beta != 0,
                          .c = r->c,
                          .ldc = r->ldc};
    for (size_t l = 0; l < r->k; l += step) {
        t.k = t.lda = MIN(step, r->k - l);
        round_rows(left, r->a + l, r->lda, r->m, t.k);
        t.b = (Bf16Matrix){.wide = r->b + (order == PANEL_PLAIN ? l * r->ldb : l),
                           .ld = r->ldb};
        bf16_panel_product(&t);
        t.add = true;
    }
    tape_unscratch(tape, t.room);
    tape_unscratch(tape, left);
}

void product_nt(Tape *tape, Products how, size_t m, size_t n, size_t k, real alpha,
                const real *a, size_t lda, const real *b, size_t ldb, real beta, real *c,
                size_t ldc) {
    Rounded r = {how.way, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc};
    if (how.rounded) rounded_rows(tape, &r, PANEL_TRANSPOSED);
    else gemm_nt(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void product_nn(Tape *tape, Products how, size_t m, size_t n, size_t k, real alpha,
                const real *a, size_t lda, const real *b, size_t ldb, real beta, real *c,
                size_t ldc) {
    Rounded r = {how.way, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc};
    if (how.rounded) rounded_rows(tape, &r, PANEL_PLAIN);
    else gemm_nn(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void product_tn(Tape *tape, Products how, size_t m, size_t n, size_t k, real alpha,
                const real *a, size_t lda, const real *b, size_t ldb, real beta, real *c,
                size_t ldc) {
    if (!how.rounded) {
        gemm_tn(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        return;
    }
    bf16 *panels = tape_scratch16(tape, bf16_panel_size(k, n));
    bf16 *room = tape_scratch16(tape, bf16_panel_room(k, n));
    bf16_panel_pack(panels, (Bf16Matrix){.wide = b, .ld = ldb}, k, n, PANEL_PLAIN);
    bf16_panel_product(&(Bf16PanelProduct){.way = how.way,
                                           .m = m,
                                           .n = n,
                                           .k = k,
                                           .alpha = alpha,
                                           .transpose = {.wide = a, .ld = lda},
                                           .packed = panels,
                                           .room = room,
                                           .add = beta != 0,
                                           .c = c,
                                           .ldc = ldc});
    tape_unscratch(tape, room);
    tape_unscratch(tape, panels);
}

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

/* A product whose k is cut: pieces of A are rounded, B is packed by who uses it. */
static void rounded_rows(Tape *tape, Bf16PanelProduct t, const real *a, size_t lda,
                         const real *b, size_t ldb, size_t k) {
    size_t step = MIN(k, (size_t)PIECE);
    bf16 *left = tape_scratch16(tape, t.m * step);
    t.room = tape_scratch16(tape, bf16_panel_room(step, t.n));
    for (size_t l = 0; l < k; l += step) {
        t.k = t.lda = MIN(step, k - l);
        round_rows(left, a + l, lda, t.m, t.k);
        t.a = left;
        t.b =
            (Bf16Matrix){.wide = t.order == PANEL_PLAIN ? b + l * ldb : b + l, .ld = ldb};
        bf16_panel_product(&t);
        t.add = true;
    }
    tape_unscratch(tape, t.room);
    tape_unscratch(tape, left);
}

void product_nt(Tape *tape, Products how, size_t m, size_t n, size_t k, real alpha,
                const real *a, size_t lda, const real *b, size_t ldb, real beta, real *c,
                size_t ldc) {
    if (!how.rounded) {
        gemm_nt(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        return;
    }
    Bf16PanelProduct t = {.way = how.way, .m = m, .n = n, .alpha = alpha, .c = c};
    t.order = PANEL_TRANSPOSED, t.add = beta != 0, t.ldc = ldc;
    rounded_rows(tape, t, a, lda, b, ldb, k);
}

void product_nn(Tape *tape, Products how, size_t m, size_t n, size_t k, real alpha,
                const real *a, size_t lda, const real *b, size_t ldb, real beta, real *c,
                size_t ldc) {
    if (!how.rounded) {
        gemm_nn(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        return;
    }
    Bf16PanelProduct t = {.way = how.way, .m = m, .n = n, .alpha = alpha, .c = c};
    t.order = PANEL_PLAIN, t.add = beta != 0, t.ldc = ldc;
    rounded_rows(tape, t, a, lda, b, ldb, k);
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

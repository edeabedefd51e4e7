/* kernels: the list of all functions that are compiled for several levels of
 * instructions.
 *
 * A file whose functions are here is compiled once for each level (LEVEL_SRC in the
 * Makefile), where each gets the level as the end of its name (level_names.h); level.c
 * makes the function that others call, which goes to the level in use.
 *
 *     K(result, name, (parameters), (their names))
 *
 * The compiler compares parameters with those of the header.  A function of such a file
 * that is neither here nor static is there twice: the linker says so. */
#ifndef STEADY_KERNELS_H
#define STEADY_KERNELS_H

/* clang-format off */
#define KERNEL_LIST(K)                                                                   \
    TILE_KERNELS(K) ROW_KERNELS(K) SUM_KERNELS(K) MATH_KERNELS(K) LOSS_KERNELS(K)        \
    UPDATE_KERNELS(K)

#define TILE_KERNELS(K)                                                                  \
    K(void, tile_product, (size_t m, size_t n, size_t k, real alpha, TileA a,            \
                           const real *b, size_t ldb, bool add, real *c, size_t ldc),    \
      (m, n, k, alpha, a, b, ldb, add, c, ldc))                                          \
    K(void, tile_product_into, (size_t m, size_t n, size_t k, real alpha, TileA a,       \
                                const real *b, bool add, real *c, size_t ldc,            \
                                real *scratch),                                          \
      (m, n, k, alpha, a, b, add, c, ldc, scratch))                                      \
    K(void, tile_pack, (real *out, const real *x, size_t ldx, size_t rows,               \
                        size_t columns), (out, x, ldx, rows, columns))                   \
    K(void, tile_pack_transposed, (real *out, const real *x, size_t ldx, size_t rows,    \
                                   size_t columns), (out, x, ldx, rows, columns))        \
    K(void, tile_transpose, (real *out, size_t ldo, const real *x, size_t ldx,           \
                             size_t rows, size_t columns, size_t padded),                \
      (out, ldo, x, ldx, rows, columns, padded))                                         \
    K(void, panel_pack, (real *packed, const real *b, size_t ldb, size_t k, size_t n,    \
                         PanelOrder order), (packed, b, ldb, k, n, order))               \
    K(void, panel_product, (const PanelProduct *p), (p))                                 \
    K(void, few_forward, (size_t rows, size_t n, const real *w, const real *x, real *y), \
      (rows, n, w, x, y))                                                                \
    K(void, few_back, (size_t rows, size_t n, const real *w, const real *v, real *z),    \
      (rows, n, w, v, z))                                                                \
    K(const Bf16Kernels *, bf16_loops, (void), ())

#define ROW_KERNELS(K)                                                                   \
    K(real, row_max, (const real *s, size_t n), (s, n))                                  \
    K(real, row_softmax, (real *s, size_t n, real *entropy, real *largest),              \
      (s, n, entropy, largest))                                                          \
    K(void, row_softmax_again, (real *s, size_t n, real lse), (s, n, lse))               \
    K(void, row_softmax_backward, (real *dp, const real *p, const real *kept, size_t n), \
      (dp, p, kept, n))                                                                  \
    K(real, row_dot, (const real *a, const real *b, size_t n), (a, b, n))                \
    K(void, rows_fill, (real *y, real alpha, const real *residual, real factor,          \
                        const real *bias, size_t rows, size_t n),                        \
      (y, alpha, residual, factor, bias, rows, n))                                       \
    K(void, norm_rows, (real *y, bf16 *h, const real *x, const real *gain,               \
                        const real *bias, real eps, size_t rows, size_t n, real *mean,   \
                        real *rstd), (y, h, x, gain, bias, eps, rows, n, mean, rstd))    \
    K(void, norm_rows16, (bf16 *y, bf16 *h, const real *x, const real *gain,             \
                          const real *bias, real eps, size_t rows, size_t n, real *mean, \
                          real *rstd), (y, h, x, gain, bias, eps, rows, n, mean, rstd))  \
    K(void, norm_rows_backward, (const NormBackward *b), (b))                            \
    K(size_t, norm_scratch, (size_t rows, size_t n), (rows, n))                          \
    K(Mask, mask_make, (Rng rng, double p), (rng, p))                                    \
    K(void, mask_bits, (Rng rng, uint64_t index, uint16_t bits[RNG_BLOCK]),              \
      (rng, index, bits))                                                                \
    K(void, mask_apply, (const Mask *mask, uint64_t block, real *out, real alpha,        \
                         const real *base, const real *in, size_t n),                    \
      (mask, block, out, alpha, base, in, n))                                            \
    K(void, mask_examples, (const Mask *mask, const MaskedExamples *e, real *out,        \
                            real alpha, const real *base, const real *in),               \
      (mask, e, out, alpha, base, in))

#define SUM_KERNELS(K)                                                                   \
    K(void, columns_sum, (real *sum, real beta, real factor, const real *x, size_t rows, \
                          size_t n), (sum, beta, factor, x, rows, n))                    \
    K(void, columns_sum16, (real *sum, real beta, real factor, const bf16 *x,            \
                            size_t rows, size_t n), (sum, beta, factor, x, rows, n))     \
    K(void, columns_moments, (double *mean, double *squares, const real *x, size_t rows, \
                              size_t n), (mean, squares, x, rows, n))                    \
    K(double, reduce_sum, (const real *a, size_t n), (a, n))                             \
    K(double, reduce_dot, (const real *a, const real *b, size_t n), (a, b, n))           \
    K(double, reduce_sum_squares, (const real *a, size_t n), (a, n))                     \
    K(double, reduce_max_abs, (const real *a, size_t n), (a, n))                         \
    K(bool, reduce_all_finite, (const real *a, size_t n), (a, n))                        \
    K(Spread, spread_rows, (const real *x, size_t rows, size_t n, real *total),          \
      (x, rows, n, total))                                                               \
    K(size_t, spread_spare, (size_t rows, size_t n), (rows, n))                          \
    K(double, spread_rank, (const real *x, size_t rows, size_t n, real *spare),          \
      (x, rows, n, spare))                                                               \
    K(double, spread_norm, (const real *x, size_t rows, size_t n, bool ones,             \
                            const real *total, double enough, real *spare),              \
      (x, rows, n, ones, total, enough, spare))

#define MATH_KERNELS(K)                                                                  \
    K(void, vm_gelu, (real *y, const real *x, size_t n), (y, x, n))                      \
    K(void, vm_gelu_backward, (real *dx, const real *dy, const real *x, size_t n,        \
                               real beta), (dx, dy, x, n, beta))                         \
    K(void, vm_gelu_both, (real *y, real *dx, const real *dy, const real *x, size_t n,   \
                           real beta), (y, dx, dy, x, n, beta))                          \
    K(void, vm_glu, (real *y, const real *a, const real *b, size_t n), (y, a, b, n))     \
    K(void, vm_glu_backward, (real *da, real *db, const real *dy, const real *a,         \
                              const real *b, size_t n, real beta),                       \
      (da, db, dy, a, b, n, beta))                                                       \
    K(void, vm_relu, (real *y, const real *x, size_t n), (y, x, n))                      \
    K(void, vm_relu_backward, (real *dx, const real *dy, const real *x, size_t n,        \
                               real beta), (dx, dy, x, n, beta))

#define UPDATE_KERNELS(K)                                                                \
    K(void, update_adam, (const AdamUpdate *u, real *p, real *m, real *v,                \
                          const real *grad, size_t n), (u, p, m, v, grad, n))            \
    K(void, update_moved, (const real *p, const real *before, size_t n, double *value,   \
                           double *update), (p, before, n, value, update))

#define LOSS_KERNELS(K)                                                                  \
    K(Choice, choice_row, (real *z, const real *scale, const real *bias, size_t n,       \
                           size_t label, double smoothing, bool gradient),               \
      (z, scale, bias, n, label, smoothing, gradient))                                   \
    K(bool, ctc_fits, (size_t frames, const uint32_t *labels, size_t count),             \
      (frames, labels, count))                                                           \
    K(size_t, ctc_work, (size_t frames, size_t count, bool keep), (frames, count, keep)) \
    K(double, ctc_forward, (const CtcUtterance *u, double *work, bool keep),             \
      (u, work, keep))                                                                   \
    K(void, ctc_backward, (const CtcUtterance *u, double *work, real scale, real *dz,    \
                           real beta), (u, work, scale, dz, beta))
/* clang-format on */

/* What files of one level call of each other and nobody else calls. */
#define INNER_KERNEL_LIST(K) K(tile_block)

#endif

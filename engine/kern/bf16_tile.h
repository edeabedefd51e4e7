/* bf16_tile: the products of bf16_panel.h on the calling thread, for matrices that stay
 * in the caches: one attention head.
 *
 *     scores = c q k^T:   bf16_tile_pack(keys, k [S, K], K, S, PANEL_TRANSPOSED);
 *                         .a = q, .m = T, .n = S, .k = K, .packed = keys, .c = scores
 *     y = p v:            bf16_tile_pack(values, v [S, K], S, K, PANEL_PLAIN);
 *                         .a = p in bf16, .m = T, .n = K, .k = S, .packed = values
 *     dv = p^T dy:        bf16_tile_strips(strips, p [T, S], T, S);
 *                         .strips = strips, .m = S, .n = K, .k = T, .packed = dy packed
 *
 * Causal blocks use the first columns of keys (.n less than what was packed), and the
 * first rows of values (.k less; .packed_k says with how many they were packed). */
#ifndef STEADY_BF16_TILE_H
#define STEADY_BF16_TILE_H

#include "engine/kern/bf16_panel.h"

/* Sizes are those of bf16_panel_size and bf16_strips_size. */
void bf16_tile_pack(bf16 *packed, Bf16Matrix b, size_t k, size_t n, PanelOrder order);
void bf16_tile_strips(bf16 *strips, Bf16Matrix transpose, size_t k, size_t m);

/* B must be packed. */
void bf16_tile_product(const Bf16PanelProduct *p);

#endif

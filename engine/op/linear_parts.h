/* linear_parts: what linear.c is made of.
 *
 *   linear_intake.c    p = f(x), and back
 *   linear_product.c   the three products, in fp32 or bf16, over runs of examples
 *
 * In bf16 p and dz are rounded, once, to what all products read.  The backward pass reads
 * the normalised x of INTAKE_NORM rounded, too; the rest is the same. */
#ifndef STEADY_LINEAR_PARTS_H
#define STEADY_LINEAR_PARTS_H

#include "engine/kern/mask.h"
#include "engine/op/numbers.h"

typedef struct Linear {
    Node node;
    LinearArgs a;
    Scale scale;
    real *mean, *rstd; /* of INTAKE_NORM, [rows]; */
    bf16 *h16;         /* in bf16 what its backward pass reads, [rows, in] */
    bool recorded;     /* there will be a backward pass */
    bool drops;
    Mask mask; /* where it drops */
    bool bf16; /* the products */
    Bf16Way way;
    Numbers dz; /* [rows, out], in the backward pass; in bf16 both where dy is wide */
} Linear;

typedef struct Sizes {
    size_t rows, in, out;
    size_t group; /* rows of an example */
} Sizes;

/* p = f(x), in scratch memory unless it is x; and the scratch memory back. */
Numbers linear_take_in(Tape *tape, const Linear *l, const Sizes *s);
void linear_drop_intake(Tape *tape, const Linear *l, Numbers p);

/* dx, and p again, which is the caller's to give back. */
Numbers linear_intake_back(Tape *tape, const Linear *l, const Sizes *s);

/* Runs of rows that share a factor; dropped examples are in none. */
typedef struct Run {
    size_t first, rows; /* rows = 0: no more */
    real factor;
} Run;

/* The first run at or after row `from`. */
Run linear_next_run(const real *keep, const Sizes *s, size_t from);

/* y = start + k s p W^T, where start is alpha r + k b in the rows of runs */
void linear_product(Tape *tape, const Linear *l, const Sizes *s, Numbers p, Numbers y);
/* dp = beta dp + k s dz W */
void linear_product_back(Tape *tape, const Linear *l, const Sizes *s, Numbers dp,
                         real beta);
/* G and db */
void linear_weight_back(Tape *tape, const Linear *l, const Sizes *s, Numbers p);

/* What the product is added to: a residual waits until its mask is drawn. */
static inline const real *linear_residual(const Linear *l) {
    return l->a.residual && !l->drops ? l->a.residual->value : NULL;
}

#endif

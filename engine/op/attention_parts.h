/* attention_parts: what attention.c is made of.
 *
 *   attention.c           the op: sizes, checks, statistics
 *   attention_forward.c   one (example, head) forward: blocks of queries go through
 *   attention_back.c      and back
 *   attention_fp32.c      the products of both, in fp32,
 *   attention_bf16.c      and with rounded operands: all that these two do not share
 *
 * One thread takes one (example, head) at a time, packs its keys and values, and walks
 * down its queries in blocks whose scores stay in the second-level cache. */
#ifndef STEADY_ATTENTION_PARTS_H
#define STEADY_ATTENTION_PARTS_H

#include "engine/kern/mask.h"
#include "engine/op/numbers.h"

/* Dropout's masks: a row of them has a number made of example, head, query, and key. */
enum { KEY_BITS = 10, QUERY_BITS = 18, HEAD_BITS = 10, EXAMPLE_BITS = 22 };
_Static_assert(ATTENTION_MASKED == RNG_BLOCK << KEY_BITS, "keys of a row's blocks");
_Static_assert(ATTENTION_MASKED <= 1 << QUERY_BITS, "as many queries");

typedef struct Attention {
    Node node;
    AttentionArgs args;
    real *lse; /* [B, H, T] */
} Attention;

/* The sizes that every part needs. */
typedef struct Plan {
    size_t batch, queries, keys, heads, width;
    size_t room;    /* keys that each example has memory for */
    size_t outputs; /* queries that have one: the first */
    size_t padded_keys, padded_width;
    size_t block; /* queries in a block */
    size_t ldq, ldk, ldv, ldy;
    real scale;
    bool drops;
    Mask mask;
    Bf16Way way;
    const struct AttentionProducts *products;
} Plan;

/* One (example, head): where its numbers begin, and its gradients in the backward
 * pass. */
typedef struct Head {
    size_t example, number;
    Numbers q, k, v, y; /* y: in the backward pass dy */
    real *lse;
    Numbers dq, dk, dv; /* neither pointer: not wanted */
    bool add_q, add_k, add_v;
} Head;

/* A thread's own memory. */
typedef struct Room {
    real *prob;   /* [block, padded S] scores, then probabilities */
    real *ds;     /* the same, in the backward pass; first the probabilities' gradient */
    real *kept;   /* the same: m p; prob itself where nothing is dropped */
    void *packed; /* the products' */
} Room;

/* Queries [first, first + rows), which see the first `keys` of the `seen` keys that are
 * packed. */
typedef struct Block {
    size_t first, rows, keys, seen;
    bool later; /* in the backward pass: dk and dv hold what other blocks gave */
} Block;

/* All on the calling thread. */
typedef struct AttentionProducts {
    size_t (*room)(const Plan *p, bool back); /* bytes of Room.packed */
    /* forward: the first `seen` keys and values are packed; prob = c q k^T; y = prob v */
    void (*begin)(const Plan *p, const Head *h, size_t seen, Room *r);
    void (*scores)(const Plan *p, const Head *h, const Block *b, Room *r);
    void (*output)(const Plan *p, const Head *h, const Block *b, Room *r);
    /* backward: the same, and for each block prob again; dv += kept^T dy, ds = dy v^T;
     * dq = c ds k, dk += c ds^T q; at the end what is not in its place yet */
    void (*begin_back)(const Plan *p, const Head *h, size_t seen, Room *r);
    void (*scores_again)(const Plan *p, const Head *h, const Block *b, Room *r);
    void (*back_values)(const Plan *p, const Head *h, const Block *b, Room *r);
    void (*back_scores)(const Plan *p, const Head *h, const Block *b, Room *r);
    void (*end_back)(const Plan *p, const Head *h, size_t seen, Room *r);
} AttentionProducts;

extern const AttentionProducts attention_fp32, attention_bf16;

/* ---- attention_parts.c ---- */

/* Keys that query i of example b may see. */
size_t attention_keys(const AttentionArgs *a, const Plan *p, size_t b, size_t i);

/* Queries of example b that are not padding. */
size_t attention_valid(const AttentionArgs *a, const Plan *p, size_t b);

/* Drops some of the probabilities s of the block: kept, which may be s. */
void attention_drop(const AttentionArgs *a, const Plan *p, const Head *h, const Block *b,
                    const real *s, real *kept);

/* The head without its gradients; y is the output's values. */
Head attention_head(const AttentionArgs *a, const Plan *p, Numbers y, real *lse, size_t b,
                    size_t h);

/* ---- forward, backward ---- */

/* Entropy and largest logit of one (example, head), over its valid queries. */
typedef struct Measure {
    double entropy;
    real largest;
} Measure;

/* measures [B H] */
void attention_forward(Tape *tape, const AttentionArgs *a, const Plan *p, Numbers y,
                       real *lse, Measure *measures);
void attention_backward(Tape *tape, Attention *n, const Plan *p);

#endif

/* pool: the cells of one sweep or several as what compares them sees them - by method,
 * learning rate, seed, and whatever else they differ in.
 *
 *     Pool pool;
 *     pool_open(&pool, &sweep, 1, &(SweepChoice){.method = "model.norm"}, &err);
 *     for (size_t i = 0; i < pool.count; i++)
 *         puts(pool.methods.text[pool.cells[i].method]);                    "pre", "post"
 *     pool_close(&pool);
 *
 * For tools/sweep alone. */
#ifndef STEADY_SWEEP_POOL_H
#define STEADY_SWEEP_POOL_H

#include "tools/sweep/sweep.h"

/* A cell, and its places in the lists of the pool. */
typedef struct PoolCell {
    const SweepCell *cell;
    size_t method, rest, rate, seed;
} PoolCell;

typedef struct PoolList {
    char *title; /* "recipe", "model.depth, model.norm"; "": there is nothing to tell */
    char **text; /* [count] in order of first mention; rates ascend */
    size_t count, room;
} PoolList;

typedef enum { LOSS_VAL, LOSS_SPLIT, LOSS_TRAIN } PoolLoss;

typedef struct Pool {
    const Sweep *sweeps; /* [sweep_count] whose cells they are */
    size_t sweep_count;
    PoolCell *cells; /* [count] ended or not, by method, rest, rate, seed */
    size_t count;
    PoolList methods, rests, rates, seeds;
    double *rate; /* [rates.count] their numbers */
    char *along;  /* keys whose values follow from the method; "": none */
    size_t base;  /* of the methods: what the others are compared with */
    PoolLoss loss;
    const char *criterion;   /* of failure, "loss > 1.48"; NULL: a run that diverged */
    const SweepResult *like; /* of a cell with the score that most have, or any */
} Pool;

/* Cells of several sweeps differ by every key that a word of theirs gives, with the
 * values that their recipes come to, and by those in which recipes of one name differ; by
 * the folders' names where these are all the same.  A key that some recipes alone have
 * goes with the method; one whose value follows from the method is no setting that must
 * be equal (`along`); train.threads is none either.  The sweeps must outlive the pool.
 * FAIL_USAGE: a method's key that is not swept, an unknown base. */
Status pool_open(Pool *pool, const Sweep *sweeps, size_t count, const SweepChoice *choice,
                 Err *err);
void pool_close(Pool *pool);

/* Appends a value as figures name it: "depth 18" of the only key model.depth, "demo" of
 * recipe; of several keys the text has their names already. */
void pool_add_value(const PoolList *list, size_t at, char name[SWEEP_NAME]);

/* Of a cell: its name; of several sweeps that of its folder, "runs/a/cells/NAME". */
enum { POOL_NAME = SWEEP_DIR + SWEEP_NAME + 16 };
void pool_name(const Pool *pool, const SweepCell *cell, char name[POOL_NAME]);

/* The ended cell at those places, or NULL. */
const SweepCell *pool_find(const Pool *pool, size_t method, size_t rest, size_t rate,
                           size_t seed);

/* Of an ended cell: by the criterion of the sweeps, or whether it diverged. */
SweepFate pool_fate(const Pool *pool, const SweepCell *cell);

/* Is its score of the split of `like`?  Those of others are not compared with it.  True
 * where it was never evaluated. */
bool pool_same_split(const Pool *pool, const SweepCell *cell);

/* A line, behind `lead`, where sweeps are not judged alike: by different criteria, so
 * that failures are runs that diverged; or each by the midpoint of its own. */
void pool_print_criteria(const Pool *pool, const char *lead, FILE *out);

/* Final loss: of the last evaluation on split val; where no cell has one, of the split of
 * the score, else of training.  A run that became non-finite has that of guessing.  NaN:
 * it lacks that loss. */
double pool_final_loss(const Pool *pool, const SweepCell *cell);
/* "val loss", "test loss", "training loss" */
void pool_loss_name(const Pool *pool, char name[40]);

/* As people read it; of a run that is judged by another score, this one where it has it,
 * else NaN; that of guessing where the run became non-finite and guessing has
 * one, else NaN there. */
double pool_score(const Pool *pool, const SweepCell *cell);

#endif

#include "tools/probe/neighbours.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/kern/gemm.h"
#include "engine/kern/reduce.h"

enum { ROWS = 64, COLUMNS = 1024 };

typedef struct Search {
    const Features *train, *test;
    real *train_factor; /* [count] 1 / length, 0 of zeros */
    size_t k;
    double temperature;
} Search;

/* Of one thread. */
typedef struct Found {
    real *product; /* [ROWS, COLUMNS] */
    real *like;    /* [ROWS, k] similarities, falling; the first `count` are there */
    size_t *which; /* [ROWS, k] training rows */
    size_t count;  /* the same of all rows */
    double *votes; /* [classes] */
} Found;

static real factor_of(const real *x, size_t width) {
    double length = sqrt(reduce_sum_squares(x, width));
    return length > 0 ? (real)(1 / length) : 0;
}

/* ---- the nearest ---- */

static void insert(real *like, size_t *which, size_t count, size_t k, real now,
                   size_t row) {
    size_t at = count;
    if (count == k && !(now > like[k - 1])) return;
    if (count == k) at = k - 1;
    for (; at > 0 && now > like[at - 1]; at--) {
        like[at] = like[at - 1];
        which[at] = which[at - 1];
    }
    like[at] = now;
    which[at] = row;
}

/* Training rows [first, first + columns) against test rows [from, from + rows). */
static void compare(const Search *s, Found *f, size_t from, size_t rows, size_t first,
                    size_t columns) {
    size_t width = s->train->width, count = f->count;
    gemm_nt(rows, columns, width, 1, s->test->x + from * width, width,
            s->train->x + first * width, width, 0, f->product, COLUMNS);
    for (size_t i = 0; i < rows; i++) {
        real factor = factor_of(s->test->x + (from + i) * width, width);
        count = f->count;
        for (size_t j = 0; j < columns; j++) {
            real now = f->product[i * COLUMNS + j] * factor * s->train_factor[first + j];
            insert(f->like + i * s->k, f->which + i * s->k, count, s->k, now, first + j);
            count = MIN(count + 1, s->k);
        }
    }
    f->count = count;
}

/* ---- the vote ---- */

static bool is_right(const Search *s, Found *f, size_t row, size_t label) {
    size_t best = 0, classes = s->train->classes;
    const real *like = f->like + row * s->k;
    memset(f->votes, 0, classes * sizeof *f->votes);
    for (size_t i = 0; i < s->k; i++)
        f->votes[s->train->label[f->which[row * s->k + i]]] +=
            exp((double)(like[i] - like[0]) / s->temperature);
    for (size_t c = 1; c < classes; c++)
        if (f->votes[c] > f->votes[best]) best = c;
    return best == label;
}

static size_t right_of(const Search *s, Found *f, size_t from, size_t rows) {
    size_t right = 0, count = s->train->count;
    f->count = 0;
    for (size_t first = 0; first < count; first += COLUMNS)
        compare(s, f, from, rows, first, MIN(count - first, (size_t)COLUMNS));
    for (size_t i = 0; i < rows; i++)
        right += is_right(s, f, i, s->test->label[from + i]);
    return right;
}

/* ---- the whole ---- */

static Found found_new(const Search *s) {
    return (Found){.product = mem_array((size_t)ROWS * COLUMNS, sizeof(real)),
                   .like = mem_array(ROWS * s->k, sizeof(real)),
                   .which = mem_array(ROWS * s->k, sizeof(size_t)),
                   .votes = mem_array(s->train->classes, sizeof(double))};
}

static void found_free(Found *f) {
    mem_free(f->product);
    mem_free(f->like);
    mem_free(f->which);
    mem_free(f->votes);
}

/* Products within the loop run on one thread each, and add up alike whoever runs them. */
static size_t right_of_all(const Search *s) {
    size_t threads = (size_t)omp_get_max_threads(), count = s->test->count, right = 0;
    Found *found = mem_array(threads, sizeof *found);
    for (size_t t = 0; t < threads; t++) found[t] = found_new(s);
#pragma omp parallel for schedule(dynamic) reduction(+ : right)
    for (size_t from = 0; from < count; from += ROWS)
        right += right_of(s, &found[omp_get_thread_num()], from,
                          MIN(count - from, (size_t)ROWS));
    for (size_t t = 0; t < threads; t++) found_free(&found[t]);
    mem_free(found);
    return right;
}

double neighbours_top1(const Features *train, const Features *test, size_t k,
                       double temperature) {
    CHECK(train->count && test->count && k, "%zu neighbours of %zu rows in %zu", k,
          test->count, train->count);
    Search s = {.train = train,
                .test = test,
                .train_factor = mem_array(train->count, sizeof(real)),
                .k = MIN(k, train->count),
                .temperature = temperature};
    for (size_t i = 0; i < train->count; i++)
        s.train_factor[i] = factor_of(train->x + i * train->width, train->width);
    size_t right = right_of_all(&s);
    mem_free(s.train_factor);
    return (double)right / (double)test->count;
}

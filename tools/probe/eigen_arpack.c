#if defined HAVE_ARPACK && defined STEADY_DOUBLE

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/probe/eigen.h"

/* ARPACK-NG's symbols, as its Fortran has them; the last numbers are lengths of texts. */
void dsaupd_(int *ido, const char *bmat, const int *n, const char *which, const int *nev,
             const double *tol, double *resid, const int *ncv, double *v, const int *ldv,
             int *iparam, int *ipntr, double *workd, double *workl, const int *lworkl,
             int *info, size_t bmat_length, size_t which_length);
void dseupd_(const int *rvec, const char *howmny, int *select, double *d, double *z,
             const int *ldz, const double *sigma, const char *bmat, const int *n,
             const char *which, const int *nev, const double *tol, double *resid,
             const int *ncv, double *v, const int *ldv, int *iparam, int *ipntr,
             double *workd, double *workl, const int *lworkl, int *info,
             size_t howmny_length, size_t bmat_length, size_t which_length);

enum { RESTARTS_MOST = 300 };

Status eigen_check(Err *err) { return (void)err, OK; }

/* What the two calls share. */
typedef struct Search {
    int n, nev, ncv, lworkl, info;
    int iparam[11], ipntr[11];
    double tol, *resid, *v, *workd, *workl;
} Search;

static void search_begin(Search *s, const EigenTask *task) {
    size_t size = task->size, kept = eigen_kept(size, task->count);
    *s = (Search){.n = (int)size,
                  .nev = (int)task->count,
                  .ncv = (int)kept,
                  .lworkl = (int)(kept * (kept + 8)),
                  .info = 1, /* resid is the first vector */
                  .iparam = {[0] = 1, [2] = RESTARTS_MOST, [6] = 1},
                  .tol = task->tolerance,
                  .resid = mem_array(size, sizeof(double)),
                  .v = mem_array(kept * size, sizeof(double)),
                  .workd = mem_array(3 * size, sizeof(double))};
    s->workl = mem_array((size_t)s->lworkl, sizeof(double));
    memcpy(s->resid, task->start, size * sizeof(double));
}

static void search_end(Search *s) {
    mem_free(s->resid);
    mem_free(s->v);
    mem_free(s->workd);
    mem_free(s->workl);
}

static Status search(Search *s, const EigenTask *task, Err *err) {
    int ido = 0;
    for (;;) {
        dsaupd_(&ido, "I", &s->n, "LM", &s->nev, &s->tol, s->resid, &s->ncv, s->v, &s->n,
                s->iparam, s->ipntr, s->workd, s->workl, &s->lworkl, &s->info, 1, 2);
        if (ido != 1 && ido != -1) break;
        if (task->product(task->context, s->workd + s->ipntr[0] - 1,
                          s->workd + s->ipntr[1] - 1, err))
            return err->status;
    }
    if (s->info == 0) return OK;
    return err_set(err, FAIL_RUN,
                   "ARPACK found %d of %d eigenvalues in %d restarts (info %d of dsaupd)",
                   s->iparam[4], s->nev, RESTARTS_MOST, s->info);
}

static Status read_pairs(Search *s, double *value, double *vector, Err *err) {
    int with_vectors = 1, *select = mem_array((size_t)s->ncv, sizeof *select);
    double unused = 0;
    dseupd_(&with_vectors, "A", select, value, vector, &s->n, &unused, "I", &s->n, "LM",
            &s->nev, &s->tol, s->resid, &s->ncv, s->v, &s->n, s->iparam, s->ipntr,
            s->workd, s->workl, &s->lworkl, &s->info, 1, 1, 2);
    mem_free(select);
    if (s->info == 0) return OK;
    return err_set(err, FAIL_RUN, "ARPACK: info %d of dseupd", s->info);
}

/* By falling magnitude; a few values. */
static void sort_pairs(const EigenTask *task, double *value, double *vector) {
    double *spare = mem_array(task->size, sizeof *spare);
    size_t bytes = task->size * sizeof *spare;
    for (size_t i = 1; i < task->count; i++)
        for (size_t k = i; k && fabs(value[k]) > fabs(value[k - 1]); k--) {
            double *a = vector + (k - 1) * task->size, *b = vector + k * task->size;
            double kept = value[k];
            value[k] = value[k - 1], value[k - 1] = kept;
            memcpy(spare, a, bytes), memcpy(a, b, bytes), memcpy(b, spare, bytes);
        }
    mem_free(spare);
}

Status eigen_largest(const EigenTask *task, double *value, double *vector, Err *err) {
    CHECK(task->count && eigen_kept(task->size, task->count) > task->count &&
              task->size <= INT32_MAX,
          "%zu eigenvalues of a matrix of %zu rows", task->count, task->size);
    Search s;
    search_begin(&s, task);
    if (!search(&s, task, err) && !read_pairs(&s, value, vector, err))
        sort_pairs(task, value, vector);
    search_end(&s);
    return err->status;
}

#endif

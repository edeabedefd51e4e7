# Kernels of OpenBLAS that are wrong, crash or hang are found before anything is computed.

. test/tell.sh
unset OPENBLAS_CORETYPE STEADY_REEXEC STEADY_MENDED_FROM STEADY_KERNEL_CHECK
export OMP_NUM_THREADS=2 XDG_CACHE_HOME="$TMP/cache"
cd "$TMP" || exit 1
few="demo data.synthetic_count=40 model.depth=1 model.width=16 model.heads=2 train.batch=8 train.steps=1
    train.epochs=0 schedule.warmup_epochs=0 --no-report"

# A library before OpenBLAS that spoils what SPOIL names, and counts its calls in the file of COUNT.
cat >shim.c <<'END_SHIM'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <omp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int spoils(const char *what) {
    const char *spoil = getenv("SPOIL");
    return spoil && !strcmp(spoil, what);
}

typedef void Sgemm(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                 const float *b, int ldb, float beta, float *c, int ldc) {
    const char *count = getenv("COUNT");
    FILE *file = count ? fopen(count, "a") : NULL;
    if (file) fputs("x\n", file), fclose(file);
    if (m == 33 && n == 17 && spoils("crash")) raise(SIGILL);
    if (m == 33 && n == 17 && spoils("hang")) for (;;) pause();
    if (k > 1 && ta != 111 && tb == 111 && n % 8 == 1 && spoils("term")) k--; /* one product is missing */
    ((Sgemm *)dlsym(RTLD_NEXT, "cblas_sgemm"))(order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    if (m > 100 && omp_get_num_threads() > 1 && spoils("threads")) c[3] = 0;
    if (m == 65 && ldc > n && spoils("between")) c[n] = 0;
    if (m == 17 && n == 17 && spoils("bits")) { /* of c[0] only those of bfloat16 */
        uint32_t bits;
        memcpy(&bits, c, 4), bits &= 0xFFFF0000u, memcpy(c, &bits, 4);
    }
}

typedef void Dgemm(int, int, int, int, int, int, double, const double *, int, const double *, int, double, double *, int);
void cblas_dgemm(int order, int ta, int tb, int m, int n, int k, double alpha, const double *a, int lda,
                 const double *b, int ldb, double beta, double *c, int ldc) {
    ((Dgemm *)dlsym(RTLD_NEXT, "cblas_dgemm"))(order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    if (k > 1000 && spoils("single")) c[5] = (float)c[5];
}

typedef void Sgemv(int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
void cblas_sgemv(int order, int ta, int m, int n, float alpha, const float *a, int lda, const float *x, int by,
                 float beta, float *y, int step) {
    if (ta == 112 && n > 500 && omp_get_max_threads() > 1 && spoils("vector")) m--;
    ((Sgemv *)dlsym(RTLD_NEXT, "cblas_sgemv"))(order, ta, m, n, alpha, a, lda, x, by, beta, y, step);
}

typedef void Syevr(const char *, const char *, const char *, const int *, void *, const int *, const void *,
    const void *, const int *, const int *, const void *, int *, float *, float *, const int *, int *, void *,
    const int *, int *, const int *, int *);
void ssyevr_(const char *j, const char *r, const char *u, const int *n, void *a, const int *lda, const void *vl,
             const void *vu, const int *il, const int *iu, const void *t, int *m, float *w, float *z,
             const int *ldz, int *s, void *k, const int *lk, int *i, const int *li, int *info) {
    ((Syevr *)dlsym(RTLD_NEXT, "ssyevr_"))(j, r, u, n, a, lda, vl, vu, il, iu, t, m, w, z, ldz, s, k, lk, i, li, info);
    if (*n == 131 && spoils("eigen")) z[7] += 0.1f;
}
END_SHIM
if ! command -v cc >/dev/null || ! cc -shared -fPIC -fopenmp -o shim.so shim.c -ldl 2>/dev/null ||
        ! LD_PRELOAD=./shim.so "$STEADY" --version >/dev/null 2>&1; then
    echo "skip wrong kernels: needs cc and LD_PRELOAD"
    exit
fi
shim() { LD_PRELOAD=$TMP/shim.so "$@"; }

spoilt() { # NAME SPOIL PATTERN
    SPOIL=$2 shim "$STEADY" train $few --out new >out 2>err
    code=$?
    [ $code = 1 ] && [ ! -e new ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] &&
        grep -q "^steady train: OpenBLAS [0-9.]* cannot be trusted with its .* kernels on .*: $3.*; .*install another version" err
    tell "$1" $?
    grep -q ": $3.*;" err || { echo "exit $code" && cat err; }
    rm -rf new
}
spoilt "a sum without one of its products" term 'sgemm (A^T B, m [0-9]*, n [0-9]*, k [0-9]*, alpha .*): C\[.*plain loops give'
spoilt "a number of 16 bits" bits 'sgemm (A.* B.*, m 17, n 17, .*; 1 thread): C\[0, 0\]'
spoilt "what lies between rows is overwritten" between 'sgemm (.*m 65, .*C\[0, [0-9]*\] is 0;'
spoilt "wrong only beside other threads" threads 'sgemm (.*2 threads at once)'
spoilt "double products of single precision" single 'dgemm (.*k [14]0[39][19]'
spoilt "products with vectors, by several threads" vector 'sgemv (A^T x, .*; 2 threads)'
spoilt "an eigenvector that is none" eigen 'ssyevr (order 131.*not the top eigenvector'
spoilt "a kernel that crashes" crash 'sgemm (.*m 33, n 17.*ended the program with signal 4'
export STEADY_KERNEL_CHECK=0.7
spoilt "a kernel that does not end" hang 'sgemm (.*m 33, n 17.*did not end within 0.7 s'
STEADY_KERNEL_CHECK=never "$STEADY" train $few --out new 2>err
[ $? = 2 ] && grep -q 'STEADY_KERNEL_CHECK=never: expected off, or a time limit in seconds' err && [ ! -e new ]
tell "a variable that means nothing is refused" $?
unset STEADY_KERNEL_CHECK

for command in "eval new" "predict new" "sweep demo optim.lr=1,2" "export new -o x" "bench"; do
    # shellcheck disable=SC2086
    SPOIL=crash shim "$STEADY" $command >out 2>err
    [ $? = 1 ] && grep -q 'OpenBLAS .* cannot be trusted' err && [ ! -s out ]
    tell "... by ${command%% *}, too" $?
done
SPOIL=crash shim "$STEADY" train -h >out && SPOIL=crash shim "$STEADY" recipes >out
tell "what computes nothing asks nothing" $?
SPOIL=term shim "$STEADY" doctor >out
[ $? = 1 ] && grep -q '^products *WRONG' out && grep -q '^GEMM *not measured' out &&
    grep -q '^PROBLEM  OpenBLAS .*: sgemm (A^T B' out && grep -q 'What to do: .*install another version' out
tell "doctor names the product and ends with 1" $?
SPOIL=term shim "$STEADY" doctor --json >out
[ $? = 1 ] && grep -q '"fault": "OpenBLAS .*sgemm (A^T B' out
tell "... as JSON" $?
"$STEADY" doctor | grep -q '^products *correct: [0-9]\{4,\} cases'
tell "doctor: right ones" $?
SPOIL=bits STEADY_KERNEL_CHECK=off shim "$STEADY" train $few --out new 2>err && [ -e new ]
tell "STEADY_KERNEL_CHECK=off trains with what is there" $?
rm -rf new

# Once for a machine and a library: the second start calls no more than it needs.
ls cache/steady/kernels-* >/dev/null && rm cache/steady/kernels-*
COUNT=first shim "$STEADY" export nothing -o x 2>err
[ "$(wc -l <first)" -gt 5000 ] && COUNT=second shim "$STEADY" export nothing -o x 2>err && false
[ ! -e second ]
tell "what was right is not checked again" $?
COUNT=second OMP_NUM_THREADS=1 shim "$STEADY" export nothing -o x 2>err
[ -s second ] && rm second
tell "... but with other threads" $?
touch -d '2001-01-01' shim.so && COUNT=second shim "$STEADY" export nothing -o x 2>err
[ -s second ]
tell "... and with another file of the library" $?
mkdir closed && XDG_CACHE_HOME=/proc/nowhere "$STEADY" train $few --out new 2>err &&
    grep -q '^steady: note: OpenBLAS.s kernels are checked at every start.*XDG_CACHE_HOME' err
tell "a cache that cannot be written is said, and the run goes on" $?
(unset XDG_CACHE_HOME && HOME=$PWD/nobody "$STEADY" export new -o other 2>err) && [ ! -e nobody ]
tell "a home that is not there is not made" $?
OMP_NUM_THREADS=99999 "$STEADY" export new -o other 2>err
[ $? = 2 ] && [ "$(cat err)" = "steady export: OMP_NUM_THREADS = 99999: at most 4096 threads are allowed; unset it to use one per processor" ]
tell "more threads than there can be are the user's word, not the kernels' fault" $?
OPENBLAS_CORETYPE=Abacus "$STEADY" export new -o other 2>err &&
    grep -q '^steady: note: OPENBLAS_CORETYPE = Abacus has no effect: OpenBLAS uses its' err
tell "kernels that OpenBLAS does not have are named" $?
OPENBLAS_CORETYPE=Abacus "$STEADY" doctor >out && grep -q '^PROBLEM  OPENBLAS_CORETYPE=Abacus has no effect: OpenBLAS uses its .* kernels' out &&
    ! grep -q '(set by OPENBLAS_CORETYPE)' out && ! grep -q 'OPENBLAS_CORETYPE=Abacus makes' out
tell "... by doctor, as a problem" $?
core=$("$STEADY" doctor --json | sed -n 's/.*"core": "\(.*\)",*/\1/p')
OPENBLAS_CORETYPE=$core "$STEADY" doctor >out && grep -q "^OpenBLAS .*, $core kernels (set by OPENBLAS_CORETYPE)" out &&
    ! grep -q '^PROBLEM .*CORETYPE' out
tell "doctor: kernels that the user has chosen" $?

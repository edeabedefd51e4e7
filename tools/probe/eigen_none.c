#if !defined HAVE_ARPACK || !defined STEADY_DOUBLE

#include "tools/probe/eigen.h"

#ifdef HAVE_ARPACK

/* The program in double has it. */
Status eigen_check(Err *err) { return (void)err, OK; }

#else

Status eigen_check(Err *err) {
    return err_set(
        err, FAIL_USAGE,
        "sharpness needs ARPACK, but this program was built without it; install it "
        "(Debian: libarpack2-dev, Fedora: arpack-devel, Homebrew: arpack), then "
        "./configure && make");
}

#endif

Status eigen_largest(const EigenTask *task, double *value, double *vector, Err *err) {
    (void)task, (void)value, (void)vector;
    if (eigen_check(err)) return err->status;
    return err_set(err, FAIL_USAGE, "eigenvalues need double precision: use steady64");
}

#endif

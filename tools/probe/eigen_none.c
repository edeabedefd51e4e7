#if !defined HAVE_ARPACK || !defined STEADY_DOUBLE

#include "tools/probe/eigen.h"

Status eigen_check(Err *err) {
    return err_set(
        err, FAIL_USAGE,
        "sharpness needs ARPACK, which this program was built without; install "
        "it (Debian: libarpack2-dev, Fedora: arpack-devel, Homebrew: arpack), "
        "then ./configure && make");
}

Status eigen_largest(const EigenTask *task, double *value, double *vector, Err *err) {
    (void)task, (void)value, (void)vector;
    return eigen_check(err);
}

#endif

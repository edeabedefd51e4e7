#include "tools/probe/eigen.h"

size_t eigen_kept(size_t size, size_t count) {
    size_t wanted = MAX(2 * count, count + 32);
    return MIN(wanted, MAX(size, (size_t)1) - 1);
}

#include "engine/core/tensor.h"

const char *tensor_shape_text(const Tensor *x, char *buffer, size_t size) {
    char numbers[TENSOR_DIMS][24];
    for (int d = 0; d < TENSOR_DIMS; d++) {
        if (d < x->dims)
            text_format(numbers[d], sizeof numbers[d], "%s%zu", d ? ", " : "",
                        x->shape[d]);
        else numbers[d][0] = '\0';
    }
    text_format(buffer, size, "[%s%s%s%s]", numbers[0], numbers[1], numbers[2],
                numbers[3]);
    return buffer;
}

void tensor_set_shape(Tensor *x, int dims, const size_t *shape) {
    CHECK(dims >= 0 && dims <= TENSOR_DIMS, "a tensor of %d dimensions", dims);
    x->dims = dims;
    x->size = 1;
    for (int d = 0; d < TENSOR_DIMS; d++) {
        x->shape[d] = d < dims ? shape[d] : 1;
        CHECK(size_mul(x->size, x->shape[d], &x->size), "dimension %d of %zu overflows",
              d, x->shape[d]);
    }
    size_t bytes;
    CHECK(size_mul(x->size, 4 * sizeof(real), &bytes), "a tensor of %zu numbers",
          x->size);
}

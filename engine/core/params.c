#include "engine/core/params.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Tensors start at multiples of 16 numbers: 64 bytes in float. */
#define ALIGN_NUMBERS 16

static size_t padded(size_t size) {
    return (size + ALIGN_NUMBERS - 1) / ALIGN_NUMBERS * ALIGN_NUMBERS;
}

ParamSet *params_new(void) { return mem_zalloc(sizeof(ParamSet)); }

void params_free(ParamSet *set) {
    if (!set) return;
    for (size_t i = 0; i < set->count; i++) mem_free(set->list[i]);
    mem_free(set->list);
    mem_free(set->values);
    mem_free(set->grads);
    mem_free(set->buffers);
    mem_free(set);
}

/* The list grows by doubling: it is full when count is 0 or a power of two. */
static void append(ParamSet *set, Param *param) {
    if ((set->count & (set->count - 1)) == 0) {
        Param **list = mem_alloc(2 * (set->count + 1) * sizeof *list);
        if (set->count) memcpy(list, set->list, set->count * sizeof *list);
        mem_free(set->list);
        set->list = list;
    }
    set->list[set->count++] = param;
}

Param *params_add(ParamSet *set, ParamRole role, int dims, const size_t *shape,
                  const char *format, ...) {
    CHECK(!set->values, "params_add after params_finish");
    Param *param = mem_zalloc(sizeof *param);
    va_list args;
    va_start(args, format);
    int length = vsnprintf(param->name, sizeof param->name, format, args);
    va_end(args);
    CHECK(length > 0 && (size_t)length < sizeof param->name, "a name of %d bytes",
          length);
    CHECK(!params_find(set, param->name), "two parameters named %s", param->name);
    param->role = role;
    tensor_set_shape(&param->tensor, dims, shape);
    param->tensor.needs_grad = param_is_trained(param);
    param->tensor.is_param = true;
    append(set, param);
    return param;
}

static size_t assign_offsets(ParamSet *set, bool trained) {
    size_t next = 0;
    for (size_t i = 0; i < set->count; i++) {
        Param *param = set->list[i];
        if (param_is_trained(param) != trained) continue;
        param->offset = next;
        next += padded(param->tensor.size);
    }
    return next;
}

void params_finish(ParamSet *set) {
    CHECK(!set->values, "params_finish called twice");
    set->trained = assign_offsets(set, true);
    set->buffered = assign_offsets(set, false);
    set->values = mem_zalloc(set->trained * sizeof(real));
    set->grads = mem_zalloc(set->trained * sizeof(real));
    set->buffers = mem_zalloc(set->buffered * sizeof(real));
    for (size_t i = 0; i < set->count; i++) {
        Param *param = set->list[i];
        bool trained = param_is_trained(param);
        param->tensor.value = (trained ? set->values : set->buffers) + param->offset;
        param->tensor.grad = trained ? set->grads + param->offset : NULL;
    }
}

Param *params_find(const ParamSet *set, const char *name) {
    for (size_t i = 0; i < set->count; i++)
        if (!strcmp(set->list[i]->name, name)) return set->list[i];
    return NULL;
}

size_t params_trained_count(const ParamSet *set) {
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        if (param_is_trained(set->list[i])) count += set->list[i]->tensor.size;
    return count;
}

void params_clear_grads(ParamSet *set) {
    for (size_t i = 0; i < set->count; i++) set->list[i]->tensor.grad_written = false;
}

void params_settle_grads(ParamSet *set) {
    for (size_t i = 0; i < set->count; i++) {
        Tensor *tensor = &set->list[i]->tensor;
        if (!tensor->grad || tensor->grad_written) continue;
        memset(tensor->grad, 0, tensor->size * sizeof(real));
        tensor->grad_written = true;
    }
}

#include "engine/core/params.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/core/grow.h"
#include "engine/core/hash.h"

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
    mem_free(set->slots);
    mem_free(set->values);
    mem_free(set->grads);
    mem_free(set->buffers);
    mem_free(set);
}

static void append(ParamSet *set, Param *param) {
    GROW(set->list, set->count, set->room, 1);
    set->list[set->count++] = param;
}

/* ---- names ---- */

/* The slot of the name, or the free one where it belongs (linear probing). */
static size_t slot_of(const ParamSet *set, const char *name) {
    size_t mask = set->slot_count - 1, slot = hash_folded(name, strlen(name)) & mask;
    while (set->slots[slot] && strcmp(set->list[set->slots[slot] - 1]->name, name))
        slot = (slot + 1) & mask;
    return slot;
}

static void add_name(ParamSet *set, size_t number) {
    set->slots[slot_of(set, set->list[number]->name)] = (uint32_t)number + 1;
}

/* At most half of the slots are taken. */
static void grow_slots(ParamSet *set) {
    if (2 * (set->count + 1) <= set->slot_count) return;
    set->slot_count = set->slot_count ? 2 * set->slot_count : 64;
    MEM_DROP(set->slots);
    set->slots = mem_zalloc(set->slot_count * sizeof *set->slots);
    for (size_t i = 0; i < set->count; i++) add_name(set, i);
}

Param *params_find(const ParamSet *set, const char *name) {
    uint32_t number = set->slot_count ? set->slots[slot_of(set, name)] : 0;
    return number ? set->list[number - 1] : NULL;
}

/* ---- building ---- */

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
    param->front = set->front;
    param->layer = set->front ? 0 : set->layer;
    tensor_set_shape(&param->tensor, dims, shape);
    param->tensor.needs_grad = param_is_trained(param);
    param->tensor.is_param = true;
    grow_slots(set);
    append(set, param);
    add_name(set, set->count - 1);
    return param;
}

void params_begin_front(ParamSet *set) { set->front = true; }

void params_end_front(ParamSet *set) { set->front = false; }

void params_begin_layer(ParamSet *set, size_t n) { set->layer = n; }

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

static void expect_memory(const ParamSet *set) {
    double numbers = 0, bytes = 0;
    for (size_t i = 0; i < set->count; i++) {
        const Param *param = set->list[i];
        double size = (double)param->tensor.size;
        numbers += param_is_trained(param) ? size : 0;
        bytes += size * (param_is_trained(param) ? 2 : 1) * sizeof(real);
    }
    char what[80];
    text_format(what, sizeof what, "the model's %.4g parameters and their gradients",
                numbers);
    mem_expect(bytes, what);
}

void params_finish(ParamSet *set) {
    CHECK(!set->values, "params_finish called twice");
    expect_memory(set);
    set->trained = assign_offsets(set, true);
    set->buffered = assign_offsets(set, false);
    set->values = mem_zarray(set->trained, sizeof(real));
    set->grads = mem_zarray(set->trained, sizeof(real));
    set->buffers = mem_zarray(set->buffered, sizeof(real));
    for (size_t i = 0; i < set->count; i++) {
        Param *param = set->list[i];
        bool trained = param_is_trained(param);
        param->tensor.value = (trained ? set->values : set->buffers) + param->offset;
        param->tensor.grad = trained ? set->grads + param->offset : NULL;
    }
}

size_t params_trained_count(const ParamSet *set) {
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        if (param_is_trained(set->list[i])) count += set->list[i]->tensor.size;
    return count;
}

/* "blocks.1" of "blocks.1.attn.qkv.weight", not of "blocks.10.norm1.bias". */
static bool begins_with(const char *full, const char *name, size_t length) {
    if (strncmp(full, name, length)) return false;
    return !full[length] || full[length] == '.';
}

size_t params_freeze(ParamSet *set, const char *name, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        Param *param = set->list[i];
        if (!param_is_trained(param) || !begins_with(param->name, name, length)) continue;
        param->frozen = true;
        param->tensor.needs_grad = false;
        count++;
    }
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

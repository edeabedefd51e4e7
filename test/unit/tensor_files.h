/* tensor_files: small safetensors files in a folder of their own, for tests. */
#ifndef TEST_TENSOR_FILES_H
#define TEST_TENSOR_FILES_H

#include <stddef.h>

#include "data/file/safetensors.h"

const char *tensors_folder(void);

const char *tensors_path(const char *name);

void tensors_write_bytes(const char *path, const void *bytes, size_t size);

bool tensors_exist(const char *path);

extern const real tensors_small[6];

Status tensors_save_small(const char *path, const real *values, Err *err);

Safetensors *tensors_open_good(const char *path);

int tensors_make_folder(void **state);

int tensors_remove_folder(void **state);

#endif

#include "tensor_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

const char *tensors_folder(void) { return folder; }

const char *tensors_path(const char *name) {
    static char path[200];
    text_format(path, sizeof path, "%s/%s", folder, name);
    return path;
}

void tensors_write_bytes(const char *path, const void *bytes, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

bool tensors_exist(const char *path) { return access(path, F_OK) == 0; }

const real tensors_small[6] = {1, (real)-2.5, 0, (real)1e-30, (real)3e30, 7};

Status tensors_save_small(const char *path, const real *values, Err *err) {
    SafetensorsWriter *w = safetensors_writer_new();
    safetensors_add(w, "blocks.0.weight", 2, (size_t[]){2, 3}, values);
    safetensors_add(w, "nothing", 2, (size_t[]){0, 5}, NULL);
    safetensors_add(w, "gamma", 0, NULL, values + 5);
    safetensors_add_metadata(w, "step", "100");
    safetensors_add_metadata(w, "text", "a \"quoted\" line\nand \xc3\xa4");
    Status status = safetensors_save(w, path, err);
    safetensors_writer_free(w);
    return status;
}

Safetensors *tensors_open_good(const char *path) {
    Err err = ERR_NONE;
    Safetensors *file = safetensors_open(path, SAFETENSORS_VERIFY, &err);
    if (!file) fail_msg("%s", err.text);
    return file;
}

int tensors_make_folder(void **state) {
    (void)state;
    text_format(folder, sizeof folder, "%s", "/tmp/steady-safetensors-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

int tensors_remove_folder(void **state) {
    (void)state;
    char command[100];
    text_format(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

/* A safetensors file: every entry that is listed can be read. */
#include "data/file/safetensors.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Err err = ERR_NONE;
    const char *path = fuzz_file("a.safetensors", data, size);
    Safetensors *file = safetensors_open(path, SAFETENSORS_VERIFY, &err);
    if (!file) return 0;
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const SafetensorsEntry *entry = safetensors_entry(file, i);
        fuzz_expect(entry->bytes <= size && entry->count <= size);
        real *out = mem_alloc((entry->count + 1) * sizeof *out);
        safetensors_read(file, entry, out, entry->count, &err);
        mem_free(out);
    }
    safetensors_metadata(file, "step");
    safetensors_close(file);
    return 0;
}

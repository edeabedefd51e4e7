/* A gzip file, as a binary file and as text. */
#include "data/file/bytes.h"
#include "data/file/textfile.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Err err = ERR_NONE;
    const char *path = fuzz_file("a.gz", data, size);
    ByteFile file;
    if (!bytes_open(&file, path, &err)) {
        uint8_t *all = NULL;
        size_t n;
        if (!bytes_take_rest(&file, &all, &n, &err)) bytes_end(&file, &err);
        mem_free(all);
        bytes_close(&file);
    }
    TextFile text;
    if (!textfile_read(&text, path, &err)) textfile_free(&text);
    return 0;
}

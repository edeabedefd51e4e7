#include "test/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATHS = 8, PATH_ROOM = 200 };

const char *fuzz_folder(void) {
    static char folder[100];
    if (*folder) return folder;
    const char *root = getenv("FUZZ_FOLDER");
    if (!root) root = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
    snprintf(folder, sizeof folder, "%s/steady-fuzz.XXXXXX", root);
    fuzz_expect(mkdtemp(folder) != NULL);
    return folder;
}

const char *fuzz_file(const char *name, const uint8_t *data, size_t size) {
    static char path[PATHS][PATH_ROOM];
    static int next;
    char *at = path[next = (next + 1) % PATHS];
    snprintf(at, PATH_ROOM, "%s/%s", fuzz_folder(), name);
    int file = open(at, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    fuzz_expect(file >= 0 && write(file, data, size) == (ssize_t)size);
    close(file);
    return at;
}

/* The end of the part that begins at `from`: where a line "---" begins, or the end. */
static size_t part_end(const uint8_t *data, size_t from, size_t size) {
    for (size_t i = from; i + 4 <= size; i++)
        if (!memcmp(data + i, "---\n", 4) && (i == from || data[i - 1] == '\n')) return i;
    return size;
}

void fuzz_files(const char *const *names, const uint8_t *data, size_t size) {
    size_t from = 0;
    for (; *names; names++) {
        size_t end = part_end(data, from, size);
        fuzz_file(*names, data + from, end - from);
        from = end + 4 < size ? end + 4 : size;
    }
}

const char *fuzz_text(const uint8_t *data, size_t size, size_t most) {
    static char *text;
    size_t n = size < most ? size : most;
    free(text);
    text = malloc(n + 1);
    fuzz_expect(text != NULL);
    memcpy(text, data, n);
    text[n] = 0;
    return text;
}

void fuzz_expect(int condition) {
    if (!condition) abort();
}

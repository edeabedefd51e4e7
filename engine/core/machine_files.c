#include "engine/core/machine_files.h"

#include <stdio.h>
#include <string.h>

enum { PATH_SIZE = 4096, LINE_SIZE = 4096 };

bool machine_read_line(const char *root, const char *path, char *line, size_t size) {
    char full[PATH_SIZE];
    if ((size_t)snprintf(full, sizeof full, "%s%s", root, path) >= sizeof full)
        return false;
    FILE *file = fopen(full, "r");
    if (!file) return false;
    bool ok = fgets(line, (int)size, file);
    fclose(file);
    if (ok) line[strcspn(line, "\n")] = 0;
    return ok;
}

bool machine_read_field(const char *root, const char *path, const char *key, char *value,
                        size_t size) {
    char full[PATH_SIZE], line[LINE_SIZE];
    if ((size_t)snprintf(full, sizeof full, "%s%s", root, path) >= sizeof full)
        return false;
    FILE *file = fopen(full, "r");
    if (!file) return false;
    bool found = false;
    while (!found && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key)) != 0) continue;
        if (strspn(line + strlen(key), " \t") != (size_t)(colon - line) - strlen(key))
            continue;
        char *text = colon + 1 + strspn(colon + 1, " \t");
        text[strcspn(text, "\n")] = 0;
        snprintf(value, size, "%s", text);
        found = *text != 0;
    }
    fclose(file);
    return found;
}

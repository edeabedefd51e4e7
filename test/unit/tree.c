#include "tree.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { PATH_SIZE = 600, LINE_SIZE = 1000, FILES_LEAST = 40 };

static bool is_source(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot && (!strcmp(dot, ".c") || !strcmp(dot, ".h"));
}

static size_t each_below(const char *path, TreeVisit *visit, void *context) {
    struct stat kind;
    if (stat(path, &kind)) return 0;
    if (!S_ISDIR(kind.st_mode)) {
        if (is_source(path)) visit(context, path);
        return is_source(path);
    }
    size_t files = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *e; (e = readdir(folder));) {
        char below[PATH_SIZE];
        if (e->d_name[0] == '.') continue;
        snprintf(below, sizeof below, "%s/%s", path, e->d_name);
        files += each_below(below, visit, context);
    }
    closedir(folder);
    return files;
}

size_t tree_each(const char *const *folders, TreeVisit *visit, void *context) {
    size_t files = 0;
    for (; *folders; folders++) files += each_below(*folders, visit, context);
    if (files < FILES_LEAST)
        fail_msg("%zu files: start this test in the top folder", files);
    return files;
}

void tree_folder(const char *path, char *folder, size_t size) {
    const char *slash = strrchr(path, '/');
    if (slash) snprintf(folder, size, "%.*s", (int)(slash - path), path);
    else snprintf(folder, size, ".");
}

static bool ends_with(const char *line, const char *end) {
    size_t length = strlen(line), n = strlen(end);
    return length >= n && !strcmp(line + length - n, end);
}

typedef enum { NOTHING, COMMENT, DIRECTIVE, DECLARATION, TABLE, FUNCTION } Part;

static Part part_that_begins(const char *line) {
    if (!*line) return NOTHING;
    if (!strncmp(line, "/*", 2)) return COMMENT;
    return *line == '#' ? DIRECTIVE : DECLARATION;
}

/* A declaration turns out to be more where its brace opens. */
static Part part_so_far(Part part, const char *line) {
    if (part != DECLARATION) return part;
    if (ends_with(line, ") {") || ends_with(line, "}")) return FUNCTION;
    return ends_with(line, "{") ? TABLE : DECLARATION;
}

static bool part_ends(Part part, const char *line, bool first) {
    switch (part) {
    case COMMENT: return strstr(line, "*/") != NULL;
    case DIRECTIVE: return !ends_with(line, "\\");
    case DECLARATION: return ends_with(line, ";");
    case FUNCTION: return *line == '}' || (*line && first && ends_with(line, "}"));
    case TABLE: return *line == '}';
    default: return true;
    }
}

void tree_functions(FILE *file, FunctionVisit *visit, void *context) {
    char line[LINE_SIZE], head[LINE_SIZE] = "";
    Part part = NOTHING;
    for (size_t lines = 0; fgets(line, sizeof line, file);) {
        line[strcspn(line, "\n")] = 0;
        if (!lines) strcpy(head, line);
        if (!lines++) part = part_that_begins(line);
        Part before = part;
        part = part_so_far(part, line);
        if (!part_ends(part, line, before == DECLARATION)) continue;
        if (part == FUNCTION || (part == DIRECTIVE && lines > 1))
            visit(context, head, lines);
        lines = 0;
    }
}

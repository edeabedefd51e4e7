/* tree: the project's own files, for the tests of its rules (docs/architecture.md).
 *
 *     static void look(void *context, const char *path) { ... "data/file/bytes.c" ... }
 *     tree_each((const char *[]){"engine", "data", NULL}, look, NULL);
 *
 * Tests start in the top folder. */
#ifndef TEST_TREE_H
#define TEST_TREE_H

#include <stdio.h>

typedef void TreeVisit(void *context, const char *path);

/* Calls `visit` for each .c and .h file of the folders (the list ends in NULL) and of
 * those below.  A folder that is not there has none.  Returns how many there were; fewer
 * than 40 are a failed test, because it was started in another folder. */
size_t tree_each(const char *const *folders, TreeVisit *visit, void *context);

/* "data/file" of "data/file/bytes.c", "." of "main.c". */
void tree_folder(const char *path, char *folder, size_t size);

typedef void FunctionVisit(void *context, const char *head, size_t lines);

/* Calls `visit` for each function of a C file as clang-format lays it out: its first line
 * and the number of lines from there to the closing brace.  Macros of several lines count
 * as functions; types and tables do not. */
void tree_functions(FILE *file, FunctionVisit *visit, void *context);

#endif

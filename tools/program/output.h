/* output: what a command prints on stdout, and whether it has arrived.
 *
 *     output_json(row, JSON_COMPACT | JSON_REAL_PRECISION(9));     one object, one line
 *     while (more && !output_failed()) ...                         a long output ends early
 *     return output_end("predict", code);                          main, after every command
 *
 * Commands may print with stdio all the same: its failures are kept until output_end. */
#ifndef STEADY_OUTPUT_H
#define STEADY_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>

/* First in main.  A closed descriptor 0, 1 or 2 would become the next file that is
 * opened, a log for instance; and an object that jansson finds no memory for would be
 * printed in part, or without some of its keys: the process ends instead, as
 * everywhere (mem_alloc). */
void output_begin(void);

/* The whole object or nothing of it; taken over. */
void output_json(json_t *row, size_t flags);

/* Is the disk full, or the pipe closed? */
bool output_failed(void);

/* `code`; or, where it is 0 and what was printed has not arrived, a line on
 * stderr and FAIL_RUN. */
int output_end(const char *command, int code);

#endif

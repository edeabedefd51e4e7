/* machine_files: the small files in which Linux says what a machine is and grants.
 * `root` is put before the path, as in machine.h.  Not for use elsewhere. */
#ifndef STEADY_MACHINE_FILES_H
#define STEADY_MACHINE_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* First line of root/path without its newline; false when it cannot be read. */
bool machine_read_line(const char *root, const char *path, char *line, size_t size);

/* Value of "key : value" in root/path, as text; false when there is none. */
bool machine_read_field(const char *root, const char *path, const char *key, char *value,
                        size_t size);

#endif

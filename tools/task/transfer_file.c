/* transfer_file: the file that weights come from (tools/task/transfer_parts.h). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/kern/reduce.h"
#include "tools/program/say.h"
#include "tools/task/transfer_parts.h"

void transfer_note(const Transfer *t, const char *format, ...) {
    char text[700];
    va_list args;
    if (!ranks_lead(t->task->ranks)) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say("steady: note: %s: %s", t->path, text);
}

const SafetensorsEntry *transfer_find(const Transfer *t, const char *name) {
    char averaged[SAFETENSORS_NAME_MAX + 1];
    text_format(averaged, sizeof averaged, "%s%s", TRANSFER_AVERAGE, name);
    const SafetensorsEntry *e = t->averaged ? safetensors_find(t->file, averaged) : NULL;
    return e ? e : safetensors_find(t->file, name);
}

const SafetensorsEntry *transfer_take(Transfer *t, const char *name) {
    const SafetensorsEntry *plain = safetensors_find(t->file, name);
    for (size_t i = 0; plain && i < safetensors_count(t->file); i++)
        if (safetensors_entry(t->file, i) == plain) t->used[i] = true;
    return transfer_find(t, name);
}

bool transfer_fact(const Transfer *t, const char *name, char *value, size_t size) {
    size_t length = strlen(name);
    for (const char *line = t->meaning; line && *line; line += *line == '\n') {
        size_t end = strcspn(line, "\n");
        if (!strncmp(line, name, length) && line[length] == '=') {
            text_format(value, size, "%.*s", (int)MIN(end - length - 1, size - 1),
                        line + length + 1);
            return true;
        }
        line += end;
    }
    return false;
}

Status transfer_read(const Transfer *t, const SafetensorsEntry *e, real *values,
                     Err *err) {
    if (safetensors_read(t->file, e, values, e->count, err)) return err->status;
    if (reduce_all_finite(values, e->count)) return OK;
    return err_set(err, FAIL_DATA, "%s: %s has non-finite values", t->path, e->name);
}

/* runlog_recipe: what a recipe.ini says, line by line (tools/run/runlog_parts.h). */
#include <ctype.h>
#include <string.h>

#include "data/file/textbuffer.h"
#include "engine/core/grow.h"
#include "tools/run/runlog_parts.h"

enum { SETTINGS_MOST = 4000 }; /* ten times what a recipe has */

typedef struct Part {
    const char *text;
    size_t length;
} Part;

static Part trimmed(const char *text, size_t length) {
    while (length && isspace((unsigned char)*text)) text++, length--;
    while (length && isspace((unsigned char)text[length - 1])) length--;
    return (Part){text, length};
}

/* Without what is behind a `;` or `#`, at its start or behind a blank. */
static Part uncommented(Part line) {
    for (size_t i = 0; i < line.length; i++)
        if (strchr(";#", line.text[i]) &&
            (i == 0 || isspace((unsigned char)line.text[i - 1])))
            return trimmed(line.text, i);
    return line;
}

static char *copy(Part part) {
    char *text = mem_alloc(part.length + 1);
    memcpy(text, part.text, part.length);
    text[part.length] = 0;
    return text;
}

static void keep(RunLog *run, Part section, Part key, Part value) {
    TextBuffer name = {0};
    text_append(&name, section.text, section.length);
    text_append_byte(&name, '.');
    text_append(&name, key.text, key.length);
    GROW(run->settings, run->setting_count, run->setting_room, 1);
    run->settings[run->setting_count++] = (Setting){mem_strdup(name.text), copy(value)};
    text_free(&name);
}

/* As tools/recipe/inifile.h reads them, of any length, but for lines that are no
 * settings: they are passed over. */
void runlog_read_settings(RunLog *run, const char *text) {
    Part section = {"", 0};
    if (!strncmp(text, "\xEF\xBB\xBF", 3)) text += 3;
    for (size_t length; *text; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        Part line = uncommented(trimmed(text, length));
        const char *close = memchr(line.text, ']', line.length);
        if (line.length && *line.text == '[') {
            if (close) section = (Part){line.text + 1, (size_t)(close - line.text) - 1};
            continue;
        }
        size_t equals = 0;
        while (equals < line.length && !strchr("=:", line.text[equals])) equals++;
        if (equals == line.length || !section.length ||
            run->setting_count == SETTINGS_MOST)
            continue;
        Part key = trimmed(line.text, equals);
        keep(run, section, key,
             trimmed(line.text + equals + 1, line.length - equals - 1));
    }
}

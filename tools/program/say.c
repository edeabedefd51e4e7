#include "tools/program/say.h"

#include <stdio.h>
#include <string.h>

#include "engine/core/text.h"

/* Of a thread, as its notes are of the call that the library's user makes in it. */
static _Thread_local Listener listening;

Listener say_to(Listener listener) {
    Listener before = listening;
    listening = listener;
    return before;
}

void say_list(const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    size_t size = (size_t)MAX(length, 0) + 1, room = 4 * size + 8;
    char *text = mem_zalloc(size), *shown = mem_alloc(room);
    vsnprintf(text, size, format, again);
    va_end(again);
    utf8_show(text, strlen(text), shown, room);
    if (listening.hear) listening.hear(listening.context, shown);
    else fprintf(stderr, "%s\n", shown);
    mem_free(text);
    mem_free(shown);
}

void say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    say_list(format, args);
    va_end(args);
}

void print_field(const char *text) {
    static const char LETTERS[] = "\tt\nn\rr";
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        const char *letter = byte < 0x20 ? strchr(LETTERS, byte) : NULL;
        if (letter) printf("\\%c", letter[1]);
        else if (byte < 0x20 || byte == 0x7F) printf("\\x%02x", byte);
        else putchar(byte);
    }
}

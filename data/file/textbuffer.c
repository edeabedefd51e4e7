#include "data/file/textbuffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/utf8.h"
#include "engine/core/grow.h"

void text_append(TextBuffer *buffer, const char *bytes, size_t length) {
    GROW(buffer->text, buffer->length, buffer->capacity, length + 1);
    if (length) memcpy(buffer->text + buffer->length, bytes, length);
    buffer->length += length;
    buffer->text[buffer->length] = 0;
}

void text_append_format(TextBuffer *buffer, const char *format, ...) {
    va_list values, again;
    va_start(values, format);
    va_copy(again, values);
    int length = vsnprintf(NULL, 0, format, values);
    CHECK(length >= 0, "the format \"%s\"", format);
    GROW(buffer->text, buffer->length, buffer->capacity, (size_t)length + 1);
    vsnprintf(buffer->text + buffer->length, (size_t)length + 1, format, again);
    buffer->length += (size_t)length;
    va_end(again);
    va_end(values);
}

void text_append_byte(TextBuffer *buffer, char byte) { text_append(buffer, &byte, 1); }

void text_append_code(TextBuffer *buffer, uint32_t code) {
    char bytes[UTF8_BYTES];
    text_append(buffer, bytes, utf8_put(code, bytes));
}

void text_append_escaped(TextBuffer *buffer, const char *text) {
    for (size_t left = strlen(text), used; left; text += used, left -= used) {
        uint32_t code;
        char escape[8];
        used = *text == '\\' ? 0 : utf8_next(text, left, &code);
        text_format(escape, sizeof escape, "\\x%02x", (unsigned)(unsigned char)*text);
        text_append(buffer, used ? text : escape, used ? used : strlen(escape));
        used = MAX(used, (size_t)1);
    }
}

void text_unescape(char *text) {
    char *to = text;
    for (; *text; text++) {
        char digits[3] = "";
        if (!strncmp(text, "\\x", 2)) memcpy(digits, text + 2, strnlen(text + 2, 2));
        bool escaped = strspn(digits, "0123456789abcdef") == 2;
        *to++ = escaped ? (char)strtoul(digits, NULL, 16) : *text;
        if (escaped) text += 3;
    }
    *to = 0;
}

void text_clear(TextBuffer *buffer) {
    buffer->length = 0;
    text_append(buffer, "", 0);
}

void text_free(TextBuffer *buffer) {
    mem_free(buffer->text);
    *buffer = (TextBuffer){0};
}

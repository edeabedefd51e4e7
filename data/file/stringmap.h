/* stringmap: strings numbered in the order of their coming, each with a count.
 *
 *     StringMap map = {0};
 *     stringmap_count(&map, word, length, 1);
 *     stringmap_free(&map); */
#ifndef STEADY_STRINGMAP_H
#define STEADY_STRINGMAP_H

#include "data/file/textbuffer.h"

typedef struct StringMap {
    size_t count;
    size_t *count_of; /* [count] */
    size_t *start;    /* [count + 1] in text */
    TextBuffer text;
    size_t capacity;
    uint32_t *slots; /* [slot_count] number + 1; 0: free */
    size_t slot_count;
} StringMap;

/* Its number, old or new. */
size_t stringmap_add(StringMap *map, const char *text, size_t length);
/* The same, and adds `times` to its count. */
size_t stringmap_count(StringMap *map, const char *text, size_t length, size_t times);
/* Adds string a with string b behind it. */
size_t stringmap_join(StringMap *map, size_t a, size_t b);
/* SIZE_MAX: it is not there. */
size_t stringmap_find(const StringMap *map, const char *text, size_t length);
/* Not NUL-terminated; valid until the next stringmap_add. */
const char *stringmap_text(const StringMap *map, size_t i, size_t *length);
/* As strings of bytes, which is the order of code points. */
int stringmap_compare(const StringMap *map, size_t a, size_t b);
void stringmap_free(StringMap *map);

#endif

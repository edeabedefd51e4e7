/* search_words: the words of a question to `steady search`: without fillers and endings,
 * each with words of the program that mean the same to a newcomer. */
#ifndef STEADY_SEARCH_WORDS_H
#define STEADY_SEARCH_WORDS_H

#include "engine/core/base.h"

enum { SEARCH_WORDS_MOST = 16, SEARCH_WORD = 40, SEARCH_LIKE = 12 };

typedef struct SearchWord {
    char text[SEARCH_WORD];
    char like[SEARCH_LIKE][SEARCH_WORD]; /* [like_count], their endings cut off, too */
    size_t like_count;
} SearchWord;

typedef struct SearchWords {
    SearchWord word[SEARCH_WORDS_MOST];
    size_t count;
} SearchWords;

/* Adds the word of `length` bytes, unless it says nothing ("how", "the"). */
void search_words_add(SearchWords *words, const char *start, size_t length);

#endif

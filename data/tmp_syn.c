#include <string.h>
#include "data/numbers.h"
#include "data/grammar.h"
void numbers_text(uint64_t seed, Split split, size_t count, TextBuffer *source, TextBuffer *target){(void)seed;(void)split; for(size_t i=0;i<count;i++){text_append(source,"a b c\n",6);text_append(target,"c b a d\n",8);}}
void grammar_text(uint64_t seed, Split split, size_t count, TextBuffer *t){(void)seed;(void)split; for(size_t i=0;i<count;i++){text_append(t,"a b c\n",6);}}

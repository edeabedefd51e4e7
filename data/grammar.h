#include "data/textbuffer.h"
#include "data/dataset.h"
void grammar_text(uint64_t seed, Split split, size_t count, TextBuffer *text);

#include "data/textbuffer.h"
#include "data/dataset.h"
void numbers_text(uint64_t seed, Split split, size_t count, TextBuffer *source, TextBuffer *target);

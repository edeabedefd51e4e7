/* wordjson: words of a sweep in JSON (tools/sweep/state.h). */
#include "data/file/textbuffer.h"
#include "tools/sweep/state.h"

json_t *word_json(const char *word) {
    TextBuffer text = {0};
    text_append_escaped(&text, word);
    json_t *string = json_string(text.text ? text.text : "");
    text_free(&text);
    return string;
}

char *word_of(const json_t *string) {
    char *word = mem_strdup(json_is_string(string) ? json_string_value(string) : "");
    text_unescape(word);
    return word;
}

json_t *words_json(const Sweep *sweep) {
    json_t *words = json_array();
    for (size_t i = 0; i < sweep->word_count; i++)
        json_array_append_new(words, word_json(sweep->words[i]));
    return words;
}

char **words_of(const json_t *list, size_t *count) {
    const json_t *item;
    char **words = mem_zalloc((json_array_size(list) + 1) * sizeof *words);
    size_t i;
    json_array_foreach(list, i, item) words[i] = word_of(item);
    *count = json_array_size(list);
    return words;
}

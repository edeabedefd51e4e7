#include "tools/command/search_words.h"

#include <string.h>
#include <strings.h>

static bool is_filler(const char *word) {
    static const char *const FILLERS[] = {
        "a",    "about", "all",    "am",   "an",    "and",    "any",   "are",    "as",
        "at",   "be",    "by",     "can",  "could", "do",     "does",  "done",   "each",
        "else", "for",   "from",   "get",  "give",  "go",     "has",   "have",   "how",
        "i",    "if",    "in",     "is",   "it",    "its",    "just",  "let",    "like",
        "make", "me",    "more",   "much", "my",    "need",   "not",   "of",     "on",
        "off",  "one",   "or",     "our",  "out",   "please", "put",   "switch", "turn",
        "see",  "set",   "should", "so",   "some",  "than",   "that",  "the",    "their",
        "them", "then",  "there",  "they", "thing", "this",   "to",    "use",    "using",
        "want", "was",   "way",    "we",   "what",  "when",   "where", "which",  "who",
        "why",  "will",  "with",   "work", "would", "you",    "your"};
    for (size_t i = 0; i < COUNT(FILLERS); i++)
        if (!strcasecmp(word, FILLERS[i])) return true;
    return false;
}

/* Words of one line mean the same, or what answers them does; the endings are cut off. */
static const char *const GROUPS[][SEARCH_LIKE] = {
    {"picture", "image", "photo", "jpg", "jpeg", "png"},
    {"layer", "depth", "deep", "deeper", "block"},
    {"width", "wide", "wider"},
    {"rate", "lr"},
    {"plot", "draw", "graph", "chart", "curve", "figure", "visualize", "diagram"},
    {"resume", "continue", "restart", "crash", "interrupt", "abort", "pause"},
    {"thread", "core", "cpu", "processor"},
    {"machine", "computer", "node", "cluster", "mpi", "mpirun", "process"},
    {"memory", "ram", "oom"},
    {"text", "book", "novel", "corpus"},
    {"recording", "audio", "sound", "speech", "voice", "wav", "transcript", "transcribe"},
    {"compare", "difference", "differ", "diff", "versus"},
    {"accuracy", "score", "evaluate", "eval", "good", "quality", "performance"},
    {"predict", "classify", "recognize", "recognise", "inference", "label"},
    {"generate", "prompt", "continue", "write", "sample"},
    {"checkpoint", "save", "saving", "store", "backup"},
    {"pytorch", "torch", "tensorflow", "huggingface", "timm", "export", "onnx"},
    {"finetune", "fine-tune", "fine-tuning", "pretrained", "transfer"},
    {"fast", "faster", "speed", "slow", "benchmark", "bench"},
    {"precision", "half", "bf16", "fp16", "float16", "bfloat16"},
    {"live", "now", "progress", "watch", "monitor", "status"},
    {"epoch", "step", "iteration", "longer", "long"},
    {"dropout", "overfit", "overfitting", "regularization", "regularisation"},
    {"vocabulary", "vocab", "token", "tokenizer", "dictionary"},
    {"fail", "wrong", "bad", "broken", "explode", "diverge", "diverged", "nan"},
    {"install", "installation", "setup", "doctor"},
    {"several", "grid", "many", "tune", "tuning", "hyperparameter", "sweep", "different"},
    {"word", "meaning", "mean", "glossary", "explain", "term", "definition"},
    {"seed", "random", "reproducible", "reproduce"},
    {"translate", "translation", "translator", "german", "english", "french"},
    {"validation", "val", "held", "holdout"},
    {"freeze", "frozen", "fixed"},
    {"augment", "augmentation", "flip", "mirror", "rotate"},
    {"warmup", "warm", "warm-up"},
    {"stop", "early", "patience"},
    {"error", "message", "code", "exit"},
    {"clip", "clipping"},
};

/* "collapses" and "collapsed" find "collapse". */
static void cut_ending(char *word) {
    static const char *const ENDINGS[] = {"ing", "ed", "es", "s", "e"};
    size_t length = strlen(word);
    for (size_t i = 0; i < COUNT(ENDINGS); i++) {
        size_t end = strlen(ENDINGS[i]);
        if (length < end + 4 || strcmp(word + length - end, ENDINGS[i])) continue;
        word[length - end] = 0;
        return;
    }
}

static bool has_word(const char *const group[SEARCH_LIKE], const char *word) {
    for (size_t i = 0; i < SEARCH_LIKE && group[i]; i++) {
        char other[SEARCH_WORD];
        text_format(other, sizeof other, "%s", group[i]);
        cut_ending(other);
        if (!strcasecmp(other, word)) return true;
    }
    return false;
}

/* Of all groups that have it, the other words, as far as there is room. */
static void add_like(SearchWord *word) {
    for (size_t g = 0; g < COUNT(GROUPS); g++) {
        if (!has_word(GROUPS[g], word->text)) continue;
        for (size_t i = 0; i < SEARCH_LIKE && GROUPS[g][i]; i++) {
            if (word->like_count == SEARCH_LIKE) return;
            char *like = word->like[word->like_count];
            text_format(like, SEARCH_WORD, "%s", GROUPS[g][i]);
            cut_ending(like);
            word->like_count += strcasecmp(like, word->text) != 0;
        }
    }
}

void search_words_add(SearchWords *words, const char *start, size_t length) {
    SearchWord word = {.like_count = 0};
    while (length && strchr("?!.,;:'\"", start[length - 1])) length--;
    text_format(word.text, sizeof word.text, "%.*s",
                (int)MIN(length, (size_t)SEARCH_WORD - 1), start);
    if (!length || words->count == SEARCH_WORDS_MOST || is_filler(word.text)) return;
    cut_ending(word.text);
    add_like(&word);
    words->word[words->count++] = word;
}
